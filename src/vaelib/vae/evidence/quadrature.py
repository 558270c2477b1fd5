"""log p(x) of images by quadrature over the latent plane, with an error estimate for each image.

The plane is cut into square tiles of 8 × 8 nodes, the centres of their cells. A tile is decoded
once for all images that need it. Where an image's posterior lies, its tiles are cut into four of
half the step, until the sums over its nodes have settled.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy import special
from torch import Tensor

from vaelib.vae.evidence.likelihood import Likelihood
from vaelib.vae.evidence.tiles import SIDE, Pairs, by_quarter, every_second, nodes_of
from vaelib.vae.model import Posterior

LIMITS = (6, 8, 12, 16, 24)  # of both axes; an image whose posterior goes farther is an error
COARSEST, FINEST = 3, 9  # steps are 2 to the power of minus these
DEPTH = 12.0  # nats below an image's greatest log p(x, z) where its nodes no longer count
REACH = 26.0  # squared deviations from its mean where q no longer counts: 2e-6 of it lie beyond
TOLERANCE = 0.01  # nats
RESOLVED = 1.0  # nats between nodes above which a peak may be missed


class QuadratureError(ArithmeticError):
    """An image's integrals have not settled on the finest grid."""


@dataclass(frozen=True)
class Evidence:
    """What quadrature says of N images: float64, nats.

    An error is an estimate: twice the spread of the four sums over every second node along both
    axes, plus what was left out. ``mean`` and ``covariance`` are those of the posterior p(z|x).
    """

    log_evidence: Tensor  # (N,), log p(x)
    error: Tensor  # (N,), of log_evidence
    expected: Tensor  # (N,), mean of log p(x|z) over z ~ q(z|x)
    expected_error: Tensor  # (N,), of expected
    mean: Tensor  # (N, 2)
    covariance: Tensor  # (N, 2, 2)
    pairs: list[Pairs]  # where the posteriors lie, every image at the step that was accepted


@torch.no_grad()
def integrate(
    decoder: Callable[[Tensor], Tensor], likelihood: Likelihood, images: Tensor, q: Posterior
) -> Evidence:
    """Integrate p(x|z) p(z) over the latent plane, and log p(x|z) under q on the same nodes.

    Args:
        decoder: maps (M, 2), float32, to (M, ...), what the likelihood takes.
        likelihood: p(x|z).
        images: (N, D), float32, on the decoder's device.
        q: the encoder's posteriors q(z|x), (N, 2) each.

    Raises:
        QuadratureError: an error estimate exceeds ``TOLERANCE`` on the finest grid.

    Source: equation :eq:`evidence`; the trapezoid rule, Trefethen and Weideman (2014).
    """
    work = _Quadrature(decoder, likelihood, images, q)
    pairs = work.visit_plane(2.0**-COARSEST)
    for exponent in range(COARSEST + 1, FINEST + 2):
        work.settle_evidence(pairs)
        work.settle_expectation(pairs)
        if not (work.open | work.q_open).any():
            return work.result()
        if work.hopeless().any() or exponent > FINEST:
            break
        pairs = work.visit(2.0**-exponent, *work.quarters(pairs))
    raise QuadratureError(work.complaint())


