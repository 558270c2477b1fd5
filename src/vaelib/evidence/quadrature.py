"""log p(x) of images by quadrature over the latent plane, with an error estimate for each image.

The nodes are the centres of square cells, in tiles of 8 × 8. An image's sums over them are accepted
when those over every second node along both axes, with either of four beginnings, agree. Where the
decoder has kinks, the rule's error falls with the square of the step; elsewhere it falls faster.
Where a kink passes through nodes, the sums over all nodes err by a third of the spread of the four,
or less. Other kinks may lie worse: the whole of the spread is taken for the error.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelib.evidence.cover import LIMITS, Cover, log_prior
from vaelib.evidence.likelihood import Likelihood
from vaelib.evidence.tiles import SIDE, Pairs, by_quarter, every_second
from vaelib.plumbing.checks import require_tensor
from vaelib.vae.model import Posterior

FINEST = 1 / 4096  # step
TOLERANCE = 0.02  # nats
RESOLVED = 1.0  # nats between nodes above which a peak may be missed


class QuadratureError(ArithmeticError):
    """An image's integrals have not settled on the finest grid."""


@dataclass(frozen=True)
class Evidence:
    """What quadrature says of N images: float64, nats.

    An error is an estimate: the spread of the four sums over every second node along both axes,
    plus what was left out. ``mean`` and ``covariance`` are those of the posterior p(z|x).
    """

    log_evidence: Tensor  # (N,), log p(x)
    error: Tensor  # (N,), of log_evidence
    expected: Tensor  # (N,), mean of log p(x|z) over z ~ q(z|x)
    expected_error: Tensor  # (N,), of expected
    mean: Tensor  # (N, 2)
    covariance: Tensor  # (N, 2, 2)
    pairs: list[Pairs]  # where the posteriors lie, every image at the step that was accepted


class _Integral:
    """One integral of each of N images: its value, its error, and whether it is open. Float64."""

    def __init__(self, images: Tensor, tolerance: float, wanted: bool = True):
        self._tolerance = tolerance
        self.value = torch.full((len(images),), math.nan, dtype=torch.float64, device=images.device)
        self.error = torch.full_like(self.value, math.inf if wanted else 0)
        self.open = torch.full_like(self.value, wanted, dtype=torch.bool)

    def settle(self, value: Tensor, error: Tensor) -> None:
        """Take over what is new of open ones, and close those whose error is small enough."""
        self.value = torch.where(self.open, value, self.value)
        self.error = torch.where(self.open, error, self.error)
        # An error that is not a number stays open.
        self.open = self.open & ~(error <= self._tolerance)


@torch.no_grad()
def integrate(
    decoder: Callable[[Tensor], Tensor],
    likelihood: Likelihood,
    images: Tensor,
    q: Posterior | None,
    tolerance: float = TOLERANCE,
) -> Evidence:
    """Integrate p(x|z) p(z) over the latent plane, and log p(x|z) under q on the same nodes.

    Args:
        decoder: maps (M, 2), float32, to (M, ...), what the likelihood takes.
        likelihood: p(x|z).
        images: (N, D), float32, on the decoder's device.
        q: the encoder's posteriors q(z|x), (N, 2) each; None if only p(x) and the posterior are
            asked for: ``expected`` is not a number then.
        tolerance: the greatest error estimate that is accepted, in nats.

    Raises:
        ValueError: images or posteriors of another shape, or not finite.
        QuadratureError: an error estimate exceeds the tolerance on the finest grid, or more than
            that was left out, which no finer grid mends.

    Source: equation :eq:`evidence`; the trapezoid rule, Trefethen and Weideman (2014).
    """
    require_tensor("images", images, ("N", "D"), finite=True)
    if q is not None:
        require_tensor("mean", q.mean, (len(images), 2), finite=True)
        require_tensor("log_variance", q.log_variance, (len(images), 2), finite=True)
    if not 0 < tolerance < math.inf:
        raise ValueError(f"tolerance is {tolerance!r}; expected nats above 0")
    evidence = _Integral(images, tolerance)
    expectation = _Integral(images, tolerance, wanted=q is not None)
    accepted = []
    cover = Cover(decoder, likelihood, images, q)
    pairs = cover.whole_plane()
    while True:
        tried = pairs.of(evidence.open[pairs.image])
        value, error = _log_evidence(tried, cover)
        lost = torch.exp(cover.lost - value)
        evidence.settle(value, error + lost)
        accepted.append(tried.of(~evidence.open[tried.image]))
        if q is not None:
            expectation.settle(*_expectation(pairs.of(expectation.open[pairs.image]), q))
        if not (evidence.open | expectation.open).any():
            break
        # A peak that no node sees any more makes what was left out look large: that passes, and the
        # sums over what is left seldom agree as well as those that include a peak.
        stuck = evidence.open & ((lost > tolerance) & (error <= tolerance / 4) | cover.outside)
        if pairs.step <= FINEST or stuck.any():
            blamed = stuck if stuck.any() else evidence.open | expectation.open
            raise QuadratureError(_complaint(evidence, expectation, blamed, pairs.step, tolerance))
        pairs = cover.refine(pairs, evidence.open, expectation.open)
    return Evidence(
        evidence.value,
        evidence.error,
        expectation.value,
        expectation.error,
        *_moments(accepted, evidence.value),
        accepted,
    )


