"""The reference: a page for each module that ``api.md`` names, written before Sphinx looks."""

import re
from pathlib import Path

from vaelib.plumbing.files import write_bytes

FOLDER = "api"  # in the folder of the book
MODULE = re.compile(r"^   (vaelib\.[\w.]+)$", re.MULTILINE)
PAGE = """\
``{name}``
{line}

.. automodule:: {name}
   :members:
   :ignore-module-all:
"""


def write_pages(book: Path) -> None:
    """Write ``api/MODULE.rst`` for each module; what is right already keeps its time of change."""
    names = MODULE.findall((book / "api.md").read_text(encoding="utf-8"))
    pages = {f"{n}.rst": PAGE.format(name=n, line="=" * (len(n) + 4)).encode() for n in names}
    folder = book / FOLDER
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.rst"):
        if file.name not in pages:
            file.unlink()
    for name, content in pages.items():
        if not (folder / name).exists() or (folder / name).read_bytes() != content:
            write_bytes(content, folder / name)
