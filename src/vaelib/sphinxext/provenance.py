"""Where a page's numbers come from: a line at its end, and the table of all runs.

Every page that prints a value or shows a figure of a run ends with a line that says with which
settings, from which commit and on what the runs were made; and a page that prints one of the
recorded runs, with such a line about them. The directive ``runs`` is a table of the
book's runs, with their files to download.
"""

import os
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from vaelib import notebooks
from vaelib.artifacts import holds_run, read_json
from vaelib.sphinxext.tables import TableDirective

IN_RUNS = re.compile(r"runs/([^/]+)/")  # at the start of a path in the book
SUMMARY = Path("recorded", "reproduction.json")  # in the book's folder
FILES = (
    "notebook.ipynb",
    "settings.json",
    "losses.json",
    "history.csv",
    "environment.json",
    "weights.safetensors",
)


def setup(app: Sphinx) -> None:
    """Register the directive and connect to Sphinx."""
    app.add_directive("runs", Runs)
    app.connect("doctree-read", add_line)


def add_line(app: Sphinx, doctree: nodes.document) -> None:
    """End a page with the line, if it shows something of a run."""
    book, page = Path(app.srcdir), app.env.docname
    files = [os.path.relpath(file, book) for file in app.env.dependencies[page]]
    files += [page, *(image["uri"] for image in doctree.findall(nodes.image))]
    shown = {found[1] for file in files if (found := IN_RUNS.match(file))}
    known = notebooks.read_runs(book, notebooks.recipe_from_environment())
    shown |= {needed for run in shown for needed in known[run].needs}
    runs = [run for run in known if run in shown and holds_run(book / "runs" / run)]
    lines = []
    if runs:
        for run in runs:
            app.env.note_dependency(str(book / "runs" / run / "environment.json"))
        lines.append(line_of({run: _records(book / "runs" / run) for run in runs}))
    if str(SUMMARY) in files:
        lines.append(line_of_recorded(read_json(book / SUMMARY)["recorded"]))
    section = next(doctree.findall(nodes.section))
    while isinstance(section[-1], nodes.section):
        section = section[-1]
    section += [nodes.paragraph("", line, classes=["provenance"]) for line in lines]


def _records(folder: Path) -> dict:
    return {name: read_json(folder / f"{name}.json") for name in ("settings", "environment")}


def line_of(runs: dict[str, dict]) -> str:
    """Say where runs come from.

    Args:
        runs: name → ``settings`` and ``environment`` of the run.
    """
    settings = [run["settings"] for run in runs.values()]
    places = [run["environment"] for run in runs.values()]

    def each(values) -> str:
        return ", ".join(dict.fromkeys(map(str, values)))

    plural = "s" if len(runs) > 1 else ""
    return (
        f"Run{plural} {each(runs)}: recipe {each(s['recipe'] for s in settings)}, "
        f"seed {each(s['seed'] for s in settings)}; "
        f"commit {each(p['commit'] for p in places)}; "
        f"data {each(s['recipe_settings']['data'] for s in settings)} "
        f"(SHA-256 {each(p['data'][:12] for p in places)}…); "
        f"Python {each(p['versions']['python'] for p in places)}, "
        f"PyTorch {each(p['versions']['torch'] for p in places)}; "
        f"{each(p['date'] for p in places)}; training took "
        f"{each(format(p['training_seconds'], '.0f') + ' s' for p in places)}."
    )


def line_of_recorded(recorded: dict[str, dict]) -> str:
    """Say where recorded runs come from.

    Args:
        recorded: of :func:`vaelib.summary.summarise`.
    """
    return "Recorded runs, not of this build: " + " ".join(
        f"{part['runs']} with the recipe {recipe}, {part['first']} to {part['last']}, "
        f"commit {part['commits']}, data {part['data'][:12]}…, {part['processors']}, "
        f"Python {part['python']}, PyTorch {part['torch']}, threads per run: {part['threads']}."
        for recipe, part in recorded.items()
    )


class Runs(TableDirective):
    """The table of the book's runs that train, with their files."""

    def run(self) -> list[nodes.Node]:
        """Return a numbered table."""
        book = Path(self.env.srcdir)
        heads = ["run", "test total", "reconstruction", "KL loss", "seconds", "files"]
        runs = notebooks.read_runs(book, notebooks.recipe_from_environment())
        return self.table(
            [heads, *(self._row(book, run) for run in runs if holds_run(book / "runs" / run))]
        )

    def _row(self, book: Path, name: str) -> list[str]:
        folder = book / "runs" / name
        for file in ("losses", "environment"):
            self.env.note_dependency(str(folder / f"{file}.json"))
        losses = read_json(folder / "losses.json")["test"]
        seconds = read_json(folder / "environment.json")["training_seconds"]
        return [
            f"{{doc}}`{name} </runs/{name}/notebook>`",
            *(f"{losses[loss]:.3f}" for loss in ("total", "reconstruction", "kl")),
            f"{seconds:.0f}",
            ", ".join(f"{{download}}`{Path(file).stem} </runs/{name}/{file}>`" for file in FILES),
        ]
