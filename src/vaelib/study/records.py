"""Recorded trainings, one JSON file each: read, checked when they are read, and fresh or stale.

A record has *parts*: the training (``losses``, ``outcome``, ``history``, ``environment`` and the
SHA-256 of its ``weights``) and each of its measures. Its entry ``made`` has for each part the
commit and the date at which it was made, those of its replay, and a *stamp*: the key in
``stamps.json``, one file for all records, of the inputs that it was made of.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from torch import Tensor, tensor

from vaelib.data.load import fingerprints
from vaelib.data.slices import SLICES
from vaelib.measure import model
from vaelib.measure.encoders import EPOCHS
from vaelib.plumbing import stale
from vaelib.plumbing.files import DamagedError, read_json, write_json
from vaelib.plumbing.locks import try_lock
from vaelib.plumbing.words import LOSSES
from vaelib.study.design import HELD, measures_of
from vaelib.training import run
from vaelib.training.recipes import RECIPES, Recipe
from vaelib.training.settings import Settings
from vaelib.vae.model import UNITS

TRAINING = "training"  # the part that is no measure
NOT_THERE = "not there"
STAMPS = "stamps.json"  # beside the folder of records
USED = 0.1  # nats of divergence from which on a latent dimension counts as used

Inputs = Callable[[str, str | Recipe], dict]  # of a part and a recipe

NUMBER, TEXT = {"type": "number"}, {"type": "string"}
WHOLE = {"type": "integer", "minimum": 0}
OBJECT = {"type": "object"}


def _object(**properties: dict) -> dict:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _numbers(*names: str) -> dict:
    return _object(**dict.fromkeys(names, NUMBER))


def _ten(items: dict) -> dict:
    return {"type": "array", "minItems": 10, "maxItems": 10, "items": items}


ENCODER = _object(
    **dict.fromkeys(("gap", "median", "training_gap", "living"), NUMBER), by_class=_ten(NUMBER)
)

SCHEMA = _object(
    settings=_object(
        reconstruction_loss=TEXT, beta=NUMBER, recipe=TEXT, seed=WHOLE, latent_dim=WHOLE
    ),
    losses=_object(**{name: _numbers(*LOSSES) for name in SLICES}),
    outcome=_object(epochs=WHOLE, training_seconds=NUMBER),
    history={
        "type": "array",
        "minItems": 1,
        "items": _numbers("epoch", *LOSSES, *(f"val_{name}" for name in LOSSES)),
    },
    environment=_object(
        **dict.fromkeys(("date", "processor", "commit", "data"), TEXT),
        threads=WHOLE,
        versions=_object(python=TEXT, torch=TEXT),
    ),
    made={"type": "object", "additionalProperties": _object(stamp=TEXT, commit=TEXT, date=TEXT)},
    appearance=_object(
        sharpness=NUMBER,
        recognised=NUMBER,
        high_frequency_share=_numbers("decoded", "test"),
        dispersion=_numbers("deviation", "robust"),
        confusion=_ten(_ten(WHOLE)),
    ),
)
"""What every record has."""

MORE = {
    "rate": _object(nats=NUMBER, dimensions={"type": "array", "items": NUMBER}),
    "evidence": _numbers("log_evidence", "bound", "gap", "greatest", "least", "error"),
    "code": {"type": "object", "additionalProperties": _numbers("bits_per_pixel", "error")},
    "samples": TEXT,
    "levels": _object(thresholds={"type": "array", "items": NUMBER}, images=TEXT),
    "explored": _object(weights=OBJECT, codes=OBJECT, thresholds=OBJECT),
    "encoder": ENCODER,
    **{part: _object(**{str(n): ENCODER for n in EPOCHS}) for part in HELD},
    "encoder_controls": _object(adam=ENCODER, moved=ENCODER),
    "refinement": _object(test=OBJECT, training=OBJECT),
    "full_covariance": _numbers("log_evidence", "bound", "bound_error", "gap", "error"),
    "autoencoder": _numbers(
        "reconstruction", "vae_at_mean", "deviation", "log_evidence", "fitted", "error"
    ),
}
"""What some have beyond that, see :func:`vaelib.study.design.measures_of`."""


def read(folder: Path) -> list[dict]:
    """Read the recorded trainings, which :func:`vaelib.study.grid.record` writes.

    Raises:
        DamagedError: a record is not whole, has a number that is not finite, lies under another
            name than that of its settings, or is the training of another one. The message names
            the file and the key.
    """
    found: dict[str, dict] = {}
    trainings: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        record = _read(path)
        twin = trainings.setdefault(str((record["losses"], record["history"])), path.name)
        if twin != path.name:
            raise _wrong(path, "losses and history", f"are those of {twin}, number by number")
        found[path.stem] = record
    return list(found.values())


def select(records: list[dict], **settings) -> list[dict]:
    """Choose the records with these settings, in the order of their seeds.

    Without ``units``, those with the encoder that a model has if nothing else is said.
    """
    usual = {"units": UNITS}
    chosen = [r for r in records if (usual | r["settings"]).items() >= (usual | settings).items()]
    return sorted(chosen, key=lambda record: record["settings"]["seed"])


def of_common_seeds(groups: dict[Any, list[dict]]) -> list[dict]:
    """Gather a record of each group, by its name, for every seed that all groups have."""
    by_name = {name: {r["settings"]["seed"]: r for r in found} for name, found in groups.items()}
    common = set.intersection(*map(set, by_name.values()))
    return [{name: found[seed] for name, found in by_name.items()} for seed in sorted(common)]


def votes(record: dict) -> Tensor:
    """Return a record's counts (10, 10), see :func:`vaelib.measure.appearance.confusion`."""
    return tensor(record["appearance"]["confusion"])


