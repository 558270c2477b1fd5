"""One line on a terminal: what is executed, how much is left, and about how long it will take."""

import sys
import time
from pathlib import Path

from vaelib.build.notebooks import Notebook
from vaelib.plumbing.places import CHECKPOINT
from vaelib.training.recipes import RECIPES

EPOCHS = {"evidence": 2.0, "compare": 0.5}
"""Template → about how long it takes, in epochs of a training beside another."""


def anew() -> str:
    """Return what empties a terminal's line, and nothing where standard output is none."""
    return "\r\033[K" if sys.stdout.isatty() else ""


def say(text: str) -> None:
    """Print a line in the place of the one that tells how far the build is."""
    print(f"{anew()}{text}", flush=True)


def work(notebook: Notebook) -> float:
    """Say about how long a notebook takes, in epochs of a training beside another."""
    recipe = RECIPES.get(notebook.parameters.get("recipe", ""))
    if notebook.template.stem == "train" and recipe:
        return recipe.epochs + 0.5
    return EPOCHS.get(notebook.template.stem, 0.2)


def chains(notebooks: dict[str, Notebook]) -> dict[str, float]:
    """Say of each notebook how long it and the longest chain of those that wait for it take."""
    longest: dict[str, float] = {}
    for name, notebook in reversed(notebooks.items()):  # those that need it come after it
        after = [longest[n] for n in longest if name in notebooks[n].needs]
        longest[name] = work(notebook) + max(after, default=0.0)
    return longest


class Progress:
    """Tells on standard output how far a build is, if that is a terminal.

    Args:
        notebooks: that are made, if they are stale.
        number: that are executed side by side.
        states: folder in which trainings keep their state: the first to appear tells how long an
            epoch takes here.
    """

    def __init__(self, notebooks: dict[str, Notebook], number: int, states: Path):
        self.left = {name: work(notebook) for name, notebook in notebooks.items()}
        self.number, self.states = number, states
        self.begun: dict[str, float] = {}
        self.epoch: float | None = None

    def begin(self, name: str) -> None:
        """Note that a notebook is executed from now on."""
        self.begun[name] = time.time()

    def end(self, name: str) -> None:
        """Note that a notebook is done, or fresh."""
        done, begun = self.left.pop(name), self.begun.pop(name, None)
        if begun:
            self.epoch = (time.time() - begun) / done

    def show(self) -> None:
        """Write the line anew."""
        if anew() and self.begun:
            names, waiting = " and ".join(self.begun), len(self.left) - len(self.begun)
            line = f"running {names}, {waiting} more to come{self._time()}"
            print(f"{anew()}{line}", end="", flush=True)

    def _time(self) -> str:
        seconds = self.epoch or self._first_epoch()
        if not seconds:
            return ""
        passed = sum(time.time() - begun for begun in self.begun.values())
        whole = sum(self.left.values()) * seconds
        minutes = max(0.0, whole - passed) / self.number / 60
        return f", about {minutes:.0f} min" if minutes >= 1 else ", less than a minute or two"

    def _first_epoch(self) -> float | None:
        """Return the seconds that the first epoch of this build took, if it is over."""
        start = min(self.begun.values())
        kept = [file.stat().st_mtime - start for file in self.states.glob(f"{CHECKPOINT}*.pt")]
        return min((seconds for seconds in kept if seconds > 0), default=None)
