"""The training objective: reconstruction loss plus KL divergence, per image.

All functions are pure and keep the batch dimension. Means over images are taken in one place only,
by the caller.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelib.plumbing.checks import require, require_alike, require_tensor
from vaelib.plumbing.words import LOSSES
from vaelib.vae.reconstruction import RECONSTRUCTION_LOSSES
from vaelib.vae.thresholds import GAPS

TOTAL, RECONSTRUCTION, KL = range(len(LOSSES))
"""The rows of a tensor of losses (3, B); total = reconstruction + KL."""


def gaussian_kl(
    mean_q: Tensor, log_variance_q: Tensor, mean_p: Tensor, log_variance_p: Tensor
) -> Tensor:
    """KL divergence from N(mean_q, σ_q²) to N(mean_p, σ_p²), element by element.

    Args:
        mean_q, log_variance_q, mean_p, log_variance_p: of one shape.

    Returns:
        That shape, nats.

    Source: equation :eq:`gaussian-kl`.
    """
    require_alike("mean_q", mean_q, "log_variance_q", log_variance_q)
    require_alike("mean_q", mean_q, "mean_p", mean_p)
    require_alike("mean_q", mean_q, "log_variance_p", log_variance_p)
    ratio = log_variance_q - log_variance_p
    distance = (mean_q - mean_p).square() * torch.exp(-log_variance_p)
    # expm1 keeps the digits that exp(ratio) - 1 would lose where the divergence is near 0.
    return (distance + torch.expm1(ratio) - ratio) / 2


def kl_per_dimension(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence from N(mean, σ²) to N(0, 1), for each latent dimension.

    Args:
        mean, log_variance: (B, d).

    Returns:
        (B, d), nats.

    Source: equation :eq:`kl-standard-normal`.
    """
    require_tensor("mean", mean, ("B", "d"))
    zero = torch.zeros_like(mean)
    return gaussian_kl(mean, log_variance, zero, zero)


@dataclass(frozen=True)
class Objective:
    """What training minimises: reconstruction loss + β · KL divergence.

    Args:
        reconstruction_loss: a key of :data:`vaelib.vae.reconstruction.RECONSTRUCTION_LOSSES`.
        beta: β, the weight of the KL divergence, which is summed over the d latent dimensions: 1
            is the ELBO's; 1/d, a mean over the dimensions, the original report's.

    Raises:
        ValueError: an unknown name, with the nearest known one; or a weight that is not above 0.

    >>> import torch, vaelib
    >>> images, mean = torch.zeros(5, 1, 28, 28), torch.zeros(5, 2)
    >>> total, reconstruction, kl = vaelib.Objective("mse", 1.0)(images, images, mean, mean)
    >>> float(kl.mean()), float(reconstruction[0])  # of a pixel ½: 784 · ¼
    (0.0, 196.0)
    """

    reconstruction_loss: str
    beta: float

    def __post_init__(self):
        require("reconstruction_loss", self.reconstruction_loss, RECONSTRUCTION_LOSSES)
        number = isinstance(self.beta, int | float) and not isinstance(self.beta, bool)
        if not (number and 0 < self.beta < math.inf):
            raise ValueError(
                f"beta is {self.beta!r}; expected a weight above 0, such as 1 for the ELBO"
            )

    def __call__(
        self,
        logits: Tensor,
        images: Tensor,
        mean: Tensor,
        log_variance: Tensor,
        edges: Tensor | None = None,
    ) -> Tensor:
        """Compute the losses of a batch.

        Args:
            logits, images: (B, 1, 28, 28).
            mean, log_variance: (B, d).
            edges: (256, 3), of the thresholds that the likelihood learns, if it does.

        Returns:
            (3, B), total, reconstruction and KL loss, in the order of
            :data:`vaelib.plumbing.words.LOSSES` and in the unit of the reconstruction loss (nats
            for ``bce``).

        Source: equation :eq:`objective`.
        """
        if len(mean) != len(images):
            raise ValueError(
                f"mean has {len(mean)} rows for {len(images)} images; expected one row per image"
            )
        learnt = () if edges is None else (edges,)
        if bool(learnt) != (self.reconstruction_loss in GAPS):
            raise ValueError(
                f"edges of thresholds are {'given' if learnt else 'missing'} with "
                f"{self.reconstruction_loss!r}; expected those of the model, model.edges(), with "
                f"{' and '.join(GAPS)}, and None with all others"
            )
        reconstruction = RECONSTRUCTION_LOSSES[self.reconstruction_loss](logits, images, *learnt)
        kl = self.beta * kl_per_dimension(mean, log_variance).sum(1)
        return torch.stack([reconstruction + kl, reconstruction, kl])
