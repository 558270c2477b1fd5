"""Samples of a model, small enough for a record: a PNG file as text."""

import base64
import io

import torch
from PIL import Image

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
    z = torch.randn(NUMBER, model.latent_dim, generator=torch.Generator().manual_seed(seed))
    row = torch.cat(list(decode(model, z)), dim=1)
    file = io.BytesIO()
    Image.fromarray((255 * row).round().byte().numpy()).save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
