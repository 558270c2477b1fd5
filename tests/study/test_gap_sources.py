"""Parts of the gap: what must hold whatever the model is."""

import math

import pytest
import torch
from torch.distributions import Normal

from vaelib.study import gap, gap_sources
from vaelib.training.run import model_of
from vaelib.vae.objective import Objective


@pytest.fixture(scope="module")
def measured(smoke_run, digits):
    model = model_of(smoke_run[0])
    return model, gap.measure(model, Objective("bce", "sum"), digits.test_images[:30])


def test_samples_confirm_a_right_evidence_and_refute_a_wrong_one(measured, generator):
    model, result = measured
    every = torch.arange(30)
    found = gap_sources.confirm(result, model, every, 400, generator)
    for name in ("evidence", "gap"):
        assert abs(found[name]["mean_score"]) < 0.8
        assert 0.5 < found[name]["rms_score"] < 1.6
    assert abs(found["difference"]) < 0.05
    assert (found["images"], found["samples"]) == (30, 400)
    result.evidence.log_evidence.add_(0.5)
    result.gap.add_(0.5)
    wrong = gap_sources.confirm(result, model, every, 400, generator)
    result.evidence.log_evidence.sub_(0.5)
    result.gap.sub_(0.5)
    assert wrong["evidence"]["mean_score"] < -3
    assert wrong["gap"]["mean_score"] < -1


def test_the_parts_of_the_gap_add_up_and_lie_in_order(measured):
    _, result = measured
    parts = gap_sources.split(result, torch.tensor([3, 8, 21]))
    assert parts["gap"] == pytest.approx(float(result.gap[[3, 8, 21]].mean()))
    assert parts["amortisation"] + parts["family"] == pytest.approx(parts["gap"])
    assert -0.01 < parts["full"] <= parts["family"] + 0.002
    assert parts["amortisation"] > -0.01


def test_more_samples_bring_the_bound_nearer(measured, generator):
    model, result = measured
    images = torch.randperm(30, generator=generator)[:10]
    below = gap_sources.bounds(result, model, images, 500, generator)
    assert below.pop("images") == 10
    values = list(below.values())
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(float(result.gap[images].mean()), rel=0.2)
    assert values[-1] > -0.1


def test_the_weighted_posterior_is_the_posterior_for_a_weight_of_one(measured):
    model, result = measured
    images = torch.tensor([3, 8])
    found = gap_sources.weighted(result, model, images, weight=1.0)
    assert found["posterior"] == pytest.approx(float(result.gap[images].mean()))
    assert found["weighted"] == pytest.approx(found["posterior"], abs=0.02)


def test_the_weighted_posterior_is_that_of_samples(measured, generator):
    """KL(q ‖ p(x|z)² p(z) / Z) for one image, with Z and the mean under q from samples."""
    model, result = measured
    found = gap_sources.weighted(result, model, torch.tensor([5]), weight=0.5)
    q = Normal(result.q.mean[5], torch.exp(result.q.log_variance[5] / 2))
    z = q.sample((20_000,))
    mean, covariance = result.evidence.mean[5], result.evidence.covariance[5]
    wide = Normal(mean.float(), 1.5 * covariance.diagonal().sqrt().float())
    samples = wide.sample((20_000,))

    def log_target(place):
        with torch.no_grad():
            logits = model.decoder(place).flatten(1)
        log_density = 2 * result.likelihood.log_density(result.pixels[5:6], logits)[0]
        return log_density + Normal(0.0, 1.0).log_prob(place).sum(1)

    weights = log_target(samples) - wide.log_prob(samples).sum(1)
    log_z = torch.logsumexp(weights, 0) - math.log(len(weights))
    divergence = (q.log_prob(z).sum(1) - log_target(z)).mean() + log_z
    assert found["weighted"] == pytest.approx(float(divergence), abs=0.3)


def test_one_image_in_twenty_is_chosen_once(measured, generator):
    _, result = measured
    images = gap_sources.choose(result, generator).tolist()
    assert len(set(images)) == 2
    assert set(images) <= set(range(30))
