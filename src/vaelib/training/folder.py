"""The folder of a run: what a training leaves on disk, and how it is read back, verified.

PyTorch is imported where it is used: a build with nothing to run does not need it.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaelib.plumbing import files

if TYPE_CHECKING:
    from torch import Tensor

    from vaelib.training.settings import Settings

FILES = {
    "settings": "settings.json",
    "losses": "losses.json",
    "outcome": "outcome.json",
    "environment": "environment.json",
    "fingerprint": "fingerprint.json",
    "history": "history.csv",
    "trace": "trace.csv",
    "weights": "weights.safetensors",
}
"""Part of a :class:`Run` → its file."""


@dataclass(frozen=True)
class Run:
    """A finished training: its settings, its results and where they came from.

    The recipe of the ``settings`` is the one that was followed, whatever goes by its name now;
    ``losses`` maps a slice
    of the data to its three mean losses per image; ``outcome`` has epochs, best epoch, whether
    training stopped early, seconds and peak memory; ``fingerprint`` has the inputs, see
    :mod:`vaelib.plumbing.stale`; ``history`` and ``trace`` are those of
    :class:`vaelib.training.fit.Fit`.
    """

    settings: Settings
    losses: dict[str, dict[str, float]]
    outcome: dict
    environment: dict
    fingerprint: dict
    history: list[dict[str, float]]
    trace: list[dict[str, float]]
    weights: dict[str, Tensor]


def save_run(run: Run, folder: str | os.PathLike[str]) -> None:
    """Write a run into a folder that holds none yet; it appears whole or not at all.

    Raises:
        FileExistsError: the folder holds a run.

    >>> import tempfile, vaelib
    >>> run = vaelib.train(vaelib.Settings(recipe="smoke"), vaelib.load_data("synthetic"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     vaelib.save_run(run, folder)
    ...     vaelib.load_run(folder).losses == run.losses
    True
    """
    folder = Path(folder)
    require_free(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=files.PARTIAL) as partial:
        for part, name in FILES.items():
            content = run.settings.as_record() if part == "settings" else getattr(run, part)
            _write(content, Path(partial, name))
        files.seal(Path(partial))
        for name in (*FILES.values(), files.SUMS):
            os.replace(Path(partial, name), folder / name)


def load_run(folder: str | os.PathLike[str]) -> Run:
    """Read a run back.

    The example of :func:`save_run` has one of it.

    Raises:
        FileNotFoundError: the folder holds no run.
        vaelib.plumbing.files.DamagedError: a file of it is not what :func:`save_run` wrote, or
            another version of the library wrote it.
    """
    folder = Path(folder)
    if not holds_run(folder):
        raise FileNotFoundError(
            f"there is no run in {folder}: `vaelib train` makes one, and in the book's repository "
            f"`vaelib build {folder.name}` the book's run of that name"
        )
    from vaelib.training.settings import Settings

    files.require_sound(folder, FILES.values())
    parts: dict[str, Any] = {part: _read(folder / name) for part, name in FILES.items()}
    try:
        return Run(**parts | {"settings": Settings.from_record(parts["settings"])})
    except (TypeError, ValueError) as error:
        raise files.DamagedError(
            f"{folder} holds a run that another version of this library has made ({error}): "
            "delete the folder, and make the run again"
        ) from error


def read(folder: Path, part: str) -> dict:
    """Read one part of a run, a record; raise as :func:`load_run` does."""
    return files.read_sealed(folder / FILES[part])


def kl_divergence(settings: dict, losses: dict[str, float]) -> float:
    """Return the KL divergence itself, without its weight, in nats per image.

    Args:
        settings: of a run, as they are written down.
        losses: of the run on one slice.
    """
    return losses["kl"] / settings["beta"]


def holds_run(folder: Path) -> bool:
    """Tell whether a folder holds a run."""
    return FILES["weights"] in files.sums_of(Path(folder))


def require_free(folder: Path) -> None:
    """Raise FileExistsError if a folder holds a run."""
    if holds_run(folder):
        raise FileExistsError(
            f"{folder} already holds a run, which is never replaced: choose another output folder"
        )


def identity(folder: Path) -> str:
    """Return the SHA-256 of a run's weights; an empty string where there is no run."""
    return files.sha256(Path(folder) / FILES["weights"]) if holds_run(folder) else ""


def _write(part: Any, path: Path) -> None:
    if path.suffix == ".json":
        files.write_json(part, path)
    elif path.suffix == ".csv":
        files.write_table(part, path)
    else:
        files.write_bytes(weights_as_bytes(part), path)


def weights_as_bytes(weights: dict[str, Tensor]) -> bytes:
    """Return weights as the content of a safetensors file; equal weights are equal bytes."""
    from safetensors.torch import save as as_bytes  # its own files only their owner may read

    return as_bytes({name: weight.contiguous().cpu() for name, weight in weights.items()})


def _read(path: Path) -> dict | list:
    if path.suffix == ".json":
        return files.read_json(path)
    if path.suffix == ".csv":
        return files.read_table(path)
    from safetensors.torch import load_file

    return load_file(path)
