"""New encoders for a decoder that is held: what of the gap is width, and what is training.

The evidence is the decoder's alone and stays; only the bound moves, and with it the gap. While an
encoder is trained, the decoder is read off a grid; gaps are measured with itself.
"""

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from vaelib.data.dataset import ImageSet, to_unit
from vaelib.measure.refinement import gaps_of
from vaelib.measure.tabulated import Tabulated
from vaelib.training.fit import fit
from vaelib.training.recipes import RECIPES, Recipe
from vaelib.vae.latent import encode
from vaelib.vae.losses import BATCH_SIZE, draw_noise
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

EPOCHS = (3, 10, 30)
WIDE = 1024  # units, with which Muon's iteration has 76 billion operations a step: Adam moves all
ADAM = 8e-3  # its rate then, chosen with 256 units on the validation images of seed 100
TRAINED_ON = 2000  # of the training images whose gap is measured too


def measure_encoders(units: int | None) -> Callable[[VAE, Objective, ImageSet, int], dict]:
    """Return a measure: the gaps of encoders with these units, after each of ``EPOCHS``.

    The recipe is `report` but for its length, from which no patience takes, and with ``WIDE`` units
    but for the optimiser.

    Args:
        units: of an encoder that starts anew; None for one that goes on from the model's own.

    Returns:
        A function of a model with two latent dimensions, the objective that it was trained with,
        data, all on the CPU, and a seed. It gives, by number of epochs, what
        :func:`measure_encoder` gives of that encoder.
    """

    def measure(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
        table, recipe = Tabulated(model.decoder), RECIPES["report"]
        if units == WIDE:
            recipe = recipe.replace(learning_rate=ADAM, muon_learning_rate=None)
        others = [
            fit_encoder(model, table, objective, each, units, data, seed)
            for each in (recipe.replace(epochs=epochs, patience=epochs) for epochs in EPOCHS)
        ]
        return dict(zip(map(str, EPOCHS), _measured(model, objective, data, others), strict=True))

    return measure


def measure_encoder(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Measure the gap of a model's own encoder.

    Args:
        model: with two latent dimensions, on the CPU.
        objective: with which it was trained.
        data: with labels, on the CPU.
        seed: not used.

    Returns:
        The mean ``gap`` over the test images, its ``median``, its means ``by_class``, its mean over
        the first ``TRAINED_ON`` training images as ``training_gap``, all in nats, and the
        encoder's ``living`` units, see :func:`living_units`.
    """
    (found,) = _measured(model, objective, data, [model])
    return found


def _measured(model: VAE, objective: Objective, data: ImageSet, others: list[VAE]) -> list[dict]:
    """Measure encoders, each of a model with this one's decoder."""
    _, labels = data.require_labels("a gap by class")
    number = len(labels)
    images = torch.cat([data.test_images, data.training_images[:TRAINED_ON]])
    gaps = gaps_of(model, objective, images, [encode(other, images) for other in others])
    return [
        {
            "gap": float(gap[:number].mean()),
            "median": float(gap[:number].median()),
            "by_class": [float(gap[:number][labels == digit].mean()) for digit in range(10)],
            "training_gap": float(gap[number:].mean()),
            "living": living_units(other, data.test_images),
        }
        for other, gap in zip(others, gaps, strict=True)
    ]


def fit_encoder(
    model: VAE,
    table: Tabulated,
    objective: Objective,
    recipe: Recipe,
    units: int | None,
    data: ImageSet,
    seed: int,
) -> VAE:
    """Train an encoder for a model's decoder, and leave the model as it is.

    Args:
        model: whose decoder, and thresholds if it has some, are held.
        table: of the decoder, in whose place it stands while the encoder is trained.
        objective: what is minimised.
        recipe: its rates are those of a whole model.
        units: of an encoder that starts anew; None for a copy of the model's own.
        data: to train and to validate on.
        seed: of the first weights, the order of the images and the noise.
    """
    start = torch.Generator().manual_seed(seed)
    width = model.encoder.dense.out_features if units is None else units
    other = VAE(model.latent_dim, width, start, model.thresholds)
    if units is None:
        other.encoder.load_state_dict(model.encoder.state_dict())
    other.add_module("decoder", table)
    learns = [parameter.requires_grad for parameter in model.parameters()]
    try:
        other.requires_grad_(False).encoder.requires_grad_(True)
        noise = draw_noise(len(data.images), model.latent_dim, seed)
        fit(other, objective, recipe, data, noise, seed)
    finally:  # thresholds are shared
        for parameter, learnt in zip(model.parameters(), learns, strict=True):
            parameter.requires_grad_(learnt)
    other.add_module("decoder", copy.deepcopy(model.decoder))
    return other.eval()


@torch.no_grad()
def living_units(model: VAE, images: Tensor) -> int:
    """Count the units of the encoder's dense layer that are above 0 for any of some images."""
    alive = torch.zeros(model.encoder.dense.out_features, dtype=torch.bool)

    def look(layer: torch.nn.Module, inputs: tuple[Tensor], outputs: Tensor) -> None:
        alive.logical_or_((outputs > 0).any(0).cpu())

    handle = model.encoder.dense.register_forward_hook(look)
    for batch in images.split(BATCH_SIZE):
        model.encoder(to_unit(batch))
    handle.remove()
    return int(alive.sum())