def _log_evidence(pairs: Pairs, cover: Cover) -> tuple[Tensor, Tensor]:
    """Sum p(x, z) over the nodes; return log p(x) and its error but for what is left out, (N,)."""
    sums = cover.greatest.new_zeros(len(cover.greatest), 4)
    unseen = torch.zeros_like(cover.greatest)
    for part in pairs.chunks():
        top = cover.greatest[part.image, None]
        sums.index_add_(0, part.image, every_second(torch.exp(part.values - top)))
        possible = by_quarter(part.values).amax(2) + part.hidden - top
        narrow = torch.exp(possible) * (part.hidden > RESOLVED)
        unseen.index_add_(0, part.image, narrow.sum(1) * (SIDE / 2) ** 2)
    total = sums.sum(1)
    log_evidence = cover.greatest + torch.log(total * pairs.step**2)
    spread = torch.log(4 * sums / total[:, None]).abs().amax(1)
    return log_evidence, spread + unseen / total


def _expectation(pairs: Pairs, q: Posterior) -> tuple[Tensor, Tensor]:
    """Average log p(x|z) over q on the nodes; return the mean and its error, (N,) each."""
    mean, deviation = q.mean.double(), torch.exp(q.log_variance.double() / 2)
    weight = mean.new_zeros(len(mean), 4)
    sums = torch.zeros_like(weight)
    for part in pairs.chunks():
        nodes = part.nodes().double()
        scaled = (nodes - mean[part.image, None]) / deviation[part.image, None]
        share = torch.exp(-scaled.square().sum(2) / 2)
        weight.index_add_(0, part.image, every_second(share))
        share *= part.values - log_prior(nodes)
        sums.index_add_(0, part.image, every_second(share))
    expected = sums.sum(1) / weight.sum(1)
    return expected, (sums / weight - expected[:, None]).abs().amax(1)


def _moments(accepted: list[Pairs], log_evidence: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean (N, 2) and covariance (N, 2, 2) of the posteriors."""
    first = log_evidence.new_zeros(len(log_evidence), 2)
    second = log_evidence.new_zeros(len(log_evidence), 2, 2)
    for pairs in accepted:
        for part in pairs.chunks():
            share = torch.exp(part.values - log_evidence[part.image, None]) * part.step**2
            nodes = part.nodes().double()
            first.index_add_(0, part.image, torch.einsum("pn,pni->pi", share, nodes))
            products = torch.einsum("pn,pni,pnj->pij", share, nodes, nodes)
            second.index_add_(0, part.image, products)
    return first, second - first[:, :, None] * first[:, None, :]


def _complaint(
    evidence: _Integral, expectation: _Integral, blamed: Tensor, step: float, tolerance: float
) -> str:
    """Say which of the blamed images' (N,) integrals are known worst."""
    errors = torch.maximum(evidence.error, expectation.error).nan_to_num(math.inf)
    errors = errors.masked_fill(~blamed, -1)
    worst = int(errors.argmax())
    return (
        f"image {worst}: at a step of 1/{1 / step:.0f} log p(x), or the mean of log p(x|z) under "
        f"q, is known to {float(errors[worst]):.2g} nats; expected {tolerance} or better, which "
        f"deviations of posterior and q of at least 0.0003 within ±{LIMITS[-1]} allow"
    )
