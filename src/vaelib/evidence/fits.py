"""The Gaussian nearest to each posterior: what an encoder could give if it served one image."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaelib.evidence.quadrature import Evidence
from vaelib.vae.model import Posterior

STEPS = 100  # of Adam, from each start
RATE = 0.1  # in deviations of the posterior; falls to 0
LEAVING = 30.0  # nats below its peak where a posterior is taken to end; q pays as many to leave it


class Nearest(NamedTuple):
    """The best Gaussian q of each of M images, float64."""

    gap: Tensor  # (M,), KL(q ‖ p(z|x)), nats
    mean: Tensor  # (M, 2)
    factor: Tensor  # (M, 2, 2), lower triangular; factor · factorᵀ is q's covariance


class _Nodes(NamedTuple):
    """The nodes of M posteriors, one after the other; float32."""

    owner: Tensor  # (K,), int64, whose
    place: Tensor  # (K, 2)
    density: Tensor  # (K,), log p(z|x)
    area: Tensor  # (K,), of a node's cell


def nearest_gaussian(evidence: Evidence, images: Tensor, q: Posterior, diagonal: bool) -> Nearest:
    """Minimise KL(q ‖ p(z|x)) over Gaussians q, image by image, on the nodes of the quadrature.

    Adam starts three times: from the posterior's own moments, from a circular Gaussian at its
    peak, and from the encoder's q. The best end is taken.

    Args:
        evidence: of N images.
        images: (M,), int64, which of them.
        q: the encoder's posteriors, (N, 2) each.
        diagonal: whether q's covariance is diagonal, as the encoder's is.

    Source: amortisation and approximation gap, Cremer, Li and Duvenaud (2018).
    """
    nodes = _collect(evidence, images)
    covariance = evidence.covariance[images].float()
    if diagonal:
        covariance = torch.diag_embed(covariance.diagonal(dim1=1, dim2=2))
    moments = torch.linalg.cholesky(covariance)
    encoder = torch.diag_embed(torch.exp(q.log_variance[images] / 2))
    starts = [
        (evidence.mean[images].float(), moments),
        _peak(nodes, len(images)),
        (q.mean[images], encoder),
    ]
    ends = [_minimise(nodes, mean, factor, diagonal) for mean, factor in starts]
    best = torch.stack([end.gap for end in ends]).argmin(0)
    every = torch.arange(len(images))
    return Nearest(*(torch.stack(parts)[best, every].double() for parts in zip(*ends, strict=True)))


def _collect(evidence: Evidence, images: Tensor) -> _Nodes:
    position = torch.full((len(evidence.log_evidence),), -1)
    position[images] = torch.arange(len(images))
    parts = []
    for pairs in evidence.pairs:
        chosen = pairs.of(position[pairs.image] >= 0)
        density = chosen.values - evidence.log_evidence[chosen.image, None]
        number = density.shape[1]
        parts.append(
            (
                position[chosen.image].repeat_interleave(number),
                chosen.nodes().flatten(0, 1),
                density.flatten().float(),
                torch.full((density.numel(),), pairs.step**2),
            )
        )
    nodes = _Nodes(*map(torch.cat, zip(*parts, strict=True)))
    counts = nodes.density > _greatest(nodes, len(images))[nodes.owner] - LEAVING
    return _Nodes(*(part[counts] for part in nodes))


def _greatest(nodes: _Nodes, number: int) -> Tensor:
    """Return the greatest density (M,) of each posterior at its nodes."""
    lowest = torch.full((number,), -math.inf)
    return lowest.scatter_reduce(0, nodes.owner, nodes.density, "amax")


def _peak(nodes: _Nodes, number: int) -> tuple[Tensor, Tensor]:
    """Return circular Gaussians at the posteriors' peaks, as dense there as they: mean, factor."""
    greatest = _greatest(nodes, number)
    (at_peak,) = torch.nonzero(nodes.density == greatest[nodes.owner], as_tuple=True)
    # Of several equal ones the first, whatever the order in which threads come.
    highest = torch.full((number,), len(nodes.owner))
    highest = highest.scatter_reduce(0, nodes.owner[at_peak], at_peak, "amin")
    deviation = torch.exp(-nodes.density[highest] / 2) / math.sqrt(2 * math.pi)
    return nodes.place[highest], deviation[:, None, None] * torch.eye(2)


def _minimise(nodes: _Nodes, mean: Tensor, factor: Tensor, diagonal: bool) -> Nearest:
    scale = factor.diagonal(dim1=1, dim2=2)  # (M, 2)
    slant = factor[:, 1, 0] / scale[:, 1]
    shift = torch.zeros_like(mean, requires_grad=True)
    log_stretch = torch.zeros_like(mean, requires_grad=True)
    slant = slant.clone().requires_grad_(not diagonal)
    free = [shift, log_stretch] if diagonal else [shift, log_stretch, slant]
    optimiser = torch.optim.Adam(free, RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, STEPS)
    for _ in range(STEPS):
        optimiser.zero_grad()
        gap = _gap(nodes, mean + scale * shift, scale * torch.exp(log_stretch), slant)
        gap.sum().backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        place, deviation = mean + scale * shift, scale * torch.exp(log_stretch)
        gap = _gap(nodes, place, deviation, slant)
        lower = torch.diag_embed(deviation)
        lower[:, 1, 0] = slant * deviation[:, 1]
    return Nearest(gap, place, lower)


def _gap(nodes: _Nodes, mean: Tensor, deviation: Tensor, slant: Tensor) -> Tensor:
    """Compute KL(q ‖ p(z|x)), (M,), of q with the factor [[d₁, 0], [slant · d₂, d₂]].

    Where a posterior has no nodes, q pays ``LEAVING`` nats for its mass.
    """
    first, second = ((nodes.place - mean[nodes.owner]) / deviation[nodes.owner]).unbind(1)
    # The second coordinate is slant · d₂ · e₁ + d₂ · e₂ for standard normal e₁ and e₂.
    second = second - slant[nodes.owner] * first
    log_area = math.log(2 * math.pi) + torch.log(deviation).sum(1)
    share = torch.exp(-(first.square() + second.square()) / 2 - log_area[nodes.owner]) * nodes.area
    inside = torch.zeros(len(mean)).index_add(0, nodes.owner, share)
    expected = torch.zeros(len(mean)).index_add(0, nodes.owner, share * nodes.density)
    # A q that is narrower than the nodes' distance may sum to more than 1.
    expected = expected / inside.clamp_min(1) - (1 - inside).clamp_min(0) * LEAVING
    return -1 - log_area - expected
