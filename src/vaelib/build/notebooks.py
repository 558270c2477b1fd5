"""The book's notebooks: templates that are executed under a name, with parameters."""

import ast
import json
from dataclasses import dataclass, field
from pathlib import Path

from vaelib.build import page
from vaelib.plumbing import stale
from vaelib.plumbing.checks import require
from vaelib.plumbing.entries import read_entries
from vaelib.plumbing.files import damaged, read_json
from vaelib.plumbing.places import ENTRIES, NOTEBOOKS
from vaelib.training import folder
from vaelib.training.recipes import RECIPES

KEYS = ("template", "title")  # of every entry of notebooks.yml
OPTIONAL = ("parameters", "needs")
TEMPLATES = stale.PACKAGE / "templates"
INPUTS = "page.json"  # in the folder of an executed notebook: what it depended on

ENDED = "its process was ended from outside, killed or for want of memory: start again"


class NotebookError(RuntimeError):
    """``notebooks.yml`` is wrong, or a notebook failed."""


@dataclass(frozen=True)
class Notebook:
    """An entry of ``notebooks.yml``: a template under a name, with parameters."""

    name: str
    template: Path
    title: str
    parameters: dict = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def inputs(self, executed: Path) -> dict:
        """Collect what the executed notebook depends on: see :mod:`vaelib.plumbing.stale`.

        The data need no entry: their SHA-256 sums are part of the modules.

        Args:
            executed: folder of the executed notebooks, where those lie that it needs.
        """
        cells = read_json(self.template)["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        shown = [[cell["source"], page.kept(cell["metadata"])] for cell in cells]
        return stale.inputs(
            code,
            ("torch", "numpy", "scipy", "matplotlib"),
            template=stale.digest(json.dumps(shown)),
            title=self.title,
            page=stale.sources("import vaelib.build.page")["build.page"],
            parameters=self.parameters,
            needs={name: folder.identity(executed / name) for name in self.needs},
        )

    def why_stale(self, executed: Path, current: dict | None = None) -> str:
        """Say why the notebook must be executed; an empty string if what it left is fresh.

        A notebook that trains, executed again, takes over its earlier run if nothing has changed
        that the training itself depends on: see :func:`vaelib.training.run.reuse`.

        Args:
            executed: folder of the executed notebooks.
            current: its :meth:`inputs`, if they are known.
        """
        made = executed / self.name
        if not (made / INPUTS).exists():
            return "not made yet"
        wrong = damaged(made, [INPUTS]) or damaged(made)
        if INPUTS in wrong:
            return f"damaged: {INPUTS}"
        changed = stale.why_stale(read_json(made / INPUTS), current or self.inputs(executed))
        return changed or (f"damaged or deleted: {', '.join(wrong)}" if wrong else "")


def read_notebooks(book: Path, recipe: str) -> dict[str, Notebook]:
    """Read ``notebooks.yml``.

    Args:
        book: folder of the book.
        recipe: handed to every template that has a parameter of that name.

    Returns:
        The notebooks by name, each after those that it needs.

    Raises:
        NotebookError: a key, template, parameter or needed notebook that does not exist; the
            message names the nearest right one.
    """
    file = book / ENTRIES
    known = templates(book)
    notebooks: dict[str, Notebook] = {}
    try:
        require("recipe", recipe, RECIPES)
        entries = read_entries(file, KEYS, OPTIONAL)
    except ValueError as error:
        raise NotebookError(str(error)) from error
    for name, entry in entries.items():
        try:
            notebooks[name] = _read_entry(name, entry, recipe, known, notebooks)
        except ValueError as error:
            raise NotebookError(f"{file}: {error}") from error
    return notebooks


def _read_entry(
    name: str, entry: dict, recipe: str, known: dict[str, Path], before: dict[str, Notebook]
) -> Notebook:
    require(f"the template of {name}", entry["template"], known)
    template = known[entry["template"]]
    own = parameters_of(template)
    parameters = {"recipe": recipe} if "recipe" in own else {}
    given, needs = entry.get("parameters", {}), entry.get("needs", [])
    if not isinstance(given, dict) or not isinstance(needs, list):
        raise ValueError(
            f"{name} has parameters {given!r} and needs {needs!r}; expected a mapping and a list"
        )
    for key, value in given.items():
        require(f"a parameter of {name}", key, own)
        parameters[key] = value
    for needed in needs:
        require(f"a notebook that {name} needs, listed before it,", needed, before)
    return Notebook(name, template, entry["title"], parameters, tuple(needs))


def templates(book: Path | None = None) -> dict[str, Path]:
    """List the templates by name: the library's, and those in ``notebooks`` of a book."""
    folders = [TEMPLATES, *([book / NOTEBOOKS] if book else [])]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.ipynb"))}


def parameters_of(template: Path) -> dict[str, object]:
    """Read the parameters of a template: the names that its parameters cell assigns → values."""
    for cell in read_json(template)["cells"]:
        if "parameters" in cell["metadata"].get("tags", ()):
            return {
                target.id: ast.literal_eval(node.value)
                for node in ast.parse("".join(cell["source"])).body
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
    return {}
