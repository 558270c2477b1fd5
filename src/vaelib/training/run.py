"""One training, from its settings and the data to a run; nothing is written but its checkpoint."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch

from vaelib.digits import dataset
from vaelib.digits.dataset import Digits
from vaelib.digits.slices import table_start
from vaelib.plumbing import machine, stale
from vaelib.plumbing.files import DamagedError
from vaelib.plumbing.places import CHECKPOINTS
from vaelib.training import checkpoint, folder
from vaelib.training.fit import Fit, fit
from vaelib.training.folder import Run
from vaelib.training.settings import Settings
from vaelib.vae.losses import draw_noise, image_losses, mean_losses
from vaelib.vae.model import VAE


def train(
    settings: Settings, digits: Digits, kept: Path | None = None, epochs: int | None = None
) -> Run:
    """Train a model and evaluate it.

    Args:
        settings: of the training.
        digits: the data set that the recipe names, from :func:`vaelib.digits.dataset.load`.
        kept: file for the state after each epoch, from which a training that was interrupted goes
            on; see :func:`resumable`.
        epochs: after which to end, see :func:`vaelib.training.fit.fit`.

    Returns:
        The run; :func:`vaelib.training.folder.save` writes it. Its ``losses`` have the slices of
        :data:`vaelib.digits.slices.SLICES`.

    Raises:
        FloatingPointError: a loss is not finite.
    """
    start = time.perf_counter()
    began_with = inputs(settings)  # the files may change meanwhile
    device = settings.torch_device()
    earlier, keep = None, lambda state: None
    if kept:
        of = _identity(began_with, device)
        earlier, keep = checkpoint.load(of, kept), partial(checkpoint.save, of=of, file=kept)
    machine.keep_freed_memory()
    digits, objective, recipe = digits.to(device), settings.objective, settings.recipe_settings
    noise = draw_noise(len(digits.images), settings.latent_dim, settings.seed)
    model = VAE(settings.latent_dim, generator=torch.Generator().manual_seed(settings.seed))
    model.to(device)
    result = fit(model, objective, recipe, digits, noise, settings.seed, earlier, keep, epochs)
    return Run(
        settings=settings,
        recipe=recipe,
        losses=_slices(model, settings, digits, noise, result),
        outcome={
            "epochs": len(result.history),
            "best_epoch": result.best_epoch,
            "stopped_early": result.stopped_early,
            "training_seconds": result.seconds,
            "wall_seconds": time.perf_counter() - start,
            "peak_memory_mb": machine.peak_memory_mb(),
        },
        environment=machine.describe(device) | {"data": dataset.fingerprint(recipe.data)},
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
    folder_of_all = output.resolve().parent / CHECKPOINTS
    kept = folder_of_all / f"{settings.name}-{of[:16]}.pt"
    yield kept
    kept.unlink(missing_ok=True)
    with suppress(OSError):  # others lie there
        folder_of_all.rmdir()


def _identity(begun_with: dict, device: torch.device) -> str:
    """Digest all that the bits of a training depend on, the machine included."""
    place = machine.describe(device)
    here = [place[name] for name in ("processor", "threads", "device", "versions")]
    return stale.digest(json.dumps([begun_with, here]))


def _slices(
    model: VAE, settings: Settings, digits: Digits, noise: torch.Tensor, result: Fit
) -> dict[str, dict[str, float]]:
    """Average the losses over each slice; those of the validation images are known from the fit."""

    def measured(images, noise) -> torch.Tensor:
        return image_losses(model, settings.objective, images, noise)

    training = measured(digits.training_images, noise[: digits.training_number])
    test_noise = draw_noise(len(digits.test_images), settings.latent_dim, settings.seed)
    whole = torch.cat([training, result.validation], dim=1)
    start = table_start(len(digits.images))
    slices = {
        "test": measured(digits.test_images, test_noise),
        "training": training,
        "validation": result.validation,
        "table_training": whole[:, start:],
        "table_validation": whole[:, :start],
    }
    return {name: mean_losses(losses) for name, losses in slices.items()}


def inputs(settings: Settings) -> dict:
    """Collect what a training depends on: equal inputs give equal runs."""
    recipe = settings.recipe_settings
    return stale.inputs(
        "from vaelib.training import run",
        ("torch", "numpy"),
        settings=asdict(settings),
        recipe=asdict(recipe),
        data=dataset.fingerprint(recipe.data),
    )


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
    if stale.why_stale(run.fingerprint, inputs(settings)):
        return None
    print("nothing that the training depends on has changed: earlier run taken")
    return run


def model_of(run: Run) -> VAE:
    """Build the model of a run, with its weights, on the CPU."""
    return model_with(run.weights, run.settings.latent_dim)


def model_with(weights: dict[str, torch.Tensor], latent_dim: int) -> VAE:
    """Build a model with given weights, on the CPU."""
    model = VAE(latent_dim, generator=torch.Generator())
    model.load_state_dict(weights)
    return model.eval()
