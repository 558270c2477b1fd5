"""What a result depends on, as plain records that can be compared."""

import ast
import hashlib
from importlib import metadata
from pathlib import Path
from platform import python_version

PACKAGE = Path(__file__).parent


def sources(code: str) -> dict[str, str]:
    """Hash the modules of ``vaelib`` that a piece of Python code uses, directly or not.

    Args:
        code: source text; its import statements are followed, within ``vaelib`` only.

    Returns:
        Name of a module or package → SHA-256 of its files.
    """
    hashes: dict[str, str] = {}
    pending = _imported(code)
    while pending:
        name = pending.pop()
        if name not in hashes:
            files = sorted((PACKAGE / name).glob("*.py")) or [PACKAGE / f"{name}.py"]
            text = "\n".join(file.read_text(encoding="utf-8") for file in files)
            hashes[name] = digest(text)
            pending |= _imported(text)
    return dict(sorted(hashes.items()))


def _imported(code: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module == "vaelib":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vaelib."):
            names.add(node.module.split(".")[1])
    return names


def versions(*packages: str) -> dict[str, str]:
    """Look up the versions of Python and of installed packages, without importing them."""
    return {"python": python_version()} | {name: metadata.version(name) for name in packages}


def digest(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def changes(recorded: dict, current: dict, prefix: str = "") -> list[str]:
    """Name the entries in which two records differ, such as ``modules.model``."""
    found = []
    for key in sorted(recorded.keys() | current.keys()):
        old, new = recorded.get(key), current.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += changes(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}")
    return found
