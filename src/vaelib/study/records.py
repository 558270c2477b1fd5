"""Recorded trainings, one JSON file each: read, checked when they are read, and chosen."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from torch import Tensor, tensor

from vaelib.data.slices import SLICES
from vaelib.measure.encoders import EPOCHS
from vaelib.plumbing.files import DamagedError, read_json
from vaelib.plumbing.locks import try_lock
from vaelib.plumbing.words import LOSSES
from vaelib.study.design import HELD
from vaelib.training.recipes import RECIPES
from vaelib.training.settings import Settings
from vaelib.vae.model import UNITS

USED = 0.1  # nats of divergence from which on a latent dimension counts as used

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
        record = read_one(path)
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


def path_of(folder: Path, settings: Settings) -> Path:
    """Return the file of a record."""
    return folder / f"{settings.name}.json"


def alone(folder: Path) -> AbstractContextManager:
    """Keep other processes off the records of a folder, in a with statement.

    Raises:
        OSError: there is one.
    """
    lock = try_lock(folder.parent / ".records.lock")
    if not lock:
        raise OSError(f"another process works on the records in {folder}: wait for it")
    return lock


def read_one(path: Path) -> dict:
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