def used(record: dict) -> int:
    """Count the latent dimensions whose mean divergence from the prior is ``USED`` or more."""
    return sum(nats >= USED for nats in record["rate"]["dimensions"])


def uses_all(record: dict) -> bool:
    """Say whether a run uses all of its latent dimensions, as the original's do."""
    return used(record) == record["settings"]["latent_dim"]


def settings_of(record: dict) -> Settings:
    """Return the settings of a record's training, with a named recipe as it is today."""
    own = dict(record["settings"])
    if own["recipe"] in RECIPES:
        own.pop("recipe_settings", None)
        return Settings(**own)
    return Settings.from_record(own)


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


def path_of(folder: Path, settings: Settings) -> Path:
    """Return the file of a record."""
    return folder / f"{settings.name}.json"


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


def alone(folder: Path) -> AbstractContextManager:
    """Keep other processes off the records of a folder, in a with statement.

    Raises:
        OSError: there is one.
    """
    lock = try_lock(folder.parent / ".records.lock")
    if not lock:
        raise OSError(f"another process works on the records in {folder}: wait for it")
    return lock


def states(trainings: Iterable[Settings], folder: Path) -> dict[str, dict[str, str]]:
    """Say of each part of the records of some trainings why it is stale, as :func:`why_stale` does.

    Returns:
        Name of the record → part → reason.
    """
    found, stamps, current = {}, read_stamps(folder), cache(inputs_of)
    for settings in trainings:
        file = path_of(folder, settings)
        found[settings.name] = (
            why_stale(_read(file), stamps, current)
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


def _read(path: Path) -> dict:
    """Read one record, and check it by itself."""
    record = read_json(path)
    _require(path, record, SCHEMA)
    settings = settings_of(record)
    if path.stem != settings.name:
        raise _wrong(path, "settings", f"are those of {settings.name}; expected the file's name")
    extra = {name: MORE[name] for name in record["made"] if name in MORE}
    if settings.latent_dim == 2:
        extra["appearance"] = _object(roughness=_numbers("mean", "greatest"))
        if "rate" in extra:
            extra["rate"] = _object(aggregate=_numbers("divergence", "empty"))
    _require(path, record, _object(**extra))
    for key, number in _leaves(record):
        if isinstance(number, float) and not math.isfinite(number):
            raise _wrong(path, key, f"is {number}; expected a finite number")
    return record


def _require(path: Path, record: dict, schema: dict) -> None:
    error = best_match(Draft202012Validator(schema).iter_errors(record))
    if error:
        raise _wrong(path, error.json_path.removeprefix("$."), f"is wrong: {error.message:.200}")


def _leaves(entry: object, key: str = "") -> Iterator[tuple[str, object]]:
    """List the values of a record that hold no others, with their keys joined by dots."""
    if isinstance(entry, dict | list):
        for name, value in entry.items() if isinstance(entry, dict) else enumerate(entry):
            yield from _leaves(value, f"{key}.{name}" if key else str(name))
    else:
        yield key, entry


def _wrong(path: Path, key: str, what: str) -> DamagedError:
    return DamagedError(
        f"the record {path}: {key} {what} (git has the record as it was made; `vaelib sweep` makes "
        "one that is missing)"
    )
