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

from vaelib.book.directives.tables import TableDirective
from vaelib.book.notebooks import read_notebooks
from vaelib.plumbing.files import read_json
from vaelib.plumbing.names import LOSSES
from vaelib.plumbing.places import RUNS, SUMMARY
from vaelib.training import folder
from vaelib.training.recipes import recipe_from_environment

IN_RUNS = re.compile(rf"{RUNS}/([^/]+)/")  # at the start of a path in the book
OFFERED = ("settings", "losses", "outcome", "history", "environment", "weights")


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
    known = read_notebooks(book, recipe_from_environment())
    shown |= {needed for name in shown for needed in known[name].needs}
    runs = [name for name in known if name in shown and folder.holds_run(book / RUNS / name)]
    lines = []
    if runs:
        for run in runs:
            file = book / RUNS / run / folder.FILES["environment"]
            app.env.note_dependency(str(file))
        lines.append(line_of({run: _records(book / RUNS / run) for run in runs}))
    if str(SUMMARY) in files:
        lines.append(line_of_recorded(read_json(book / SUMMARY)["recorded"]))
    section = next(doctree.findall(nodes.section))
    while isinstance(section[-1], nodes.section):
        section = section[-1]
    section += [nodes.paragraph("", line, classes=["provenance"]) for line in lines]


def _records(run: Path) -> dict:
    return {part: folder.read(run, part) for part in ("settings", "environment")}


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
        f"{each(p['date'] for p in places)}."
    )


def line_of_recorded(recorded: dict[str, dict]) -> str:
    """Say where recorded runs come from.

    Args:
        recorded: of :func:`vaelib.study.summary.summarise`.
    """
    return "Recorded runs, not of this build: " + " ".join(
        f"{part['runs']} with the recipe {recipe}, {part['first']} to {part['last']}, "
        f"commit {part['commits']}, data {part['data'][:12]}…, {part['processors']}, "
        f"Python {part['python']}, PyTorch {part['torch']}, threads per run: {part['threads']}."
        for recipe, part in recorded.items()
    )


class Runs(TableDirective):
    """The table of the book's runs, with their files."""

    def run(self) -> list[nodes.Node]:
        """Return a numbered table."""
        runs = Path(self.env.srcdir) / RUNS
        heads = ["run", "test total", "reconstruction", "KL loss", "seconds", "files"]
        known = read_notebooks(runs.parent, recipe_from_environment())
        trained = [name for name in known if folder.holds_run(runs / name)]
        rows = [heads, *(self._row(runs / name) for name in trained)]
        return self.table(rows, widths="14 13 16 12 11 34")

    def _row(self, run: Path) -> list[str]:
        for part in ("losses", "outcome"):
            self.env.note_dependency(str(run / folder.FILES[part]))
        losses = folder.read(run, "losses")["test"]
        page = f"/{RUNS}/{run.name}"
        files = [folder.FILES[part] for part in OFFERED]
        # The page's source is the notebook; a download would be a second copy of it.
        notebook = f'<a class="download" href="_sources{page}/notebook.ipynb" download>notebook</a>'
        return [
            f"{{doc}}`{run.name} <{page}/notebook>`",
            *(f"{losses[loss]:.3f}" for loss in LOSSES),
            f"{folder.read(run, 'outcome')['training_seconds']:.0f}",
            ", ".join(
                [notebook, *(f"{{download}}`{Path(file).stem} <{page}/{file}>`" for file in files)]
            ),
        ]
