"""The folder of a run: what a training leaves on disk. No other module knows these files' names.

PyTorch is imported where it is used: a build with nothing to run does not need it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vaelib.plumbing.files import (
    DamagedError,
    differing,
    read_json,
    read_table,
    sha256,
    write_bytes,
    write_json,
    write_table,
)

if TYPE_CHECKING:
    from torch import Tensor

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

SUMS = "SHA256SUMS"
"""The SHA-256 of these files, as ``sha256sum --check`` reads it. It is written last: a folder
without it holds no run."""


@dataclass(frozen=True)
class Run:
    """A finished training: its settings, its results and where they came from.

    ``settings`` are those of :class:`vaelib.training.run.Settings`, with the recipe's own;
    ``losses`` maps a slice of the data to its three mean losses per image; ``outcome`` has epochs,
    best epoch, whether training stopped early, seconds and peak memory; ``history`` and ``trace``
    are those of :class:`vaelib.training.fit.Fit`.
    """

    settings: dict
    losses: dict[str, dict[str, float]]
    outcome: dict
    environment: dict
    fingerprint: dict
    history: list[dict[str, float]]
    trace: list[dict[str, float]]
    weights: dict[str, Tensor]


def save(run: Run, folder: Path) -> None:
    """Write a run into a folder that holds none yet; it appears whole or not at all.

    Raises:
        FileExistsError: the folder holds a run.
    """
    folder = Path(folder)
    require_free(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
        for part, name in FILES.items():
            _write(getattr(run, part), Path(partial, name))
        lines = [f"{sha256(Path(partial, name))}  {name}\n" for name in FILES.values()]
        Path(partial, SUMS).write_text("".join(lines), encoding="utf-8")
        for name in (*FILES.values(), SUMS):
            os.replace(Path(partial, name), folder / name)


def load(folder: Path) -> Run:
    """Read a run back.

    Raises:
        FileNotFoundError: the folder holds no run.
        vaelib.plumbing.files.DamagedError: a file of it is not what :func:`save` wrote.
    """
    folder = Path(folder)
    if not holds_run(folder):
        raise FileNotFoundError(
            f"there is no run in {folder}: `vaelib runs {folder.name}` makes the book's run of "
            "that name, `make book` all of them"
        )
    _verify(folder, FILES.values())
    return Run(**{part: _read(folder / name) for part, name in FILES.items()})


def read(folder: Path, part: str) -> dict:
    """Read one part of a run, a record; raise as :func:`load` does."""
    _verify(folder, [FILES[part]])
    return read_json(folder / FILES[part])


def _verify(folder: Path, names: Iterable[str]) -> None:
    """Compare files of a run with the SHA-256 that they were saved with."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    sums = {name: expected for expected, _, name in (line.partition("  ") for line in lines)}
    damaged = differing(folder, {name: sums.get(name, "") for name in names})
    if damaged:
        raise DamagedError(
            f"{folder}: {', '.join(damaged)} is gone, or not what was saved there, by the SHA-256 "
            f"in {SUMS}: delete the folder, and make the run again"
        )


def holds_run(folder: Path) -> bool:
    """Tell whether a folder holds a run."""
    return (Path(folder) / SUMS).exists()


def require_free(folder: Path) -> None:
    """Raise FileExistsError if a folder holds a run."""
    if holds_run(folder):
        raise FileExistsError(
            f"{folder} already holds a run, which is never replaced: choose another output folder"
        )


def identity(folder: Path) -> str:
    """Return the SHA-256 of a run's weights; an empty string where there is no run."""
    return sha256(Path(folder) / FILES["weights"]) if holds_run(folder) else ""


def _write(part: dict | list, path: Path) -> None:
    if path.suffix == ".json":
        write_json(part, path)
    elif path.suffix == ".csv":
        write_table(part, path)
    else:
        from safetensors.torch import save as as_bytes  # its own files only their owner may read

        write_bytes(as_bytes({name: w.contiguous().cpu() for name, w in part.items()}), path)


def _read(path: Path) -> dict | list:
    if path.suffix == ".json":
        return read_json(path)
    if path.suffix == ".csv":
        return read_table(path)
    from safetensors.torch import load_file

    return load_file(path)
