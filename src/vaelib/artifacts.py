"""What a run leaves on disk. No other module knows the names of these files.

A run's folder holds ``settings.json``, ``losses.json``, ``environment.json``, ``fingerprint.json``,
``history.csv``, ``trace.csv``, ``weights.safetensors`` and its figures.

PyTorch and matplotlib are imported where they are used: a build with nothing to run needs neither.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from vaelib.figures import Drawing

RECORDS = ("settings", "losses", "environment", "fingerprint")
TABLES = ("history", "trace")
WEIGHTS = "weights.safetensors"
LAST = "settings.json"
ORIGINAL = Path("recorded", "original", "results.csv")  # in the book's folder


@dataclass(frozen=True)
class Run:
    """A finished training: its settings, its results and where they came from.

    ``losses`` maps a slice of the data to its three mean losses per image; ``history`` and
    ``trace`` are those of :class:`vaelib.training.Fit`.
    """

    settings: dict
    losses: dict[str, dict[str, float]]
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
    from safetensors.torch import save_file

    folder = Path(folder)
    require_free(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
        partial = Path(partial)
        for name in RECORDS:
            write_json(getattr(run, name), partial / f"{name}.json")
        for name in TABLES:
            _write_csv(getattr(run, name), partial / f"{name}.csv")
        save_file(
            {name: weight.contiguous().cpu() for name, weight in run.weights.items()},
            partial / WEIGHTS,
        )
        # A folder without settings.json holds no run, so this file comes last.
        for path in sorted(partial.iterdir(), key=lambda path: path.name == LAST):
            os.replace(path, folder / path.name)


def load(folder: Path) -> Run:
    """Read a run back.

    Raises:
        FileNotFoundError: the folder holds no run.
    """
    from safetensors.torch import load_file

    folder = Path(folder)
    if not holds_run(folder):
        raise FileNotFoundError(
            f"there is no run in {folder}: `vaelib runs {folder.name}` makes the book's run of "
            "that name, `make book` all of them"
        )
    return Run(
        **{name: read_json(folder / f"{name}.json") for name in RECORDS},
        **{name: read_csv(folder / f"{name}.csv") for name in TABLES},
        weights=load_file(folder / WEIGHTS),
    )


def holds_run(folder: Path) -> bool:
    """Tell whether a folder holds a run."""
    return (Path(folder) / LAST).exists()


def require_free(folder: Path) -> None:
    """Raise FileExistsError if a folder holds a run."""
    if holds_run(folder):
        raise FileExistsError(
            f"{folder} already holds a run, which is never replaced: choose another output folder"
        )


def identity(folder: Path) -> str:
    """Return the SHA-256 of a run's weights; an empty string where there is no run."""
    if not holds_run(folder):
        return ""
    return hashlib.sha256((Path(folder) / WEIGHTS).read_bytes()).hexdigest()


def find_book() -> Path:
    """Find the book's folder: the current one, or ``book`` in it or in a folder above.

    Raises:
        FileNotFoundError: there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        for book in (folder, folder / "book"):
            if (book / "runs.yml").exists():
                return book
    raise FileNotFoundError(
        f"there is no book (a folder with runs.yml) in or above {here}: "
        "start from the root of the repository"
    )


def save_figure(figure: Figure, folder: Path, name: str) -> Drawing:
    """Write a figure into the folder ``figures`` of a run; see :func:`vaelib.figures.write`."""
    from vaelib import figures

    return figures.write(figure, Path(folder) / "figures" / name)


def write_json(record: dict, path: Path) -> None:
    """Write a record as JSON; the file appears whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)


def read_json(path: Path) -> dict:
    """Read a record from JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def _write_csv(rows: list[dict[str, float]], path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, float]]:
    """Read a table of numbers: a list of rows, each from column name to number."""
    with open(path, newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def original_results(book: Path) -> dict:
    """Read the original's table: reconstruction loss → split → loss → number."""
    table: dict = {}
    with open(book / ORIGINAL, newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            loss, split = row.pop("reconstruction_loss"), row.pop("split")
            losses = {name: float(value) for name, value in row.items()}
            table.setdefault(loss, {})[split] = losses
    return table
