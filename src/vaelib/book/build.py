"""Make what is stale before Sphinx reads a page."""

import atexit
import shutil
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from vaelib.build import chapters, execute
from vaelib.build.alone import alone
from vaelib.build.derived import derive
from vaelib.build.notebooks import NotebookError, read_notebooks
from vaelib.data.mnist import DataError
from vaelib.plumbing import environment, stale
from vaelib.plumbing.checks import in_words
from vaelib.plumbing.files import DamagedError, require_writable
from vaelib.plumbing.interruption import end_as_interrupted, end_at_once
from vaelib.plumbing.lines import show_lines
from vaelib.plumbing.places import require_own_library, require_readable
from vaelib.training.recipes import recipe_from_environment

SMOKE_BANNER = (
    "Built with the recipe <em>smoke</em>: synthetic digits, for tests only. "
    "No number or figure here is a result."
)
UNFINISHED = ".unfinished-"  # begins the name of the mark of a folder that Sphinx writes into
# In jupyter-cache's address these begin something else; to Sphinx they are patterns of names.
NOT_IN_A_PATH = "%?[]*\\"


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    # After myst-nb has its settings (800) and before the table of contents is read (900).
    app.connect("config-inited", make_results, priority=850)
    # Sphinx takes the year of SOURCE_DATE_EPOCH for that of the copyright (800).
    app.connect("config-inited", partial(keep_copyright, app.config["copyright"]), priority=801)
    app.connect("build-finished", unmark, priority=1000)  # after all others


def make_results(app: Sphinx, config: Config) -> None:
    """Make what is stale: the notebooks, and the outputs of the chapters' cells in their cache.

    What a user can mend ends the program with one sentence: of an exception, Jupyter Book would
    print tracebacks.
    """
    environment.close()
    sys.excepthook = say_last
    try:
        _make_results(Path(app.srcdir), app, config)
    except (NotebookError, DataError, DamagedError, OSError, ValueError) as error:
        raise SystemExit(f"the book was not built: {in_words(error)}") from error


def keep_copyright(text: str, app: Sphinx, config: Config) -> None:
    """Put the copyright back as it was written."""
    config["copyright"] = text


def say_last(kind: type, error: BaseException, traceback: object) -> None:
    """Print why the book was not built, in one line; Sphinx keeps the traceback in a file."""
    print(f"the book was not built: {in_words(error.__cause__ or error)}", file=sys.stderr)


def _make_results(book: Path, app: Sphinx, config: Config) -> None:
    wrong = [letter for letter in NOT_IN_A_PATH if letter in str(book.resolve())]
    if wrong:
        raise ValueError(
            f"the path of the book is {book}; expected one without {wrong[0]}, which jupyter-cache "
            "or Sphinx cannot read: rename the folder"
        )
    require_readable(book)
    require_own_library(book)
    recipe = recipe_from_environment()
    notebooks = read_notebooks(book, recipe)
    end_as_interrupted()
    show_lines()
    lock = alone(book)
    require_writable(book / "_build")
    atexit.register(lock.release)  # a PDF is made after Sphinx has ended
    start = time.perf_counter()
    with stale.remembered(book / "_build" / "library.json"):
        say_what_is_stale(derive(book)["parts"])
        made = execute.make(notebooks, book)
        after_notebooks = time.perf_counter()
        print(f"notebooks: {len(made)} executed in {after_notebooks - start:.0f} s")
        cache, number = chapters.fill_cache(book, config["nb_execution_timeout"])
    config["nb_execution_cache_path"] = str(cache)
    begun = time.perf_counter()
    print(f"chapters: {number} executed in {begun - after_notebooks:.0f} s")
    mark(Path(app.outdir), Path(app.doctreedir))
    app.connect("build-finished", partial(_say_time, begun))
    end_at_once()  # pages that are not whole are marked; autodoc would swallow an interruption
    if recipe == "smoke":
        config["html_theme_options"]["announcement"] = SMOKE_BANNER


def say_what_is_stale(parts: dict) -> None:
    """Name the parts of records that today's code has not made, in a line."""
    counts: Counter[str] = Counter()
    for group in parts["groups"]:
        if group["why"]:
            counts[f"{group['part']} ({group['recipe']})"] += group["records"]
    if counts:
        named = ", ".join(f"{number} {part}" for part, number in counts.items())
        print(
            f"records: {parts['stale']} of {parts['all']} parts are stale: {named}; "
            "`vaelib sweep --list` says why"
        )


def mark(outdir: Path, doctreedir: Path) -> None:
    """Mark a folder of pages as unfinished; remove what a build left that did not finish.

    A page that was cut off while it was written would count as up to date.
    """
    for unfinished in outdir.parent.glob(f"{UNFINISHED}*"):
        shutil.rmtree(unfinished.with_name(unfinished.name.removeprefix(UNFINISHED)), True)
        shutil.rmtree(doctreedir, ignore_errors=True)
        unfinished.unlink()
    outdir.mkdir(parents=True, exist_ok=True)
    doctreedir.mkdir(parents=True, exist_ok=True)
    _mark_of(outdir).touch()


def unmark(app: Sphinx, error: Exception | None) -> None:
    """Remove the mark of a folder whose pages are all written."""
    end_as_interrupted()  # LaTeX comes after Sphinx, as a process of its own
    if not error:
        _mark_of(Path(app.outdir)).unlink(missing_ok=True)


def _mark_of(outdir: Path) -> Path:
    return outdir.with_name(f"{UNFINISHED}{outdir.name}")


def _say_time(begun: float, app: Sphinx, error: Exception | None) -> None:
    if not error:
        print(f"\npages: read and written in {time.perf_counter() - begun:.0f} s")