class _Quadrature:
    """The integrals of N images: which are open, and what is known of each."""

    def __init__(self, decoder, likelihood, images, q):
        def full(value: float) -> Tensor:
            return torch.full((len(images),), value, dtype=torch.float64, device=images.device)

        self.decoder, self.likelihood, self.images = decoder, likelihood, images
        self.q_mean, self.q_deviation = q.mean.double(), torch.exp(q.log_variance.double() / 2)
        self.greatest = full(-math.inf)  # log p(x, z) at the nodes so far
        self.lost = full(-math.inf)  # log of the mass that was left out, estimated from above
        self.beyond = full(-math.inf)  # that of what lies beyond the plane
        self.open, self.q_open = full(1).bool(), full(1).bool()
        self.log_evidence, self.error = full(math.nan), full(math.inf)
        self.expected, self.expected_error = full(math.nan), full(math.inf)
        self.accepted: list[Pairs] = []

    def visit_plane(self, step: float) -> Pairs:
        """Visit the plane, for each image as far out as q and the likelihood at the edge demand."""
        parts = []
        reach = (self.q_mean.abs() + math.sqrt(REACH) * self.q_deviation).amax(1)
        members = torch.arange(len(self.images), device=self.images.device)
        inner = 0
        for limit in LIMITS:
            tiles = _ring(inner, limit, step).to(self.images.device)
            self.beyond[members] = -math.inf
            counts = [len(members)] * len(tiles)
            parts.append(self.visit(step, tiles, members.repeat(len(tiles)), counts, limit))
            far = (self.beyond > self.greatest - DEPTH) | (reach > limit)
            members = far.nonzero().squeeze(1)
            inner = limit
            if not len(members):
                break
        self.lost = torch.logaddexp(self.lost, self.beyond)
        return Pairs(step, *map(torch.cat, zip(*(part.rows() for part in parts), strict=True)))

    def visit(
        self, step: float, tiles: Tensor, members: Tensor, counts: list[int], edge: float = math.inf
    ) -> Pairs:
        """Decode tiles (T, 2) one by one, and return the pairs that count.

        ``members`` holds the images of one tile after the other, as many as ``counts`` says;
        ``edge`` is where the plane ends.
        """
        kept, dropped = [], []
        for tile, image in zip(tiles, members.split(counts), strict=True):
            nodes = nodes_of(tile[None], step)[0]
            outputs = self.decoder(nodes).flatten(1)
            hidden = _hidden(self.likelihood, outputs)
            everyone = len(image) == len(self.images)
            images = self.images if everyone else self.images[image]
            values = self.likelihood.log_density(images, outputs)
            # The likelihood is taken to be no greater beyond the plane than at its edge.
            mass_beyond = _log_mass_beyond(tile, step, edge)
            if mass_beyond > -math.inf:
                beyond = values.amax(1).double() + mass_beyond
                self.beyond[image] = torch.logaddexp(self.beyond[image], beyond)
            values += _log_prior(nodes)
            highest = values.amax(1).double()
            self.greatest[image] = self.greatest[image].maximum(highest)
            tile = tile.expand(len(image), 2)
            possible = highest + hidden.max()
            keep = self._needed(tile, image, possible, SIDE * step)
            dropped.append((image[~keep], possible[~keep]))
            hidden = hidden.expand(len(image), 4)
            kept.append((image[keep], tile[keep], values[keep], hidden[keep]))
        self._lose(*map(torch.cat, zip(*dropped, strict=True)), SIDE * step)
        return Pairs(step, *map(torch.cat, zip(*kept, strict=True)))

    def _needed(self, tile: Tensor, image: Tensor, possible: Tensor, side: float) -> Tensor:
        """Tell which squares (P, 2) count for their images, as posterior or as q.

        ``possible`` (P,) is the greatest log p(x, z) that is to be expected in the square.
        """
        low, mean = tile * side, self.q_mean[image]
        distance = torch.maximum(low - mean, mean - low - side).clamp_min(0)
        near = (distance / self.q_deviation[image]).square().sum(1) <= REACH
        high = possible >= self.greatest[image] - DEPTH
        return (near & self.q_open[image]) | (high & self.open[image])

    def _lose(self, image: Tensor, possible: Tensor, side: float) -> None:
        """Count squares as lost mass, with the greatest p(x, z) to be expected all over them."""
        share = torch.exp(possible - self.greatest[image])
        share = torch.zeros_like(self.lost).index_add(0, image, share)
        self.lost = torch.logaddexp(self.lost, self.greatest + torch.log(share * side**2))

    def quarters(self, pairs: Pairs) -> tuple[Tensor, Tensor, list[int]]:
        """Cut tiles into four of half the step; return those that open integrals still need."""
        pairs = pairs.of((self.open | self.q_open)[pairs.image])
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
        return tiles, image[order], counts.tolist()

    def settle_evidence(self, pairs: Pairs) -> None:
        """Sum p(x, z) over the nodes; close each image whose sums over every second node agree."""
        pairs = pairs.of(self.open[pairs.image])
        sums = torch.zeros(len(self.images), 4, dtype=torch.float64, device=self.images.device)
        unseen = torch.zeros_like(self.lost)
        for part in pairs.chunks():
            top = self.greatest[part.image, None]
            sums.index_add_(0, part.image, every_second(torch.exp(part.values - top)))
            possible = by_quarter(part.values).amax(2) + part.hidden - top
            narrow = torch.exp(possible) * (part.hidden > RESOLVED)
            unseen.index_add_(0, part.image, narrow.sum(1) * (SIDE / 2) ** 2)
        total = sums.sum(1)
        log_evidence = self.greatest + torch.log(total * pairs.step**2)
        spread = torch.log(4 * sums / total[:, None]).abs().amax(1)
        error = 2 * spread + unseen / total + torch.exp(self.lost - log_evidence)
        self.log_evidence = torch.where(self.open, log_evidence, self.log_evidence)
        self.error = torch.where(self.open, error, self.error)
        self.open = self.open & ~(error <= TOLERANCE)
        self.accepted.append(pairs.of(~self.open[pairs.image]))

    def settle_expectation(self, pairs: Pairs) -> None:
        """Average log p(x|z) over q on the nodes; close each image as for the evidence."""
        pairs = pairs.of(self.q_open[pairs.image])
        weight = torch.zeros(len(self.images), 4, dtype=torch.float64, device=self.images.device)
        sums = torch.zeros_like(weight)
        for part in pairs.chunks():
            nodes = part.nodes().double()
            scaled = (nodes - self.q_mean[part.image, None]) / self.q_deviation[part.image, None]
            share = torch.exp(-scaled.square().sum(2) / 2)
            weight.index_add_(0, part.image, every_second(share))
            share *= part.values - _log_prior(nodes)
            sums.index_add_(0, part.image, every_second(share))
        expected = sums.sum(1) / weight.sum(1)
        error = 2 * (sums / weight - expected[:, None]).abs().amax(1)
        self.expected = torch.where(self.q_open, expected, self.expected)
        self.expected_error = torch.where(self.q_open, error, self.expected_error)
        self.q_open = self.q_open & ~(error <= TOLERANCE)

    def result(self) -> Evidence:
        """Collect what is known; every integral is closed."""
        mean, covariance = self._moments()
        return Evidence(
            self.log_evidence,
            self.error,
            self.expected,
            self.expected_error,
            mean,
            covariance,
            self.accepted,
        )

    def _moments(self) -> tuple[Tensor, Tensor]:
        """Compute mean (N, 2) and covariance (N, 2, 2) of the posteriors."""
        first = self.log_evidence.new_zeros(len(self.images), 2)
        second = self.log_evidence.new_zeros(len(self.images), 2, 2)
        for pairs in self.accepted:
            for part in pairs.chunks():
                log_share = part.values - self.log_evidence[part.image, None]
                share = torch.exp(log_share) * part.step**2
                # About the mean of q: near the posterior, so that few digits cancel.
                nodes = part.nodes() - self.q_mean[part.image, None]
                first.index_add_(0, part.image, torch.einsum("pn,pni->pi", share, nodes))
                products = torch.einsum("pn,pni,pnj->pij", share, nodes, nodes)
                second.index_add_(0, part.image, products)
        return first + self.q_mean, second - first[:, :, None] * first[:, None, :]

    def hopeless(self) -> Tensor:
        """Tell which open images (N,) have lost more than a finer grid could mend."""
        return self.open & (torch.exp(self.lost - self.log_evidence) > TOLERANCE)

    def complaint(self) -> str:
        """Say which integral has not settled."""
        worst = int(torch.maximum(self.error, self.expected_error).nan_to_num(math.inf).argmax())
        return (
            f"image {worst}: at a step of 2^-{FINEST} log p(x) is known to "
            f"{float(self.error[worst]):.2g} nats and the mean of log p(x|z) under q to "
            f"{float(self.expected_error[worst]):.2g}; expected {TOLERANCE} or better, which "
            f"deviations of posterior and q of at least 0.002 within ±{LIMITS[-1]} allow"
        )


def _log_prior(nodes: Tensor) -> Tensor:
    """Return log N(z; 0, I) of nodes (..., 2), in nats."""
    return -nodes.square().sum(-1) / 2 - math.log(2 * math.pi)


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
