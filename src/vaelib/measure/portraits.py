"""Single images and their posteriors, chosen and drawn, for figures and for the explorer."""

import numpy as np
import torch
from torch import Tensor

from vaelib.evidence.likelihood import Gaussian
from vaelib.evidence.odds import ProportionalOdds
from vaelib.evidence.sampling import log_joint
from vaelib.figures.evidence import Portrait
from vaelib.figures.images import label_places
from vaelib.measure.gap import Gap
from vaelib.vae.latent import decode
from vaelib.vae.model import VAE

POINTS = 48  # along each side of a window
CODES = 2000  # of test images: enough to fill the plane, few enough for a page
EACH = 3  # images of a kind that the explorer offers
OTHERS = 32  # more, the first test images
WIDTH = 4.0  # of a window to each side, in the posterior's greater deviation


def greatest_gaps(result: Gap, number: int) -> list[int]:
    """Name the images with the greatest gaps, the greatest first."""
    return result.gap.argsort(descending=True)[:number].tolist()


def most_equal_modes(result: Gap, number: int) -> list[int]:
    """Name the images whose posteriors have two modes, those of most equal mass first."""
    second = {image: modes[1].mass for image, modes in result.modes.items()}
    return sorted(second, key=lambda image: -second[image])[:number]


def ordinary(result: Gap, number: int) -> list[int]:
    """Name the images whose gaps are nearest to the median."""
    return (result.gap - result.gap.median()).abs().argsort(stable=True)[:number].tolist()


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


def offered(result: Gap, labels: Tensor | None) -> dict:
    """Choose images with ordinary gaps, with two modes and with the greatest gaps.

    Args:
        result: from :func:`vaelib.measure.gap.measure_gap`.
        labels: (N,), the classes of its images, 0 to 9, if there are any.

    Returns:
        ``variance`` of the Gaussian likelihood and ``thresholds`` of proportional odds, the
        ``first`` and the ``gaps`` to the next, None where there are none; ``codes``, means of
        q(z|x) of the first images, and their ``labels``, one character each, or none; ``places``
        where the labels are written; ``images``, each with ``index``, ``label`` or None, ``why`` it
        was chosen, ``pixels`` (784 grey values of 0 to 255), ``log_evidence`` and ``bound`` in
        nats; ``others`` with index and pixels only.
    """
    kinds = {
        "ordinary gap": ordinary(result, EACH),
        "two modes": most_equal_modes(result, EACH),
        "greatest gap": greatest_gaps(result, EACH),
    }
    likelihood = result.likelihood
    codes = result.q.mean[:CODES]

    def pixels(image: int) -> list[int]:
        return (result.pixels[image] * 255).round().to(torch.uint8).tolist()

    places = {} if labels is None else label_places(codes.numpy(), labels[: len(codes)].numpy())
    return {
        "variance": likelihood.variance if isinstance(likelihood, Gaussian) else None,
        "thresholds": (
            thresholds(likelihood) if isinstance(likelihood, ProportionalOdds) else None
        ),
        "codes": [[round(z, 3) for z in mean] for mean in codes.tolist()],
        "labels": ""
        if labels is None
        else "".join(str(int(each)) for each in labels[: len(codes)]),
        "places": {label: [round(z, 3) for z in place] for label, place in places.items()},
        "others": [
            {"index": image, "pixels": pixels(image)}
            for image in range(min(OTHERS, len(result.pixels)))
        ],
        "images": [
            {
                "index": image,
                "label": None if labels is None else int(labels[image]),
                "why": kind,
                "pixels": pixels(image),
                "log_evidence": float(result.evidence.log_evidence[image]),
                "bound": float(result.bound[image]),
            }
            for kind, images in kinds.items()
            for image in images
        ],
    }


def thresholds(likelihood: ProportionalOdds) -> dict:
    """Return the ``first`` threshold between grey levels, and the ``gaps`` to the next ones."""
    _, above, width = likelihood.edges.detach().double().T
    gaps = -torch.log(-torch.expm1(width[1:-1]))
    return {"first": round(float(above[0]), 6), "gaps": [float(f"{gap:.6g}") for gap in gaps]}
