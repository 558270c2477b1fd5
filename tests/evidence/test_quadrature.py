"""Evidence against closed forms, sums over all images, samples and a plain sum over a fine grid."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from vaelib.evidence import cover, quadrature
from vaelib.evidence.likelihood import Bernoulli
from vaelib.evidence.quadrature import QuadratureError, integrate
from vaelib.vae.model import Posterior

CLOSE = 0.002  # nats, a tenth of what is tolerated elsewhere


class PlainGaussian:
    """A Gaussian around what the decoder gives, in float64: narrow posteriors need its digits."""

    def __init__(self, variance):
        self.variance = variance

    def log_density(self, images, means):
        distances = torch.cdist(
            images.double(), means.double(), compute_mode="donot_use_mm_for_euclid_dist"
        )
        constant = images.shape[1] * math.log(2 * math.pi * self.variance) / 2
        return (-distances.square() / (2 * self.variance) - constant).float()

    def divergence(self, a, b):
        return (a - b).square().sum(-1) / self.variance


def linear_model(width, number=6):
    """A linear decoder x = A z + noise, its images, and an encoder that misses by a little."""
    generator = torch.Generator().manual_seed(0)
    pixels = 5
    a = torch.randn(pixels, 2, generator=generator, dtype=torch.float64)
    a[:, 1] += a[:, 0]  # posteriors are correlated
    # The posterior's precision is I + AᵀA / s²; s makes its largest eigenvalue 1 / width².
    variance = torch.linalg.eigvalsh(a.T @ a)[1] / (width**-2 - 1)
    z = torch.randn(number, 2, generator=generator, dtype=torch.float64)
    noise = torch.randn(number, pixels, generator=generator, dtype=torch.float64)
    images = (z @ a.T + variance.sqrt() * noise).float().double()
    precision = torch.eye(2, dtype=torch.float64) + a.T @ a / variance
    posterior = MultivariateNormal(
        images @ a @ torch.linalg.inv(precision).T / variance, precision_matrix=precision
    )
    q = Posterior(
        (posterior.mean + 0.5 * width).float(),
        posterior.variance.log().float() - 0.5,
    )
    covariance = a @ a.T + variance * torch.eye(pixels, dtype=torch.float64)
    marginal = MultivariateNormal(torch.zeros(pixels, dtype=torch.float64), covariance)
    return (
        lambda nodes: nodes.double() @ a.T,
        PlainGaussian(float(variance)),
        images,
        q,
        marginal.log_prob(images),
        posterior,
    )


def check_linear_gaussian_model(width=0.02):
    decoder, likelihood, images, q, log_evidence, _ = linear_model(width)
    result = integrate(decoder, likelihood, images.float(), q, CLOSE)
    torch.testing.assert_close(result.log_evidence, log_evidence, rtol=0, atol=1e-5)


def small_decoder():
    """A decoder of eight pixels with kinks, as narrow and curved as a trained one's."""
    generator = torch.Generator().manual_seed(1)
    first = torch.randn(2, 30, generator=generator) * 2
    shift = torch.randn(30, generator=generator) * 2
    second = torch.randn(30, 8, generator=generator)
    return lambda nodes: torch.relu(nodes @ first + shift) @ second


def every_image(pixels=8):
    bits = torch.tensor([0.0, 1.0])
    return torch.cartesian_prod(*[bits] * pixels)


def broad(number):
    return Posterior(torch.zeros(number, 2), torch.zeros(number, 2))


def check_sum_over_a_discrete_model():
    images = every_image()
    result = integrate(small_decoder(), Bernoulli(), images, broad(len(images)))
    total = torch.exp(result.log_evidence).sum()
    torch.testing.assert_close(total, torch.ones((), dtype=torch.float64), rtol=0, atol=2e-4)


