"""Execute the cells of the chapters side by side, into the cache that Sphinx reads later."""

import os
import shutil
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from vaelib.book.notebooks import ENDED, NotebookError
from vaelib.book.stale import CODE_CELL, chapters
from vaelib.plumbing import files
from vaelib.plumbing.fingerprint import digest
from vaelib.plumbing.machine import usable_cores
from vaelib.plumbing.places import RUNS, SETTINGS

READER = {"name": "myst_nb_md", "type": "plugin"}  # as myst-nb reads a chapter
EXECUTED = "chapters.json"  # in a cache: chapter → digest of its cells
CACHE = "executed-"  # begins the name of a cache


def execute(book: Path, key: str, cell_seconds: int) -> tuple[Path, int]:
    """Execute the chapters whose cells have no outputs in the cache, and add these.

    Args:
        book: folder of the book.
        key: of what the outputs depend on apart from the cells
            (:func:`vaelib.book.stale.chapters_key`); the caches of other keys are removed.
        cell_seconds: that a cell may take.

    Returns:
        The folder of the cache, which is complete, and the number of chapters that were executed.

    Raises:
        NotebookError: a cell failed; the message names the chapter and the cell.
    """
    build = book / "_build"
    files.clear_up(build)
    cache = build / f"{CACHE}{key}"
    cells = {page: CODE_CELL.findall(page.read_text("utf-8")) for page in chapters(book)}
    digests = {
        str(page.relative_to(book)): digest("\n".join(code)) for page, code in cells.items() if code
    }
    known = files.read_json(cache / EXECUTED) if cache.exists() else {}
    todo = [name for name, cells in digests.items() if known.get(name) != cells]
    if todo:
        staging = build / f"{files.PARTIAL}{cache.name}-{os.getpid()}"
        if cache.exists():
            shutil.copytree(cache, staging)
        _add(todo, book, staging, cell_seconds)
        files.write_json(digests, staging / EXECUTED)
        files.replace_folder(cache, staging)
        for other in build.glob(f"{CACHE}*"):
            if other != cache:
                shutil.rmtree(other)
    return cache, len(todo)


def _add(names: list[str], book: Path, cache_folder: Path, cell_seconds: int) -> None:
    """Execute chapters side by side, and add them to a cache."""
    from jupyter_cache import get_cache  # slow to import, and needed here only
    from jupyter_cache.base import CacheBundleIn
    from jupyter_cache.readers import get_reader

    from vaelib.book.processes import pool

    cache, read = get_cache(cache_folder), get_reader(READER)
    with pool(usable_cores(), 1, book / RUNS / SETTINGS) as processes:
        running = {
            name: processes.submit(executed, read(str(book / name)), book / name, cell_seconds)
            for name in names
        }
        for name, future in running.items():
            try:
                chapter, seconds, failure = future.result()
            except BrokenProcessPool as error:
                raise NotebookError(f"{name}: {ENDED}") from error
            if failure:
                raise NotebookError(f"{name}: {failure}")
            bundle = CacheBundleIn(chapter, book / name, data={"execution_seconds": seconds})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def executed(chapter, page: Path, cell_seconds: int) -> tuple[object, float, str]:
    """Execute a chapter's cells in the folder of its page.

    Returns:
        The chapter with outputs, the seconds that it took, and which cell failed and why.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    from vaelib.book.processes import Kernels

    start = time.perf_counter()
    client = NotebookClient(
        chapter,
        timeout=cell_seconds,
        record_timing=False,
        resources={"metadata": {"path": str(page.parent)}},
        kernel_manager_class=Kernels,
    )
    failure = ""
    try:
        client.execute()
    except CellExecutionError as error:
        failed = next(
            cell["source"]
            for cell in chapter["cells"]
            if any(output["output_type"] == "error" for output in cell.get("outputs", ()))
        )
        first = failed.splitlines()[0]
        failure = f"the cell that begins with `{first}` failed: {error.ename}: {error.evalue}"
    except TimeoutError:
        failure = f"a cell took more than {cell_seconds} s"
    except RuntimeError:  # the kernel has died, at its start or later
        failure = ENDED
    return chapter, time.perf_counter() - start, failure
