"""Proportional odds for many images at once, against the objective and against sums over levels."""

import pytest
import torch

from vaelib.evidence.likelihood import assumed
from vaelib.evidence.odds import PART, ProportionalOdds
from vaelib.vae.objective import Objective
from vaelib.vae.reconstruction import proportional_odds
from vaelib.vae.thresholds import LEVELS, Thresholds


@pytest.fixture
def edges(generator):
    thresholds = Thresholds(LEVELS - 2)
    with torch.no_grad():
        thresholds.first.fill_(-1.0)
        thresholds.gaps.copy_(torch.randn(LEVELS - 2, generator=generator) - 4)
    return thresholds.edges().detach()


def test_every_image_under_every_output_has_the_objective_s_loss(edges, generator):
    number = PART + 7
    images = torch.randint(-700, 300, (number, 20), generator=generator).clamp(0, 255).float() / 255
    images[3], images[4] = 0, 1
    outputs = 4 * torch.randn(5, 20, generator=generator)
    found = ProportionalOdds(edges).log_density(images, outputs)
    for column, output in enumerate(outputs):
        a = output.view(1, 1, 4, 5).expand(number, 1, 4, 5)
        loss = proportional_odds(a, images.view(number, 1, 4, 5), edges)
        torch.testing.assert_close(found[:, column], -loss, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_the_divergence_of_neighbours_is_that_of_their_probabilities(edges, scale, generator):
    """It is taken as if levels lay dense, so it is a little greater, and never smaller."""
    levels = torch.arange(LEVELS).view(-1, 1, 1, 1) / 255
    middle = 3 * torch.randn(200, generator=generator, dtype=torch.float64)
    a, b = middle + 0.02 * scale, middle - 0.02 * scale
    of_a, of_b = (
        -proportional_odds(
            x.repeat(LEVELS).view(-1, 1, 1, 1),
            levels.double().repeat_interleave(len(x), 0),
            edges.double(),
        ).view(LEVELS, -1)
        for x in (a, b)
    )
    expected = ((of_a.exp() - of_b.exp()) * (of_a - of_b)).sum(0)
    found = ProportionalOdds(edges).divergence(a[:, None], b[:, None])
    assert (found > expected * 0.999).all()
    assert (found < expected * 1.05).all()


def test_an_objective_that_learns_thresholds_assumes_these(edges):
    for loss in ("odds", "logistic"):
        assert assumed(Objective(loss, 1.0), edges).edges is edges
