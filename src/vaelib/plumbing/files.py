"""Read and write small files and whole folders; each appears whole or not at all."""

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from pathlib import Path


class DamagedError(RuntimeError):
    """A file is not what was written there."""


def write_bytes(content: bytes, path: Path) -> None:
    """Write a file beside its final place, and move it there when it is whole."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def write_json(record: dict, path: Path) -> None:
    """Write a record as JSON."""
    write_bytes((json.dumps(record, indent=1) + "\n").encode(), path)


def read_json(path: Path) -> dict:
    """Read a record from JSON.

    Raises:
        DamagedError: the file is no JSON, or has a number that JSON does not know (NaN, infinity).
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except ValueError as error:
        raise DamagedError(f"{path} is no JSON: {error}; write it anew, or delete it") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"it has the number {constant}; expected finite numbers")


def write_table(rows: list[dict[str, float]], path: Path) -> None:
    """Write a table of numbers as CSV: at least one row, each from column name to number."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(text.getvalue().encode(), path)


def read_table(path: Path) -> list[dict[str, float]]:
    """Read a table of numbers: a list of rows, each from column name to number."""
    with open(path, newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def differing(folder: Path, sums: dict[str, str]) -> list[str]:
    """Name the files of a folder that are gone or have another SHA-256 than they should."""
    return [
        name
        for name, expected in sums.items()
        if not (folder / name).is_file() or sha256(folder / name) != expected
    ]


def require_writable(folder: Path) -> None:
    """Make a folder if need be; raise OSError if no file can be made in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=PARTIAL):
        pass


def replace_folder(final: Path, staging: Path) -> None:
    """Put a finished folder in the place of an earlier one, which is set aside until then."""
    outdated = final.with_name(f"{OUTDATED}{final.name}")
    shutil.rmtree(outdated, ignore_errors=True)
    if final.exists():
        final.rename(outdated)
    staging.rename(final)
    shutil.rmtree(outdated, ignore_errors=True)


def clear_up(folder: Path) -> None:
    """Remove what a process that was killed left in a folder, and put back what it had set aside.

    Only who keeps all others out of the folder may call this.
    """
    for partial in folder.glob(f"{PARTIAL}*"):
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)
    for outdated in folder.glob(f"{OUTDATED}*"):
        final = folder / outdated.name.removeprefix(OUTDATED)
        if final.exists():
            shutil.rmtree(outdated, ignore_errors=True)
        else:
            outdated.rename(final)


PARTIAL = ".partial-"  # begins the name of a file or folder that is not finished
OUTDATED = ".outdated-"  # begins the name of a folder whose successor is moved into its place
