"""Proportional odds against 50 digits, against sums, and against torch's own distributions."""

import mpmath
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Categorical, TransformedDistribution, Uniform
from torch.distributions.transforms import AffineTransform, SigmoidTransform

from vaelib.vae.objective import Objective
from vaelib.vae.reconstruction import binary_cross_entropy, proportional_odds
from vaelib.vae.thresholds import GAPS, LEVELS, Thresholds, mean_level

EDGES = (0.0, 1e-6, -1e-6, 5.0, -5.0, 40.0, -40.0, 300.0, -300.0)
ALL = torch.arange(LEVELS).double() / 255


def made(first, gaps):
    """Thresholds with a first one and gaps, in double precision."""
    found = Thresholds(len(gaps)).double()
    with torch.no_grad():
        found.first.fill_(first)
        found.gaps.copy_(torch.log(torch.expm1(gaps)))
    return found


def random_gaps(generator):
    """Gaps from 1e-6 to 10, all sizes equally often."""
    return 10 ** (7 * torch.rand(LEVELS - 2, generator=generator, dtype=torch.float64) - 6)


def masses(outputs, thresholds):
    """Return the probabilities of all levels, a row for each output."""
    a = outputs.double()[:, None].expand(-1, LEVELS).reshape(-1, 1, 1, 1)
    x = ALL.repeat(len(outputs)).view(-1, 1, 1, 1)
    return torch.exp(-proportional_odds(a, x, thresholds.edges())).view(-1, LEVELS)


@pytest.mark.parametrize("gaps", [LEVELS - 2, 1])
def test_the_masses_of_all_levels_sum_to_one(gaps, generator):
    for scale in (1e-6, 1e-3, 1.0, 10.0, None):
        wide = random_gaps(generator) if scale is None else torch.full((254,), scale).double()
        thresholds = made(torch.randn(1, generator=generator).item(), wide[:gaps])
        middle = thresholds().mean().item()
        outputs = torch.cat(
            [torch.tensor(EDGES), middle + 6 * torch.randn(50, generator=generator)]
        )
        total = masses(outputs, thresholds).sum(1)
        torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-12)


@given(
    output=st.floats(-300, 300),
    first=st.floats(-20, 20),
    gap=st.floats(-6, 1).map(lambda power: 10**power),
    level=st.integers(0, 255),
)
def test_value_and_slopes_are_those_of_fifty_digits(output, first, gap, level):
    thresholds = made(first, torch.tensor([gap], dtype=torch.float64))
    a = torch.tensor(output, dtype=torch.float64, requires_grad=True)
    loss = proportional_odds(a.view(1, 1, 1, 1), ALL[level].view(1, 1, 1, 1), thresholds.edges())
    loss.sum().backward()

    def minus_log(a, first, gap):
        """The difference of what lies below two thresholds, or above: of what is smaller."""
        side = 1 if first + level * gap < a else -1

        def beyond(k):
            if 0 <= k < 255:
                return 1 / (1 + mpmath.exp(side * (a - first - k * gap)))
            return mpmath.mpf(side * (k - 100) > 0)

        return -mpmath.log(side * (beyond(level) - beyond(level - 1)))

    with mpmath.workdps(80):
        exact = mpmath.mpf(output), mpmath.mpf(thresholds.first.item())
        gap = mpmath.log1p(mpmath.exp(mpmath.mpf(thresholds.gaps.item())))
        value = minus_log(*exact, gap)
        slope = mpmath.diff(lambda x: minus_log(x, exact[1], gap), exact[0])
        of_first = mpmath.diff(lambda x: minus_log(exact[0], x, gap), exact[1])
    size = 1 + abs(output) + abs(first) + 255 * gap
    assert abs(loss.sum().item() - value) <= 1e-12 * size
    assert abs(a.grad.item() - slope) <= 1e-12 * size
    assert abs(thresholds.first.grad.item() - of_first) <= 1e-12 * size
    assert abs(slope) <= 1 + 1e-12


def test_in_single_precision_values_and_gradients_are_finite_and_bounded(generator):
    thresholds = made(1.4, random_gaps(generator)).float()
    a = torch.tensor(EDGES).repeat_interleave(LEVELS).requires_grad_()
    x = ALL.float().repeat(len(EDGES))
    loss = proportional_odds(a.view(-1, 1, 1, 1), x.view(-1, 1, 1, 1), thresholds.edges())
    loss.sum().backward()
    assert loss.isfinite().all()
    assert (a.grad.abs() <= 1).all()
    for parameter in thresholds.parameters():
        assert parameter.grad.isfinite().all()


