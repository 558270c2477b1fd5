"""p(x|z) of a decoder as each objective assumes it, for many images and many latent vectors."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelib.vae.objective import Objective


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
        return torch.addmm(-F.softplus(logits).sum(1), images, logits.T)

    def divergence(self, a: Tensor, b: Tensor) -> Tensor:
        """Compute KL(p(x|a) ‖ p(x|b)) + KL(p(x|b) ‖ p(x|a)) of logits a, b (..., D), in nats."""
        return ((a - b) * (torch.sigmoid(a) - torch.sigmoid(b))).sum(-1)


@dataclass(frozen=True)
class Gaussian:
    """Pixels are Gaussian around the decoded image, all with one variance.

    Args:
        variance: s², squared grey value.

    Source: equation :eq:`gaussian-likelihood`.
    """

    variance: float

    def log_density(self, images: Tensor, logits: Tensor) -> Tensor:
        """Compute log p(x|z) as :meth:`Bernoulli.log_density` does, the constant included."""
        means = torch.sigmoid(logits)
        constant = images.shape[1] * math.log(2 * math.pi * self.variance) / 2
        products = torch.addmm(-means.square().sum(1) / 2, images, means.T)
        return (products - images.square().sum(1, keepdim=True) / 2) / self.variance - constant

    def divergence(self, a: Tensor, b: Tensor) -> Tensor:
        """Compute the two divergences' sum as :meth:`Bernoulli.divergence` does."""
        return (torch.sigmoid(a) - torch.sigmoid(b)).square().sum(-1) / self.variance


Likelihood = Bernoulli | Gaussian


def assumed(objective: Objective, latent_dim: int) -> Likelihood:
    """Return the likelihood that an objective assumes.

    With squared error the weight β of the divergence is a variance of β/2. A Bernoulli
    likelihood has no parameter that could take β up: it is the same for every β.

    Source: equation :eq:`beta-variance`.
    """
    if objective.reconstruction_loss == "bce":
        return Bernoulli()
    return Gaussian(variance=objective.kl_weight(latent_dim) / 2)
