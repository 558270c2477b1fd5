"""Recorded trainings, one JSON file each: read, and checked when they are read."""

import math
from collections.abc import Iterator
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from vaelib.digits.slices import SLICES
from vaelib.plumbing.files import DamagedError, read_json
from vaelib.plumbing.names import CODED, LOSSES, OBJECTIVES, training_name

SEEDS = 5  # of the points of the chapter on the one scale

NUMBER, TEXT = {"type": "number"}, {"type": "string"}
WHOLE = {"type": "integer", "minimum": 0}


def _object(properties: dict) -> dict:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _numbers(*names: str) -> dict:
    return _object(dict.fromkeys(names, NUMBER))


SCHEMA = _object(
    {
        "settings": _object(
            {
                "reconstruction_loss": TEXT,
                "beta": NUMBER,
                "recipe": TEXT,
                "seed": WHOLE,
                "latent_dim": WHOLE,
            }
        ),
        "losses": _object({name: _numbers(*LOSSES) for name in SLICES}),
        "outcome": _object({"epochs": WHOLE, "training_seconds": NUMBER}),
        "history": {
            "type": "array",
            "minItems": 1,
            "items": _numbers("epoch", *LOSSES, *(f"val_{name}" for name in LOSSES)),
        },
        "environment": _object(
            dict.fromkeys(("date", "processor", "commit", "data"), TEXT)
            | {"threads": WHOLE, "versions": _object({"python": TEXT, "torch": TEXT})}
        ),
        "measures": _object(
            {
                "sharpness": NUMBER,
                "recognised": NUMBER,
                "high_frequency_share": _numbers("decoded", "test"),
                "dispersion": _numbers("deviation", "robust"),
                "confusion": {
                    "type": "array",
                    "minItems": 10,
                    "maxItems": 10,
                    "items": {"type": "array", "minItems": 10, "maxItems": 10, "items": WHOLE},
                },
            }
        ),
    }
)
"""What every record has; some have more, see :func:`parts`."""

PARTS = {
    "rate": _object({"nats": NUMBER, "dimensions": {"type": "array", "items": NUMBER}}),
    "evidence": _numbers("log_evidence", "bound", "gap", "greatest", "least", "error"),
    "code": _object({"assumed": _numbers("bits_per_pixel", "error")}),
    "samples": TEXT,
}
"""What records of the recipe ``report`` have beyond that, some of them."""


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
        record = read_json(path)
        _check(path, record)
        twin = trainings.setdefault(str((record["losses"], record["history"])), path.name)
        if twin != path.name:
            raise _wrong(path, "losses and history", f"are those of {twin}, number by number")
        found[path.stem] = record
    return list(found.values())


def select(records: list[dict], **settings) -> list[dict]:
    """Choose the records with these settings, in the order of their seeds."""
    chosen = [record for record in records if record["settings"].items() >= settings.items()]
    return sorted(chosen, key=lambda record: record["settings"]["seed"])


def parts(settings: dict) -> list[str]:
    """List what a record with these settings has beyond what every record has."""
    objective = settings["reconstruction_loss"], settings["beta"]
    if settings["recipe"] != "report":
        return []
    if settings["latent_dim"] != 2:
        return ["rate"] if settings["latent_dim"] == 16 else []
    coded = objective in CODED.values() and settings["seed"] < SEEDS
    evidence = ["evidence"] if objective in OBJECTIVES.values() else []
    return ["rate", *evidence, *(["code", "samples"] if coded else [])]


def _check(path: Path, record: dict) -> None:
    _require(path, record, SCHEMA)
    settings = record["settings"]
    names = ("recipe", "reconstruction_loss", "beta", "latent_dim", "seed")
    named = training_name(*(settings[name] for name in names))
    if path.stem != named:
        raise _wrong(path, "settings", f"are those of {named}; expected the name of the file")
    extra = {name: PARTS[name] for name in parts(settings)}
    if settings["latent_dim"] == 2:
        extra["measures"] = _object({"roughness": _numbers("mean", "greatest")})
        if "rate" in extra:
            extra["rate"] = _object({"aggregate": _numbers("divergence", "empty")})
    _require(path, record, _object(extra))
    for key, number in _leaves(record):
        if isinstance(number, float) and not math.isfinite(number):
            raise _wrong(path, key, f"is {number}; expected a finite number")


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
