"""Tables and boxes of what the records say together.

The directive ``claims`` is the table of all verdicts, ``{claims} C5`` that of one claim's parts,
``{claims} MSE`` that of what two claims about BCE ask, asked of MSE; all take a caption as content
and the option ``name``. ``{recorded} bce`` compares the run ``bce`` of this build with the recorded
runs of its objective: a sentence, or a box if it falls outside.
"""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from vaelib.book.directives.tables import TableDirective, markdown
from vaelib.build.derived import read_summary
from vaelib.plumbing.checks import require
from vaelib.plumbing.places import EXECUTED, SUMMARY
from vaelib.plumbing.words import LOSSES, printed
from vaelib.training import folder

# Of a verdict: a mark and a class that may colour it; the word always stands beside them.
MARKS = {
    "proved": ("✓", "good"),
    "reproduced": ("✓", "good"),
    "not reproduced": ("✗", "bad"),
    "undecided": ("?", "open"),
}


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("claims", Claims)
    app.add_directive("recorded", Recorded)


class Claims(TableDirective):
    """All verdicts, or the parts of one."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a numbered table."""
        summary = summary_for(self)
        claims = summary["claims"]
        if not self.arguments:
            return self.table(verdicts_of(claims), widths="6 29 18 29 18")
        claims = claims | {"MSE": {"parts": summary["mse_too"]}}
        try:
            require("claim", self.arguments[0], claims)
        except ValueError as error:
            raise ExtensionError(f"{self.get_location()}: {error}") from error
        rows = parts_of(claims[self.arguments[0]])
        return self.table(rows, widths="18 11 11 24 9 10 21" if len(rows[0]) == 7 else "auto")


def summary_for(directive: SphinxDirective) -> dict:
    """Read what the records say together, and note the file as a dependency of the page."""
    book = Path(directive.env.srcdir)
    directive.env.note_dependency(str(book / SUMMARY))
    return read_summary(book)


def verdicts_of(claims: dict) -> list[list[str]]:
    """Return the rows of the table of all verdicts, the heads first."""
    rows = [["", "claim", "verdict", "what is checked", "evidence"]]
    for name, claim in claims.items():
        evidence = f"{{doc}}`/{claim['evidence']}`"
        if claim["parts"][0]["interval"]:
            evidence = f"{{numref}}`tab-{name.lower()}`, {evidence}"
        rows.append([name, claim["claim"], marked(claim["verdict"]), claim["checked"], evidence])
    return rows


def marked(verdict: str) -> str:
    """Write a verdict with its mark, as Markdown."""
    mark, kind = MARKS[verdict]
    return f"[{mark}]{{.verdict-{kind}}}\N{NO-BREAK SPACE}**{verdict}**"


def parts_of(claim: dict) -> list[list[str]]:
    """Return the rows of the table of one claim's parts, the heads first."""
    rows = [["quantity", "claimed", "mean over seeds", "95 % interval", "verdict"]]
    numbers = claim["parts"][0]["p_value"] is not None
    if numbers:
        rows[0][4:4] = ["width", "p-value"]
    for part in claim["parts"]:
        low, high = part["interval"]
        rows.append(
            [
                printed(part["name"]),
                f"{part['claimed']:.3f}" if numbers else "above 0",
                f"{sum(part['values']) / len(part['values']):.3f}",
                f"{low:.3f} to {high:.3f}",
                marked(part["verdict"]),
            ]
        )
        if numbers:
            width = (high - low) / part["claimed"]
            rows[-1][4:4] = [f"{width:.1%}", f"{part['p_value']:.4f}"]
    return rows


class Recorded(SphinxDirective):
    """This build's run among the recorded ones."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a sentence, a box, or nothing where no such run is recorded."""
        (name,) = self.arguments
        run = Path(self.env.srcdir, EXECUTED, name)
        for part in ("settings", "losses"):
            self.env.note_dependency(str(run / folder.FILES[part]))
        settings, losses = folder.read(run, "settings"), folder.read(run, "losses")["test"]
        objective = settings["reconstruction_loss"], settings["beta"]
        objectives = summary_for(self)["objectives"].get(settings["recipe"], {}).values()
        alike = [found for found in objectives if (found["loss"], found["beta"]) == objective]
        if not alike:
            return []
        (recorded,) = alike
        return markdown(self, compare(name, losses, settings["seed"], recorded))


def compare(name: str, losses: dict[str, float], seed: int, recorded: dict) -> list[str]:
    """Compare a run of the build with the recorded ones.

    Args:
        name: of the run.
        losses: its test losses.
        seed: its seed.
        recorded: summaries over seeds of the test losses, the seeds that they come from, and for
            each of these what the others say, because a run is not to be held against itself.

    Returns:
        Lines of Markdown: a sentence if every loss lies in its prediction interval, else a box.
    """
    outside: list[str] = []
    inside: list[str] = []
    others = recorded["others"].get(str(seed), {})
    for loss in LOSSES:
        low, high = others.get(loss, recorded[loss]["prediction"]).values()
        text = f"{printed(loss)} {losses[loss]:.3f} ({low:.3f} to {high:.3f})"
        (inside if low <= losses[loss] <= high else outside).append(text)
    number = len(recorded["seeds"]) - bool(others)
    before = ""
    if seed in recorded["seeds"]:
        total = recorded["total"]["values"][recorded["seeds"].index(seed)]
        before = (
            f" The recorded run with the same seed had the total {total:.3f}, "
            f"{abs(losses['total'] - total):.3f} from this build's."
        )
    if not outside:
        return [
            f"Is this build's run `{name}` an ordinary one? Its test losses lie in the 95 % "
            f"prediction intervals from {number} other seeds: {', '.join(inside)}.{before}"
        ]
    return [
        "```{admonition} Outside the recorded interval",
        ":class: warning",
        f"Test losses of this build's run `{name}` lie outside the 95 % prediction intervals from "
        f"{number} other seeds: {', '.join(outside)}.{before} Another processor or other "
        "versions give other roundings, and so another training; if many seeds fall outside, "
        "something has changed.",
        "```",
    ]
