"""The losses of a trained model, image by image and on average, without gradients."""

import torch
from torch import Tensor

from vaelib.data.dataset import check_images, to_unit
from vaelib.plumbing.checks import MOST_SEED, require_tensor, require_whole
from vaelib.plumbing.words import LOSSES
from vaelib.vae.model import MOST_DIMENSIONS, VAE
from vaelib.vae.objective import Objective

BATCH_SIZE = 250  # images per forward pass: as fast as more, and 70 MB of activations


def draw_noise(number: int, latent_dim: int, seed: int) -> Tensor:
    """Draw the noise of one sampled z per image, from a generator of its own.

    Args:
        number: N, the images of the split.
        latent_dim: of the latent space, d.
        seed: of the generator; equal seeds give equal noise.

    Returns:
        (N, d), float32, on the CPU.

    Raises:
        ValueError: a number that is not whole, or out of range.
    """
    require_whole("number", number, 1, MOST_SEED)
    require_whole("latent_dim", latent_dim, 1, MOST_DIMENSIONS)
    require_whole("seed", seed, 0, MOST_SEED)
    return torch.randn(number, latent_dim, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def image_losses(
    model: VAE, objective: Objective, images: Tensor, noise: Tensor, batch_size: int = BATCH_SIZE
) -> Tensor:
    """Compute the losses of every image with one sampled z each, as the original report does.

    Args:
        model: on any device.
        objective: what is measured.
        images: (N, 28, 28), uint8, on any device.
        noise: (N, d), from :func:`draw_noise`.
        batch_size: images per forward pass; the result does not depend on it, but with
            ``gaussian``, whose variance is that of each batch.

    Returns:
        (3, N), total, reconstruction and KL loss, in the dtype and on the device of the
        model. Means are the caller's.

    Raises:
        ValueError: images or noise of another shape or dtype, or noise that is not finite.
    """
    check_images(images)
    of_noise = len(images), model.latent_dim
    require_tensor("noise", noise, of_noise, finite=True, hint="one row per image")
    require_whole("batch_size", batch_size, 1, MOST_SEED)
    weight = next(model.parameters())
    parts = []
    for batch, epsilon in zip(
        images.split(batch_size), noise.to(weight).split(batch_size), strict=True
    ):
        x = to_unit(batch.to(weight.device), weight.dtype)
        logits, mean, log_variance, _ = model(x, epsilon)
        parts.append(objective(logits, x, mean, log_variance, model.edges()))
    return torch.cat(parts, dim=1)


def mean_losses(losses: Tensor) -> dict[str, float]:
    """Average per-image losses (3, N) over images, in float64; return plain numbers by name."""
    require_tensor("losses", losses, (3, "N"))
    means = (row.cpu().double().mean() for row in losses)
    return dict(zip(LOSSES, map(float, means), strict=True))


def entropy_floor(images: Tensor) -> float:
    """Compute the smallest BCE that any decoder can reach: the entropy of random binarisation.

    Args:
        images: (N, 28, 28), uint8.

    Returns:
        Entropies of the pixels, each black with its grey value as probability, summed over the
        pixels and averaged over the images, in float64; nats per image.

    Raises:
        ValueError: images of another shape or dtype.

    Source: equation :eq:`bce-floor`.
    """
    check_images(images)
    x = torch.arange(256, dtype=torch.float64) / 255
    entropies = -(torch.xlogy(x, x) + torch.xlogy(1 - x, 1 - x))
    counts = torch.bincount(images.flatten().long(), minlength=256)
    return float(counts.double() @ entropies / len(images))
