"""A q of any covariance: its samples, its divergence, and what its training finds."""

import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from vaelib.measure import full_covariance
from vaelib.measure.full_covariance import FullCovarianceVAE, measure_full_covariance
from vaelib.training.recipes import RECIPES
from vaelib.vae.model import VAE
from vaelib.vae.objective import KL, Objective

ELBO = Objective("bce", 1.0)


@pytest.fixture
def model(generator):
    return FullCovarianceVAE(generator=generator)


@pytest.fixture
def image(digits):
    return digits.test_images[:1, None].float() / 255


def gaussian(model, image):
    """The q of an image, from the encoder's outputs."""
    heads, log_variance = model.encoder(image)
    (first, second), slant = torch.exp(log_variance[0] / 2), heads[0, 2]
    zero = torch.zeros(())
    factor = torch.stack([torch.stack([first, zero]), torch.stack([slant * second, second])])
    return MultivariateNormal(heads[0, :2], scale_tril=factor)


def test_samples_are_those_of_a_gaussian_with_that_covariance(model, image, generator):
    noise = torch.randn(20000, 2, generator=generator)
    model.decoder = torch.nn.Identity()  # no sample is looked at
    with torch.no_grad():
        *_, z = model(image.expand(20000, -1, -1, -1), noise)
        q = gaussian(model, image)
    deviation = q.variance.sqrt()
    assert float(q.covariance_matrix[0, 1].abs()) > 0.02
    torch.testing.assert_close(z.mean(0), q.mean, rtol=0, atol=0.04 * float(deviation.max()))
    torch.testing.assert_close(z.T.cov(), q.covariance_matrix, rtol=0.04, atol=0.03)


def test_the_loss_has_the_divergence_of_the_full_gaussian(model, image):
    with torch.no_grad():
        logits, mean, log_variance, _ = model(image, torch.zeros(1, 2))
        losses = ELBO(logits, image, mean, log_variance)
        q = gaussian(model, image)
        prior = MultivariateNormal(torch.zeros(2), torch.eye(2))
        torch.testing.assert_close(losses[KL, 0], kl_divergence(q, prior))
        diagonal = VAE(2)
        diagonal.load_state_dict(model.state_dict() | cut(model))
        assert losses[KL, 0] > ELBO(logits, image, *diagonal.encoder(image))[KL, 0]


def cut(model):
    """Weights of the mean's head without the slant."""
    head = model.encoder.mean
    return {"encoder.mean.weight": head.weight[:2], "encoder.mean.bias": head.bias[:2]}


def test_the_gap_is_what_a_bound_from_other_samples_says(few, monkeypatch):
    monkeypatch.setitem(RECIPES, "report", RECIPES["smoke"])
    found = measure_full_covariance(VAE(2), ELBO, few, 0)
    again = measure_full_covariance(VAE(2), ELBO, few, 0)
    assert found == again
    assert found["gap"] == pytest.approx(found["log_evidence"] - found["bound"])
    assert found["gap"] > -3 * found["bound_error"]
    assert 0 < found["bound_error"] < 0.5
    assert found["error"] <= full_covariance.ERROR
