"""Single images and their posteriors, drawn for figures."""

import numpy as np
import torch

from vaelib.evidence.sampling import log_joint
from vaelib.figures.evidence import Portrait
from vaelib.measure.chosen import greatest_gaps, most_equal_modes, ordinary
from vaelib.measure.gap import Gap
from vaelib.vae.latent import decode
from vaelib.vae.model import VAE

POINTS = 48  # along each side of a window
WIDTH = 4.0  # of a window to each side, in the posterior's greater deviation


def typical(result: Gap, model: VAE, number: int) -> list[Portrait]:
    """Picture images with ordinary gaps: decoded at q's mean and the posterior's."""
    return [_at_both(result, model, image) for image in ordinary(result, number)]


def worst(result: Gap, model: VAE, number: int) -> list[Portrait]:
    """Picture the images with the greatest gaps: decoded at q's mean and the posterior's."""
    return [_at_both(result, model, image) for image in greatest_gaps(result, number)]


def _at_both(result: Gap, model: VAE, image: int) -> Portrait:
    places = {"at q": result.q.mean[image], "at p(z|x)": result.evidence.mean[image]}
    return picture(result, model, image, places)


def parted(result: Gap, model: VAE, number: int) -> list[Portrait]:
    """Picture images whose posteriors have two modes, those of most equal mass first."""
    pictures = []
    for image in most_equal_modes(result, number):
        first, other = result.modes[image][:2]
        places = {"mode 1": torch.tensor(first.peak), "mode 2": torch.tensor(other.peak)}
        pictures.append(picture(result, model, image, places))
    return pictures


def picture(result: Gap, model: VAE, image: int, places: dict[str, torch.Tensor]) -> Portrait:
    """Lay a window over an image's posterior, and decode places.

    Args:
        result, model: from :func:`vaelib.measure.gap.measure_gap`, and what it measured.
        image: which.
        places: name → (2,), what to decode.

    Returns:
        NumPy arrays; the density is relative to its greatest value.
    """
    mean, covariance = result.evidence.mean[image], result.evidence.covariance[image]
    half = WIDTH * float(covariance.diagonal().max().sqrt())
    axis = torch.linspace(-half, half, POINTS)
    nodes = torch.cartesian_prod(float(mean[0]) + axis, float(mean[1]) + axis)
    height = log_joint(model.decoder, result.likelihood, result.pixels[image], nodes)
    density = torch.exp(height - height.max()).view(POINTS, POINTS)
    low = (mean - half).tolist()
    decoded = decode(model, torch.stack([place.float() for place in places.values()]))
    return Portrait(
        image=result.pixels[image].view(28, 28).numpy(),
        decoded=dict(zip(places, decoded.numpy(), strict=True)),
        mean=result.q.mean[image].numpy(),
        deviation=np.exp(result.q.log_variance[image].numpy() / 2),
        window=(low[0], low[0] + 2 * half, low[1], low[1] + 2 * half),
        density=density.numpy(),
    )


def samples(result: Gap, model: VAE, number: int, generator: torch.Generator) -> dict:
    """Decode samples of the prior, and of the aggregate posterior of the images.

    Returns:
        ``prior`` and ``aggregate``, each (number, 28, 28), NumPy, pixels in [0, 1].
    """
    mean, log_variance = result.q
    image = torch.randint(len(mean), (number,), generator=generator)
    places = {
        "prior": torch.randn(number, 2, generator=generator),
        "aggregate": mean[image]
        + torch.exp(log_variance[image] / 2) * torch.randn(number, 2, generator=generator),
    }
    return {name: decode(model, z).numpy() for name, z in places.items()}
