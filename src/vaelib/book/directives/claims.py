"""Tables and boxes of what the records say together.

The directive ``claims`` is the table of all verdicts, ``{claims} C5`` that of the numbers of one
claim, ``{claims} effects`` that of all effects, and ``{claims} MSE`` that of what two claims about
BCE ask, asked of MSE; all take a caption as content and the option ``name``. ``{recorded} bce``
compares the run ``bce`` of this build with the recorded runs of its objective: a sentence, or a box
if it falls outside. The role ``veredicto`` prints one verdict as ``value`` does, but in Spanish.
"""

from pathlib import Path
from statistics import mean, median

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from vaelib.book.directives.tables import TableDirective, markdown
from vaelib.book.directives.values import Value, look_up
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
SPANISH = {
    "proved": "demostrado",
    "reproduced": "se sostiene",
    "not reproduced": "no se sostiene",
    "undecided": "sin decidir",
}


def setup(app: Sphinx) -> None:
    """Register directives and role."""
    app.add_role("veredicto", Value(verdict_in_spanish))
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
            return self.table(verdicts_of(claims), widths="7 25 20 18 30")
        effects = [(name, part) for name, claim in claims.items() for part in of_effects(claim)]
        tables = {"effects": effects, "MSE": [("", part) for part in summary["mse_too"]]}
        (name,) = self.arguments
        try:
            require("claim", name, [*claims, *tables])
        except ValueError as error:
            raise ExtensionError(f"{self.get_location()}: {error}") from error
        return self.table(effects_of(tables[name]) if name in tables else numbers_of(claims[name]))


def verdict_in_spanish(book: Path, name: str, path: str, form: str) -> tuple[str, Path]:
    """Look a verdict up; see :func:`vaelib.book.directives.values.look_up`."""
    verdict, file = look_up(book, name, path, form)
    require("verdict", verdict, SPANISH)
    return SPANISH[verdict], file


def summary_for(directive: SphinxDirective) -> dict:
    """Read what the records say together, and note the file as a dependency of the page."""
    book = Path(directive.env.srcdir)
    directive.env.note_dependency(str(book / SUMMARY))
    return read_summary(book)


def verdicts_of(claims: dict) -> list[list[str]]:
    """Return the rows of the table of all verdicts, the heads first."""
    rows = [["", "claim", "size", "verdict", "what is checked"]]
    for name, claim in claims.items():
        words = f" *«{claim['words']}»*" if claim["words"] else ""
        checked = f"{claim['checked']} {{doc}}`/{claim['evidence']}`"
        sizes = "; ".join(size_of(claim)) or "–"
        rows.append([name, claim["claim"] + words, sizes, marked(claim["verdict"]), checked])
    return rows


def size_of(claim: dict) -> list[str]:
    """Say how large the effects of a claim are, or what the tests of its numbers gave."""
    tests = [
        f"{printed(name)}: " + ("too few runs" if chance is None else f"p = {chance:.2g}")
        for name, chance in claim["tests"].items()
    ]
    if tests:
        return [*tests, f"{len(claim['parts'][0]['values'])} runs"]
    return [f"{spread(part)}, {limit_of(part)}: {seeds_of(part)}" for part in of_effects(claim)]


def of_effects(claim: dict) -> list[dict]:
    """Return the effects of a claim."""
    return [part for part in claim["parts"] if limit_of(part)]


def limit_of(part: dict) -> str:
    """Write the limit that an effect is claimed to lie above or below; nothing for a number."""
    for side in ("above", "below"):
        if part[side] is not None:
            return f"claimed {side} {part[side]:g}"
    return ""


def seeds_of(part: dict) -> str:
    """Count the seeds on the side of the limit that is claimed."""
    above, below, values = part["above"], part["below"], part["values"]
    count = sum(value < below if above is None else value > above for value in values)
    return f"{count} of {len(values)} seeds"


def spread(part: dict) -> str:
    """Write the median over seeds and its interval."""
    middle, (low, high) = median(part["values"]), part["interval"]
    return f"{middle:z.3f} ({low:z.3f} to {high:z.3f})".replace("-", "\N{MINUS SIGN}")


def marked(verdict: str) -> str:
    """Write a verdict with its mark, as Markdown."""
    mark, kind = MARKS[verdict]
    return f"[{mark}]{{.verdict-{kind}}}\N{NO-BREAK SPACE}**{verdict}**"


def effects_of(parts: list[tuple[str, dict]]) -> list[list[str]]:
    """Return the rows of a table of effects, the heads first."""
    rows = [["", "quantity", "median over seeds", "claimed", "verdict"]]
    for name, part in parts:
        limit = limit_of(part).removeprefix("claimed ")
        rows.append([name, printed(part["name"]), spread(part), limit, marked(part["verdict"])])
    return rows if any(name for name, _ in parts) else [row[1:] for row in rows]


def numbers_of(claim: dict) -> list[list[str]]:
    """Return the rows of the table of a claim's numbers, the heads first."""
    rows = [["slice, loss", "original", "mean over seeds", "a new run", "with the other loss"]]
    for part in claim["parts"]:
        low, high = part["interval"]
        rows.append(
            [
                printed(part["name"]),
                f"{part['claimed']:.3f}",
                f"{mean(part['values']):.3f}",
                f"{low:.3f} to {high:.3f}",
                f"{part['other']:.3f}",
            ]
        )
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
        recorded: summaries over seeds of the test losses, and the seeds that they come from.

    Returns:
        Lines of Markdown: a sentence if every loss lies in its prediction interval from the other
        seeds, because a run is not to be held against itself, else a box.
    """
    from vaelib.study.statistics import prediction_interval  # SciPy, which most builds do not need

    outside: list[str] = []
    inside: list[str] = []
    others = [at for at, other in enumerate(recorded["seeds"]) if other != seed]
    for loss in LOSSES:
        low, high = prediction_interval([recorded[loss]["values"][at] for at in others])
        text = f"{printed(loss)} {losses[loss]:.3f} ({low:.3f} to {high:.3f})"
        (inside if low <= losses[loss] <= high else outside).append(text)
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
            f"prediction intervals from {len(others)} other seeds: {', '.join(inside)}.{before}"
        ]
    return [
        "```{admonition} Outside the recorded interval",
        ":class: warning",
        f"Test losses of this build's run `{name}` lie outside the 95 % prediction intervals from "
        f"{len(others)} other seeds: {', '.join(outside)}.{before} Another processor or other "
        "versions give other roundings, and so another training; if many seeds fall outside, "
        "something has changed.",
        "```",
    ]
