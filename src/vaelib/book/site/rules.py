"""Leave out of the theme's large style sheets the rules that hold for nothing on any page.

A rule stays if every class that it asks for stands on a page, or in a script that may set it.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from pathlib import Path

import tinycss2
from sphinx.application import Sphinx
from tinycss2.ast import Node

from vaelib.book.site.tidying import is_written
from vaelib.plumbing.files import write_bytes

SHEETS = ("styles/bootstrap.css", "styles/pydata-sphinx-theme.css", "sphinx-design.min.css")
CLASSES = re.compile(r'\bclass="([^"]*)"')
WORD = re.compile(r"[\w-]+")
CONDITIONS = ("media", "supports")  # around rules


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("build-finished", choose, priority=899)  # before pages are tidied


def choose(app: Sphinx, error: Exception | None) -> None:
    """Write the sheets anew, which Sphinx has just copied."""
    if error or not is_written(app):
        return
    site = Path(app.outdir)
    names = {
        name
        for page in site.rglob("*.html")
        for classes in CLASSES.findall(page.read_text("utf-8"))
        for name in classes.split()
    }
    for script in site.joinpath("_static").rglob("*.js"):
        names.update(WORD.findall(script.read_text("utf-8")))
    for sheet in SHEETS:
        file = site / "_static" / sheet
        write_bytes(needed(file.read_text("utf-8"), names).encode(), file)


def needed(sheet: str, names: set[str]) -> str:
    """Return a style sheet without the selectors that ask for a class that is none of some names.

    What stands in brackets, such as ``:not(.active)``, is not asked for.
    """
    return "".join(_kept(tinycss2.parse_stylesheet(sheet, True, True), names))


def _kept(rules: Iterable[Node], names: set[str]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            chosen = [each for each in _selectors(rule.prelude) if _classes(each) <= names]
            if chosen:
                selectors = ",".join(tinycss2.serialize(each) for each in chosen)
                yield f"{selectors}{{{tinycss2.serialize(rule.content)}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in CONDITIONS:
            within = "".join(_kept(tinycss2.parse_rule_list(rule.content, True, True), names))
            if within:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{within}}}"
        else:
            yield rule.serialize()


def _selectors(prelude: list[Node]) -> list[list[Node]]:
    parts = groupby(prelude, lambda token: token == ",")
    return [list(part) for comma, part in parts if not comma]


def _classes(selector: list[Node]) -> set[str]:
    return {
        after.value for dot, after in pairwise(selector) if dot == "." and after.type == "ident"
    }
