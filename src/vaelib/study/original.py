"""The original's numbers, as they are part of the repository."""

import csv
from pathlib import Path

from vaelib.plumbing.files import read_table
from vaelib.plumbing.places import ORIGINAL, ORIGINAL_HISTORY

SPLITS = {"train": "table_training", "validation": "table_validation", "test": "test"}
"""The rows of the original's table → the slices of the data that they were measured on."""


def original_losses(book: Path) -> dict:
    """Read the original's table from a book: reconstruction loss → split → loss → number."""
    table: dict = {}
    with open(book / ORIGINAL, newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            loss, split = row.pop("reconstruction_loss"), row.pop("split")
            losses = {name: float(value) for name, value in row.items()}
            table.setdefault(loss, {})[split] = losses
    return table


def original_history(book: Path) -> list[dict[str, float]]:
    """Read the losses of the original's BCE training, a row per epoch."""
    return read_table(book / ORIGINAL_HISTORY)
