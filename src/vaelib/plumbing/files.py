"""Read and write small files; a file appears whole or not at all."""

import csv
import io
import json
import os
from pathlib import Path


def write_bytes(content: bytes, path: Path) -> None:
    """Write a file beside its final place, and move it there when it is whole."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def write_json(record: dict, path: Path) -> None:
    """Write a record as JSON."""
    write_bytes((json.dumps(record, indent=1) + "\n").encode(), path)


def read_json(path: Path) -> dict:
    """Read a record from JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


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