def check_two_symmetric_modes():
    """x = |z₁|, z₂ and noise: half the posterior lies at a negative z₁."""
    deviation = 0.05
    images = torch.tensor([[1.5, 0.3], [2.0, -1.0]])
    result = integrate(
        lambda nodes: torch.stack([nodes[:, 0].abs(), nodes[:, 1]], dim=1),
        PlainGaussian(deviation**2),
        images,
        Posterior(images.clone(), torch.full((2, 2), 2 * math.log(deviation))),
        CLOSE,
    )
    one_mode = stats.norm(scale=math.hypot(1, deviation)).logpdf(images.double()).sum(1)
    expected = torch.from_numpy(one_mode) + math.log(2)
    torch.testing.assert_close(result.log_evidence, expected, rtol=0, atol=1e-5)


def check_samples():
    """Importance sampling from a Student-t around the posterior, which knows nothing of grids."""
    decoder, images = small_decoder(), every_image()[3::41]
    result = integrate(decoder, Bernoulli(), images, broad(len(images)), CLOSE)
    generator = np.random.default_rng(0)
    scores = []
    for image, log_evidence, mean, covariance in zip(
        images, result.log_evidence, result.mean, result.covariance, strict=True
    ):
        proposal = stats.multivariate_t(mean.numpy(), 1.5 * covariance.numpy(), df=5)
        z = torch.from_numpy(proposal.rvs(40_000, random_state=generator))
        logits = decoder(z.float()).double()
        log_joint = torch.distributions.Bernoulli(logits=logits).log_prob(image).sum(1)
        log_joint += Normal(0.0, 1.0).log_prob(z).sum(1)
        ratio = torch.exp(log_joint - torch.from_numpy(proposal.logpdf(z)) - log_evidence)
        scores.append((ratio.mean() - 1) / (ratio.std() / len(z) ** 0.5))
    scores = torch.stack(scores)
    assert scores.square().mean().sqrt() < 2
    assert scores.mean().abs() < 1


def check_plain_sum():
    decoder, images = small_decoder(), every_image()[3::41]
    result = integrate(decoder, Bernoulli(), images, broad(len(images)))
    deviation = (result.log_evidence - plain_sum().log()).abs()
    assert (deviation <= result.error).all()


@cache
def plain_sum():
    """A plain sum over a grid that is finer than any tile that the images needed."""
    decoder, images = small_decoder(), every_image()[3::41]
    step = 1 / 200
    axis = torch.arange(-6, 6, step, dtype=torch.float64)
    total = torch.zeros(len(images), dtype=torch.float64)
    for column in axis.split(100):
        nodes = torch.cartesian_prod(column, axis)
        logits = decoder(nodes.float()).double()
        log_joint = torch.nn.functional.logsigmoid(logits) @ images.double().T
        log_joint += torch.nn.functional.logsigmoid(-logits) @ (1 - images.double()).T
        log_joint += Normal(0.0, 1.0).log_prob(nodes).sum(1, keepdim=True)
        total += torch.exp(log_joint).sum(0) * step**2
    return total


CHECKS = [
    check_linear_gaussian_model,
    check_sum_over_a_discrete_model,
    check_two_symmetric_modes,
    check_samples,
    check_plain_sum,
]


@pytest.mark.parametrize("check", CHECKS)
def test_the_evidence_passes(check):
    check()


def shift_nodes(monkeypatch):
    """A row of every second tile lies elsewhere; of every tile, the sums would stay the same."""
    nodes_of = cover.nodes_of

    def shifted(tiles, step):
        result = nodes_of(tiles, step).clone()
        result[tiles.sum(1) % 2 == 0, 24:32] += 3 * step
        return result

    monkeypatch.setattr(cover, "nodes_of", shifted)


def shift_the_decoder(monkeypatch):
    """All nodes are decoded elsewhere than where the prior is taken."""
    log_prior = cover.log_prior
    monkeypatch.setattr(cover, "log_prior", lambda nodes: log_prior(nodes + 1 / 32))


def drop_a_tile(monkeypatch):
    """Some tiles are taken for such as do not count, and are not counted as lost."""
    needed = cover.Cover._needed

    def careless(self, tile, image, possible, side):
        keep = needed(self, tile, image, possible, side)
        return keep & ~((tile.sum(1) % 5 == 0) & (side < 0.6))

    monkeypatch.setattr(cover.Cover, "_needed", careless)
    monkeypatch.setattr(cover.Cover, "_lose", lambda *arguments: None)


