"""One training, from its settings and the data to a run; nothing is written but its checkpoint."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import torch

from vaelib.digits import dataset
from vaelib.digits.dataset import Digits
from vaelib.digits.slices import table_start
from vaelib.plumbing import fingerprint, machine
from vaelib.plumbing.files import DamagedError
from vaelib.plumbing.names import MOST_SEED, require, require_whole, training_name
from vaelib.training import checkpoint, folder
from vaelib.training.fit import Fit, fit
from vaelib.training.folder import Run
from vaelib.training.recipes import RECIPES, Recipe
from vaelib.vae.losses import draw_noise, image_losses, mean_losses
from vaelib.vae.model import MOST_DIMENSIONS, VAE
from vaelib.vae.objective import Losses, Objective

DEVICES = ("auto", "cpu", "cuda", "mps")


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
        device: ``auto`` takes a CUDA GPU if there is one; ``mps`` is accepted and untested.

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
        return training_name(
            self.recipe, self.reconstruction_loss, self.beta, self.latent_dim, self.seed
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
        there = {
            "cpu": True,
            "cuda": torch.cuda.is_available(),
            "mps": torch.backends.mps.is_available(),
        }
        if self.device == "auto":
            return torch.device("cuda" if there["cuda"] else "cpu")
        if not there[self.device]:
            known = ", ".join(name for name in there if there[name])
            raise ValueError(f"device is {self.device!r}; expected one that is here: auto, {known}")
        return torch.device(self.device)

    def folder_by_hand(self) -> Path:
        """Name a new folder, under ``by-hand`` in the current one, for a run that no book shows."""
        return Path("by-hand", f"{self.name}-{datetime.now():%Y%m%d-%H%M%S}")


def train(settings: Settings, digits: Digits, kept: Path | None = None) -> Run:
    """Train a model and evaluate it.

    Args:
        settings: of the training.
        digits: the data set that the recipe names, from :func:`vaelib.digits.dataset.load`.
        kept: file for the state after each epoch, from which a training that was interrupted goes
            on; see :func:`resumable`.

    Returns:
        The run; :func:`vaelib.training.folder.save` writes it. Its ``losses`` have the slices of
        :data:`vaelib.digits.slices.SLICES`.

    Raises:
        FloatingPointError: a loss is not finite.
    """
    start = time.perf_counter()
    began_with = inputs(settings)  # the files may change meanwhile
    machine.keep_freed_memory()
    device = settings.torch_device()
    digits = digits.to(device)
    model = VAE(settings.latent_dim, generator=torch.Generator().manual_seed(settings.seed))
    model.to(device)
    earlier, keep = None, lambda state: None
    if kept:
        of = _identity(began_with, device)
        earlier, keep = checkpoint.load(of, kept), partial(checkpoint.save, of=of, file=kept)
    recipe = settings.recipe_settings
    result = fit(model, settings.objective, recipe, digits, settings.seed, earlier, keep)
    losses = _slices(model, settings, digits, result)
    return Run(
        settings=asdict(settings) | {"recipe_settings": _plain(settings.recipe_settings)},
        losses=losses,
        outcome={
            "epochs": len(result.history),
            "best_epoch": result.best_epoch,
            "stopped_early": result.stopped_early,
            "training_seconds": result.seconds,
            "wall_seconds": time.perf_counter() - start,
            "peak_memory_mb": machine.peak_memory_mb(),
        },
        environment=machine.describe(device)
        | {"data": dataset.fingerprint(settings.recipe_settings.data)},
        fingerprint=began_with,
        history=result.history,
        trace=result.trace,
        weights={name: weight.cpu() for name, weight in model.state_dict().items()},
    )


@contextmanager
def resumable(settings: Settings, output: Path) -> Iterator[Path]:
    """Name the file of a training's state, beside its folder, and remove it if all ends well.

    Args:
        settings: of the training.
        output: the folder of the run; equal trainings for folders side by side share the file.
    """
    of = _identity(inputs(settings), settings.torch_device())
    folder_of_all = output.resolve().parent / ".checkpoints"
    kept = folder_of_all / f"{settings.name}-{of[:16]}.pt"
    yield kept
    kept.unlink(missing_ok=True)
    with suppress(OSError):  # others lie there
        folder_of_all.rmdir()


def _identity(begun_with: dict, device: torch.device) -> str:
    """Digest all that the bits of a training depend on, the machine included."""
    place = machine.describe(device)
    here = [place[name] for name in ("processor", "threads", "device")]
    return fingerprint.digest(json.dumps([begun_with, here]))


def _slices(
    model: VAE, settings: Settings, digits: Digits, result: Fit
) -> dict[str, dict[str, float]]:
    """Average the losses over each slice; those of the validation images are known from the fit."""

    def measured(images, noise) -> Losses:
        return image_losses(model, settings.objective, images, noise)

    number = digits.training_number
    noise = draw_noise(len(digits.images), settings.latent_dim, settings.seed)
    training = measured(digits.training_images, noise[:number])
    test_noise = draw_noise(len(digits.test_images), settings.latent_dim, settings.seed)
    whole = torch.cat([torch.stack(training), torch.stack(result.validation)], dim=1)
    start = table_start(len(digits.images))
    slices = {
        "test": measured(digits.test_images, test_noise),
        "training": training,
        "validation": result.validation,
        "table_training": Losses(*whole[:, start:]),
        "table_validation": Losses(*whole[:, :start]),
    }
    return {name: mean_losses(losses) for name, losses in slices.items()}


def _plain(recipe: Recipe) -> dict:
    """Return a recipe as JSON has it."""
    return asdict(recipe) | {"betas": list(recipe.betas)}


def inputs(settings: Settings) -> dict:
    """Collect everything that a training depends on: equal inputs give equal runs."""
    recipe = settings.recipe_settings
    return {
        "settings": asdict(settings),
        "recipe": _plain(recipe),
        "modules": fingerprint.sources("from vaelib.training import run"),
        "versions": fingerprint.versions("torch", "numpy"),
        "data": dataset.fingerprint(recipe.data),
    }


def reuse(earlier: Path | None, settings: Settings) -> Run | None:
    """Return an earlier run if a training with these settings would repeat it, None if not.

    Args:
        earlier: a folder that may hold a run.
        settings: of the training.
    """
    if not (earlier and folder.holds_run(earlier)):
        return None
    try:
        run = folder.load(earlier)
    except DamagedError as error:
        print(f"trained again: {error}")
        return None
    if fingerprint.changes(run.fingerprint, inputs(settings)):
        return None
    print("nothing that the training depends on has changed: earlier run taken")
    return run


def model_of(run: Run) -> VAE:
    """Build the model of a run, with its weights, on the CPU."""
    model = VAE(run.settings["latent_dim"], generator=torch.Generator())
    model.load_state_dict(run.weights)
    return model.eval()
