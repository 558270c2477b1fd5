"""Make what is stale before Sphinx reads a page."""

import time
from functools import partial
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

from vaelib.book import chapters, execute, stale
from vaelib.book.notebooks import NotebookError, read_notebooks
from vaelib.digits.mnist import DataError
from vaelib.training.recipes import recipe_from_environment

SMOKE_BANNER = (
    "Built with the recipe <em>smoke</em>: synthetic digits, for tests only. "
    "No number or figure here is a result."
)


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    # After myst-nb has its settings (800) and before the table of contents is read (900).
    app.connect("config-inited", make_runs, priority=850)


def make_runs(app: Sphinx, config: Config) -> None:
    """Make what is stale: the notebooks, and the outputs of the chapters' cells in their cache."""
    book = Path(app.srcdir)
    recipe = recipe_from_environment()
    start = time.perf_counter()
    try:
        made = execute.make(read_notebooks(book, recipe), book)
    except (NotebookError, DataError) as error:
        raise ExtensionError(str(error)) from error
    after_notebooks = time.perf_counter()
    print(f"notebooks: {len(made)} executed in {after_notebooks - start:.0f} s")
    # The cache's own key is a chapter's source alone.
    cache = book / "_build" / f"executed-{stale.chapters_key(book)}"
    number = chapters.execute(book, cache, config["nb_execution_timeout"])
    config["nb_execution_cache_path"] = str(cache)
    begun = time.perf_counter()
    print(f"chapters: {number} executed in {begun - after_notebooks:.0f} s")
    app.connect("build-finished", partial(_say_time, begun))
    if recipe == "smoke":
        config["html_theme_options"]["announcement"] = SMOKE_BANNER


def _say_time(begun: float, app: Sphinx, error: Exception | None) -> None:
    if not error:
        print(f"\npages: read and written in {time.perf_counter() - begun:.0f} s")
