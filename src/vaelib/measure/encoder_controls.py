"""Controls of the encoders on a held decoder: another optimiser, and images moved at random.

By Adam alone, 256 units are what the widest encoders, which have Adam alone too, are held against.
And if a gap is generalisation, an encoder that is trained on more different images leaves less.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from vaelib.data.dataset import ImageSet, to_unit
from vaelib.measure.encoders import ADAM, EPOCHS, fit_encoder, measure_encoder
from vaelib.measure.tabulated import Tabulated
from vaelib.training.recipes import RECIPES
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

UNITS = 256  # of both encoders
VARIANTS = 10  # of each training image, itself among them
STRETCH = (
    0.1  # deviation of the entries of the matrix by which a plane is moved, the identity's off
)
SHIFT = 0.5  # deviation of the shift along each axis, pixels


def measure_encoder_controls(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Measure the gaps of two encoders that start anew and see as many images as the longest do.

    Args:
        model: with two latent dimensions, on the CPU; its decoder is held.
        objective: with which it was trained.
        data: with labels, on the CPU.
        seed: of the encoders' first weights, the order of images, the noise and the moves.

    Returns:
        ``adam``, trained by Adam alone, and ``moved``, trained with the recipe's optimisers on
        images that :func:`moved` gives: what :func:`vaelib.measure.encoders.measure_encoder` gives.
    """
    recipe, table, longest = RECIPES["report"], Tabulated(model.decoder), EPOCHS[-1]
    by_adam = recipe.replace(learning_rate=ADAM, muon_learning_rate=None)
    trainings = {
        "adam": (by_adam, data, longest),
        "moved": (recipe, moved(data, seed), longest // VARIANTS),
    }
    found = {}
    for name, (rates, images, epochs) in trainings.items():
        chosen = rates.replace(epochs=epochs, patience=epochs)
        other = fit_encoder(model, table, objective, chosen, UNITS, images, seed)
        found[name] = measure_encoder(other, objective, data, seed)
    return found


def moved(data: ImageSet, seed: int) -> ImageSet:
    """Add variants of the training images, moved by random affine maps of the plane.

    Args:
        data: on the CPU.
        seed: of the maps.

    Returns:
        The same data set with ``VARIANTS`` times as many training images, the first of them as
        they are, and without labels.
    """
    generator = torch.Generator().manual_seed(seed)
    images = data.training_images
    variants = [_move(part, generator) for _ in range(VARIANTS - 1) for part in images.split(1000)]
    return replace(
        data,
        images=torch.cat([images, *variants, data.validation_images]),
        labels=None,
        training_number=VARIANTS * len(images),
    )


def _move(images: Tensor, generator: torch.Generator) -> Tensor:
    """Move each of some images (B, 28, 28), uint8, by a map of its own, with bilinear weights."""
    number, *_, size = images.shape
    linear = torch.eye(2) + STRETCH * torch.randn(number, 2, 2, generator=generator)
    shift = SHIFT * 2 / size * torch.randn(number, 2, 1, generator=generator)
    places = affine_grid(
        torch.cat([linear, shift], 2), [number, 1, size, size], align_corners=False
    )
    found = grid_sample(to_unit(images), places, align_corners=False)
    return (255 * found[:, 0]).round().to(torch.uint8)
