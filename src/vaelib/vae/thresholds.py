"""The thresholds between grey levels that a likelihood learns, one set for all pixels."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaelib.data.dataset import check_images

LEVELS = 256
GAPS = {"odds": LEVELS - 2, "logistic": 1}
"""Reconstruction loss that learns thresholds → number of gaps, each for itself or one for all."""
PSEUDOCOUNT = 0.5  # of each level, when thresholds begin at the levels' frequencies


class Thresholds(nn.Module):
    """255 numbers τ₀ < … < τ₂₅₄, learnt as the first of them and the gaps between neighbours.

    Args:
        gaps: 254, or 1 that all neighbours share.

    Source: equation :eq:`proportional-odds`; McCullagh (1980).

    >>> Thresholds(gaps=1)().shape
    torch.Size([255])
    """

    def __init__(self, gaps: int):
        super().__init__()
        self.first = nn.Parameter(torch.zeros(1))
        self.gaps = nn.Parameter(torch.zeros(gaps))  # before the softplus that makes them positive

    def forward(self) -> Tensor:
        """Return the thresholds, (255,), in rising order."""
        gaps = F.softplus(self.gaps).expand(LEVELS - 2)
        return torch.cat([self.first, self.first + gaps.cumsum(0)])

    def edges(self) -> Tensor:
        """Write what the probability of each level k is made of.

        Returns:
            (256, 3), the threshold below the level, the one above, and log(1 − exp(τ_{k−1} − τ_k)),
            from the gap itself, which the difference of two rounded numbers would lose.
        """
        thresholds, end = self(), self.first.new_tensor([math.inf])
        gaps = F.softplus(self.gaps).expand(LEVELS - 2)
        width = F.pad(torch.log(-torch.expm1(-gaps)), (1, 1))
        below, above = torch.cat([-end, thresholds]), torch.cat([thresholds, end])
        return torch.stack([below, above, width], dim=1)

    @classmethod
    def of(cls, images: Tensor, gaps: int) -> "Thresholds":
        """Begin at the frequencies of grey levels, which a decoder that gives 0 then has.

        Args:
            images: (N, 28, 28), uint8, of the training.
            gaps: 254, or 1: then the first and the last threshold are those of the frequencies.
        """
        check_images(images)
        return cls.at(torch.bincount(images.flatten().long(), minlength=LEVELS), gaps)

    @classmethod
    def at(cls, counts: Tensor, gaps: int) -> "Thresholds":
        """Begin at the frequencies of grey levels whose counts (256,) are given."""
        counts = counts.double() + PSEUDOCOUNT
        thresholds = torch.logit(counts.cumsum(0)[:-1] / counts.sum())
        steps = thresholds.diff().view(gaps, -1).mean(1)
        result = cls(gaps).to(counts.device)
        with torch.no_grad():
            result.first.copy_(thresholds[:1])
            result.gaps.copy_(torch.log(torch.expm1(steps)))
        return result


def mean_level(outputs: Tensor, thresholds: Tensor) -> Tensor:
    """Return the mean grey value of each pixel: a mean of 255 sigmoids.

    Args:
        outputs: any shape, of a decoder.
        thresholds: (255,).

    Returns:
        That shape, in [0, 1].

    Source: equation :eq:`proportional-odds-mean`.
    """
    total = torch.zeros_like(outputs)
    for threshold in thresholds:
        total += torch.sigmoid(outputs - threshold)
    return total / len(thresholds)
