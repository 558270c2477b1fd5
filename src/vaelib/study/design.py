"""The design of the experiment: which trainings are recorded, which seeds, what of each."""

from typing import Any

from vaelib.training.recipes import RECIPES
from vaelib.training.settings import Settings
from vaelib.vae.model import UNITS
from vaelib.vae.thresholds import GAPS

OBJECTIVES = {
    "bce": ("bce", 0.5),
    "bce-elbo": ("bce", 1.0),
    "mse": ("mse", 0.5),
    "mse-elbo": ("mse", 1.0),
}
"""Name of an objective of a build's trainings → reconstruction loss and weight β of the KL
divergence."""

CODED = OBJECTIVES | {loss: (loss, 1.0) for loss in ("gaussian", "cb-levels", "logistic", "odds")}
"""The objectives whose models are put on one scale, under every code."""

BOTH = ("bce", "mse")
BETAS = tuple(2.0**n for n in range(-4, 3))
"""The reconstruction losses and the weights β of the rate–distortion curves."""

LONGER = RECIPES["report"].replace(epochs=12)
Key = tuple[int | str, int | str]  # of a whole model, see WHOLE
WHOLE: dict[Key, dict[str, Any]] = {
    (UNITS, 3): {"recipe": "report"},
    (UNITS, 12): {"recipe": LONGER},
    (256, 3): {"recipe": "report", "units": 256},
    (256, 12): {"recipe": LONGER, "units": 256},
    ("original", "elbo"): {"recipe": "original"},
    ("original", "half"): {"recipe": "original", "beta": 0.5},
}
"""Units and epochs of whole models that are compared, or the recipe and the name of the weight β,
trained with binary cross-entropy and with β = 1 if nothing else is said. The decoder of the first
is held, and encoders are trained for it."""

HELD = ("encoders_16", "encoders_64", "encoders_256", "encoders_1024", "encoders_again")
"""Measures of encoders on that decoder."""

SEEDS = {
    "evidence": 8,  # of each objective
    "code": 5,  # of each that is coded, and of 16 dimensions
    "few": 3,  # of all others: more weights β, more dimensions, ``cb``, autoencoders
    "pairs": 50,  # of both losses with the original's weight β, recipe ``report``
    "original": 15,  # of the recipe ``original``
}

LOOSE = (5, 6, 7)
"""Seeds whose decoders are held, because their weights were at hand when the first encoders were
recorded."""


def trainings() -> list[Settings]:
    """List the trainings that the book's chapters need, the longest last."""
    few, code = range(SEEDS["few"]), range(SEEDS["code"])
    objectives = OBJECTIVES.values()
    others = [(loss, beta) for loss in BOTH for beta in BETAS] + [("cb", 1.0)]
    settings: list[tuple[Any, ...]] = [
        *((*objective, "report", n) for n in range(SEEDS["evidence"]) for objective in objectives),
        *(("bce", 1.0, "report", seed, dimensions) for seed in few for dimensions in (4, 8)),
        *((*o, "report", seed) for seed in few for o in others if o not in objectives),
        *((*o, "report", seed) for seed in code for o in CODED.values() if o not in objectives),
        *((loss, 1.0, "report", seed, 16) for seed in code for loss in BOTH),
        *((loss, 0.5, "report", seed) for seed in range(SEEDS["pairs"]) for loss in BOTH),
        *((loss, 0.5, "original", seed) for seed in range(SEEDS["original"]) for loss in BOTH),
    ]
    wholes = [model for seed in LOOSE for model in whole_models(seed).values()]
    return list(dict.fromkeys([*(Settings(*each) for each in settings), *wholes]))


def whole_models(seed: int) -> dict[Key, Settings]:
    """Return the models of a seed that are compared, by the keys of ``WHOLE``."""
    usual = {"beta": 1.0, "seed": seed}
    return {at: Settings("bce", **(usual | own)) for at, own in WHOLE.items()}


def measures_of(settings: Settings) -> tuple[str, ...]:
    """List what is measured of a training: keys of :data:`vaelib.measure.model.MEASURES`."""
    found, seed = ["appearance"], settings.seed
    base, *others = whole_models(seed).values()
    if settings in others:
        return ("appearance", "rate", "evidence", "encoder")
    if settings.recipe in ("report", "original") and settings.latent_dim in (2, 16):
        found.append("rate")
    if settings.recipe == "report" and settings.latent_dim == 2:
        objective = settings.reconstruction_loss, settings.beta
        if objective in OBJECTIVES.values() and seed < SEEDS["evidence"]:
            found.append("evidence")
        if objective in CODED.values() and seed < SEEDS["code"]:
            found += ["code", *(["samples"] if seed == 0 else [])]
        if settings.reconstruction_loss in GAPS and seed == 0:
            found.append("levels")
        if settings.reconstruction_loss == "odds" and seed == 0:
            found.append("explored")
    if settings == base:
        if seed < SEEDS["few"]:
            found.append("autoencoder")
        if seed in LOOSE:
            found += ["encoder", *HELD, "encoder_controls", "refinement", "full_covariance"]
    return tuple(found)
