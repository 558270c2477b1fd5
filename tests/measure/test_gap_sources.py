"""Parts of the gap: what must hold whatever the model is."""

import math
from dataclasses import replace

import pytest
import torch
from torch.distributions import Normal

from vaelib.evidence import fits, sampling
from vaelib.measure import gap_sources
from vaelib.vae.objective import Objective

pytestmark = pytest.mark.xdist_group("measured")
NUMBER = 12


@pytest.fixture
def log_weights(measured, generator):
    model, result = measured
    return sampling.log_weights(
        model.decoder, result.likelihood, result.pixels, result.q, 500, generator
    )


def test_samples_confirm_a_right_evidence_and_refute_a_wrong_one(measured, log_weights, generator):
    model, result = measured
    every = torch.arange(NUMBER)
    found = gap_sources.confirm(result, model, every, log_weights, generator)
    for part in ("evidence", "gap"):
        assert abs(found[part]["mean_score"]) < 0.8
        assert 0.5 < found[part]["rms_score"] < 1.6
        assert found[part]["images"] == NUMBER
    assert abs(found["evidence"]["difference"]) < 0.05
    wrong = replace(
        result,
        gap=result.gap + 0.5,
        evidence=replace(result.evidence, log_evidence=result.evidence.log_evidence + 0.5),
    )
    refuted = gap_sources.confirm(wrong, model, every, log_weights, generator)
    assert refuted["evidence"]["mean_score"] < -3
    assert refuted["gap"]["mean_score"] < -1


def test_the_parts_of_the_gap_add_up_and_lie_in_order(measured):
    _, result = measured
    parts = gap_sources.split(result, torch.tensor([3, 8]))
    assert parts["gap"] == pytest.approx(float(result.gap[[3, 8]].mean()))
    assert parts["amortisation"] + parts["family"] == pytest.approx(parts["gap"])
    assert -0.01 < parts["full"] <= parts["family"] + 0.002
    assert parts["amortisation"] > -0.01


def test_more_samples_bring_the_bound_nearer(measured, log_weights):
    _, result = measured
    below = gap_sources.bounds(result, torch.arange(NUMBER), log_weights)
    assert below.pop("images") == NUMBER
    values = list(below.values())
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(float(result.gap.mean()), rel=0.1)
    assert values[-1] > -0.1


def test_the_weighted_posterior_is_the_posterior_for_a_weight_of_one(measured):
    _, result = measured
    found = gap_sources.weighted(result, weight=1.0)
    assert found["posterior"] == pytest.approx(float(result.gap.mean()))
    assert found["weighted"] == pytest.approx(found["posterior"], abs=0.01)


def test_the_weighted_posterior_is_that_of_samples(measured):
    """KL(q ‖ p(x|z)² p(z) / Z) of some images, with Z and the mean under q from samples."""
    model, result = measured
    divergences = []
    for image in range(NUMBER):
        q = Normal(result.q.mean[image], torch.exp(result.q.log_variance[image] / 2))
        z = q.sample((500,))
        mean, covariance = result.evidence.mean[image], result.evidence.covariance[image]
        wide = Normal(mean.float(), 1.5 * covariance.diagonal().sqrt().float())
        samples = wide.sample((500,))

        def log_target(place, image=image):
            with torch.no_grad():
                logits = model.decoder(place).flatten(1)
            log_density = result.likelihood.log_density(result.pixels[image][None], logits)[0]
            return 2 * log_density + Normal(0.0, 1.0).log_prob(place).sum(1)

        weights = log_target(samples) - wide.log_prob(samples).sum(1)
        log_z = torch.logsumexp(weights, 0) - math.log(len(weights))
        divergences.append(float((q.log_prob(z).sum(1) - log_target(z)).mean() + log_z))
    expected = sum(divergences) / NUMBER
    assert gap_sources.weighted(result, weight=0.5)["weighted"] == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize(
    ("objective", "others"),
    [
        (Objective("bce", 1.0), set()),
        (Objective("bce", 0.5), {"weighted"}),
        (Objective("mse", 0.5), set()),
    ],
)
def test_only_a_weighted_bernoulli_is_held_against_a_weighted_posterior(
    measured, generator, monkeypatch, objective, others
):
    monkeypatch.setattr(fits, "STEPS", 2)  # no value is asked for
    model, result = measured
    found = gap_sources.examine(result, model, objective, generator)
    assert set(found) == {"confirmed", "split", "below"} | others
    assert found["confirmed"]["evidence"]["images"] == 1
    assert found["split"]["images"] == found["below"]["images"] == 1
