"""Code lengths against sums over all images, samples, and torch's own distributions."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Normal

from vaelib.evidence import sampling
from vaelib.evidence.levels import ContinuousBernoulliLevels, GaussianLevels
from vaelib.evidence.quadrature import integrate
from vaelib.measure import code_length
from vaelib.training.run import model_of
from vaelib.vae.latent import encode
from vaelib.vae.losses import draw_noise
from vaelib.vae.objective import HALF, Objective

KINDS = [ContinuousBernoulliLevels(), GaussianLevels(0.04)]


@pytest.fixture(scope="module")
def model(smoke_run):
    return model_of(smoke_run[0])


@pytest.mark.parametrize("levels", KINDS)
def test_the_codes_of_all_images_are_those_of_a_probability(levels):
    """Images of one pixel: all 256 of them. Kraft's sum of 2^−length is 1."""
    small = SimpleNamespace(decoder=lambda z: 2 * torch.relu(z[:, :1]) - z[:, 1:])
    images = torch.arange(256, dtype=torch.uint8).view(256, 1, 1)
    bits, error = code_length.bits_per_pixel(small, levels, images)
    assert float(torch.exp2(-bits).sum()) == pytest.approx(1, abs=float(error.max()))
    assert float(error.max()) <= code_length.TOLERANCE / math.log(2)
    assert float(bits.min()) > 0


@pytest.mark.parametrize("levels", KINDS)
def test_the_code_length_is_that_of_importance_sampling(levels, generator):
    """Images of nine pixels, black and white among them, and a decoder with kinks."""
    first, second = torch.randn(2, 20, generator=generator), torch.randn(20, 9, generator=generator)

    def decoder(z):
        return torch.relu(z @ first) @ second

    images = torch.randint(-40, 300, (6, 3, 3), generator=generator).clamp(0, 255).byte()
    bits, error = code_length.bits_per_pixel(SimpleNamespace(decoder=decoder), levels, images)
    rows = levels.rows(images.flatten(1).float() / 255)
    posterior = integrate(decoder, levels, rows, None)
    estimate, spread = sampling.importance_sampling(
        decoder, levels, rows, posterior.mean, posterior.covariance, 2000, generator
    )
    nats = 9 * math.log(2)
    assert ((bits * nats + estimate).abs() < 5 * spread + error * nats).all()


def test_the_best_variance_is_the_mean_squared_error(model, digits):
    images = digits.training_images
    q = encode(model, images)
    z = q.mean + torch.exp(q.log_variance / 2) * draw_noise(len(images), 2, 3)
    with torch.no_grad():
        decoded = torch.sigmoid(model.decoder(z)).squeeze(1)
    expected = (decoded - images.float() / 255).double().square().mean()
    assert code_length.best_variance(model, images, 3) == pytest.approx(float(expected), rel=1e-5)


def test_the_fitted_variance_is_best_for_the_masses_of_grey_levels(model, digits):
    images = digits.validation_images[:100]
    q = encode(model, images)
    z = q.mean + torch.exp(q.log_variance / 2) * draw_noise(len(images), 2, 3)
    with torch.no_grad():
        means = torch.sigmoid(model.decoder(z)).squeeze(1).double()
    x = images.double() / 255

    def loss(variance):
        normal = Normal(means, math.sqrt(variance))
        upper = torch.where(images == 255, 1.0, normal.cdf(x + HALF))
        lower = torch.where(images == 0, 0.0, normal.cdf(x - HALF))
        return -float((upper - lower).log().sum())

    fitted = code_length.fitted_variance(model, images, 3)
    assert loss(fitted) < min(loss(0.95 * fitted), loss(1.05 * fitted))


def test_what_is_measured_is_what_an_objective_allows(model, digits, monkeypatch):
    """The code lengths are made up; each says which levels it is of."""
    seen = []

    def made_up(model, levels, images):
        seen.append(levels)
        assert images is digits.test_images
        return torch.tensor([1.0, 2.0, 6.0]) + len(seen), torch.tensor([0.01, 0.03, 0.02])

    monkeypatch.setattr(code_length, "bits_per_pixel", made_up)
    for loss in ("bce", "cb", "cb-levels"):
        found = code_length.measure_code_lengths(model, Objective(loss, 0.5), digits, 0)
        assert list(found) == ["assumed"]
        assert seen.pop() == ContinuousBernoulliLevels()
        assert found["assumed"] == pytest.approx(
            {"bits_per_pixel": 4, "deviation": 7**0.5, "error": 0.03}
        )
    best = code_length.best_variance(model, digits.training_images, 0)
    fitted = code_length.fitted_variance(model, digits.validation_images, 0)
    for objective, assumed in ((Objective("mse", 0.5), 0.25), (Objective("gaussian", 1.0), best)):
        seen.clear()
        found = code_length.measure_code_lengths(model, objective, digits, 0)
        assert [levels.variance for levels in seen] == [assumed, fitted]
        assert [kind["variance"] for kind in found.values()] == [assumed, fitted]
        assert list(found) == ["assumed", "fitted"]
        assert found["fitted"]["bits_per_pixel"] == 5
