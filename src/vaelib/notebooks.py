"""The book's notebooks: which of them are stale, and running them with papermill."""

import ast
import inspect
import json
import os
import shutil
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from multiprocessing import get_context
from pathlib import Path

import yaml
from filelock import FileLock

from vaelib import artifacts, fingerprint, mnist
from vaelib.environment import usable_cores
from vaelib.names import require
from vaelib.recipes import RECIPES

CELL_SECONDS = 7200  # a training with the recipe `original` takes most of an hour at worst
SIDE_BY_SIDE = 4  # notebooks at most: as many as there are trainings in the book


class RunError(RuntimeError):
    """``runs.yml`` is wrong, or a notebook failed."""


@dataclass(frozen=True)
class NotebookRun:
    """An entry of ``runs.yml``: a template under a name, with parameters."""

    name: str
    template: Path
    title: str
    parameters: dict = field(default_factory=dict)
    needs: tuple[str, ...] = ()


def recipe_from_environment() -> str:
    """Return the recipe of the book: ``VAELIB_RECIPE``, or else ``report``."""
    return os.environ.get("VAELIB_RECIPE") or "report"


def read_runs(book: Path, recipe: str) -> dict[str, NotebookRun]:
    """Read ``runs.yml``.

    Args:
        book: folder of the book.
        recipe: handed to every template that has a parameter of that name.

    Returns:
        The runs by name, each after those that it needs.

    Raises:
        RunError: a key, template, parameter or needed run that does not exist; the message names
            the nearest right one.
    """
    file = book / "runs.yml"
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    templates = {path.stem: path for path in sorted((book / "notebooks").glob("*.ipynb"))}
    runs: dict[str, NotebookRun] = {}
    try:
        require("recipe", recipe, RECIPES)
        for name, entry in entries.items():
            for key in entry:
                require(f"a key of run {name}", key, ("template", "title", "parameters", "needs"))
            require(f"the template of run {name}", entry["template"], templates)
            template = templates[entry["template"]]
            known = parameter_names(template)
            given = entry.get("parameters", {})
            for key in given:
                require(f"a parameter of run {name}", key, known)
            for needed in entry.get("needs", ()):
                require(f"a run that {name} needs, listed before it,", needed, runs)
            shared = {"recipe": recipe} if "recipe" in known else {}
            runs[name] = NotebookRun(
                name, template, entry["title"], shared | given, tuple(entry.get("needs", ()))
            )
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise RunError(f"{file}: {error}") from error
    return runs


def parameter_names(template: Path) -> list[str]:
    """List the names that a template's parameters cell assigns."""
    for cell in artifacts.read_json(template)["cells"]:
        if "parameters" in cell["metadata"].get("tags", ()):
            return [
                target.id
                for node in ast.parse("".join(cell["source"])).body
                if isinstance(node, ast.Assign)
                for target in node.targets
            ]
    return []


def inputs(run: NotebookRun, runs_folder: Path) -> dict:
    """Collect everything that an executed notebook depends on.

    The data need no entry: their SHA-256 sums are part of the modules.
    """
    cells = artifacts.read_json(run.template)["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return {
        "template": fingerprint.digest(
            json.dumps([[cell["source"], _kept(cell["metadata"])] for cell in cells])
        ),
        "title": run.title,
        "page": fingerprint.digest(inspect.getsource(_page)),
        "parameters": run.parameters,
        "modules": fingerprint.sources(code),
        "versions": fingerprint.versions("torch", "numpy", "matplotlib"),
        "needs": {name: artifacts.identity(runs_folder / name) for name in run.needs},
    }


def why_stale(run: NotebookRun, runs_folder: Path) -> str:
    """Say why a run must be made; an empty string if it is fresh."""
    folder = runs_folder / run.name
    if not (folder / "page.json").exists():
        return "not made yet"
    page = artifacts.read_json(folder / "page.json")
    changed = fingerprint.changes(page["inputs"], inputs(run, runs_folder))
    if changed:
        return f"changed: {', '.join(changed)}"
    gone = [name for name in page["files"] if not (folder / name).exists()]
    return f"deleted: {', '.join(gone)}" if gone else ""


