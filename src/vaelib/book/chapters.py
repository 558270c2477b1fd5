"""Execute the cells of all chapters side by side, into the cache that Sphinx reads later."""

from pathlib import Path

from vaelib.book.stale import CODE_CELL, chapters

READER = {"name": "myst_nb_md", "type": "plugin"}  # as myst-nb reads a chapter


def execute(book: Path, cache_folder: Path, cell_seconds: int) -> int:
    """Fill a new cache; a chapter that fails is left to Sphinx, which says why.

    Args:
        book: folder of the book.
        cache_folder: where the outputs go; if it is there already, nothing is done.
        cell_seconds: that a cell may take.

    Returns:
        The number of chapters that were executed.
    """
    if cache_folder.exists():
        return 0
    from jupyter_cache import get_cache  # slow to import, and needed here only
    from jupyter_cache.executors import load_executor

    cache = get_cache(cache_folder)
    for page in chapters(book):
        if CODE_CELL.search(page.read_text("utf-8")):
            cache.add_nb_to_project(str(page), read_data=READER)
    executor = load_executor("local-parallel", cache)
    return len(executor.run_and_cache(timeout=cell_seconds).succeeded)
