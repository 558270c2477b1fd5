"""p(x|z) of a decoder as each objective assumes it, for many images and many latent vectors."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelib.evidence.odds import ProportionalOdds
from vaelib.plumbing.checks import require_tensor
from vaelib.vae.objective import Objective
from vaelib.vae.reconstruction import SERIES, log_normaliser


@dataclass(frozen=True)
class Bernoulli:
    """Pixels are coins; a grey value x counts as a coin that shows 1 with probability x.

    Source: equation :eq:`bernoulli-likelihood`.
    """

    def log_density(self, images: Tensor, logits: Tensor) -> Tensor:
        """Compute log p(x|z) of every image under every latent vector.

        Args:
            images: (N, D), pixels in [0, 1].
            logits: (M, D), decoded latent vectors, before the sigmoid.

        Returns:
            (N, M), nats per image.
        """
        _check(images, logits)
        return torch.addmm(-F.softplus(logits).sum(1), images, logits.T)

    def divergence(self, a: Tensor, b: Tensor) -> Tensor:
        """Compute KL(p(x|a) ‖ p(x|b)) + KL(p(x|b) ‖ p(x|a)) of logits a, b (..., D), in nats."""
        return ((a - b) * (torch.sigmoid(a) - torch.sigmoid(b))).sum(-1)


@dataclass(frozen=True)
class ContinuousBernoulli:
    """Pixels are grey, with densities that are exponentials of the logit times the grey value.

    Source: equation :eq:`continuous-bernoulli-loss`.
    """

    def log_density(self, images: Tensor, logits: Tensor) -> Tensor:
        """Compute log p(x|z) as :meth:`Bernoulli.log_density` does."""
        return Bernoulli().log_density(images, logits) - log_normaliser(logits).sum(1)

    def divergence(self, a: Tensor, b: Tensor) -> Tensor:
        """Compute the two divergences' sum as :meth:`Bernoulli.divergence` does."""
        return ((a - b) * (self._mean(a) - self._mean(b))).sum(-1)

    @staticmethod
    def _mean(logits: Tensor) -> Tensor:
        """Return the mean grey value: the slope of log(1 + eᵃ) + log(tanh(a/2)/a)."""
        near = logits.abs() < SERIES
        far = torch.where(near, 1, logits)
        beyond = 1 / torch.tanh(far / 2) / 2 - 1 / far
        return 0.5 + torch.where(near, logits / 12 - logits**3 / 720, beyond)


@dataclass(frozen=True)
class Gaussian:
    """Pixels are Gaussian around the decoded image, all with one variance.

    Args:
        variance: s², squared grey value.

    Source: equation :eq:`gaussian-likelihood`.
    """

    variance: float

    def __post_init__(self):
        number = isinstance(self.variance, int | float) and not isinstance(self.variance, bool)
        if not (number and 0 < self.variance < math.inf):
            raise ValueError(f"variance is {self.variance!r}; expected a number above 0")

    def log_density(self, images: Tensor, logits: Tensor) -> Tensor:
        """Compute log p(x|z) as :meth:`Bernoulli.log_density` does, the constant included."""
        _check(images, logits)
        means = torch.sigmoid(logits)
        constant = images.shape[1] * math.log(2 * math.pi * self.variance) / 2
        products = torch.addmm(-means.square().sum(1) / 2, images, means.T)
        return (products - images.square().sum(1, keepdim=True) / 2) / self.variance - constant

    def divergence(self, a: Tensor, b: Tensor) -> Tensor:
        """Compute the two divergences' sum as :meth:`Bernoulli.divergence` does."""
        return (torch.sigmoid(a) - torch.sigmoid(b)).square().sum(-1) / self.variance


def _check(images: Tensor, logits: Tensor) -> None:
    require_tensor("images", images, ("N", "D"))
    require_tensor("logits", logits, ("M", images.shape[1]), images.dtype)


Likelihood = Bernoulli | ContinuousBernoulli | Gaussian | ProportionalOdds


def assumed(objective: Objective, edges: Tensor | None = None) -> Likelihood:
    """Return the likelihood that an objective assumes, given the edges that it learnt, if it did.

    With squared error the weight β of the divergence is a variance of β/2. The Bernoulli
    likelihoods have no parameter that could take β up: they are the same for every β.

    Raises:
        ValueError: the objective learns the variance, and so does not say which it assumes.

    Source: equation :eq:`beta-variance`.
    """
    if edges is not None:
        return ProportionalOdds(edges)
    if objective.reconstruction_loss == "bce":
        return Bernoulli()
    if objective.reconstruction_loss in ("cb", "cb-levels"):
        return ContinuousBernoulli()
    if objective.reconstruction_loss == "gaussian":
        raise ValueError(
            "the objective is 'gaussian', whose variance is the decoder's and not the objective's; "
            "expected bce, cb, cb-levels or mse: Gaussian takes a variance that was measured"
        )
    return Gaussian(variance=objective.beta / 2)
