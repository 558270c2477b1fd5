"""The role ``value``: a number of a run, or of the original report, in a sentence.

``{value}`bce:losses.test.total:.2f``` is the entry ``test.total`` of the run ``bce``'s
``losses.json``, printed with the format ``.2f``. The run ``original`` stands for
``recorded/original/results.csv``: ``{value}`original:bce.test.total:.3f```; and the name of a JSON
file in ``recorded`` for that file: ``{value}`cost:environment.date```.
"""

from difflib import get_close_matches
from functools import reduce
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxRole

from vaelib.artifacts import ORIGINAL, original_results, read_json


def setup(app: Sphinx) -> None:
    """Register the role."""
    app.add_role("value", Value())


class Value(SphinxRole):
    """Print a recorded value; the build fails where there is none."""

    def run(self):
        """Return the value as text, and note the file that it comes from as a dependency."""
        source, line = self.get_source_info()
        try:
            name, path, *form = self.text.split(":")
            text, file = look_up(Path(self.env.srcdir), name, path, form[0] if form else "")
        except (ValueError, KeyError, OSError) as error:
            raise ExtensionError(f"{source}:{line}: {{value}}`{self.text}`: {error}") from error
        self.env.note_dependency(str(file))
        return [nodes.Text(text)], []


def look_up(book: Path, name: str, path: str, form: str) -> tuple[str, Path]:
    """Look a value up and format it.

    Args:
        book: folder of the book.
        name: of a run, of a JSON file in ``recorded``, or ``original``.
        path: keys joined by dots; for a run the first is the name of a JSON file.
        form: format specification, such as ``.2f``; empty for the value as it is.

    Returns:
        The text and the file that it comes from.

    Raises:
        ValueError: no such key, or a format that does not fit; the message names the nearest key.
        OSError: no such run.
    """
    keys = path.split(".")
    if name == "original":
        file = book / ORIGINAL
        record = original_results(book)
    elif (book / "recorded" / f"{name}.json").exists():
        file = book / "recorded" / f"{name}.json"
        record = read_json(file)
    else:
        file = book / "runs" / name / f"{keys.pop(0)}.json"
        record = read_json(file)
    value = reduce(_entry, keys, record)
    if isinstance(value, bool):
        value = "yes" if value else "no"
    return format(value, form), file


def _entry(record: dict, key: str):
    if not isinstance(record, dict) or key not in record:
        known = list(record) if isinstance(record, dict) else []
        close = get_close_matches(key, known, n=1, cutoff=0)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"there is no entry {key!r}{hint}")
    return record[key]
