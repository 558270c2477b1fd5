"""What defines a training."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import torch

from vaelib.plumbing.checks import MOST_SEED, require, require_whole
from vaelib.training.recipes import RECIPES, Recipe
from vaelib.vae.model import MOST_DIMENSIONS
from vaelib.vae.objective import Objective

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Settings:
    """What defines a training.

    Args:
        reconstruction_loss: a key of :data:`vaelib.vae.objective.RECONSTRUCTION_LOSSES`.
        beta: β, the weight of the KL divergence: 1 is the ELBO's; 1/2, with two latent dimensions,
            the original's.
        recipe: a key of :data:`vaelib.training.recipes.RECIPES`.
        seed: of the initial weights, the order of the images and all noise.
        latent_dim: number of latent dimensions.
        device: ``auto`` takes a CUDA GPU if there is one.

    Raises:
        ValueError: a name that is not known, or a number out of range.
    """

    reconstruction_loss: str = "bce"
    beta: float = 0.5
    recipe: str = "report"
    seed: int = 0
    latent_dim: int = 2
    device: str = "auto"

    def __post_init__(self):
        Objective(self.reconstruction_loss, self.beta)
        require("recipe", self.recipe, RECIPES)
        require("device", self.device, DEVICES)
        require_whole("seed", self.seed, 0, MOST_SEED)
        require_whole("latent_dim", self.latent_dim, 1, MOST_DIMENSIONS)

    @property
    def name(self) -> str:
        """Such as ``report-bce-beta0.5-d2-seed0``."""
        return (
            f"{self.recipe}-{self.reconstruction_loss}-beta{self.beta:g}-d{self.latent_dim}"
            f"-seed{self.seed}"
        )

    @property
    def objective(self) -> Objective:
        """The objective that these settings name."""
        return Objective(self.reconstruction_loss, self.beta)

    @property
    def recipe_settings(self) -> Recipe:
        """The recipe that these settings name."""
        return RECIPES[self.recipe]

    def torch_device(self) -> torch.device:
        """Return the device to run on; raise ValueError where it is not there."""
        cuda = torch.cuda.is_available()
        if self.device == "cuda" and not cuda:
            raise ValueError("device is 'cuda'; expected one that is here: auto, cpu")
        return torch.device("cuda" if cuda and self.device != "cpu" else "cpu")

    def folder_by_hand(self) -> Path:
        """Name a new folder, under ``by-hand`` in the current one, for a run that no book shows."""
        return Path("by-hand", f"{self.name}-{datetime.now():%Y%m%d-%H%M%S}")
