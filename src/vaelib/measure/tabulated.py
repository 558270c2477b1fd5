"""A held decoder with two latent dimensions, read off a grid: encoders are trained for it sooner.

A decoder that is held is a function of the plane, decoded once on a grid. Its logits are affine
wherever no unit changes sign, so between the nodes they are nearly bilinear.
"""

import torch
from torch import Tensor, nn

from vaelib.vae.losses import BATCH_SIZE
from vaelib.vae.model import IMAGE_SHAPE, Decoder

EXTENT = 6  # the grid covers [-6, 6]², outside of which the prior has a mass of 4e-9
STEPS = 32  # from node to node it is 1/32
NODES = 2 * EXTENT * STEPS + 1  # on each side: 465 MB in all


class Tabulated(nn.Module):
    """The logits of a decoder, interpolated between the nodes of a grid.

    It learns nothing, and adds nothing to the state of a model in which it stands.

    Args:
        decoder: with two latent dimensions, on the CPU.
    """

    def __init__(self, decoder: Decoder):
        super().__init__()
        axis = torch.linspace(-EXTENT, EXTENT, NODES)
        nodes = torch.cartesian_prod(axis, axis)
        with torch.no_grad():
            self.table = torch.cat([decoder(some).flatten(1) for some in nodes.split(BATCH_SIZE)])

    def forward(self, z: Tensor) -> Tensor:
        """Map latent vectors (B, 2) to logits (B, 1, 28, 28); outside the grid, to its edge's."""
        at = (z.clamp(-EXTENT, EXTENT) + EXTENT) * STEPS
        corner = at.detach().long().clamp(max=NODES - 2)
        u, v = (at - corner)[:, :, None].unbind(1)
        first = corner[:, 0] * NODES + corner[:, 1]
        a, b, c, d = (self.table[first + further] for further in (0, 1, NODES, NODES + 1))
        return torch.lerp(torch.lerp(a, b, v), torch.lerp(c, d, v), u).unflatten(1, IMAGE_SHAPE)
