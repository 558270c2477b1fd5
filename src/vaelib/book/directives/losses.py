"""The directive ``losses``: mean losses per image of runs of this build, in a table.

``{losses} bce`` has a row for each slice of the data. With several runs there is a row for each
run, on the test images, with the KL divergence itself beside the KL loss. With the option
``original``, each run is laid beside the original's table. The content is the caption.
"""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from vaelib.book.directives.tables import TableDirective
from vaelib.data.slices import SLICES
from vaelib.plumbing.places import EXECUTED, ORIGINAL
from vaelib.plumbing.words import LOSSES, printed
from vaelib.study.original import SPLITS, original_losses
from vaelib.training import folder
from vaelib.training.folder import kl_divergence

Runs = dict[str, tuple[dict, dict]]  # name → settings and losses


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("losses", LossTable)


class LossTable(TableDirective):
    """A table of losses."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = TableDirective.option_spec | {"original": directives.flag}

    def run(self) -> list[nodes.Node]:
        """Return a numbered table."""
        try:
            runs = {name: self._read(name) for name in self.arguments[0].split()}
        except OSError as error:
            raise ExtensionError(f"{self.get_location()}: {error}") from error
        if "original" in self.options:
            book = Path(self.env.srcdir)
            self.env.note_dependency(str(book / ORIGINAL))
            return self.table(beside(runs, original_losses(book)))
        if len(runs) > 1:
            return self.table(side_by_side(runs), widths="19 9 10 16 16 15 15")
        ((_, losses),) = runs.values()
        return self.table(by_slice(losses))

    def _read(self, name: str) -> tuple[dict, dict]:
        run = Path(self.env.srcdir) / EXECUTED / name
        for part in ("settings", "losses"):
            self.env.note_dependency(str(run / folder.FILES[part]))
        return folder.read(run, "settings"), folder.read(run, "losses")


def _printed(losses: dict[str, float]) -> list[str]:
    return [f"{losses[name]:.3f}" for name in LOSSES]


def by_slice(losses: dict[str, dict[str, float]]) -> list[list[str]]:
    """Return a row for each slice of the data, the heads first."""
    rows = [[label, *_printed(losses[name])] for name, label in SLICES.items()]
    return [["slice", *map(printed, LOSSES)], *rows]


def side_by_side(runs: Runs) -> list[list[str]]:
    """Return a row for each run, on the test images, the heads first."""
    rows = [["run", "loss", "β", "total", "reconstr.", "β · KL", "KL"]]
    for name, (settings, losses) in runs.items():
        kind = printed(settings["reconstruction_loss"]), f"{settings['beta']:g}"
        divergence = kl_divergence(settings, losses["test"])
        rows.append([f"`{name}`", *kind, *_printed(losses["test"]), f"{divergence:.3f}"])
    return rows


def beside(runs: Runs, original: dict) -> list[list[str]]:
    """Return a row for each run and each row of the original's table, the heads first."""
    names = {"train": "training", "validation": '"validation"', "test": "test"}
    heads = ("total", "reconstr.", "KL")
    rows = [["", *(head for loss in heads for head in (f"orig. {loss}", "ours"))]]
    for settings, losses in runs.values():
        loss = settings["reconstruction_loss"]
        for split, ours in SPLITS.items():
            pairs = zip(_printed(original[loss][split]), _printed(losses[ours]), strict=True)
            rows.append(
                [f"{printed(loss)}, {names[split]}", *(text for pair in pairs for text in pair)]
            )
    return rows
