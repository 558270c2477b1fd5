"""The reference: a page for each room that ``api.md`` names, written before Sphinx reads.

A page for each module would be better to find, and take half a minute of every build from nothing.
"""

import re
from itertools import groupby
from pathlib import Path

from vaelib.plumbing.files import write_bytes

FOLDER = "api"  # in the folder of the book
MODULE = re.compile(r"^   (vaelib\.[\w.]+)$", re.MULTILINE)


def write_pages(book: Path) -> None:
    """Write ``api/ROOM.rst`` for each room; what is right already keeps its time of change."""
    names = MODULE.findall((book / "api.md").read_text(encoding="utf-8"))
    rooms = groupby(names, key=lambda name: name.split(".")[1])
    pages = {f"{room}.rst": _page(room, list(modules)) for room, modules in rooms}
    folder = book / FOLDER
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.rst"):
        if file.name not in pages:
            file.unlink()
    for file_name, text in pages.items():
        file = folder / file_name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            write_bytes(text.encode(), file)


def _page(room: str, modules: list[str]) -> str:
    """Return the source of the page of a room."""
    parts = [_heading(f"vaelib.{room}", "=")]
    for name in modules:
        parts.append(_heading(name, "-"))
        parts.append(f".. automodule:: {name}\n   :members:\n   :ignore-module-all:\n")
    return "\n".join(parts)


def _heading(name: str, line: str) -> str:
    return f"``{name}``\n{line * (len(name) + 4)}\n"
