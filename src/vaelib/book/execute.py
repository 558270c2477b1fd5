"""Execute the stale notebooks with papermill, side by side."""

import json
import os
import shutil
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from graphlib import TopologicalSorter
from multiprocessing import get_context
from pathlib import Path

from filelock import FileLock

from vaelib.book import stale
from vaelib.book.notebooks import Notebook, NotebookError, parameter_names
from vaelib.book.page import as_page
from vaelib.digits import mnist
from vaelib.plumbing.files import write_json
from vaelib.plumbing.machine import usable_cores
from vaelib.plumbing.places import RUNS
from vaelib.training.recipes import RECIPES

CELL_SECONDS = 7200  # a training with the recipe `original` takes most of an hour at worst
SIDE_BY_SIDE = 4  # notebooks at most: as many as there are trainings in the book


def make(notebooks: dict[str, Notebook], book: Path, names: list[str] | None = None) -> list[str]:
    """Execute the notebooks that are stale, side by side, each after those that it needs.

    Args:
        notebooks: from :func:`vaelib.book.notebooks.read_notebooks`.
        book: folder of the book; results go to ``runs/`` in it.
        names: of the notebooks to make, with what they need; all if not given.

    Returns:
        The names of the notebooks that were executed.

    Raises:
        NotebookError: a notebook failed; what was there before it stays, those that had begun are
            finished, and no other begins.
        vaelib.digits.mnist.DataError: MNIST cannot be obtained.
    """
    order = _order(notebooks, names or list(notebooks))
    runs_folder = book / RUNS
    runs_folder.mkdir(exist_ok=True)
    cores = usable_cores()
    number = min(cores, SIDE_BY_SIDE)
    made: list[str] = []
    ready: list[str] = []
    running: dict[Future, str] = {}
    verified: set[str] = set()
    with FileLock(runs_folder / ".lock"), _processes(number, cores // number) as processes:
        while order.is_active():
            # In the order of the file. None is handed over before a process is free, so after a
            # failure or Ctrl-C no other begins.
            ready = sorted([*ready, *order.get_ready()], key=list(notebooks).index)
            while ready and len(running) < number:
                notebook = notebooks[ready.pop(0)]
                reason = stale.why_stale(notebook, runs_folder)
                if not reason:
                    order.done(notebook.name)
                    continue
                print(f"notebook {notebook.name}: {reason}", flush=True)
                _require_data(notebook, verified)
                running[processes.submit(execute, notebook, runs_folder)] = notebook.name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                print(f"notebook {name}: done in {future.result():.0f} s", flush=True)
                made.append(name)
                order.done(name)
    return made


def _order(notebooks: dict[str, Notebook], names: list[str]) -> TopologicalSorter:
    """Sort the named notebooks and all that they need."""
    wanted = set(names)
    for notebook in reversed(notebooks.values()):  # a needed one comes before who needs it
        if notebook.name in wanted:
            wanted |= set(notebook.needs)
    order = TopologicalSorter({name: notebooks[name].needs for name in notebooks if name in wanted})
    order.prepare()
    return order


def _require_data(notebook: Notebook, verified: set[str]) -> None:
    """Obtain a notebook's data once, here, so that no page shows a download."""
    data = RECIPES[notebook.parameters.get("recipe", "smoke")].data
    if data == "mnist" and data not in verified:
        mnist.obtain()
        verified.add(data)


def _processes(number: int, threads: int) -> ProcessPoolExecutor:
    """Make processes for notebooks, and share the cores among them.

    A step in small batches is too short to keep two cores busy: two trainings with one thread each
    take less time together than one after the other with two.
    """
    context = get_context("spawn")  # a fork would copy what Sphinx holds
    return ProcessPoolExecutor(number, context, _use_threads, (threads,))


def _use_threads(number: int) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", str(number))  # for PyTorch, in the notebook's kernel


def execute(notebook: Notebook, runs_folder: Path) -> float:
    """Execute a notebook beside its final place, and move it there when it is whole.

    Returns:
        Seconds that it took.

    Raises:
        NotebookError: a cell failed; the message says which, why, and how to run it again.
    """
    start = time.perf_counter()
    staging = runs_folder / f".partial-{notebook.name}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        page = as_page(_executed(notebook, staging), notebook.title)
    except NotebookError:
        shutil.rmtree(staging)
        raise
    (staging / "notebook.ipynb").write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")
    files = sorted(str(path.relative_to(staging)) for path in staging.rglob("*") if path.is_file())
    write_json(
        {"inputs": stale.inputs(notebook, runs_folder), "files": files}, staging / stale.PAGE
    )
    _replace(runs_folder / notebook.name, staging)
    return time.perf_counter() - start


def _executed(notebook: Notebook, folder: Path) -> dict:
    """Execute a notebook in a folder; return it with its outputs."""
    import papermill  # slow to import, and needed only where something is stale
    from papermill.exceptions import PapermillExecutionError

    known = parameter_names(notebook.template)
    # Relative to the folder, so that no path of this machine gets into a page.
    places = {"output_folder": ".", "earlier_run": f"../{notebook.name}", "runs_folder": ".."}
    try:
        return papermill.execute_notebook(
            str(notebook.template),
            None,
            notebook.parameters | {key: value for key, value in places.items() if key in known},
            kernel_name="python3",
            language="python",
            cwd=str(folder),
            progress_bar=False,
            stdout_file=_Named(notebook.name),
            execution_timeout=CELL_SECONDS,
        )
    except PapermillExecutionError as error:
        raise NotebookError(
            f"notebook {notebook.name} failed in cell {error.exec_count} of "
            f"{notebook.template.name}: {error.ename}: {error.evalue} "
            f"(execute it alone with `vaelib runs {notebook.name}`)"
        ) from error


def _replace(final: Path, staging: Path) -> None:
    """Put a finished folder in the place of an earlier one."""
    outdated = final.with_name(f".outdated-{final.name}")
    shutil.rmtree(outdated, ignore_errors=True)
    if final.exists():
        final.rename(outdated)
    staging.rename(final)
    shutil.rmtree(outdated, ignore_errors=True)


class _Named:
    """Standard output, each line after the name of the notebook that printed it."""

    def __init__(self, name: str):
        self.name = name

    def write(self, text: str) -> None:
        sys.stdout.write("".join(f"{self.name}: {line}" for line in text.splitlines(True)))

    def flush(self) -> None:
        sys.stdout.flush()
