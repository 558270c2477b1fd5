"""Execute the stale notebooks with papermill, side by side."""

import json
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from graphlib import TopologicalSorter
from pathlib import Path

from vaelib.build.notebooks import ENDED, INPUTS, Notebook, NotebookError, parameters_of
from vaelib.build.page import as_page
from vaelib.build.progress import Progress, anew, chains, say
from vaelib.data import mnist
from vaelib.plumbing import files
from vaelib.plumbing.machine import usable_cores
from vaelib.plumbing.places import EXECUTED, SETTINGS
from vaelib.training.recipes import RECIPES

CELL_SECONDS = 7200  # a training with the recipe `original` takes most of an hour at worst
SECONDS = 1.0  # between two looks at what is done
SIDE_BY_SIDE = 4  # notebooks at most: as many as there are trainings in the book


def make(notebooks: dict[str, Notebook], book: Path, names: list[str] | None = None) -> list[str]:
    """Execute the notebooks that are stale, side by side, each after those that it needs.

    Each is executed in a folder of its own, which is moved to its place by this process only, when
    it is whole. The caller keeps other builds out (:func:`vaelib.build.alone.alone`).

    Args:
        notebooks: from :func:`vaelib.build.notebooks.read_notebooks`.
        book: folder of the book; results go to ``executed/`` in it.
        names: of the notebooks to make, with what they need; all if not given.

    Returns:
        The names of the notebooks that were executed.

    Raises:
        NotebookError: a notebook failed; what was there before it stays, those that had begun are
            finished, and no other begins.
        vaelib.data.mnist.DataError: MNIST cannot be obtained.
    """
    from vaelib.build.processes import pool  # imports Jupyter's client

    wanted = _wanted(notebooks, names or list(notebooks))
    executed = book / EXECUTED
    files.clear_up(executed)
    cores = usable_cores()
    number = min(cores, SIDE_BY_SIDE)
    try:
        with pool(number, cores // number, executed / SETTINGS) as processes:
            return _make(wanted, executed, processes, number)
    finally:
        files.clear_up(executed)


def _make(
    notebooks: dict[str, Notebook], executed: Path, processes: Executor, number: int
) -> list[str]:
    order = TopologicalSorter({name: notebook.needs for name, notebook in notebooks.items()})
    order.prepare()
    made: list[str] = []
    ready: list[str] = []
    running: dict[Future, tuple[str, dict]] = {}
    verified: set[str] = set()
    failure: Exception | None = None
    chain = chains(notebooks)
    progress = Progress(notebooks, number, executed)
    while order.is_active() and (running or not failure):
        # Longest chain first. None is handed over before a process is free, so after a failure or
        # Ctrl-C no other begins.
        ready = sorted([*ready, *order.get_ready()], key=chain.__getitem__, reverse=True)
        while ready and len(running) < number and not failure:
            notebook = notebooks[ready.pop(0)]
            inputs = notebook.inputs(executed)  # before: they may change meanwhile
            reason = notebook.why_stale(executed, inputs)
            if not reason:
                order.done(notebook.name)
                progress.end(notebook.name)
                continue
            say(f"notebook {notebook.name}: {reason}")
            try:
                _require_data(notebook, verified)
            except mnist.DataError as error:
                failure = error
                break
            future = processes.submit(execute_notebook, notebook, _staging(notebook.name, executed))
            running[future] = notebook.name, inputs
            progress.begin(notebook.name)
        for future in wait(running, SECONDS, return_when=FIRST_COMPLETED).done:
            name, inputs = running.pop(future)
            try:
                seconds = future.result()
            except BrokenProcessPool:
                failure = failure or NotebookError(f"notebook {name}: {ENDED}")
            except NotebookError as error:
                failure = failure or NotebookError(
                    f"{error} (execute it alone with `vaelib build {name}`)"
                )
            else:
                _publish(name, inputs, executed)
                say(f"notebook {name}: done in {seconds:.0f} s")
                made.append(name)
                order.done(name)
                progress.end(name)
        progress.show()
    if failure:
        raise failure
    return made


def _wanted(notebooks: dict[str, Notebook], names: list[str]) -> dict[str, Notebook]:
    """Pick the named notebooks and all that they need, in their order."""
    wanted = set(names)
    for notebook in reversed(notebooks.values()):  # a needed one comes before who needs it
        if notebook.name in wanted:
            wanted |= set(notebook.needs)
    return {name: notebook for name, notebook in notebooks.items() if name in wanted}


def _require_data(notebook: Notebook, verified: set[str]) -> None:
    """Obtain a notebook's data once, here, so that no page shows a download."""
    data = RECIPES[notebook.parameters.get("recipe", "smoke")].data
    if data == "mnist" and data not in verified:
        mnist.obtain()
        verified.add(data)


def _staging(name: str, executed: Path) -> Path:
    """Name the folder in which a notebook is executed: this process's own."""
    return executed / f"{files.PARTIAL}{name}-{os.getpid()}"


def _publish(name: str, inputs: dict, executed: Path) -> None:
    """Note what a finished notebook depended on, seal what it left, and move it to its place."""
    staging = _staging(name, executed)
    files.write_json(inputs, staging / INPUTS)
    files.seal(staging)
    files.replace_folder(executed / name, staging)


def execute_notebook(notebook: Notebook, staging: Path) -> float:
    """Execute a notebook in a new folder, and leave it there as a page with its files.

    Returns:
        Seconds that it took.

    Raises:
        NotebookError: as :func:`execute_template` does.
    """
    start = time.perf_counter()
    staging.mkdir()
    known = parameters_of(notebook.template)
    # Relative to the folder, so that no path of this machine gets into a page.
    places = {"output_folder": ".", "earlier_run": f"../{notebook.name}", "runs_folder": ".."}
    parameters = notebook.parameters | {key: places[key] for key in places if key in known}
    made = execute_template(notebook.template, parameters, staging, notebook.name)
    try:
        page = as_page(made, notebook.title)
    except ValueError as error:
        raise NotebookError(f"notebook {notebook.name}: {error}") from error
    (staging / "notebook.ipynb").write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")
    return time.perf_counter() - start


def execute_template(template: Path, parameters: dict, folder: Path, name: str) -> dict:
    """Execute a template with papermill.

    Args:
        template: the notebook.
        parameters: that replace its own.
        folder: in which its cells run.
        name: under which its output is printed.

    Returns:
        The notebook with its outputs.

    Raises:
        NotebookError: a cell failed, or the process was ended from outside.
    """
    import papermill  # slow to import, and needed only where something is stale
    from papermill.exceptions import PapermillExecutionError

    from vaelib.build.processes import Kernels

    try:
        return papermill.execute_notebook(
            str(template).replace("{", "{{").replace("}", "}}"),  # papermill fills in braces
            None,
            parameters,
            kernel_name="python3",
            language="python",
            cwd=str(folder),
            progress_bar=False,
            stdout_file=_Named(name),
            execution_timeout=CELL_SECONDS,
            kernel_manager_class=Kernels,
        )
    except PapermillExecutionError as error:
        raise NotebookError(
            f"notebook {name} failed in cell {error.exec_count} of {template.name}: "
            f"{error.ename}: {error.evalue}"
        ) from error
    except TimeoutError as error:
        raise NotebookError(f"notebook {name}: a cell took more than {CELL_SECONDS} s") from error
    except RuntimeError as error:  # the kernel has died, at its start or later
        raise NotebookError(f"notebook {name}: {ENDED}") from error


class _Named:
    """Standard output, each line after the name of the notebook that printed it."""

    def __init__(self, name: str):
        self.name = name

    def write(self, text: str) -> None:
        before = f"{anew()}{self.name}: "
        sys.stdout.write("".join(before + line for line in text.splitlines(True)))

    def flush(self) -> None:
        sys.stdout.flush()
