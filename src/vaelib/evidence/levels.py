"""p(x|z) as a probability of grey levels: a density's integral over the bin of each level.

Level k of 256 has the bin from (k − ½)/255 to (k + ½)/255; those of the darkest and the brightest
level take in all that lies beyond. For one decoded image, the logarithm of an image's probability
is a sum over pixels of products of what depends on the level and what depends on the decoder, so
one matrix product has it for many images and many decoded ones.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelib.evidence.likelihood import ContinuousBernoulli, Gaussian
from vaelib.evidence.odds import ProportionalOdds
from vaelib.vae.reconstruction import HALF, log_normaliser, log_sinhc


@dataclass(frozen=True)
class ContinuousBernoulliLevels(ContinuousBernoulli):
    """The continuous Bernoulli, integrated over the bins; it has no mass outside [0, 1].

    Source: equation :eq:`continuous-bernoulli-levels`.
    """

    def rows(self, images: Tensor) -> Tensor:
        """Write images (N, D) in [0, 1] as rows (N, 3D) that :meth:`log_density` takes."""
        return torch.cat([images, (images == 0).float(), (images == 1).float()], dim=1)

    def log_density(self, rows: Tensor, logits: Tensor) -> Tensor:
        """Compute the logarithms of the probabilities of images, (N, M), nats per image.

        Args:
            rows: (N, 3D), from :meth:`rows`.
            logits: (M, D), of decoded latent vectors.
        """
        inner = math.log(2 * HALF) + log_sinhc(2 * HALF * logits)
        outer = math.log(HALF) + log_sinhc(HALF * logits) - inner
        tilt = HALF * logits / 2  # from the level to the middle of an outer bin
        columns = torch.cat([logits, outer + tilt, outer - tilt], dim=1)
        constant = inner + F.logsigmoid(-logits) - log_normaliser(logits)
        return torch.addmm(constant.sum(1), rows, columns.T)


@dataclass(frozen=True)
class GaussianLevels(Gaussian):
    """The Gaussian with one variance, integrated over the bins.

    Inside, the logarithm of the density's mean over a bin is taken to the fourth order in h/s, with
    h the bin's half width: a polynomial in the distance from the decoded value.

    Args:
        variance: s², squared grey value.
        censored: black and white have what lies beyond 0 and 1 too. Without it, the density is 0
            there, as the continuous Bernoulli's is, and greater inside.

    Source: equation :eq:`gaussian-levels`.
    """

    censored: bool = True

    def rows(self, images: Tensor) -> Tensor:
        """Write images (N, D) in [0, 1] as rows (N, 3D + 3), or (N, 5D + 3) with the fourth order.

        They are for :meth:`log_density` with the same variance and outputs of the same dtype.
        """
        black, white = (images == 0).float(), (images == 1).float()
        powers = [(1 - black - white) * images**n for n in range(5)]
        alone = [powers[n].sum(1, keepdim=True) for n in (0, 2, 4)]
        return torch.cat([powers[1], black, white, *self._if_fourth(*powers[2:4]), *alone], dim=1)

    def log_density(self, rows: Tensor, logits: Tensor) -> Tensor:
        """Compute the logarithms of the probabilities as the continuous Bernoulli's does."""
        means, deviation = torch.sigmoid(logits), math.sqrt(self.variance)
        level, second, fourth = self._bin(HALF)
        if self.censored:
            outer = [
                torch.special.log_ndtr((HALF - means) / deviation),
                torch.special.log_ndtr((means - 1 + HALF) / deviation),
            ]
            inside = means.new_zeros(len(means))
        else:
            at_edge = self._bin(HALF / 2)
            middles = (HALF / 2 - means, 1 - HALF / 2 - means)
            outer = [at_edge[0] - at_edge[1] * d**2 - at_edge[2] * d**4 for d in middles]
            low, high = (torch.special.ndtr((end - means) / deviation) for end in (0, 1))
            inside = torch.log(high - low).sum(1)
        # -second · (x - x̂)² - fourth · (x - x̂)⁴, by powers of x. What has no x is that of every
        # pixel, and taken from black and white again; what has no x̂ comes last.
        every = -second * means**2 - fourth * means**4
        columns = [
            2 * second * means + 4 * fourth * means**3,
            *(edge - every for edge in outer),
            *self._if_fourth(-6 * fourth * means**2, 4 * fourth * means),
            means.new_tensor([level, -second, -fourth]).expand(len(means), 3),
        ]
        return torch.addmm(every.sum(1) - inside, rows, torch.cat(columns, dim=1).T)

    def _if_fourth(self, *parts: Tensor) -> tuple[Tensor, ...]:
        """Return parts of the fourth order, none where rounding hides it."""
        return parts if self._bin(HALF)[2] > torch.finfo(parts[0].dtype).eps else ()

    def _bin(self, half: float) -> tuple[float, float, float]:
        """Return c₀, c₂ and c₄: log of the mass of a bin ≈ c₀ − c₂ d² − c₄ d⁴ at a distance d."""
        share = half**2 / self.variance
        level = math.log(2 * half) - math.log(2 * math.pi * self.variance) / 2
        level += -share / 6 + share**2 / 90
        second = (1 - share / 3 + 2 * share**2 / 45) / (2 * self.variance)
        return level, second, share**2 / (180 * self.variance**2)


Levels = ContinuousBernoulliLevels | GaussianLevels | ProportionalOdds
