"""What defines a training."""

from dataclasses import asdict, dataclass

import torch

from vaelib.plumbing.checks import MOST_SEED, require, require_whole
from vaelib.training.recipes import RECIPES, Recipe
from vaelib.vae.model import MOST_DIMENSIONS, MOST_UNITS, UNITS
from vaelib.vae.objective import Objective

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Settings:
    """What defines a training.

    Args:
        reconstruction_loss: a key of :data:`vaelib.vae.reconstruction.RECONSTRUCTION_LOSSES`.
        beta: β, the weight of the KL divergence: 1 is the ELBO's; 1/2, with two latent dimensions,
            the original's.
        recipe: a key of :data:`vaelib.training.recipes.RECIPES`, or a recipe.
        seed: of the initial weights, the order of the images and all noise.
        latent_dim: number of latent dimensions.
        device: ``auto`` takes a CUDA GPU if there is one.
        units: of the encoder's dense layer.

    Raises:
        ValueError: a name that is not known, or a number out of range.

    >>> import vaelib
    >>> vaelib.Settings("mse", beta=1.0, seed=7).name
    'report-mse-beta1-d2-seed7'
    """

    reconstruction_loss: str = "bce"
    beta: float = 0.5
    recipe: str | Recipe = "report"
    seed: int = 0
    latent_dim: int = 2
    device: str = "auto"
    units: int = UNITS

    def __post_init__(self) -> None:
        Objective(self.reconstruction_loss, self.beta)
        if not isinstance(self.recipe, Recipe):
            require("recipe", self.recipe, RECIPES)
        require("device", self.device, DEVICES)
        require_whole("seed", self.seed, 0, MOST_SEED)
        require_whole("latent_dim", self.latent_dim, 1, MOST_DIMENSIONS)
        require_whole("units", self.units, 1, MOST_UNITS)

    @property
    def name(self) -> str:
        """Such as ``report-bce-beta0.5-d2-seed0``."""
        width = "" if self.units == UNITS else f"-u{self.units}"
        return (
            f"{self.recipe_settings.name}-{self.reconstruction_loss}-beta{self.beta:g}"
            f"-d{self.latent_dim}{width}-seed{self.seed}"
        )

    @property
    def objective(self) -> Objective:
        """The objective that these settings name."""
        return Objective(self.reconstruction_loss, self.beta)

    @property
    def recipe_settings(self) -> Recipe:
        """The recipe that these settings name."""
        return self.recipe if isinstance(self.recipe, Recipe) else RECIPES[self.recipe]

    def as_record(self) -> dict:
        """Return plain values, with the recipe's name in ``recipe``; see :meth:`from_record`."""
        recipe = self.recipe_settings
        return {**vars(self), "recipe": recipe.name, "recipe_settings": asdict(recipe)}

    @classmethod
    def from_record(cls, record: dict) -> "Settings":
        """Return the settings that a record was made of, with the recipe as it was then."""
        own = {entry: value for entry, value in record.items() if entry != "recipe_settings"}
        followed = Recipe(**record["recipe_settings"])
        if RECIPES.get(followed.name) != followed:
            own["recipe"] = followed
        return cls(**own)

    def torch_device(self) -> torch.device:
        """Return the device to run on; raise ValueError where it is not there."""
        cuda = torch.cuda.is_available()
        if self.device == "cuda" and not cuda:
            raise ValueError("device is 'cuda'; expected one that is here: auto, cpu")
        return torch.device("cuda" if cuda and self.device != "cpu" else "cpu")
