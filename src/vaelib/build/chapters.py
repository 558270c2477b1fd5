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
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from vaelib.build.derived import recorded
from vaelib.build.notebooks import ENDED, NotebookError
from vaelib.plumbing import files, stale
from vaelib.plumbing.machine import usable_cores
from vaelib.plumbing.places import EXECUTED, SETTINGS, SUMMARY

READER = {"name": "myst_nb_md", "type": "plugin"}  # as myst-nb reads a chapter
DIGESTS = "chapters.json"  # in a cache: chapter → what its outputs depend on, digested
CACHE = "executed-"  # begins the name of a cache
PACKAGES = ("matplotlib", "numpy", "scipy", "sympy", "torch")  # that cells compute with
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
    cells = {page: "\n".join(CODE_CELL.findall(page.read_text("utf-8"))) for page in pages}
    # The library's own key is a chapter's source alone.
    digests = {str(page.relative_to(book)): key(book, code) for page, code in cells.items() if code}
    # Where outputs have changed, the cache has another name, so Sphinx reads the pages again.
    cache = build / f"{CACHE}{stale.digest(json.dumps(digests))[:16]}"
    earlier = next(build.glob(f"{CACHE}*"), cache)
    known = files.read_json(earlier / DIGESTS) if earlier.exists() else {}
    todo = [name for name in digests if known.get(name) != digests[name]]
    if todo:
        staging = build / f"{files.PARTIAL}{cache.name}-{os.getpid()}"
        if earlier.exists():
            shutil.copytree(earlier, staging)
        _add(todo, book, staging, cell_seconds)
        files.write_json(digests, staging / DIGESTS)
        files.replace_folder(cache, staging)
        for other in build.glob(f"{CACHE}*"):
            if other != cache:
                shutil.rmtree(other)
    return (cache if todo else earlier), len(todo)


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
            for name in reversed(names)  # the one that trains, the longest, is the last by name
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


def key(book: Path, code: str) -> str:
    """Digest what the outputs of a chapter's cells depend on: a chapter that names records, on all.

    Args:
        book: folder of the book.
        code: the text of all its cells.
    """
    own: dict[str, Any] = {"cells": code}
    if "recorded" in code or "SUMMARY" in code:
        summary = files.read_derived(book / SUMMARY).content
        del summary["parts"]  # no cell reads these
        own |= {"recorded": recorded(book), "summary": summary}
    return stale.digest(json.dumps(stale.inputs(code, PACKAGES, **own)))
