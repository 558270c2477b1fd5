"""The roles ``value`` and ``interval``: numbers of a run, or of the original, in a sentence.

``{value}`bce:losses.test.total:.2f``` is the entry ``test.total`` of the run ``bce``'s
``losses.json``, printed with the format ``.2f``. The run ``original`` stands for
``recorded/original/results.csv``: ``{value}`original:bce.test.total:.3f```; ``reproduction`` for
what the records say together; and the name of a JSON file in ``recorded`` for that file:
``{value}`cost:environment.date```.

``{interval}`cost:peers.small.Keras.ratio:.2f``` prints an entry that has a middle and two bounds:
middle (low to high).
"""

from collections.abc import Callable
from difflib import get_close_matches
from functools import reduce
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxRole

from vaelib.build.derived import read_summary
from vaelib.plumbing.files import DamagedError, read_json, read_sealed
from vaelib.plumbing.places import EXECUTED, ORIGINAL, RECORDED, SUMMARY
from vaelib.study.original import original_losses

# Keys of an entry that has a middle and two bounds; a path may lead to a bound.
INTERVALS = (
    ("median", "low", "high"),  # quartiles
    ("mean", "least", "greatest"),
    ("mean", "confidence.low", "confidence.high"),
)


def setup(app: Sphinx) -> None:
    """Register the roles."""
    app.add_role("value", Value(look_up))
    app.add_role("interval", Value(look_up_interval))


class Value(SphinxRole):
    """Print a recorded value or interval; the build fails where there is none."""

    def __init__(self, look_up: Callable[[Path, str, str, str], tuple[str, Path]]):
        self.look_up = look_up

    def run(self):
        """Return the value as text, and note the file that it comes from as a dependency."""
        try:
            name, path, *form = self.text.split(":")
            text, file = self.look_up(Path(self.env.srcdir), name, path, form[0] if form else "")
        except (ValueError, KeyError, OSError, DamagedError) as error:
            where = f"{self.get_location()}: {{{self.name}}}`{self.text}`"
            raise ExtensionError(f"{where}: {error}") from error
        self.env.note_dependency(str(file))
        return [nodes.Text(text)], []


def look_up(book: Path, name: str, path: str, form: str) -> tuple[str, Path]:
    """Look a value up and format it.

    Args:
        book: folder of the book.
        name: of a run, of a JSON file in ``recorded``, ``original`` or ``reproduction``.
        path: keys joined by dots; for a run the first is the name of a JSON file.
        form: format specification, such as ``.2f``; empty for the value as it is.

    Returns:
        The text, "unknown" for null, and the file that it comes from.

    Raises:
        ValueError: no such key, or a format that does not fit; the message names the nearest key.
        OSError: no such run.
        vaelib.plumbing.files.DamagedError: the file is not what was saved there.
    """
    value, file = find(book, name, path)
    if value is None:  # what too few records leave open
        return "unknown", file
    return _written(value, form), file


def look_up_interval(book: Path, name: str, path: str, form: str) -> tuple[str, Path]:
    """Look an interval up and format it as "middle (low to high)"; see :func:`look_up`."""
    entry, file = find(book, name, path)
    for keys in INTERVALS:
        try:
            middle, low, high = (reduce(_entry, key.split("."), entry) for key in keys)
        except ValueError:
            continue
        middle, low, high = (_written(value, form) for value in (middle, low, high))
        return f"{middle} ({low} to {high})", file
    raise ValueError("the entry has no interval; expected a median or mean with two bounds")


def _written(value: Any, form: str) -> str:
    """Write a value, without a minus sign before a rounded 0; ``form`` has no sign and no fill."""
    return format(value, f"z{form}" if form.endswith(("f", "%")) else form)


def find(book: Path, name: str, path: str) -> tuple[Any, Path]:
    """Find an entry by name and path, as :func:`look_up` does; return it and its file."""
    keys = path.split(".")
    if name == "original":
        file = book / ORIGINAL
        record = original_losses(book)
    elif name == "reproduction":
        file = book / SUMMARY
        record = read_summary(book)
    elif (book / RECORDED / f"{name}.json").exists():
        file = book / RECORDED / f"{name}.json"
        record = read_json(file)
    else:
        file = book / EXECUTED / name / f"{keys.pop(0)}.json"
        record = read_sealed(file)
    return reduce(_entry, keys, record), file


def _entry(record: dict, key: str):
    if not isinstance(record, dict) or key not in record:
        known = list(record) if isinstance(record, dict) else []
        close = get_close_matches(key, known, n=1, cutoff=0)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"there is no entry {key!r}{hint}")
    return record[key]
