"""The aggregate posterior: the mean of q(z|x) over images, and how far it is from the prior."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaelib.plumbing.checks import require_tensor
from vaelib.vae.model import Posterior

STEP = 1 / 64
LIMIT = 8.0  # both axes run from -LIMIT to LIMIT
REGION = 0.99  # of the aggregate posterior: where the images are


class Aggregate(NamedTuple):
    """The aggregate posterior on a square grid, with what the prior has outside it."""

    axis: Tensor  # (n,), float64, of both coordinates
    density: Tensor  # (n, n), float64, the first coordinate along the rows
    divergence: float  # KL(aggregate ‖ prior), nats
    empty: float  # share of the prior outside the smallest region with REGION of the aggregate


def aggregate(q: Posterior) -> Aggregate:
    """Average the encoder's Gaussians over images, and compare their mean with N(0, I).

    Args:
        q: the encoder's posteriors of N images, (N, 2) each.

    Source: Hoffman and Johnson (2016), who part the divergence in the ELBO into that of the
    aggregate posterior from the prior and the mutual information of images and codes.
    """
    require_tensor("mean", q.mean, ("N", 2), finite=True)
    require_tensor("log_variance", q.log_variance, tuple(q.mean.shape), finite=True)
    axis = (torch.arange(round(2 * LIMIT / STEP), dtype=torch.float64) + 0.5) * STEP - LIMIT
    deviation = torch.exp(q.log_variance.double() / 2)
    scaled = (axis - q.mean.double()[:, :, None]) / deviation[:, :, None]  # (N, 2, n)
    parts = torch.exp(-scaled.square() / 2) / (math.sqrt(2 * math.pi) * deviation[:, :, None])
    density = parts[:, 0].T @ parts[:, 1] / len(parts)
    normal = torch.exp(-axis.square() / 2) / math.sqrt(2 * math.pi)
    prior = normal[:, None] * normal
    cell = STEP**2
    divergence = torch.special.xlogy(density, density / prior).sum() * cell
    order = density.flatten().argsort(descending=True)
    covered = density.flatten()[order].cumsum(0) * cell <= REGION
    inside = prior.flatten()[order][covered].sum() * cell
    return Aggregate(axis, density, float(divergence), float(1 - inside))
