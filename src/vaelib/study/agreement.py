"""Whether ``recorded/reproduction.json`` is what the recorded runs say."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

from vaelib.plumbing.files import read_json
from vaelib.plumbing.places import SUMMARY
from vaelib.study.summary import summarise


def check(book: Path) -> None:
    """Check that the summary in the book is what its records say.

    Raises:
        ValueError: it is not; the message names the first entry that differs.
        vaelib.plumbing.files.DamagedError: a record, or the summary, cannot be read.
    """
    written, found = read_json(book / SUMMARY), json.loads(json.dumps(summarise(book)))
    for key, one, other in _differences(written, found):
        raise ValueError(
            f"{book / SUMMARY} is not what the records say: {key} is {one!r:.60}; expected "
            f"{other!r:.60}: `vaelib sweep` writes it anew"
        )


def _differences(written: object, found: object, key: str = "") -> Iterator[tuple]:
    """List the entries in which two records differ, but for roundings of another processor."""
    if isinstance(written, dict) and isinstance(found, dict):
        for name in sorted(written.keys() | found.keys()):
            place = f"{key}.{name}" if key else name
            yield from _differences(written.get(name), found.get(name), place)
    elif isinstance(written, list) and isinstance(found, list) and len(written) == len(found):
        for place, pair in enumerate(zip(written, found, strict=True)):
            yield from _differences(*pair, f"{key}.{place}")
    elif isinstance(written, float) and isinstance(found, float):
        if not math.isclose(written, found, rel_tol=1e-9, abs_tol=1e-12):
            yield key, written, found
    elif written != found:
        yield key, written, found
