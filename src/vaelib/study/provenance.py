"""Where the numbers of records come from: what made their parts, and which of them are stale."""

from collections.abc import Iterable
from pathlib import Path

from vaelib.plumbing.files import read_json
from vaelib.plumbing.places import RECORDS
from vaelib.study.design import trainings
from vaelib.study.freshness import read_stamps, states
from vaelib.study.records import path_of


def parts(book: Path) -> dict:
    """Tell what the parts of the book's records were made by, and which of them are stale.

    Returns:
        The number of ``all`` and of the ``stale`` ones; and ``groups``, each of the same part,
        recipe and stamp: how many ``records``, the ``commits`` and ``dates`` at which they were
        made, when and at which commit they were ``replayed``, the number of ``files`` that they
        depend on, and ``why`` they are stale.
    """
    folder = book / RECORDS
    stamps = read_stamps(folder)
    found: dict[tuple, list[dict]] = {}
    for settings, reasons in zip(trainings(), states(trainings(), folder).values(), strict=True):
        file = path_of(folder, settings)
        made = read_json(file)["made"] if file.exists() else {}
        for part, why in reasons.items():
            own = made.get(part, {})
            key = part, settings.recipe_settings.name, own.get("stamp", ""), why
            found.setdefault(key, []).append(own)
    groups = [
        {
            "part": part,
            "recipe": recipe,
            "stamp": stamp,
            "why": why,
            "records": len(group),
            "commits": _several(made.get("commit", "") for made in group),
            "dates": _several(made.get("date", "") for made in group),
            "replayed": _several(
                f"{again['date']}, {again['commit']}{'' if again['agrees'] else ': otherwise'}"
                for made in group
                if (again := made.get("replayed"))
            ),
            "files": len(stamps.get(stamp, {}).get("modules", ())),
        }
        for (part, recipe, stamp, why), group in sorted(found.items())
    ]
    return {
        "all": sum(group["records"] for group in groups),
        "stale": sum(group["records"] for group in groups if group["why"]),
        "groups": groups,
    }


def origin(records: list[dict]) -> dict:
    """Tell how many records there are, of how many seeds, and when and with what they were made.

    Args:
        records: at least one, from :func:`vaelib.study.records.read`.
    """
    places = [record["environment"] for record in records]
    return {
        "records": len(records),
        "seeds": len({record["settings"]["seed"] for record in records}),
        "first": min(place["date"] for place in places),
        "last": max(place["date"] for place in places),
        "processors": _several(place["processor"] for place in places),
        "threads": _several(str(place["threads"]) for place in places),
        "torch": _several(place["versions"]["torch"] for place in places),
        "python": _several(place["versions"]["python"] for place in places),
        "commits": _several(place["commit"] for place in places),
        "data": _several(place["data"] for place in places),
    }


def _several(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))
