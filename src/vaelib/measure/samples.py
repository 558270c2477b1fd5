"""Samples of a model, small enough for a record: a PNG file as text."""

import base64
import io

import torch
from PIL import Image
from torch import Tensor

from vaelib.data.dataset import ImageSet
from vaelib.vae.latent import decode
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

NUMBER = 10


def measure_samples(model: VAE, objective: Objective, data: ImageSet, seed: int) -> str:
    """Decode samples z of the prior: equal seeds give the same z for every model.

    Args:
        model: on the CPU.
        objective, data: of the training; nothing here depends on them.
        seed: of the samples.

    Returns:
        ``NUMBER`` images in a row, (28, 28 · ``NUMBER``), as PNG in Base64;
        :func:`vaelib.figures.one_scale.samples` draws it.
    """
    return png((255 * decode(model, prior_samples(model, seed))).round())


def prior_samples(model: VAE, seed: int) -> Tensor:
    """Draw z of the prior, (``NUMBER``, d)."""
    return torch.randn(NUMBER, model.latent_dim, generator=torch.Generator().manual_seed(seed))


def png(*rows: Tensor) -> str:
    """Write rows of images (N, 28, 28), grey levels from 0 to 255, as one PNG in Base64."""
    whole = torch.cat([torch.cat(list(row), dim=1) for row in rows])
    file = io.BytesIO()
    Image.fromarray(whole.byte().numpy()).save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
