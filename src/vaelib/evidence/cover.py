"""Which tiles of the latent plane each image needs, and how much is left out with the others.

A tile is decoded once for all images that need it. It begins with large steps over the whole plane;
where the integrals of an image are still open, its tiles are cut into four of half the step.
"""

import math
from collections.abc import Callable

import torch
from scipy import special
from torch import Tensor

from vaelib.evidence.likelihood import Likelihood
from vaelib.evidence.tiles import SIDE, Pairs, by_quarter, join, nodes_of
from vaelib.vae.model import Posterior

COARSEST = 1 / 8  # step
LIMITS = (6, 7, 8, 9, 10, 12, 16, 24, 36)  # of both axes; a posterior farther out is an error
DEPTH = 12.0  # nats below an image's greatest log p(x, z) where its nodes no longer count
REACH = 26.0  # squared deviations from its mean where q no longer counts: 2e-6 of it lie beyond


class Cover:
    """The tiles that N images need, for their posteriors and for their q, step by step.

    Args:
        decoder, likelihood, images, q: as :func:`vaelib.evidence.quadrature.integrate` takes
            them.

    ``greatest`` (N,) is the greatest log p(x, z) at the nodes so far, and ``lost`` (N,) the
    logarithm of the mass that was left out, estimated from above; float64, nats. ``outside`` (N,)
    tells whose posteriors go beyond the greatest plane.
    """

    def __init__(
        self,
        decoder: Callable[[Tensor], Tensor],
        likelihood: Likelihood,
        images: Tensor,
        q: Posterior | None,
    ):
        self._decoder, self._likelihood, self._images = decoder, likelihood, images
        self._open = torch.ones(len(images), dtype=torch.bool, device=images.device)
        self._q_open = torch.full_like(self._open, q is not None)
        if q is None:
            q = Posterior(*images.new_zeros(2, len(images), 2))
        self._q_mean = q.mean.double()
        self._q_deviation = torch.exp(q.log_variance.double() / 2)
        self.greatest = torch.full_like(self._q_mean[:, 0], -math.inf)
        self.lost = self.greatest.clone()
        self._beyond = self.greatest.clone()  # of the lost mass what lies beyond the plane
        self.outside = torch.zeros_like(self._open)

    def whole_plane(self) -> Pairs:
        """Visit the plane, for each image as far out as q and the likelihood at the edge demand."""
        parts = []
        reach = (self._q_mean.abs() + math.sqrt(REACH) * self._q_deviation).amax(1)
        members = torch.arange(len(self._images), device=self._images.device)
        inner = 0
        for limit in LIMITS:
            tiles = _ring(inner, limit, COARSEST).to(self._images.device)
            self._beyond[members] = -math.inf
            counts = [len(members)] * len(tiles)
            parts.append(self._visit(COARSEST, tiles, members.repeat(len(tiles)), counts, limit))
            self.outside = self._beyond > self.greatest - DEPTH
            members = (self.outside | (reach > limit)).nonzero().squeeze(1)
            inner = limit
            if not len(members):
                break
        self.lost = torch.logaddexp(self.lost, self._beyond)
        return join(parts)

    def refine(self, pairs: Pairs, still_open: Tensor, q_still_open: Tensor) -> Pairs:
        """Cut the tiles of open integrals into four of half the step, and visit those that count.

        Args:
            pairs: of the step before.
            still_open, q_still_open: (N,), bool, whose sums over the posterior, and over q, are.
        """
        self._open, self._q_open = still_open, q_still_open
        pairs = pairs.of((still_open | q_still_open)[pairs.image])
        corners = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], device=pairs.tile.device)
        tile = (2 * pairs.tile[:, None] + corners).flatten(0, 1)
        image = pairs.image.repeat_interleave(4)
        possible = (by_quarter(pairs.values).amax(2) + pairs.hidden).flatten().double()
        side = SIDE * pairs.step / 2
        keep = self._needed(tile, image, possible, side)
        self._lose(image[~keep], possible[~keep], side)
        tile, image = tile[keep], image[keep]
        order = torch.argsort(tile[:, 0] * 2**20 + tile[:, 1], stable=True)
        tiles, counts = torch.unique_consecutive(tile[order], return_counts=True, dim=0)
        return self._visit(pairs.step / 2, tiles, image[order], counts.tolist())

    def _visit(
        self, step: float, tiles: Tensor, members: Tensor, counts: list[int], edge: float = math.inf
    ) -> Pairs:
        """Decode tiles (T, 2) one by one, and return the pairs that count.

        ``members`` holds the images of one tile after the other, as many as ``counts`` says;
        ``edge`` is where the plane ends.
        """
        kept, dropped = [], []
        for tile, image in zip(tiles, members.split(counts), strict=True):
            nodes = nodes_of(tile[None], step)[0]
            outputs = self._decoder(nodes).flatten(1)
            hidden = _hidden(self._likelihood, outputs)
            everyone = len(image) == len(self._images)
            images = self._images if everyone else self._images[image]
            values = self._likelihood.log_density(images, outputs)
            # The likelihood is taken to be no greater beyond the plane than at its edge.
            mass_beyond = _log_mass_beyond(tile, step, edge)
            if mass_beyond > -math.inf:
                beyond = values.amax(1).double() + mass_beyond
                self._beyond[image] = torch.logaddexp(self._beyond[image], beyond)
            values += log_prior(nodes)
            highest = values.amax(1).double()
            self.greatest[image] = self.greatest[image].maximum(highest)
            tile = tile.expand(len(image), 2)
            possible = highest + hidden.max()
            keep = self._needed(tile, image, possible, SIDE * step)
            dropped.append((image[~keep], possible[~keep]))
            hidden = hidden.expand(len(image), 4)
            kept.append(Pairs(step, image[keep], tile[keep], values[keep], hidden[keep]))
        image, possible = map(torch.cat, zip(*dropped, strict=True))
        self._lose(image, possible, SIDE * step)
        return join(kept)

    def _needed(self, tile: Tensor, image: Tensor, possible: Tensor, side: float) -> Tensor:
        """Tell which squares (P, 2) count for their images, as posterior or as q.

        ``possible`` (P,) is the greatest log p(x, z) that is to be expected in the square.
        """
        low, mean = tile * side, self._q_mean[image]
        distance = torch.maximum(low - mean, mean - low - side).clamp_min(0)
        near = (distance / self._q_deviation[image]).square().sum(1) <= REACH
        high = possible >= self.greatest[image] - DEPTH
        return (near & self._q_open[image]) | (high & self._open[image])

    def _lose(self, image: Tensor, possible: Tensor, side: float) -> None:
        """Count squares as lost mass, with the greatest p(x, z) to be expected all over them."""
        share = torch.exp(possible - self.greatest[image])
        share = torch.zeros_like(self.lost).index_add(0, image, share)
        self.lost = torch.logaddexp(self.lost, self.greatest + torch.log(share * side**2))


