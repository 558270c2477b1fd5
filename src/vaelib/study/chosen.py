"""Test images that a reader of the explorer is offered, and what it needs to know of a model."""

import torch
from torch import Tensor

from vaelib.study import portraits
from vaelib.study.gap import Gap
from vaelib.vae.evidence.likelihood import Gaussian

CODES = 2500  # of test images: enough to fill the plane, few enough for a page
EACH = 3  # images of a kind


def offered(result: Gap, labels: Tensor) -> dict:
    """Choose images with ordinary gaps, with two modes and with the greatest gaps.

    Args:
        result: from :func:`vaelib.study.gap.measure`.
        labels: (N,), the digits of its images.

    Returns:
        ``variance`` of the Gaussian likelihood, None for Bernoulli pixels; ``codes``, means of
        q(z|x) of the first images, and their ``labels``, one character each; ``images``, each with
        ``index``, ``label``, ``why`` it was chosen, ``pixels`` (784 grey values of 0 to 255),
        ``log_evidence`` and ``bound`` in nats.
    """
    kinds = {
        "ordinary gap": portraits.ordinary(result, EACH),
        "two modes": portraits.most_equal_modes(result, EACH),
        "greatest gap": portraits.greatest_gaps(result, EACH),
    }
    likelihood = result.likelihood
    return {
        "variance": likelihood.variance if isinstance(likelihood, Gaussian) else None,
        "codes": [[round(z, 3) for z in mean] for mean in result.q.mean[:CODES].tolist()],
        "labels": "".join(str(int(label)) for label in labels[:CODES]),
        "images": [
            {
                "index": image,
                "label": int(labels[image]),
                "why": kind,
                "pixels": (result.pixels[image] * 255).round().to(torch.uint8).tolist(),
                "log_evidence": float(result.evidence.log_evidence[image]),
                "bound": float(result.bound[image]),
            }
            for kind, images in kinds.items()
            for image in images
        ],
    }
