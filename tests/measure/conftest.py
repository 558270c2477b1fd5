import pytest
import torch
from torch import nn

from vaelib.measure import gap
from vaelib.training.run import model_of
from vaelib.vae.objective import Objective


@pytest.fixture(scope="module")
def model(smoke_run):
    return model_of(smoke_run[0])


class ReadOff(nn.Module):
    """A decoder that is read off its own values on a grid, which takes no time."""

    def __init__(self, decoder):
        super().__init__()
        axis = torch.linspace(-6, 6, 97)
        with torch.no_grad():
            nodes = torch.cartesian_prod(axis, axis).split(1000)
            self.table = torch.cat([decoder(z).flatten(1) for z in nodes])

    def forward(self, z):
        at = 8 * (z.clamp(-6, 6) + 6)
        corner = at.detach().long().clamp(max=95)
        u, v = (at - corner)[:, :, None].unbind(1)
        first = 97 * corner[:, 0] + corner[:, 1]
        a, b, c, d = (self.table[first + more] for more in (0, 1, 97, 98))
        return torch.lerp(torch.lerp(a, b, v), torch.lerp(c, d, v), u).unflatten(1, (1, 28, 28))


@pytest.fixture(scope="session")
def measured(smoke_run, digits):
    """A model whose decoder is read off a grid, and the gaps of twelve images under it."""
    model = model_of(smoke_run[0])
    model.add_module("decoder", ReadOff(model.decoder))
    return model, gap.measure_gap(model, Objective("bce", 1.0), digits.test_images[:12])
