"""Where a page's numbers come from: a line at its end, and the table of all records.

The caption of a figure of a run ends with a link to the notebook that made it. Every page that
prints a value or shows a figure of a run ends with a line that says with which settings, from which
commit and on what the runs were made; and a page that prints one of the records, with such a line
about them, which also says how much of them is stale. The directive ``records`` is a table of what
the records were made by.
"""

import os
import re
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

from vaelib.book.directives.claims import summary_for
from vaelib.book.directives.tables import TableDirective
from vaelib.build.derived import read_summary
from vaelib.build.notebooks import read_notebooks
from vaelib.plumbing.places import EXECUTED, SUMMARY
from vaelib.training import folder
from vaelib.training.recipes import recipe_from_environment

IN_EXECUTED = re.compile(rf"{EXECUTED}/([^/]+)/")  # at the start of a path in the book


def setup(app: Sphinx) -> None:
    """Register the directive and connect to Sphinx."""
    app.add_directive("records", Records)
    app.connect("doctree-read", name_notebooks)
    app.connect("doctree-read", add_line)


def name_notebooks(app: Sphinx, doctree: nodes.document) -> None:
    """End the caption of each figure of this build with a link to the notebook that made it."""
    for figure in doctree.findall(nodes.figure):
        uri = next((image["uri"] for image in figure.findall(nodes.image)), "")
        if not (found := IN_EXECUTED.match(uri)):
            continue
        for caption in figure.findall(nodes.caption):
            target, title = f"/{EXECUTED}/{found[1]}/notebook", f"notebook {found[1]}"
            link = _link(app.env.docname, target, title)
            caption += [nodes.Text(" Made by the "), link, nodes.Text(".")]


def add_line(app: Sphinx, doctree: nodes.document) -> None:
    """End a page with the line, if it shows something of a run."""
    book, page = Path(app.srcdir), app.env.docname
    files = [os.path.relpath(file, book) for file in app.env.dependencies[page]]
    files += [page, *(image["uri"] for image in doctree.findall(nodes.image))]
    shown = {found[1] for file in files if (found := IN_EXECUTED.match(file))}
    known = read_notebooks(book, recipe_from_environment())
    shown |= {needed for name in shown for needed in known[name].needs}
    runs = [name for name in known if name in shown and folder.holds_run(book / EXECUTED / name)]
    lines: list[list[nodes.Node]] = []
    if runs:
        for run in runs:
            file = book / EXECUTED / run / folder.FILES["environment"]
            app.env.note_dependency(str(file))
        line = line_of({run: _records(book / EXECUTED / run) for run in runs})
        lines.append([nodes.Text(line)])
    if str(SUMMARY) in files:
        summary = read_summary(book)
        line = line_of_recorded(summary["recorded"], summary["parts"])
        lines.append(
            [
                nodes.Text(f"{line} The code that made each, and what is stale: "),
                _link(page, "/all-runs"),
            ]
        )
    section = next(doctree.findall(nodes.section))
    while isinstance(section[-1], nodes.section):
        section = section[-1]
    classes = ["provenance"]
    if app.env.metadata[page].get("lang"):  # the page has another language than this line
        classes.append("language-en")
    section += [nodes.paragraph("", "", *line, classes=classes) for line in lines]


def _link(page: str, target: str, title: str = "") -> pending_xref:
    """Link from a page to another, by this title or by the other's own."""
    options = {"refdomain": "std", "reftype": "doc", "refexplicit": bool(title), "refwarn": True}
    words = nodes.inline(title, title, classes=["xref", "std", "std-doc"])
    return pending_xref("", words, reftarget=target, refdoc=page, **options)


def _records(run: Path) -> dict:
    return {part: folder.read(run, part) for part in ("settings", "environment")}


def line_of(runs: dict[str, dict]) -> str:
    """Say where runs come from, by the ``settings`` and ``environment`` under the name of each."""
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


def line_of_recorded(recorded: dict[str, dict], parts: dict) -> str:
    """Say where records come from, and how much of them today's code would not make as it stands.

    Args:
        recorded, parts: of :func:`vaelib.study.summary.summarise`.
    """
    sentences = []
    for recipe, part in recorded.items():
        days = " to ".join(dict.fromkeys((part["first"], part["last"])))
        sentences.append(
            f"{part['records']} with the recipe {recipe}, {days}, "
            f"commit {part['commits']}, data {part['data'][:12]}…, {part['processors']}, "
            f"Python {part['python']}, PyTorch {part['torch']}, threads per run: {part['threads']}."
        )
    if parts["stale"]:
        sentences.append(f"Stale: {parts['stale']} of {parts['all']} parts of records.")
    return f"Records, not of this build: {' '.join(sentences)}"


class Records(TableDirective):
    """The table of what the parts of records were made by."""

    def run(self) -> list[nodes.Node]:
        """Return a numbered table."""
        groups = summary_for(self)["parts"]["groups"]
        return self.table([HEADS, *map(row_of_group, groups)], widths="11 9 9 22 17 32")


HEADS = ["part", "recipe", "records", "made on, at commit, of", "replayed", "by today's code"]


def row_of_group(group: dict) -> list[str]:
    """Return a row of the table of records: parts that were made of the same inputs."""
    return [
        group["part"],
        group["recipe"],
        str(group["records"]),
        f"{group['dates']}, {group['commits']}, {group['files']} files ({group['stamp']})"
        if group["stamp"]
        else "not made",
        group["replayed"] or "no",
        f"**stale**: {group['why']}" if group["why"] else "fresh",
    ]
