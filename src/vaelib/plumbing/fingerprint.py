"""What a result depends on, as plain records that can be compared: equal records, equal results.

A piece of code depends on every file of ``vaelib`` that its imports reach, and on no other. A file
counts by its syntax tree without docstrings, so that a better comment or docstring repeats nothing.
"""

import ast
import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path
from platform import python_version

PACKAGE = Path(__file__).parents[1]
NAME = "vaelib"


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
            text = _file(name).read_text(encoding="utf-8")
            hashes[name] = digest(meaning(text))
            pending |= _imported(text)
    return dict(sorted(hashes.items()))


@cache  # the same files are asked for again and again
def meaning(code: str) -> str:
    """Return the syntax tree of a piece of code as text, without docstrings and line numbers."""
    return ast.dump(_Docstrings().visit(ast.parse(code)))


class _Docstrings(ast.NodeTransformer):
    """Remove the statements that are nothing but a constant."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node


@cache
def _imported(code: str) -> frozenset[str]:
    """Name the modules that the import statements of a piece of code load, packages included."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            path = node.module or ""
            found = [path, *(f"{path}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        else:
            continue
        for name in found:
            parts = name.split(".")
            if parts[0] == NAME:
                names |= {".".join(parts[1:end]) for end in range(2, len(parts) + 1)}
    return frozenset(name for name in names if _file(name))


def _file(name: str) -> Path | None:
    """Return the file of a module or package by its name, None if it is neither."""
    path = PACKAGE.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.exists():
            return file
    return None


def versions(*packages: str) -> dict[str, str]:
    """Look up the versions of Python and of installed packages, without importing them."""
    return {"python": python_version()} | {name: metadata.version(name) for name in packages}


def digest(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


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
