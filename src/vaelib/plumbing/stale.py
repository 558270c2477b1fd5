"""What a result depends on, and whether it is stale: the one place that decides it.

A result keeps its inputs, a plain record: the code that made it, versions, data, settings. It is
stale when they differ from those that would make it now. A piece of code depends on every file of
``vaelib`` that its imports reach, and on no other. A file counts by its tokens without comments and
docstrings, which are the same on every Python: a better docstring repeats nothing. Nor does
another Python, or another build of the same release of a package: none decides what is computed.
"""

import ast
import hashlib
import io
import token
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from tokenize import COMMENT, NL, generate_tokens
from typing import NamedTuple

from vaelib.plumbing.files import DamagedError, read_json, write_json

PACKAGE = Path(__file__).parents[1]
NAME = "vaelib"
STARTS, ENDS = (
    {kind for kind, name in token.tok_name.items() if name.endswith(f"STRING_{which}")}
    for which in ("START", "END")
)
SKIPPED = {COMMENT, NL, token.ENDMARKER}


def inputs(code: str, packages: tuple[str, ...], **own) -> dict:
    """Collect what a result of a piece of code depends on.

    Args:
        code: source text, such as an import of what makes the result.
        packages: whose versions count.
        own: what else decides it: JSON values.

    Returns:
        ``modules``, see :func:`sources`; ``versions``, see :func:`versions`; and ``own``.
    """
    return {"modules": sources(code), "versions": versions(*packages), **own}


def why_stale(recorded: dict, current: dict, most: int = 4) -> str:
    """Say in which inputs a result differs from what would be made now; an empty string if none.

    Args:
        recorded, current: inputs.
        most: entries that are named; of the others, the number.
    """
    changed = changes(recorded, current)
    named = ", ".join(changed[:most])
    more = f" and {len(changed) - most} more" if len(changed) > most else ""
    return f"changed: {named}{more}" if changed else ""


def changes(recorded: dict, current: dict, prefix: str = "") -> list[str]:
    """Name the entries in which two records differ, such as ``modules.vae.model``."""
    found = []
    for key in sorted(recorded.keys() | current.keys()):
        old, new = recorded.get(key), current.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += changes(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}")
    return found


def sources(code: str) -> dict[str, str]:
    """Hash the files of ``vaelib`` that a piece of Python code reaches, directly or not.

    Args:
        code: source text; its import statements are followed, within ``vaelib`` only, and so are
            those of the files that they reach.

    Returns:
        Dotted name of a module, without ``vaelib.`` → SHA-256 of its :func:`meaning`.
    """
    hashes: dict[str, str] = {}
    pending = set(_imported(code))
    while pending:
        name = pending.pop()
        if name not in hashes:
            file = _file(name)
            assert file  # only modules that there are were taken up
            text = file.read_text(encoding="utf-8")
            hashes[name] = _read(text).meaning
            pending |= _imported(text)
    return dict(sorted(hashes.items()))


class _Read(NamedTuple):
    """What reading a file's text finds: the digest of its meaning, and the modules it names."""

    meaning: str
    names: list[str]


_known: dict[str, _Read] = {}  # by the digest of the text
_used: set[str] = set()


def _read(text: str) -> _Read:
    key = digest(text)
    _used.add(key)
    if key not in _known:
        _known[key] = _Read(digest(meaning(text)), _named(text))
    return _known[key]


@contextmanager
def remembered(file: Path) -> Iterator[None]:
    """Keep in a file what reading the library finds, in a with statement: that takes a second.

    What a text means is a function of the text and of this file, by whose digests it is found.
    """
    by = digest(Path(__file__).read_text(encoding="utf-8"))
    try:
        content = read_json(file)
        earlier = content["known"] if content["by"] == by else {}
        _known.update({key: _Read(*found) for key, found in earlier.items()})
    except (OSError, DamagedError, KeyError, TypeError):
        earlier = {}  # a file that is missing or cut off
    yield
    if earlier.keys() != _used:
        write_json({"by": by, "known": {key: _known[key] for key in sorted(_used)}}, file)


def meaning(code: str) -> str:
    """Return the tokens of a piece of code, without comments, docstrings and layout."""
    kept: list[str] = []
    line: list[tuple[int, str]] = []
    for kind, text in _tokens(code):
        if kind in (token.INDENT, token.DEDENT):
            kept.append(token.tok_name[kind])
        elif kind != token.NEWLINE:
            line.append((kind, text))
        else:
            if any(kind != token.STRING for kind, _ in line):  # a line of texts alone says, only
                kept += [*(text for _, text in line), "\n"]
            line = []
    return " ".join(kept)


def _tokens(code: str) -> Iterator[tuple[int, str]]:
    """Split code into tokens; a formatted text is one of them, as it was until Python 3.11."""
    lines = io.StringIO(code).readlines()
    depth, first = 0, (0, 0)
    for kind, text, start, end, _ in generate_tokens(io.StringIO(code).readline):
        if kind in STARTS:
            first, depth = (first if depth else start), depth + 1
        elif kind in ENDS:
            depth -= 1
            if not depth:
                yield token.STRING, _between(lines, first, end)
        elif not depth and kind not in SKIPPED:
            yield kind, text


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return the text between two places, each a line, from 1 on, and a column, from 0 on."""
    (first, left), (last, right) = start, end
    if first == last:
        return lines[first - 1][left:right]
    return "".join([lines[first - 1][left:], *lines[first : last - 1], lines[last - 1][:right]])


def _imported(code: str) -> set[str]:
    """Name the modules that the import statements of a piece of code load, packages included."""
    names = set()
    for name in _read(code).names:
        found = [name]
        if name == NAME:  # whatever is used of it
            found += offered().values()
        elif name.removeprefix(f"{NAME}.") in offered():
            found.append(offered()[name.removeprefix(f"{NAME}.")])
        for each in found:
            parts = each.split(".")
            names |= {".".join(parts[1:end]) for end in range(2, len(parts) + 1)}
    return {name for name in names if _file(name)}


def _named(code: str) -> list[str]:
    """List what import statements name of ``vaelib``; ``vaelib`` itself if all is imported."""
    names = set()
    for node in _statements(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            path = node.module or ""
            names |= {f"{path}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return sorted(name for name in names if name.split(".")[0] == NAME)


@cache
def offered() -> dict[str, str]:
    """Return the names that ``import vaelib`` offers, with the module that each comes from."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    return {
        alias.name: f"{NAME}.{node.module}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Go through the statements of a piece of code, at any depth, but not into expressions."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.expr):
            yield node
            yield from _statements(node)


def _file(name: str) -> Path | None:
    """Return the file of a module or package by its name, None if it is neither."""
    path = PACKAGE.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.exists():
            return file
    return None


def versions(*packages: str) -> dict[str, str]:
    """Look up the releases of installed packages, without importing them and without "+cpu"."""
    return {name: _version(name) for name in packages}


@cache
def _version(package: str) -> str:
    return metadata.version(package).partition("+")[0]


def digest(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