def log_prior(nodes: Tensor) -> Tensor:
    """Return log N(z; 0, I) of nodes (..., d), in nats."""
    return -nodes.square().sum(-1) / 2 - nodes.shape[-1] * math.log(2 * math.pi) / 2


def _ring(inner: float, outer: float, step: float) -> Tensor:
    """Return the tiles (T, 2) of a square to ±outer without those of a square to ±inner."""
    side = SIDE * step
    axis = torch.arange(-round(outer / side), round(outer / side))
    tiles = torch.cartesian_prod(axis, axis)
    return tiles[((tiles + 0.5) * side).abs().amax(1) > inner]


def _log_mass_beyond(tile: Tensor, step: float, edge: float) -> float:
    """Return the log of the prior's mass beyond the plane, seen from a tile (2,)."""
    sides = [(float(low) * SIDE * step, float(low + 1) * SIDE * step) for low in tile]
    mass = 0.0
    for (low, high), (across_low, across_high) in (sides, sides[::-1]):
        if high == edge or low == -edge:
            mass += special.ndtr(-edge) * (special.ndtr(across_high) - special.ndtr(across_low))
    return math.log(mass) if mass else -math.inf


def _hidden(likelihood: Likelihood, outputs: Tensor) -> Tensor:
    """Estimate by how much log p(x, z) between the nodes may exceed its greatest value at nodes.

    Where the decoder is linear, the two divergences between the likelihoods at neighbouring nodes
    add up to h² times the curvature of -log p(x|z) between them, whatever the image: the Fisher
    information. No point is farther than h/√2 from a node, so a quarter of what both axes have is
    the most that a peak can hide.

    Args:
        likelihood: p(x|z).
        outputs: (SIDE², ...) of the decoder at the nodes of a tile.

    Returns:
        (4,), nats, the greatest in each quarter of the tile.
    """
    grid = outputs.unflatten(0, (SIDE, SIDE))
    down = likelihood.divergence(grid[1:], grid[:-1])
    across = likelihood.divergence(grid[:, 1:], grid[:, :-1])
    # The neighbours of the last row and column lie in other tiles: the row and column before serve.
    down = torch.cat([down, down[-1:]])
    across = torch.cat([across, across[:, -1:]], dim=1)
    return by_quarter((down + across).flatten()[None] / 4)[0].amax(1)