def forget_the_jacobian(monkeypatch):
    log_evidence = quadrature._log_evidence

    def without(pairs, cover):
        value, error = log_evidence(pairs, cover)
        return value - 2 * math.log(pairs.step), error

    monkeypatch.setattr(quadrature, "_log_evidence", without)
    # Moments of densities that do not integrate to 1 are no moments.
    monkeypatch.setattr(
        quadrature,
        "_moments",
        lambda accepted, value: (
            value.new_zeros(len(value), 2),
            torch.eye(2).double().expand(len(value), 2, 2),
        ),
    )


# Each breakage is caught by two checks at least, and each check catches one. A finer grid mends
# shifted nodes where the error estimate asks for it; and a sum over all images is 1 wherever they
# are decoded.
BREAKAGES = [
    (drop_a_tile, check_linear_gaussian_model),
    (drop_a_tile, check_sum_over_a_discrete_model),
    (forget_the_jacobian, check_samples),
    (forget_the_jacobian, check_plain_sum),
    (shift_nodes, check_linear_gaussian_model),
    (shift_nodes, check_two_symmetric_modes),
    (shift_the_decoder, check_two_symmetric_modes),
    (shift_the_decoder, check_plain_sum),
]


@pytest.mark.parametrize(("breakage", "check"), BREAKAGES)
def test_a_broken_integrator_is_caught(breakage, check, monkeypatch):
    breakage(monkeypatch)
    monkeypatch.setattr(quadrature, "FINEST", 1 / 32)  # for the sake of time
    with pytest.raises((AssertionError, QuadratureError)):
        check()


@pytest.mark.parametrize("width", [0.7, 0.02, 0.002])
def test_a_linear_gaussian_model_has_the_evidence_and_the_posterior_of_its_closed_form(width):
    decoder, likelihood, images, q, log_evidence, posterior = linear_model(width)
    result = integrate(decoder, likelihood, images.float(), q)
    torch.testing.assert_close(result.log_evidence, log_evidence, rtol=0, atol=1e-5)
    torch.testing.assert_close(result.mean, posterior.mean, rtol=0, atol=0.01 * width)
    torch.testing.assert_close(
        result.covariance, posterior.covariance_matrix, rtol=0.01, atol=1e-3 * width**2
    )
    # log p(x) - ELBO is the divergence from q to the posterior.
    approximate = Normal(q.mean.double(), torch.exp(q.log_variance.double() / 2))
    prior = Normal(torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64))
    bound = result.expected - kl_divergence(approximate, prior).sum(1)
    full = MultivariateNormal(approximate.mean, torch.diag_embed(approximate.variance))
    gap = kl_divergence(full, posterior)
    torch.testing.assert_close(result.log_evidence - bound, gap, rtol=0, atol=1e-4)


def test_a_posterior_narrower_than_the_grid_is_an_error_that_names_the_image():
    decoder, likelihood, images, q, _, _ = linear_model(0.0001)
    with pytest.raises(QuadratureError, match=r"image \d: at a step of 1/4096 .* expected 0.02"):
        integrate(decoder, likelihood, images.float(), q)


def test_the_plane_is_as_large_as_the_encoders_gaussian_needs():
    """q at the edge of the smallest plane; the mean of log p(x|z) under it has a closed form."""
    decoder, likelihood, images, q, _, _ = linear_model(0.7)
    far = Posterior(torch.tensor([[0.0, 5.9]]).expand(len(images), 2), q.log_variance)
    result = integrate(decoder, likelihood, images.float(), far)
    at_mean = likelihood.log_density(images, decoder(far.mean))[:, 0].double()
    columns = decoder(torch.eye(2)).square().sum(1)
    spread = (torch.exp(far.log_variance.double()) * columns).sum(1) / (2 * likelihood.variance)
    torch.testing.assert_close(result.expected, at_mean - spread, rtol=0, atol=1e-3)


