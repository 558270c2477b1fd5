"""Latent codes of images, and images of latent codes, without gradients.

All raise ValueError for tensors of another shape or dtype than they take.
"""

import math

import torch
from torch import Tensor

from vaelib.data.dataset import check_images, to_unit
from vaelib.plumbing.checks import require_tensor, require_whole
from vaelib.vae.losses import BATCH_SIZE, draw_noise
from vaelib.vae.model import VAE, Posterior

MOST_POINTS = 1000  # along an axis of a grid


@torch.no_grad()
def encode(model: VAE, images: Tensor) -> Posterior:
    """Encode images (N, 28, 28), uint8; return mean and log-variance of q(z|x), each (N, d).

    The images may lie on any device; the result lies on the model's.

    >>> import vaelib
    >>> data = vaelib.load_data("synthetic")
    >>> mean, log_variance = vaelib.encode(vaelib.VAE(latent_dim=2), data.test_images)
    >>> mean.shape
    torch.Size([200, 2])
    """
    check_images(images)
    weight = next(model.parameters())
    parts = [
        model.encoder(to_unit(batch.to(weight.device), weight.dtype))
        for batch in images.split(BATCH_SIZE)
    ]
    return Posterior(*(torch.cat(column) for column in zip(*parts, strict=True)))


@torch.no_grad()
def decode(model: VAE, z: Tensor) -> Tensor:
    """Decode latent vectors (N, d), of the weights' dtype; return images (N, 28, 28) in [0, 1].

    The vectors may lie on any device; the result lies on the model's.

    >>> import torch, vaelib
    >>> vaelib.decode(vaelib.VAE(latent_dim=2), torch.zeros(3, 2)).shape
    torch.Size([3, 28, 28])
    """
    weight = next(model.parameters())
    require_tensor("z", z, ("N", model.latent_dim), weight.dtype, finite=True)
    batches = z.to(weight.device).split(BATCH_SIZE)
    return torch.cat([model.pixels(model.decoder(batch)).squeeze(1) for batch in batches])


def latent_grid(number: int, limit: float) -> Tensor:
    """Lay a square grid over the latent plane.

    Args:
        number: n, points along each axis.
        limit: both axes run from −limit to limit.

    Returns:
        (n·n, 2), float32, row by row from the top; z₂ falls from row to row, z₁ grows within one.

    >>> import vaelib
    >>> vaelib.latent_grid(2, 1.5).tolist()
    [[-1.5, 1.5], [1.5, 1.5], [-1.5, -1.5], [1.5, -1.5]]
    """
    require_whole("number", number, 1, MOST_POINTS)
    if not 0 < limit < math.inf:
        raise ValueError(f"limit is {limit!r}; expected a number above 0")
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
    require_tensor("codes", codes, ("N", "d"), finite=True)
    if codes.shape[1] == 2:
        return codes, ("$z_1$", "$z_2$")
    if codes.shape[1] == 1:
        height = draw_noise(len(codes), 1, seed=0)
        return torch.cat([codes, height], dim=1), ("$z_1$", "random height, no meaning")
    centred = codes - codes.mean(0)
    # The columns of V of the singular value decomposition are the principal directions.
    directions = torch.linalg.svd(centred, full_matrices=False).Vh[:2]
    return centred @ directions.T, ("principal component 1", "principal component 2")
