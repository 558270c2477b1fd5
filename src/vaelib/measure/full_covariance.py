"""A model whose q has a full covariance, trained so: what a richer family is worth."""

import torch
from torch import Tensor, nn

from vaelib.data.dataset import ImageSet
from vaelib.evidence.likelihood import assumed
from vaelib.evidence.quadrature import integrate
from vaelib.measure.refinement import ERROR
from vaelib.training.fit import fit
from vaelib.training.recipes import RECIPES
from vaelib.vae.losses import draw_noise, image_losses
from vaelib.vae.model import UNITS, VAE
from vaelib.vae.objective import TOTAL, Objective

SAMPLES = 64  # of z for each image, for the bound


class FullCovarianceVAE(VAE):
    """A VAE with two latent dimensions whose q(z|x) is a Gaussian of any covariance.

    With a slant s from a third output of the encoder's mean, z₁ = μ₁ + σ₁ε₁ and
    z₂ = μ₂ + σ₂(sε₁ + ε₂). Then the divergence from the prior is that of the diagonal Gaussian
    plus (sσ₂)²/2, as if sσ₂ were the mean of a third dimension whose variance is 1; so it stands
    among what :meth:`forward` returns, and every objective is right.

    Args:
        units: of the encoder's dense layer.
        generator: source of the initial weights.
    """

    def __init__(self, units: int = UNITS, generator: torch.Generator | None = None):
        super().__init__(2, units, generator)
        self.encoder.mean = nn.Linear(units, 3)
        nn.init.xavier_uniform_(self.encoder.mean.weight, generator=generator)
        nn.init.zeros_(self.encoder.mean.bias)

    def forward(
        self, images: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Encode, sample, decode.

        Args:
            images: (B, 1, 28, 28).
            noise: (B, 2), drawn from N(0, I).

        Returns:
            logits (B, 1, 28, 28), mean and log-variance, (B, 3) each with sσ₂ and 0 as their
            third column, and z (B, 2).
        """
        self._check(images, noise)
        heads, log_variance = self.encoder(images)
        if noise is None:
            noise = torch.randn_like(log_variance)
        deviation = torch.exp(log_variance / 2)
        slanted = heads[:, 2:] * deviation[:, 1:]  # sσ₂
        zero = torch.zeros_like(slanted)
        z = heads[:, :2] + deviation * noise + torch.cat([zero, slanted * noise[:, :1]], 1)
        mean = torch.cat([heads[:, :2], slanted], 1)
        return self.decoder(z), mean, torch.cat([log_variance, zero], 1), z


def measure_full_covariance(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Train a model with full covariance in the place of a recorded one, and measure its gap.

    Args:
        model: the recorded one, of which only the number of units is taken.
        objective: without parameters of its own.
        data: on the CPU.
        seed: as the recorded model's.

    Returns:
        ``log_evidence``, by quadrature; ``bound``, from ``SAMPLES`` samples for each image, with
        its standard error as ``bound_error``; and ``gap``, their difference, all of them means
        over the test images in nats; and ``error``, the greatest error estimate of an image's
        evidence.
    """
    generator = torch.Generator().manual_seed(seed)
    other = FullCovarianceVAE(model.encoder.dense.out_features, generator)
    noise = draw_noise(len(data.images), 2, seed)
    fit(other, objective, RECIPES["report"], data, noise, seed)
    images = data.test_images
    likelihood = assumed(objective)
    evidence = integrate(other.decoder, likelihood, images.flatten(1).float() / 255, None, ERROR)
    noises = torch.randn(SAMPLES, len(images), 2, generator=generator)
    losses = torch.stack([image_losses(other, objective, images, each)[TOTAL] for each in noises])
    bounds = -losses.double().mean(1)  # one for each sample
    log_evidence, bound = evidence.log_evidence.mean(), bounds.mean()
    return {
        "log_evidence": float(log_evidence),
        "bound": float(bound),
        "bound_error": float(bounds.std() / SAMPLES**0.5),
        "gap": float(log_evidence - bound),
        "error": float(evidence.error.max()),
    }