def test_a_posterior_beyond_the_largest_plane_is_an_error():
    """x = z₁, z₂ and noise: the posterior of the image lies half-way to it, around (40, 0)."""
    images = torch.tensor([[80.0, 0.0]])
    q = Posterior(torch.tensor([[20.0, 0.0]]), torch.zeros(1, 2))
    with pytest.raises(QuadratureError, match=r"image 0: .* within ±36"):
        integrate(lambda nodes: nodes, PlainGaussian(1.0), images, q)


def test_a_posterior_far_out_is_found():
    """As those of some images under a code that rewards the most extreme outputs: at (30, 0)."""
    images = torch.tensor([[60.0, 0.0]])
    result = integrate(lambda nodes: nodes, PlainGaussian(1.0), images, None)
    exact = Normal(0.0, 2**0.5).log_prob(images.double()).sum(1)
    torch.testing.assert_close(result.log_evidence, exact, rtol=0, atol=1e-3)
    torch.testing.assert_close(result.mean, images.double() / 2, rtol=0, atol=1e-3)


class NeedleOnAPlain:
    """p(x|z) is a narrow peak near a node of the coarsest grid and nearly nothing elsewhere.

    An image holds its peak's width, and the logarithm of what is elsewhere.
    """

    peak = 1 / 16 + 0.003

    def log_density(self, images, nodes):
        distances = (nodes.double() - self.peak).square().sum(1)
        width, level = images.double()[:, :, None].unbind(1)
        return torch.logaddexp(-distances / (2 * width**2), level.expand(-1, len(nodes))).float()

    def divergence(self, a, b):
        return torch.zeros_like(a[..., 0])

    def q(self, images):
        """Return the peaks, which is where q is."""
        return Posterior(torch.full_like(images, self.peak), 2 * images[:, :1].log().expand(-1, 2))


def test_a_peak_that_only_the_coarsest_grid_sees_is_looked_for_again():
    """At a step of 1/16 the plain that was left out is larger than what is left of the peak."""
    likelihood, images = NeedleOnAPlain(), torch.tensor([[0.01, -15.0]])
    result = integrate(lambda nodes: nodes, likelihood, images, likelihood.q(images))
    # The peak times the prior is a Gaussian of a little less width; beside it, the plain.
    variance = 1 + 0.01**2
    needle = 0.01**2 / variance * math.exp(-(likelihood.peak**2) / variance)
    expected = math.log(needle + math.exp(-15))
    error = float(result.error)
    assert 0.002 < error <= 0.01
    assert float(result.log_evidence) == pytest.approx(expected, abs=error)


def test_the_image_that_lost_too_much_is_named_and_not_one_that_is_not_done():
    likelihood, images = NeedleOnAPlain(), torch.tensor([[0.004, -40.0], [0.01, -12.5]])
    with pytest.raises(QuadratureError, match="image 1: at a step of 1/128"):
        integrate(lambda nodes: nodes, likelihood, images, likelihood.q(images))


def test_the_evidence_does_not_need_an_encoder():
    decoder, likelihood, images, _, log_evidence, posterior = linear_model(0.02)
    alone = integrate(decoder, likelihood, images.float(), None, CLOSE)
    torch.testing.assert_close(alone.log_evidence, log_evidence, rtol=0, atol=1e-5)
    torch.testing.assert_close(alone.mean, posterior.mean, rtol=0, atol=1e-5)
    torch.testing.assert_close(alone.covariance, posterior.covariance_matrix, rtol=1e-3, atol=0)
    assert alone.expected.isnan().all()


def test_a_greater_tolerance_gives_what_it_allows():
    decoder, likelihood, images, _, log_evidence, _ = linear_model(0.02)
    found = integrate(decoder, likelihood, images.float(), None, tolerance=0.1)
    assert 0.01 < float(found.error.max()) <= 0.1
    difference = (found.log_evidence - log_evidence).abs()
    assert (difference <= found.error).all()
