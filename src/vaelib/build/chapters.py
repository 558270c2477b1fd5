"""Execute the cells of the chapters side by side, into the cache that Sphinx reads later.

The library would execute them one after the other, while Sphinx reads: that took 37 s where this
takes 20 s (2 cores, AMD EPYC, 2026-11-27). And it names the chapter of a cell that fails, not the
cell.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Iterable
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from pathlib import Path

from vaelib.build.derived import recorded
from vaelib.build.notebooks import ENDED, NotebookError
from vaelib.plumbing import files, stale
from vaelib.plumbing.machine import usable_cores
from vaelib.plumbing.places import EXECUTED, SETTINGS, SUMMARY

READER = {"name": "myst_nb_md", "type": "plugin"}  # as myst-nb reads a chapter
DIGESTS = "chapters.json"  # in a cache: chapter → digest of its cells
CACHE = "executed-"  # begins the name of a cache
CODE_CELL = re.compile(
    r"^```{code-cell}[^\n]*\n(?:---\n.*?^---\n)?(.*?)^```", re.DOTALL | re.MULTILINE
)


def fill_cache(book: Path, cell_seconds: int) -> tuple[Path, int]:
    """Execute the chapters whose cells have no outputs in the cache, and add these.

    Args:
        book: folder of the book.
        cell_seconds: that a cell may take.

    Returns:
        The folder of the cache, which is complete, and the number of chapters that were executed.

    Raises:
        NotebookError: a cell failed; the message names the chapter and the cell.
    """
    build = book / "_build"
    files.clear_up(build)
    pages = sorted([*book.glob("*.md"), *book.glob("*/*.md")])
    cells = {page: CODE_CELL.findall(page.read_text("utf-8")) for page in pages}
    # The library's own key is a chapter's source alone.
    cache = build / f"{CACHE}{inputs_key(book, chain.from_iterable(cells.values()))}"
    digests = {
        str(page.relative_to(book)): stale.digest("\n".join(code))
        for page, code in cells.items()
        if code
    }
    known = files.read_json(cache / DIGESTS) if cache.exists() else {}
    todo = [name for name, cells in digests.items() if known.get(name) != cells]
    if todo:
        staging = build / f"{files.PARTIAL}{cache.name}-{os.getpid()}"
        if cache.exists():
            shutil.copytree(cache, staging)
        _add(todo, book, staging, cell_seconds)
        files.write_json(digests, staging / DIGESTS)
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

    from vaelib.build.processes import pool

    cache, read = get_cache(cache_folder), get_reader(READER)
    with pool(usable_cores(), 1, book / EXECUTED / SETTINGS) as processes:
        running = {
            name: processes.submit(execute_cells, read(str(book / name)), book / name, cell_seconds)
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


def execute_cells(chapter, page: Path, cell_seconds: int) -> tuple[object, float, str]:
    """Execute a chapter's cells in the folder of its page.

    Returns:
        The chapter with outputs, the seconds that it took, and which cell failed and why.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    from vaelib.build.processes import Kernels

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


def inputs_key(book: Path, cells: Iterable[str]) -> str:
    """Digest what the outputs of a book's cells depend on, apart from the cells themselves.

    Returns:
        A name for a cache of these outputs.
    """
    summary = files.read_derived(book / SUMMARY).content | {"parts": None}  # no cell reads these
    own = {"recorded": recorded(book), "summary": summary}
    inputs = stale.inputs("\n".join(cells), ("sympy", "matplotlib"), **own)
    return stale.digest(json.dumps(inputs))[:16]
