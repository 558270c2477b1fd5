"""One training, from its settings and the data to a run; nothing is written but its checkpoint."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch

from vaelib.data.dataset import ImageSet
from vaelib.data.slices import table_start
from vaelib.plumbing import machine, stale
from vaelib.plumbing.files import DamagedError
from vaelib.plumbing.places import CHECKPOINT
from vaelib.training import checkpoint, folder
from vaelib.training.fit import Fit, fit
from vaelib.training.folder import Run
from vaelib.training.settings import Settings
from vaelib.vae.losses import draw_noise, image_losses, mean_losses
from vaelib.vae.model import VAE
from vaelib.vae.thresholds import GAPS, Thresholds

_log = logging.getLogger(__name__)


def train(
    settings: Settings,
    data: ImageSet,
    kept: Path | None = None,
    stop_after: int | None = None,
    callback: Callable[[dict[str, float]], None] = lambda row: None,
) -> Run:
    """Train a model and evaluate it.

    Args:
        settings: of the training.
        data: from :func:`vaelib.data.load.load_data`; it is moved to the device of the settings.
        kept: file for the state after each epoch, from which a training that was interrupted goes
            on; see :func:`resumable`.
        stop_after: epochs after which to end, see :func:`vaelib.training.fit.fit`.
        callback: called at the end of each epoch with its row of the history: ``epoch``, the
            running means ``total``, ``reconstruction`` and ``kl`` of the training losses per
            image, and those of the validation images, ``val_total`` and so on.

    Returns:
        The run; :func:`vaelib.training.folder.save_run` writes it. Its ``losses`` have the slices
        of :data:`vaelib.data.slices.SLICES`.

    Raises:
        FloatingPointError: a loss is not finite.

    >>> import vaelib
    >>> data, rows = vaelib.load_data("synthetic"), []
    >>> run = vaelib.train(vaelib.Settings(recipe="smoke"), data, callback=rows.append)
    >>> len(rows), rows[1]["val_total"] < rows[0]["val_total"]
    (2, True)
    """
    start = time.perf_counter()
    began_with = inputs(settings, data.fingerprint)  # the files may change meanwhile
    device = settings.torch_device()
    earlier, keep = None, lambda state: None
    if kept:
        of = _identity(began_with, device)
        earlier, keep = checkpoint.load(of, kept), partial(checkpoint.save, of=of, file=kept)
    machine.keep_freed_memory()
    origin = {"data": data.fingerprint, "data_name": data.name}
    data, objective, recipe = data.to(device), settings.objective, settings.recipe_settings
    noise = draw_noise(len(data.images), settings.latent_dim, settings.seed)
    generator = torch.Generator().manual_seed(settings.seed)
    gaps = GAPS.get(settings.reconstruction_loss)
    thresholds = Thresholds.of(data.training_images, gaps) if gaps else None
    model = VAE(settings.latent_dim, settings.units, generator, thresholds).to(device)
    result = fit(
        model, objective, recipe, data, noise, settings.seed, earlier, keep, stop_after, callback
    )
    return Run(
        settings=settings,
        losses=_slices(model, settings, data, noise, result),
        outcome={
            "epochs": len(result.history),
            "best_epoch": result.best_epoch,
            "stopped_early": result.stopped_early,
            "training_seconds": result.seconds,
            "wall_seconds": time.perf_counter() - start,
            "peak_memory_mb": machine.peak_memory_mb(),
        },
        environment=machine.describe(device) | origin,
        fingerprint=began_with,
        history=result.history,
        trace=result.trace,
        weights={name: weight.cpu() for name, weight in model.state_dict().items()},
    )


@contextmanager
def resumable(settings: Settings, data: str, output: Path) -> Iterator[Path]:
    """Name the file of a training's state, beside its folder, and remove it if all ends well.

    Args:
        settings: of the training.
        data: the fingerprint of its images.
        output: the folder of the run; equal trainings for folders side by side share the file.
    """
    of = _identity(inputs(settings, data), settings.torch_device())
    kept = output.resolve().with_name(f"{CHECKPOINT}{settings.name}-{of[:16]}.pt")
    yield kept
    kept.unlink(missing_ok=True)


def _identity(begun_with: dict, device: torch.device) -> str:
    """Digest all that the bits of a training depend on, the machine included."""
    place = machine.describe(device)
    here = [place[name] for name in ("processor", "threads", "device", "versions")]
    return stale.digest(json.dumps([begun_with, here]))


def _slices(
    model: VAE, settings: Settings, data: ImageSet, noise: torch.Tensor, result: Fit
) -> dict[str, dict[str, float]]:
    """Average the losses over each slice; those of the validation images are known from the fit."""

    def measured(images, noise) -> torch.Tensor:
        return image_losses(model, settings.objective, images, noise)

    assert result.validation is not None  # a fit has at least one epoch
    training = measured(data.training_images, noise[: data.training_number])
    test_noise = draw_noise(len(data.test_images), settings.latent_dim, settings.seed)
    whole = torch.cat([training, result.validation], dim=1)
    start = table_start(len(data.images))
    slices = {
        "test": measured(data.test_images, test_noise),
        "training": training,
        "validation": result.validation,
        "table_training": whole[:, start:],
        "table_validation": whole[:, :start],
    }
    return {name: mean_losses(losses) for name, losses in slices.items()}


def inputs(settings: Settings, data: str) -> dict:
    """Collect what a training depends on: equal inputs give equal runs.

    Args:
        settings: of the training.
        data: the fingerprint of the images, see :class:`vaelib.data.dataset.ImageSet`.
    """
    own = settings.as_record()
    recipe = own.pop("recipe_settings")
    return stale.inputs(
        "from vaelib.training import run",
        ("torch", "numpy"),
        settings=own,
        recipe=recipe,
        data=data,
    )


def reuse(earlier: Path | None, settings: Settings, data: str) -> Run | None:
    """Return an earlier run if a training with these settings would repeat it, None if not.

    Args:
        earlier: a folder that may hold a run.
        settings: of the training.
        data: the fingerprint of its images.
    """
    if not (earlier and folder.holds_run(earlier)):
        return None
    try:
        run = folder.load_run(earlier)
    except DamagedError as error:
        _log.warning("trained again: %s", error)
        return None
    if stale.why_stale(run.fingerprint, inputs(settings, data)):
        return None
    _log.info("nothing that the training depends on has changed: earlier run taken")
    return run


def model_of(run: Run, device: str = "cpu") -> VAE:
    """Build the model of a run, with its weights, on a device.

    >>> import vaelib
    >>> data = vaelib.load_data("synthetic")
    >>> run = vaelib.train(vaelib.Settings(recipe="smoke", latent_dim=3), data)
    >>> vaelib.model_of(run).latent_dim
    3
    """
    return model_with(run.weights).to(device)


def model_with(weights: dict[str, torch.Tensor]) -> VAE:
    """Build a model with given weights, which say how wide it is, on the CPU."""
    latent_dim, units = weights["encoder.mean.weight"].shape
    gaps = weights.get("thresholds.gaps")
    model = VAE(latent_dim, units, thresholds=None if gaps is None else Thresholds(len(gaps)))
    model.load_state_dict(weights)
    return model.eval()
