"""Read and write small files and whole folders; each appears whole or not at all.

A *sealed* folder names its files with their SHA-256, and they are compared before they are used.
"""

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


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


def write_derived(content: dict, key: str, path: Path) -> None:
    """Write what was derived from other files, with the key of what it was derived from."""
    write_json({"key": key, "sha256": _sha256_of(content), "content": content}, path)


class Derived(NamedTuple):
    """What was derived from other files, and the key of these."""

    key: str
    content: dict


def read_derived(path: Path) -> Derived:
    """Read what :func:`write_derived` wrote.

    Raises:
        DamagedError: it is something else.
        FileNotFoundError: there is no such file.
    """
    held = read_json(path)
    keys = {"key", "sha256", "content"}
    whole = isinstance(held, dict) and held.keys() == keys
    if not whole or held["sha256"] != _sha256_of(held["content"]):
        raise DamagedError(f"{path} is not what was written there: delete it, and build again")
    return Derived(held["key"], held["content"])


def _sha256_of(content: dict) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


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


def seal(folder: Path) -> None:
    """Name all files of a folder with their SHA-256, as ``sha256sum --check`` reads it."""
    left = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [f"{sha256(path)}  {path.relative_to(folder)}\n" for path in left]
    write_bytes("".join(lines).encode(), folder / SUMS)


def sums_of(folder: Path) -> dict[str, str]:
    """Read the names of a sealed folder's files and their SHA-256; of others there are none."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    return {name: expected for expected, _, name in (line.partition("  ") for line in lines)}


def damaged(folder: Path, names: Iterable[str] | None = None) -> list[str]:
    """Name the files of a sealed folder that are gone, or are not what they were.

    Args:
        folder: sealed, or else all of ``names`` are damaged.
        names: of the files to look at; all that were there if not given.
    """
    sums = sums_of(folder)
    return [
        name
        for name in (sums or [SUMS] if names is None else names)
        if not (folder / name).is_file() or sha256(folder / name) != sums.get(name)
    ]


def require_sound(folder: Path, names: Iterable[str]) -> None:
    """Raise DamagedError if one of these files is gone, or is not what was sealed."""
    if wrong := damaged(folder, names):
        raise DamagedError(
            f"{folder}: {', '.join(wrong)} is gone, or not what was saved there, by the SHA-256 "
            f"in {SUMS}: delete the folder, and the next build makes it again"
        )


def read_sealed(file: Path) -> dict:
    """Read a record of a sealed folder.

    Raises:
        FileNotFoundError: there is no such folder.
        DamagedError: the record is not what was saved there.
    """
    if not file.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {file.parent}")
    require_sound(file.parent, [file.name])
    return read_json(file)


def require_writable(folder: Path) -> None:
    """Make a folder if need be; raise OSError if no file can be made in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OSError(
            f"{folder} is neither a folder nor a link to one that is there: make that, or delete it"
        ) from error
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


SUMS = "SHA256SUMS"  # in a sealed folder: its other files
PARTIAL = ".partial-"  # begins the name of a file or folder that is not finished
OUTDATED = ".outdated-"  # begins the name of a folder whose successor is moved into its place