def test_levels_that_no_image_has_keep_gaps_and_gradients_finite():
    """Images of black and white only: single precision has no digits for such gaps."""
    images = torch.zeros(50, 28, 28, dtype=torch.uint8)
    images[:, :7] = 255
    thresholds = Thresholds.of(images, GAPS["odds"])
    x = torch.cat([ALL, ALL]).float().view(-1, 1, 1, 1)
    loss = proportional_odds(torch.zeros_like(x), x, thresholds.edges())
    loss.sum().backward()
    assert loss.isfinite().all()
    assert thresholds.gaps.grad.isfinite().all()


def test_they_begin_at_the_frequencies_of_the_levels(digits):
    thresholds = Thresholds.of(digits.training_images, GAPS["odds"])
    found = masses(torch.zeros(1), thresholds.double())[0]
    counts = torch.bincount(digits.training_images.flatten().long(), minlength=LEVELS)
    expected = (counts + 0.5) / (counts.sum() + 128)
    torch.testing.assert_close(found, expected.double(), rtol=1e-3, atol=1e-6)
    equal = Thresholds.of(digits.training_images, GAPS["logistic"])
    torch.testing.assert_close(equal()[[0, -1]], thresholds.float()()[[0, -1]], rtol=1e-4, atol=0)
    assert equal().diff().std() < 1e-5 < thresholds().diff().std()


def test_equal_gaps_are_a_logistic_density_integrated_over_bins():
    """The mean is the output times the scale; black and white take what lies beyond."""
    scale, mean = 0.07, 0.3
    thresholds = made(0.5 / 255 / scale, torch.tensor([1 / 255 / scale]).double())
    found = masses(torch.tensor([mean / scale]), thresholds)[0]
    unit = Uniform(torch.tensor(0.0).double(), torch.tensor(1.0).double(), validate_args=False)
    logistic = TransformedDistribution(
        unit, [SigmoidTransform().inv, AffineTransform(mean, scale)], validate_args=False
    )
    cumulative = logistic.cdf(ALL[:-1] + 0.5 / 255)
    cumulative = torch.cat([torch.zeros(1), cumulative, torch.ones(1)])
    torch.testing.assert_close(found, cumulative.diff(), rtol=1e-6, atol=1e-12)


def test_with_one_threshold_it_is_the_cross_entropy_of_black_or_not(generator):
    """All other thresholds lie so far up that nothing but black and level 1 is left."""
    thresholds = made(0.7, torch.full((254,), 200.0).double())
    a = 3 * torch.randn(40, 1, 1, 1, generator=generator, dtype=torch.float64)
    ink = (torch.rand(40, 1, 1, 1, generator=generator) < 0.4).double()
    found = proportional_odds(a, ink / 255, thresholds.edges())
    torch.testing.assert_close(found, binary_cross_entropy(a - 0.7, ink))


def test_the_mean_level_is_that_of_the_masses(generator):
    thresholds = made(-1.0, random_gaps(generator) / 20)
    outputs = 8 * torch.randn(30, generator=generator, dtype=torch.float64) + 3
    expected = masses(outputs, thresholds) @ ALL
    torch.testing.assert_close(mean_level(outputs, thresholds()), expected)


@pytest.mark.parametrize("loss", GAPS)
def test_an_objective_takes_them(loss, generator):
    thresholds = made(-2.0, torch.full((GAPS[loss],), 0.02).double()).float()
    images = torch.randint(0, 256, (3, 1, 4, 4), generator=generator) / 255
    outputs = torch.randn(3, 1, 4, 4, generator=generator)
    mean = torch.zeros(3, 2)
    total, *_ = Objective(loss, 1.0)(outputs, images, mean, mean, thresholds.edges())
    probabilities = masses(outputs.flatten(), thresholds.double())
    levels = (255 * images).round().long().flatten()
    expected = -Categorical(probabilities).log_prob(levels).view(3, -1).sum(1)
    torch.testing.assert_close(total.double(), expected, rtol=1e-4, atol=1e-3)
