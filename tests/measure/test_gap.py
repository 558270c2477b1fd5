"""The gap of a trained model against samples."""

import math

import pytest
import torch

from vaelib.evidence.sampling import importance_sampling, log_weights
from vaelib.measure import gap
from vaelib.training.run import model_of, train
from vaelib.training.settings import Settings
from vaelib.vae.losses import image_losses
from vaelib.vae.model import VAE
from vaelib.vae.objective import TOTAL, Objective

pytestmark = pytest.mark.xdist_group("measured")
OBJECTIVE = Objective("bce", 1.0)


def test_the_bound_is_the_mean_of_the_objective_over_samples(measured, digits, generator):
    model, result = measured
    samples = 2000
    for k in range(3):
        images = digits.test_images[k].expand(samples, 28, 28)
        noise = torch.randn(samples, 2, generator=generator)
        total = image_losses(model, OBJECTIVE, images, noise)[TOTAL].double()
        error = float(total.std()) / math.sqrt(samples)
        assert -float(total.mean()) == pytest.approx(float(result.bound[k]), abs=4 * error)


def test_a_model_with_thresholds_is_measured_by_what_it_has_learnt(few, generator):
    model = model_of(train(Settings("odds", 1.0, "smoke"), few))
    result = gap.measure_gap(model, Objective("odds", 1.0), few.test_images[:2])
    weights = log_weights(
        model.decoder, result.likelihood, result.pixels, result.q, 1000, generator
    )
    error = weights.std(1) / math.sqrt(1000)
    assert ((weights.mean(1) - result.bound).abs() < 4 * error + 0.02).all()
    found = result.evidence
    estimate, error = importance_sampling(
        *(model.decoder, result.likelihood, result.pixels),
        *(found.mean, found.covariance, 500, generator),
    )
    assert ((estimate - found.log_evidence).abs() < 4 * error + found.error).all()


def test_the_numbers_are_those_of_the_images(measured):
    _, result = measured
    numbers = gap.numbers(result)
    assert numbers["log_evidence"] - numbers["bound"] == pytest.approx(numbers["gap"])
    ordered = result.gap.sort().values
    assert numbers["least"] == float(ordered[0])
    assert numbers["greatest"] == float(ordered[-1])
    assert numbers["quantiles"]["50"] == pytest.approx(float(ordered[5:7].mean()))
    assert numbers["least"] > -0.01
    assert numbers["error"] <= 0.02
    assert 0 <= numbers["two_modes"] <= 1


def test_four_latent_dimensions_are_refused(digits):
    model = VAE(4, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="has 4 latent dimensions; expected 2"):
        gap.measure_gap(model, OBJECTIVE, digits.test_images[:1])
