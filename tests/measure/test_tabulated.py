"""A decoder that is read off a grid, against the decoder itself."""

import pytest
import torch
from torch.nn import functional as F

from vaelib.measure import tabulated
from vaelib.measure.tabulated import Tabulated
from vaelib.training.run import model_of


@pytest.fixture(scope="module")
def decoder(smoke_run):
    return model_of(smoke_run[0]).decoder


@pytest.fixture(scope="module")
def table(decoder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tabulated, "EXTENT", 2)
        patch.setattr(tabulated, "NODES", 4 * tabulated.STEPS + 1)
        yield Tabulated(decoder)


def inside(generator):
    return 4 * torch.rand(500, 2, generator=generator) - 2


def test_at_the_nodes_it_is_the_decoder(decoder, table):
    nodes = torch.tensor([[-2.0, -2.0], [2.0, 2.0], [2.0, -2.0], [0.5, -1.03125], [0.0, 0.0]])
    torch.testing.assert_close(table(nodes), decoder(nodes))


def test_between_them_log_likelihoods_and_their_slopes_are_nearly_the_decoders(
    decoder, table, digits, generator
):
    z = inside(generator).requires_grad_()
    pixels = digits.images[:500, None] / 255
    losses, slopes = [], []
    for one in (decoder, table):
        each = F.binary_cross_entropy_with_logits(one(z), pixels, reduction="none").sum((1, 2, 3))
        losses.append(each.detach())
        slopes.append(torch.autograd.grad(each.sum(), z)[0])
    assert (losses[0] - losses[1]).abs().mean() < 0.01
    assert (losses[0] - losses[1]).abs().mean() < 1e-3 * losses[0].std()
    assert F.cosine_similarity(*slopes, dim=1).mean() > 0.99


def test_its_slope_is_that_of_what_it_gives(table, generator):
    z = inside(generator)[:20].requires_grad_()
    (slope,) = torch.autograd.grad(table(z).double().sum(), z)
    for axis in (0, 1):
        step = torch.zeros(2)
        step[axis] = 1e-3
        difference = (table(z + step) - table(z - step)).double().sum((1, 2, 3)) / 2e-3
        near = (z.detach() * tabulated.STEPS).frac().abs()[:, axis]
        within = (near > 0.05) & (near < 0.95)  # both ends in one cell
        assert within.sum() > 10
        torch.testing.assert_close(
            difference[within].detach(), slope[within, axis].double(), rtol=0.02, atol=0.5
        )


def test_outside_the_grid_it_is_the_nearest_edge(table):
    outside = torch.tensor([[9.0, 0.3], [-2.5, -7.0]])
    torch.testing.assert_close(table(outside), table(outside.clamp(-2, 2)))


def test_a_model_keeps_nothing_of_it(table):
    assert not table.state_dict()
    assert not list(table.parameters())
