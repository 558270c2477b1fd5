"""What the parts of recorded trainings were made of, and which of them are stale.

A record has *parts*: the training (``losses``, ``outcome``, ``history``, ``environment`` and the
SHA-256 of its ``weights``) and each of its measures. Its entry ``made`` has for each part the
commit and the date at which it was made, those of its replay, and a *stamp*: the key in
``stamps.json``, one file for all records, of the inputs that it was made of.
"""

import json
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from vaelib.data.load import fingerprints
from vaelib.measure import model
from vaelib.plumbing import stale
from vaelib.plumbing.files import read_json, write_json
from vaelib.study.design import measures_of
from vaelib.study.records import path_of, read_one, settings_of
from vaelib.training import run
from vaelib.training.recipes import Recipe
from vaelib.training.settings import Settings

TRAINING = "training"  # the part that is no measure
NOT_THERE = "not there"
STAMPS = "stamps.json"  # beside the folder of records

Inputs = Callable[[str, str | Recipe], dict]  # of a part and a recipe


def parts_of(settings: Settings) -> tuple[str, ...]:
    """List the parts that a record of this training has."""
    return (TRAINING, *measures_of(settings))


def inputs_of(part: str, recipe: str | Recipe) -> dict:
    """Collect what a part would be made of now, but for the record's settings."""
    settings = Settings(recipe=recipe)
    images, labels = fingerprints(settings.recipe_settings.data)
    if part == TRAINING:
        inputs = run.inputs(settings, images)
        del inputs["settings"]
        return inputs
    return model.inputs_of(part, images, labels)


def why_stale(record: dict, stamps: dict, current: Inputs = inputs_of) -> dict[str, str]:
    """Say of each part of a record why it must be made again; an empty string if it is fresh.

    Args:
        record: as it was read.
        stamps: key → inputs, from :func:`read_stamps`.
        current: :func:`inputs_of`, or what remembers its answers.
    """
    settings = settings_of(record)
    return {part: _why(part, record, stamps, current) for part in parts_of(settings)}


def _why(part: str, record: dict, stamps: dict, current: Inputs) -> str:
    made = record["made"].get(part)
    if not made or (part != TRAINING and part not in record):
        return NOT_THERE
    again = made.get("replayed", {"agrees": True})
    if not again["agrees"]:
        return f"replayed on {again['date']} on {again['processor']}, it came out otherwise"
    if made["stamp"] not in stamps:
        return "it is not known what it was made of"
    now = current(part, settings_of(record).recipe)
    return stale.why_stale(stamps[made["stamp"]], now, most=2)


def states(trainings: Iterable[Settings], folder: Path) -> dict[str, dict[str, str]]:
    """Say of each part of the records of some trainings why it is stale, as :func:`why_stale` does.

    Returns:
        Name of the record → part → reason.
    """
    found, stamps, current = {}, read_stamps(folder), cache(inputs_of)
    for settings in trainings:
        file = path_of(folder, settings)
        found[settings.name] = (
            why_stale(read_one(file), stamps, current)
            if file.exists()
            else dict.fromkeys(parts_of(settings), NOT_THERE)
        )
    return found


def read_stamps(folder: Path) -> dict:
    """Read what the stamps of the records in a folder stand for: key → inputs."""
    file = folder.parent / STAMPS
    return read_json(file) if file.exists() else {}


def stamp(inputs: dict, folder: Path) -> str:
    """Return the key of some inputs in the file of stamps, where they are if they were not."""
    stamps = read_stamps(folder)
    key = stale.digest(json.dumps(inputs, sort_keys=True))[:12]
    if key not in stamps:
        write_json(stamps | {key: inputs}, folder.parent / STAMPS)
    return key


def forget_stamps(folder: Path) -> None:
    """Remove from the file of stamps what no record beside it has."""
    files = folder.parent.glob("records*/*.json")
    used = {made["stamp"] for file in files for made in read_json(file).get("made", {}).values()}
    stamps = read_stamps(folder)
    if stamps.keys() - used:
        write_json({key: stamps[key] for key in stamps if key in used}, folder.parent / STAMPS)
