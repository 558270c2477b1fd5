"""Probabilities of grey levels against integrals of torch's own distributions."""

import math

import pytest
import torch
from torch import distributions

from vaelib.evidence.levels import ContinuousBernoulliLevels, GaussianLevels
from vaelib.evidence.likelihood import ContinuousBernoulli, Gaussian
from vaelib.vae.reconstruction import HALF, RECONSTRUCTION_LOSSES, continuous_bernoulli_levels

LEVELS = torch.arange(256, dtype=torch.float64) / 255
LOGITS = (100.0, 1e3, 1e4, 1e5)
EDGES = torch.tensor([0, 1e-6, -1e-6, 1e-3, 0.1, -0.1, 5, -5, 40, -40, 300, -300])


def normal(variance):
    return lambda logits: distributions.Normal(torch.sigmoid(logits), math.sqrt(variance))


class Truncated(distributions.Normal):
    """A normal distribution between 0 and 1 only."""

    def cdf(self, x):
        low, high = super().cdf(torch.zeros_like(x)), super().cdf(torch.ones_like(x))
        return (super().cdf(x) - low) / (high - low)


def truncated(variance):
    return lambda logits: Truncated(torch.sigmoid(logits), math.sqrt(variance))


CASES = {
    "continuous Bernoulli": (
        ContinuousBernoulliLevels(),
        ContinuousBernoulli(),
        lambda logits: distributions.ContinuousBernoulli(logits=logits),
    ),
    **{
        f"variance {variance}": (GaussianLevels(variance), Gaussian(variance), normal(variance))
        for variance in (0.02, 0.04, 0.25, 0.5)
    },
    "not censored": (GaussianLevels(0.25, censored=False), None, truncated(0.25)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_masses_of_all_levels_sum_to_one(name, generator):
    levels, *_ = CASES[name]
    random = 6 * torch.randn(1000, generator=generator, dtype=torch.float64)
    logits = torch.cat([random, EDGES.double()])[:, None]
    masses = torch.exp(levels.log_density(levels.rows(LEVELS[:, None]).double(), logits))
    torch.testing.assert_close(masses.sum(0), torch.ones(len(logits)).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_a_level_has_the_mass_between_its_edges(name):
    levels, _, family = CASES[name]
    logits = torch.linspace(-4, 4, 41, dtype=torch.float64)[:, None]
    one = family(logits)
    # The continuous Bernoulli ends at 0 and 1; what lies beyond belongs to the outer bins.
    upper = one.cdf((LEVELS + HALF).clamp(max=1.0))
    upper[:, -1] = 1.0
    lower = one.cdf((LEVELS - HALF).clamp(min=0.0))
    lower[:, 0] = 0.0
    masses = torch.exp(levels.log_density(levels.rows(LEVELS[:, None]).double(), logits))
    torch.testing.assert_close(masses.T, upper - lower, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", [name for name, (_, density, _) in CASES.items() if density])
def test_an_image_without_black_and_white_has_its_density_times_the_bins(name, generator):
    levels, density, _ = CASES[name]
    images = torch.randint(1, 255, (4, 784), generator=generator) / 255
    logits = torch.randn(3, 784, generator=generator)
    expected = density.log_density(images.double(), logits.double()) + 784 * math.log(2 * HALF)
    found = levels.log_density(levels.rows(images), logits)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=0.1)


def test_the_objective_is_the_negative_logarithm_of_the_mass(generator):
    images = (300 * torch.rand(4, 784, generator=generator, dtype=torch.float64) - 20).round()
    images = images.clamp(0, 255) / 255
    logits = 30 * torch.randn(4, 784, generator=generator, dtype=torch.float64)
    loss = continuous_bernoulli_levels(logits.view(4, 1, 28, 28), images.view(4, 1, 28, 28))
    levels = ContinuousBernoulliLevels()
    rows = levels.rows(images).double()
    torch.testing.assert_close(-loss, levels.log_density(rows, logits).diagonal())
    assert (loss > 0).all()


def test_a_black_pixel_costs_nothing_in_the_limit_and_its_density_grows_without_end():
    black = torch.zeros(1, 1, 1, 1)
    masses, densities = (
        [RECONSTRUCTION_LOSSES[name](torch.full_like(black, -a), black).item() for a in LOGITS]
        for name in ("cb-levels", "cb")
    )
    assert masses == sorted(masses, reverse=True)
    assert masses[-1] == pytest.approx(0, abs=1e-6)
    assert densities == pytest.approx([-math.log(a) for a in LOGITS], abs=1e-3)
