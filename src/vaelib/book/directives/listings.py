"""The directive ``listing``: code of the library where a chapter is about it.

``{listing} vaelib.vae.objective.gaussian_kl`` is the numbered listing of that function, class or
method, read from its file when the page is, without docstrings. The content is the caption. The
option ``lines``, a YAML mapping, says of a piece of a line what stands there, such as the number of
its equation; below the listing it stands beside the number of the line.
"""

import ast
import textwrap
from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from vaelib.book.directives.tables import markdown
from vaelib.plumbing.checks import require
from vaelib.plumbing.stale import PACKAGE

DEFINITION = ast.ClassDef | ast.FunctionDef


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("listing", Listing)


class Listing(SphinxDirective):
    """Code of the library, and what some of its lines are."""

    required_arguments = 1
    has_content = True
    option_spec = {  # noqa: RUF012
        "name": directives.unchanged_required,
        "lines": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Return a listing with its caption, and a paragraph on its lines."""
        try:
            code, file = code_of(self.arguments[0])
            said = numbered(code, yaml.safe_load(self.options["lines"]))
        except ValueError as error:
            raise ExtensionError(f"{self.get_location()}: {error}") from error
        self.env.note_dependency(str(file))
        lines = [
            "```{code-block} python",
            ":linenos:",
            f":name: {self.options['name']}",
            f":caption: {' '.join(self.content)}",
            "",
            *code.splitlines(),
            "```",
            "",
            " ".join(f"Line {number}: {text}." for number, text in said.items()),
        ]
        return markdown(self, lines)


def code_of(name: str) -> tuple[str, Path]:
    """Read code of the library.

    Args:
        name: of a function, a class or a method, with that of its module before it.

    Returns:
        The code without docstrings and indentation, and its file.

    Raises:
        ValueError: there is no such name.
    """
    package, *parts = name.split(".")
    require("package", package, [PACKAGE.name])
    file = PACKAGE
    while parts and not file.is_file():
        known = {path.stem: path for path in file.iterdir() if path.suffix in ("", ".py")}
        require(f"name in {file.name}", parts[0], known)
        file = known[parts.pop(0)]
    if not parts:
        raise ValueError(f"{name} is no function, class or method; expected one of a module")
    text = file.read_text(encoding="utf-8")
    found: ast.Module | DEFINITION = ast.parse(text)
    for part in parts:
        known_here = {each.name: each for each in found.body if isinstance(each, DEFINITION)}
        require(f"name in {file.name}", part, known_here)
        found = known_here[part]
    assert not isinstance(found, ast.Module)
    unwanted = {line for each in ast.walk(found) for line in _docstring(each)}
    first = min(each.lineno for each in (found, *found.decorator_list))
    lines = enumerate(text.splitlines()[first - 1 : found.end_lineno], first)
    return textwrap.dedent("\n".join(line for at, line in lines if at not in unwanted)), file


def _docstring(node: ast.AST) -> range:
    """Return the lines of a definition's docstring, and of what is empty after it in a class."""
    if not isinstance(node, DEFINITION) or ast.get_docstring(node) is None:
        return range(0)
    own, after = node.body[0], node.body[1:]
    if isinstance(node, ast.ClassDef) and after:
        return range(own.lineno, after[0].lineno)
    return range(own.lineno, (own.end_lineno or own.lineno) + 1)


def numbered(code: str, said: dict[str, str]) -> dict[int, str]:
    """Find the one line in which each piece stands, and give what is said of it by its number.

    Raises:
        ValueError: a piece stands in no line, or in several.
    """
    lines = code.splitlines()
    found = {}
    for piece, text in said.items():
        at = [number for number, line in enumerate(lines, 1) if piece in line]
        if len(at) != 1 or at[0] in found:
            raise ValueError(
                f"{piece!r} stands in {len(at)} lines of the code; expected one, and no other piece"
            )
        found[at[0]] = text
    return dict(sorted(found.items()))
