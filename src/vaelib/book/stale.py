"""What makes a result of the build stale: the one place that decides it.

An executed notebook is stale when its template, title or parameters, a file of ``vaelib`` that its
cells reach, a version, or the weights of a run that it needs have changed, or a file of it is gone
or is not what it left there, by its SHA-256.
The outputs of the chapters' cells are stale when a file that these reach, or a record, has changed.
A stale notebook that trains takes over its earlier run unless something has changed that the
training itself depends on: see :func:`vaelib.training.run.reuse`.
"""

import json
import re
from pathlib import Path

from vaelib.book import page
from vaelib.book.notebooks import Notebook
from vaelib.plumbing import fingerprint
from vaelib.plumbing.files import DamagedError, differing, read_json
from vaelib.plumbing.places import RECORDED
from vaelib.training import folder

PAGE = "page.json"  # in the folder of an executed notebook: its inputs, and its files' SHA-256
CODE_CELL = re.compile(
    r"^```{code-cell}[^\n]*\n(?:---\n.*?^---\n)?(.*?)^```", re.DOTALL | re.MULTILINE
)


def inputs(notebook: Notebook, runs_folder: Path) -> dict:
    """Collect everything that an executed notebook depends on.

    The data need no entry: their SHA-256 sums are part of the modules.
    """
    cells = read_json(notebook.template)["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    shown = [[cell["source"], page.kept(cell["metadata"])] for cell in cells]
    return {
        "template": fingerprint.digest(json.dumps(shown)),
        "title": notebook.title,
        "page": fingerprint.digest(fingerprint.meaning(Path(page.__file__).read_text("utf-8"))),
        "parameters": notebook.parameters,
        "modules": fingerprint.sources(code),
        "versions": fingerprint.versions("torch", "numpy", "matplotlib"),
        "needs": {name: folder.identity(runs_folder / name) for name in notebook.needs},
    }


def why_stale(notebook: Notebook, runs_folder: Path, current: dict | None = None) -> str:
    """Say why a notebook must be executed; an empty string if what it left is fresh.

    Args:
        notebook: of the book.
        runs_folder: where the notebooks' folders lie.
        current: its :func:`inputs`, if they are known.
    """
    made = runs_folder / notebook.name
    if not (made / PAGE).exists():
        return "not made yet"
    try:
        recorded = read_json(made / PAGE)
        old, sums = dict(recorded["inputs"]), dict(recorded["files"])
    except (DamagedError, OSError, KeyError, TypeError, ValueError):
        return f"damaged: {PAGE}"
    changed = fingerprint.changes(old, current or inputs(notebook, runs_folder))
    if changed:
        return f"changed: {', '.join(changed)}"
    damaged = differing(made, sums)
    return f"damaged or deleted: {', '.join(damaged)}" if damaged else ""


def chapters(book: Path) -> list[Path]:
    """List the chapters of the book."""
    return sorted([*book.glob("*.md"), *book.glob("*/*.md")])


def chapters_key(book: Path) -> str:
    """Digest what the outputs of the chapters' cells depend on, apart from the cells themselves.

    Args:
        book: folder of the book.

    Returns:
        A name for a cache of these outputs.
    """
    cells = [cell for path in chapters(book) for cell in CODE_CELL.findall(path.read_text("utf-8"))]
    records = [*book.glob(f"{RECORDED}/**/*.json"), *book.glob(f"{RECORDED}/**/*.csv")]
    texts = [path.read_text("utf-8") for path in sorted(records)]
    modules = fingerprint.sources("\n".join(cells))
    return fingerprint.digest(json.dumps([modules, *texts]))[:16]
