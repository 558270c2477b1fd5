"""Reconstruction losses: −log p(x|z) of each likelihood of pixels, per image.

All functions are pure, keep the batch dimension and reduce over everything else. They raise
ValueError for tensors of which one would be stretched to the other's shape, and for whole numbers.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelib.plumbing.checks import require_alike

SERIES = 0.1  # arguments nearer to 0 than this have what divides by them from a series
HALF = 1 / 510  # of the width of a grey level's bin


def binary_cross_entropy(logits: Tensor, images: Tensor) -> Tensor:
    """Binary cross-entropy, summed over the pixels: −log p(x|z) of a Bernoulli decoder.

    Args:
        logits: (B, 1, 28, 28), log-odds of the pixels.
        images: (B, 1, 28, 28), pixels in [0, 1].

    Returns:
        (B,), nats per image.

    Source: equation :eq:`bernoulli-likelihood`.
    """
    _check(logits, images)
    return F.binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(1)


def continuous_bernoulli(logits: Tensor, images: Tensor) -> Tensor:
    """Negative log-density of a continuous Bernoulli decoder, summed over the pixels.

    Args:
        logits: (B, 1, 28, 28), the distribution's natural parameters.
        images: (B, 1, 28, 28), pixels in [0, 1].

    Returns:
        (B,), nats per image, −log p(x|z), a density of grey values; it may be negative.

    Source: equation :eq:`continuous-bernoulli-loss`; Loaiza-Ganem and Cunningham (2019).
    """
    return binary_cross_entropy(logits, images) + log_normaliser(logits).flatten(1).sum(1)


def log_normaliser(logits: Tensor) -> Tensor:
    """Logarithm of what exp(−BCE) of a pixel integrates to over grey values: log(tanh(a/2)/a).

    Near a = 0, where both the quotient and the gradient lose their digits, a series takes over.

    Args:
        logits: any shape.

    Returns:
        That shape, nats.

    Source: equation :eq:`continuous-bernoulli`.
    """
    near = logits.abs() < SERIES
    squares = torch.where(near, logits, 0).square() / 4
    series = -squares * (1 / 3 - squares * (7 / 90 - squares * (62 / 2835 - squares * 127 / 18900)))
    # |a|, so that one logarithm serves both signs; 1 where the series is taken.
    far = torch.where(near, 1, logits.abs())
    return torch.where(near, series - math.log(2), torch.log(torch.tanh(far / 2) / far))


def continuous_bernoulli_levels(logits: Tensor, images: Tensor) -> Tensor:
    """Negative log-probability of grey levels under a continuous Bernoulli decoder.

    At a black or a white pixel the density of :func:`continuous_bernoulli` grows with the logit
    without end; the probability of the level's bin is at most 1.

    Args:
        logits: (B, 1, 28, 28), the distribution's natural parameters.
        images: (B, 1, 28, 28), k/255 with whole numbers k.

    Returns:
        (B,), nats per image, −log P(x|z), summed over the pixels, at least 0.

    Source: equation :eq:`continuous-bernoulli-levels`.
    """
    _check(logits, images)
    inner = math.log(2 * HALF) + log_sinhc(2 * HALF * logits)
    outer = math.log(HALF) + log_sinhc(HALF * logits)
    tilt = HALF * logits / 2  # from the level to the middle of an outer bin
    bins = torch.where(images == 0, outer + tilt, torch.where(images == 1, outer - tilt, inner))
    # Not softplus, which PyTorch cuts off beyond 20.
    densities = images * logits + F.logsigmoid(-logits) - log_normaliser(logits)
    return -(densities + bins).flatten(1).sum(1)


def log_sinhc(a: Tensor) -> Tensor:
    """Return log(sinh(a/2)/(a/2)), the logarithm of the mean of exp(a y) over -½ < y < ½."""
    near = a.abs() < SERIES
    squares = torch.where(near, a, 0).square()
    series = squares * (1 / 24 - squares * (1 / 2880 - squares * (1 / 181440 - squares / 9676800)))
    far = torch.where(near, 1, a.abs())
    return torch.where(near, series, far / 2 + torch.log(-torch.expm1(-far) / far))


def squared_error(logits: Tensor, images: Tensor) -> Tensor:
    """Squared error of the sigmoid of the logits, summed over the pixels.

    Args:
        logits: (B, 1, 28, 28), log-odds of the pixels.
        images: (B, 1, 28, 28), pixels in [0, 1].

    Returns:
        (B,), squared grey value per image. It is −log p(x|z) in nats, up to a constant, of a
        Gaussian decoder with variance ½.

    Source: equation :eq:`gaussian-likelihood`.
    """
    _check(logits, images)
    return F.mse_loss(torch.sigmoid(logits), images, reduction="none").flatten(1).sum(1)


def gaussian(logits: Tensor, images: Tensor) -> Tensor:
    """Negative log-density of a Gaussian decoder with the variance that suits the batch best.

    That variance is the mean squared error per pixel over the batch. The mean over the batch has
    the gradient of the likelihood with the variance held fixed, since it is least there.

    Args:
        logits: (B, 1, 28, 28), log-odds of the means.
        images: (B, 1, 28, 28), pixels in [0, 1].

    Returns:
        (B,), nats per image, −log p(x|z), a density of grey values; it may be negative.

    Source: equation :eq:`best-variance-loss`; Rybkin, Daniilidis and Levine (2021).
    """
    errors = squared_error(logits, images)
    pixels = images[0].numel()
    if not pixels:
        raise ValueError(f"images has shape {tuple(images.shape)}; expected pixels in each image")
    variance = errors.mean() / pixels
    return errors / (2 * variance) + pixels * torch.log(2 * math.pi * variance) / 2


def proportional_odds(outputs: Tensor, images: Tensor, edges: Tensor) -> Tensor:
    """Negative log-probability of grey levels with proportional odds, summed over the pixels.

    The odds of a level of at most k are those of exp(τ_k − a). Thresholds at equal distances make
    it a logistic density around a, integrated over the levels' bins, of which black and white take
    what lies beyond; a single threshold would make it the cross-entropy of black or not.

    Args:
        outputs: (B, 1, 28, 28), the decoder's, a.
        images: (B, 1, 28, 28), k/255 with whole numbers k.
        edges: (256, 3), those of the thresholds τ: see
            :meth:`vaelib.vae.thresholds.Thresholds.edges`.

    Returns:
        (B,), nats per image, −log P(x|z), at least 0.

    Source: equation :eq:`proportional-odds-level`; McCullagh (1980).
    """
    _check(outputs, images)
    below, above, width = F.embedding(level_of(images), edges).unbind(-1)
    inside = F.logsigmoid(above - outputs) + F.logsigmoid(outputs - below) + width
    return -inside.flatten(1).sum(1)


def level_of(images: Tensor) -> Tensor:
    """Return the levels 0 to 255, int64, of images in [0, 1]."""
    return (255 * images).round().long()


def _check(logits: Tensor, images: Tensor) -> None:
    """Refuse tensors of which one would be stretched to the other's shape, and grey values."""
    if logits.ndim < 2 or not len(logits) or not logits.is_floating_point():
        raise ValueError(
            f"logits have shape {tuple(logits.shape)} and dtype {logits.dtype}; expected "
            "(B, 1, 28, 28) with B of at least 1 and a floating dtype"
        )
    require_alike("logits", logits, "images", images)


RECONSTRUCTION_LOSSES: dict[str, Callable[..., Tensor]] = {
    "bce": binary_cross_entropy,
    "cb": continuous_bernoulli,
    "cb-levels": continuous_bernoulli_levels,
    "mse": squared_error,
    "gaussian": gaussian,
    "odds": proportional_odds,
    "logistic": proportional_odds,
}
"""Name → function (logits, images) → (B,). Another likelihood is one more line. The last two take
the edges of thresholds besides: see :data:`vaelib.vae.thresholds.GAPS`."""