def make(runs: dict[str, NotebookRun], book: Path, names: list[str] | None = None) -> list[str]:
    """Make the runs that are stale, side by side, each after those that it needs.

    Args:
        runs: from :func:`read_runs`.
        book: folder of the book; runs go to ``runs/`` in it.
        names: of the runs to make, with what they need; all if not given.

    Returns:
        The names of the runs that were made.

    Raises:
        RunError: a notebook failed; what was there before it stays, those that had begun are
            finished, and no other begins.
        vaelib.mnist.DataError: MNIST cannot be obtained.
    """
    wanted = set(names or runs)
    for run in reversed(runs.values()):  # a needed run comes before the one that needs it
        if run.name in wanted:
            wanted |= set(run.needs)
    runs_folder = book / "runs"
    runs_folder.mkdir(exist_ok=True)
    order = TopologicalSorter({run.name: run.needs for run in runs.values() if run.name in wanted})
    order.prepare()
    needed = {name for run in runs.values() for name in run.needs}
    cores = usable_cores()
    number = min(cores, SIDE_BY_SIDE)
    made = []
    ready: list[str] = []
    running: dict[Future, str] = {}
    with FileLock(runs_folder / ".lock"), _processes(number, cores // number) as processes:
        while order.is_active():
            # First those that others wait for. None is handed over before a process is free, so
            # after a failure or Ctrl-C no other begins.
            ready = sorted([*ready, *order.get_ready()], key=lambda name: name not in needed)
            while ready and len(running) < number:
                name = ready.pop(0)
                reason = why_stale(runs[name], runs_folder)
                if not reason:
                    order.done(name)
                    continue
                print(f"run {name}: {reason}", flush=True)
                if RECIPES[runs[name].parameters.get("recipe", "smoke")].data == "mnist":
                    mnist.obtain()  # here, so that no page shows a download
                running[processes.submit(execute, runs[name], runs_folder)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                print(f"run {name}: done in {future.result():.0f} s", flush=True)
                made.append(name)
                order.done(name)
    return made


def _processes(number: int, threads: int) -> ProcessPoolExecutor:
    """Make processes for notebooks, and share the cores among them.

    A step in small batches is too short to keep two cores busy: two trainings with one thread each
    take less time together than one after the other with two.
    """
    context = get_context("spawn")  # a fork would copy what Sphinx holds
    return ProcessPoolExecutor(number, context, _use_threads, (threads,))


def _use_threads(number: int) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", str(number))  # for PyTorch, in the notebook's kernel


def execute(run: NotebookRun, runs_folder: Path) -> float:
    """Execute a run's notebook beside its final place, and move it there when it is whole.

    Returns:
        Seconds that it took.

    Raises:
        RunError: a cell failed; the message says which, why, and how to run it again.
    """
    import papermill  # slow to import, and needed only where something is stale
    from papermill.exceptions import PapermillExecutionError

    start = time.perf_counter()
    final = runs_folder / run.name
    staging = runs_folder / f".partial-{run.name}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    known = parameter_names(run.template)
    # Relative to the staging folder, so that no path of this machine gets into a page.
    places = {"output_folder": ".", "earlier_run": f"../{run.name}", "runs_folder": ".."}
    try:
        notebook = papermill.execute_notebook(
            str(run.template),
            None,
            run.parameters | {key: value for key, value in places.items() if key in known},
            kernel_name="python3",
            language="python",
            cwd=str(staging),
            progress_bar=False,
            stdout_file=_Named(run.name),
            execution_timeout=CELL_SECONDS,
        )
    except PapermillExecutionError as error:
        shutil.rmtree(staging)
        raise RunError(
            f"run {run.name} failed in cell {error.exec_count} of {run.template.name}: "
            f"{error.ename}: {error.evalue} (run it alone with `vaelib runs {run.name}`)"
        ) from error
    (staging / "notebook.ipynb").write_text(
        json.dumps(_page(notebook, run.title), indent=1) + "\n", encoding="utf-8"
    )
    files = sorted(str(path.relative_to(staging)) for path in staging.rglob("*") if path.is_file())
    page = {"inputs": inputs(run, runs_folder), "files": files}
    artifacts.write_json(page, staging / "page.json")
    outdated = runs_folder / f".outdated-{run.name}"
    shutil.rmtree(outdated, ignore_errors=True)
    if final.exists():
        final.rename(outdated)
    staging.rename(final)
    shutil.rmtree(outdated, ignore_errors=True)
    return time.perf_counter() - start


class _Named:
    """Standard output, each line after the name of the run that printed it."""

    def __init__(self, name: str):
        self.name = name

    def write(self, text: str) -> None:
        sys.stdout.write("".join(f"{self.name}: {line}" for line in text.splitlines(True)))

    def flush(self) -> None:
        sys.stdout.flush()


def _page(notebook: dict, title: str) -> dict:
    """Give an executed notebook its title, and strip what is not for readers."""
    heading, *rest = notebook["cells"][0]["source"].split("\n")
    if not heading.startswith("# "):
        raise RunError(f"the first cell of a template is a heading; received {heading!r}")
    notebook["cells"][0]["source"] = "\n".join([f"# {title}", *rest])
    for cell in notebook["cells"]:
        cell["metadata"] = _kept(cell["metadata"])
    notebook["metadata"] = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "myst": {"html_meta": {"description": f"Executed notebook. {title.replace('`', '')}."}},
    }
    return notebook


def _kept(metadata: dict) -> dict:
    """Keep what a page needs of a cell's metadata: its tags, and the caption of its figure."""
    return {key: metadata[key] for key in ("tags", "mystnb") if metadata.get(key)}
