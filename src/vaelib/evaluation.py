"""Losses, latent codes and reconstructions of a trained model, without gradients."""

import torch
from torch import Tensor

from vaelib.data import to_unit
from vaelib.model import VAE, Posterior
from vaelib.objective import Losses, Objective

BATCH_SIZE = 250  # images per forward pass: as fast as more, and 70 MB of activations


def draw_noise(number: int, latent_dim: int, seed: int) -> Tensor:
    """Draw the noise of one sampled z per image, from a generator of its own.

    Args:
        number: N, the images of the split.
        latent_dim: d.
        seed: of the generator; equal seeds give equal noise.

    Returns:
        (N, d), float32, on the CPU.
    """
    return torch.randn(number, latent_dim, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def image_losses(
    model: VAE, objective: Objective, images: Tensor, noise: Tensor, batch_size: int = BATCH_SIZE
) -> Losses:
    """Compute the losses of every image with one sampled z each, as the original report does.

    Args:
        model: on the device of the images.
        objective: what is measured.
        images: (N, 28, 28), uint8.
        noise: (N, d), from :func:`draw_noise`.
        batch_size: images per forward pass; the result does not depend on it.

    Returns:
        Losses, each (N,), float32, on the device of the images. Means are the caller's.
    """
    parts = []
    for batch, epsilon in zip(
        images.split(batch_size), noise.to(images.device).split(batch_size), strict=True
    ):
        x = to_unit(batch)
        logits, mean, log_variance, _ = model(x, epsilon)
        parts.append(torch.stack(objective(logits, x, mean, log_variance)))
    return Losses(*torch.cat(parts, dim=1))


def mean_losses(losses: Losses) -> dict[str, float]:
    """Average per-image losses (N,) over images, in float64; return plain numbers by name."""
    return {name: float(value.cpu().double().mean()) for name, value in losses._asdict().items()}


def entropy_floor(images: Tensor) -> float:
    """Compute the smallest BCE that any decoder can reach: the entropy of random binarisation.

    Args:
        images: (N, 28, 28), uint8.

    Returns:
        Entropies of the pixels, each black with its grey value as probability, summed over the
        pixels and averaged over the images, in float64; nats per image.

    Source: equation :eq:`bce-floor`.
    """
    x = torch.arange(256, dtype=torch.float64) / 255
    entropies = -(torch.xlogy(x, x) + torch.xlogy(1 - x, 1 - x))
    counts = torch.bincount(images.flatten().long(), minlength=256)
    return float(counts.double() @ entropies / len(images))


@torch.no_grad()
def encode(model: VAE, images: Tensor) -> Posterior:
    """Encode images (N, 28, 28), uint8; return mean and log-variance of q(z|x), each (N, d)."""
    parts = [model.encoder(to_unit(batch)) for batch in images.split(BATCH_SIZE)]
    return Posterior(*(torch.cat(column) for column in zip(*parts, strict=True)))


@torch.no_grad()
def decode(model: VAE, z: Tensor) -> Tensor:
    """Decode latent vectors (N, d); return images (N, 28, 28), float32 in [0, 1]."""
    return torch.cat(
        [torch.sigmoid(model.decoder(batch)).squeeze(1) for batch in z.split(BATCH_SIZE)]
    )


def latent_grid(number: int, limit: float) -> Tensor:
    """Lay a square grid over the latent plane.

    Args:
        number: n, points along each axis.
        limit: both axes run from −limit to limit.

    Returns:
        (n·n, 2), float32, row by row from the top; z₂ falls from row to row, z₁ grows within one.
    """
    axis = torch.linspace(-limit, limit, number)
    z2, z1 = torch.meshgrid(axis.flip(0), axis, indexing="ij")
    return torch.stack([z1.flatten(), z2.flatten()], dim=1)


def plane(codes: Tensor) -> tuple[Tensor, tuple[str, str]]:
    """Show latent codes in a plane.

    Args:
        codes: (N, d).

    Returns:
        Points (N, 2) and the names of the two axes. The points are the codes themselves for
        d = 2, their first two principal components for d > 2, and for d = 1 the code and a
        random height.
    """
    if codes.shape[1] == 2:
        return codes, ("$z_1$", "$z_2$")
    if codes.shape[1] == 1:
        height = draw_noise(len(codes), 1, seed=0)
        return torch.cat([codes, height], dim=1), ("$z_1$", "random height, no meaning")
    centred = codes - codes.mean(0)
    # The columns of V of the singular value decomposition are the principal directions.
    directions = torch.linalg.svd(centred, full_matrices=False).Vh[:2]
    return centred @ directions.T, ("principal component 1", "principal component 2")
