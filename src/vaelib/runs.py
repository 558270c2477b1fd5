"""One run, from its settings to a finished folder: data, training, evaluation, record."""

import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import torch

from vaelib import artifacts, data, environment, fingerprint
from vaelib.allocator import keep_freed_memory
from vaelib.artifacts import Run
from vaelib.evaluation import draw_noise, image_losses, mean_losses
from vaelib.model import VAE
from vaelib.names import require
from vaelib.objective import Losses, Objective
from vaelib.recipes import RECIPES
from vaelib.training import fit

DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Settings:
    """What defines a run.

    Args:
        reconstruction_loss: ``bce`` or ``mse``.
        kl_reduction: over latent dimensions: ``sum`` (the ELBO's) or ``mean`` (the original's).
        recipe: a key of :data:`vaelib.recipes.RECIPES`.
        seed: of the initial weights, the order of the images and all noise.
        latent_dim: number of latent dimensions.
        device: ``auto`` takes a CUDA GPU if there is one; ``mps`` is accepted and untested.

    Raises:
        ValueError: a name that is not known, or a number out of range.
    """

    reconstruction_loss: str = "bce"
    kl_reduction: str = "mean"
    recipe: str = "report"
    seed: int = 0
    latent_dim: int = 2
    device: str = "auto"

    def __post_init__(self):
        Objective(self.reconstruction_loss, self.kl_reduction)
        require("recipe", self.recipe, RECIPES)
        require("device", self.device, DEVICES)
        for name, least in (("seed", 0), ("latent_dim", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(
                    f"{name} is {value!r}; expected a whole number of at least {least}"
                )

    @property
    def objective(self) -> Objective:
        """The objective that these settings name."""
        return Objective(self.reconstruction_loss, self.kl_reduction)

    def torch_device(self) -> torch.device:
        """Return the device to run on."""
        if self.device != "auto":
            return torch.device(self.device)
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train_run(
    settings: Settings,
    folder: Path,
    data_folder: Path | None = None,
    earlier: Path | None = None,
) -> Run:
    """Train, evaluate and save one run.

    Args:
        settings: of the run.
        folder: where the run is written; it must not hold one.
        data_folder: of MNIST; see :func:`vaelib.mnist.obtain`.
        earlier: a folder whose run, if it has the same inputs, is copied instead of trained.

    Returns:
        The run, as :func:`vaelib.artifacts.load` reads it back. ``losses`` has five slices:
        ``test``, ``training`` and ``validation`` (first 85 % and last 15 % of the training file),
        and ``original_training`` and ``original_validation``, the slices of the original's table
        (last 85 % and first 15 %), which mix images that were trained on with held-out ones.

    Raises:
        FileExistsError: the folder holds a run.
        FloatingPointError: a loss is not finite; nothing is written.
    """
    folder = Path(folder)
    artifacts.require_free(folder)
    inputs = training_inputs(settings)
    if earlier and artifacts.holds_run(earlier):
        run = artifacts.load(earlier)
        if run.fingerprint == inputs:
            artifacts.save(run, folder)
            print("nothing that the training depends on has changed: earlier run copied")
            return run
    start = time.perf_counter()
    keep_freed_memory()
    recipe = RECIPES[settings.recipe]
    device = settings.torch_device()
    digits = data.load(recipe.data, data_folder).to(device)
    model = VAE(settings.latent_dim, generator=torch.Generator().manual_seed(settings.seed))
    model.to(device)
    noise = draw_noise(len(digits.images), settings.latent_dim, settings.seed)
    training_start = time.perf_counter()
    result = fit(
        model,
        settings.objective,
        recipe,
        digits.training_images,
        digits.validation_images,
        noise[digits.held_out :],
        settings.seed,
    )
    training_seconds = time.perf_counter() - training_start
    on_file = image_losses(model, settings.objective, digits.images, noise)
    on_test = image_losses(
        model,
        settings.objective,
        digits.test_images,
        draw_noise(len(digits.test_images), settings.latent_dim, settings.seed),
    )
    held_out = digits.held_out
    first = len(digits.images) - held_out  # as many images as are held out, but the first ones
    slices = {
        "training": slice(held_out),
        "validation": slice(held_out, None),
        "original_training": slice(first, None),
        "original_validation": slice(first),
    }
    losses = {"test": mean_losses(on_test)}
    for name, part in slices.items():
        losses[name] = mean_losses(Losses(*(column[part] for column in on_file)))
    run = Run(
        settings=asdict(settings)
        | {
            "recipe_settings": asdict(recipe),
            "epochs": len(result.history),
            "best_epoch": result.best_epoch,
            "stopped_early": result.stopped_early,
        },
        losses=losses,
        environment=environment.describe(device)
        | {
            "data": data.fingerprint(recipe.data),
            "training_seconds": training_seconds,
            "wall_seconds": time.perf_counter() - start,
        },
        fingerprint=inputs,
        history=result.history,
        trace=result.trace,
        weights=model.state_dict(),
    )
    artifacts.save(run, folder)
    return artifacts.load(folder)


def training_inputs(settings: Settings) -> dict:
    """Collect everything that a training depends on; equal inputs make the run worth reusing."""
    recipe = RECIPES[settings.recipe]
    return {
        "settings": asdict(settings),
        "recipe": asdict(recipe) | {"betas": list(recipe.betas)},  # as JSON has it
        "modules": fingerprint.sources("from vaelib import training, evaluation, data")
        | {"runs": fingerprint.digest(Path(__file__).read_text(encoding="utf-8"))},
        "versions": fingerprint.versions("torch", "numpy"),
        "data": data.fingerprint(recipe.data),
    }


def model_of(run: Run) -> VAE:
    """Build the model of a run, with its weights, on the CPU."""
    model = VAE(run.settings["latent_dim"], generator=torch.Generator())
    model.load_state_dict(run.weights)
    return model.eval()


def folder_by_hand(settings: Settings) -> Path:
    """Name a new folder, under ``by-hand`` in the current one, for a run that no book shows."""
    name = (
        f"{settings.reconstruction_loss}-{settings.kl_reduction}-{settings.recipe}"
        f"-seed{settings.seed}-d{settings.latent_dim}-{datetime.now():%Y%m%d-%H%M%S}"
    )
    return Path("by-hand") / name
