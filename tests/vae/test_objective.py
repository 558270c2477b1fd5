import mpmath
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaelib.vae.objective import KL, RECONSTRUCTION, TOTAL, Objective
from vaelib.vae.reconstruction import (
    RECONSTRUCTION_LOSSES,
    binary_cross_entropy,
    gaussian,
    log_normaliser,
    squared_error,
)
from vaelib.vae.thresholds import GAPS

from .test_thresholds import made


@pytest.fixture
def batch(generator):
    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    images = torch.rand(6, 1, 28, 28, generator=generator, dtype=torch.float64)
    return 3 * draw(6, 1, 28, 28), images, draw(6, 4), draw(6, 4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    "logit", [0.0, 4e-6, -4e-6, 1e-3, -0.02, 0.0999, 0.1001, -0.3, 1.0, 7.0, -30.0, 700.0]
)
def test_the_normaliser_and_its_slope_are_those_of_fifty_digits(logit, dtype):
    """A logit of ±4e-6 is a pixel of ½ ± 1e-6."""
    a = torch.tensor(logit, dtype=dtype, requires_grad=True)
    value = log_normaliser(a)
    value.backward()
    with mpmath.workdps(50):
        exact = mpmath.mpf(a.item())
        expected = mpmath.log(mpmath.tanh(exact / 2) / exact) if exact else -mpmath.log(2)
        slope = 1 / mpmath.sinh(exact) - 1 / exact if exact else 0
        value_error, slope_error = abs(value.item() - expected), abs(a.grad.item() - slope)
    assert value_error < (1e-12 if dtype == torch.float64 else 2e-7)
    assert slope_error < (1e-12 if dtype == torch.float64 else 2e-6)


def edges_for(loss):
    """Thresholds for those that take some; all gaps are about 0.02."""
    return made(-2.0, torch.full((GAPS[loss],), 0.02)).edges().detach() if loss in GAPS else None


def test_total_is_reconstruction_plus_kl_per_image(batch):
    for reconstruction_loss in RECONSTRUCTION_LOSSES:
        losses = Objective(reconstruction_loss, 0.3)(*batch, edges_for(reconstruction_loss))
        assert losses.shape == (3, 6)
        torch.testing.assert_close(losses[TOTAL], losses[RECONSTRUCTION] + losses[KL])


def test_the_weight_is_that_of_the_summed_divergence(batch):
    *_, mean, log_variance = batch
    q = Normal(mean, torch.exp(log_variance / 2))
    divergence = kl_divergence(q, Normal(0.0, 1.0)).sum(1)
    for beta in (0.25, 1, 4):
        torch.testing.assert_close(Objective("bce", beta)(*batch)[KL], beta * divergence)


def test_the_gaussian_has_the_variance_that_makes_it_least(batch):
    logits, images, *_ = batch
    received = gaussian(logits, images)
    errors = images - torch.sigmoid(logits)

    def loss(variance):
        return -Normal(0.0, variance**0.5).log_prob(errors).flatten(1).sum(1)

    best = errors.square().mean()
    torch.testing.assert_close(received, loss(best))
    for factor in (0.99, 1.01):
        assert loss(factor * best).mean() > received.mean()


def test_the_gaussians_gradient_is_that_with_its_variance_held_fixed(batch):
    logits, images, *_ = batch
    logits.requires_grad_()
    variance = (images - torch.sigmoid(logits)).square().mean().detach()
    fixed = squared_error(logits, images).mean() / (2 * variance)
    (expected,) = torch.autograd.grad(fixed, logits)
    (received,) = torch.autograd.grad(gaussian(logits, images).mean(), logits)
    torch.testing.assert_close(received, expected)


@pytest.mark.parametrize("reconstruction_loss", list(RECONSTRUCTION_LOSSES))
def test_gradients_are_those_of_finite_differences(reconstruction_loss, batch):
    logits, images, mean, log_variance = batch
    small = [t[:2].clone().requires_grad_() for t in (logits[..., :3, :3], mean, log_variance)]
    objective, edges = Objective(reconstruction_loss, 0.3), edges_for(reconstruction_loss)
    pixels = images[:2, :, :3, :3]
    assert torch.autograd.gradcheck(
        lambda logits, mean, v: objective(logits, pixels, mean, v, edges)[TOTAL], small
    )


def test_thresholds_are_asked_for_and_refused(batch):
    with pytest.raises(ValueError, match="missing with 'odds'; expected those of the model"):
        Objective("odds", 1.0)(*batch)
    with pytest.raises(ValueError, match="given with 'bce'"):
        Objective("bce", 1.0)(*batch, edges_for("odds"))


def test_extreme_logits_stay_finite():
    logits = torch.tensor([[-500.0, 500.0]])
    loss = binary_cross_entropy(logits, torch.tensor([[1.0, 0.0]]))
    assert loss.item() == pytest.approx(1000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bec", 1), "did you mean 'bce'"),
        (("mse", "mean"), "beta is 'mean'; expected a weight above 0"),
        (("mse", 0.0), "beta is 0.0"),
        (("mse", float("nan")), "beta is nan"),
        (("mse", float("inf")), "beta is inf"),
    ],
)
def test_what_is_no_objective_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Objective(*arguments)
