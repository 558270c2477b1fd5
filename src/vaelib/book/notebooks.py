"""The book's notebooks: templates that are executed under a name, with parameters."""

import ast
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from vaelib.plumbing.files import read_json
from vaelib.plumbing.names import require
from vaelib.plumbing.places import ENTRIES, NOTEBOOKS
from vaelib.training.recipes import RECIPES

KEYS = ("template", "title", "parameters", "needs")  # of an entry of runs.yml


class NotebookError(RuntimeError):
    """``runs.yml`` is wrong, or a notebook failed."""


@dataclass(frozen=True)
class Notebook:
    """An entry of ``runs.yml``: a template under a name, with parameters."""

    name: str
    template: Path
    title: str
    parameters: dict = field(default_factory=dict)
    needs: tuple[str, ...] = ()


def read_notebooks(book: Path, recipe: str) -> dict[str, Notebook]:
    """Read ``runs.yml``.

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
    templates = {path.stem: path for path in sorted((book / NOTEBOOKS).glob("*.ipynb"))}
    notebooks: dict[str, Notebook] = {}
    try:
        require("recipe", recipe, RECIPES)
        for name, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            notebooks[name] = _read_entry(name, entry, recipe, templates, notebooks)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise NotebookError(f"{file}: {error}") from error
    return notebooks


def _read_entry(
    name: str, entry: dict, recipe: str, templates: dict[str, Path], before: dict[str, Notebook]
) -> Notebook:
    for key in entry:
        require(f"a key of {name}", key, KEYS)
    require(f"the template of {name}", entry["template"], templates)
    template = templates[entry["template"]]
    known = parameter_names(template)
    parameters = {"recipe": recipe} if "recipe" in known else {}
    for key, value in entry.get("parameters", {}).items():
        require(f"a parameter of {name}", key, known)
        parameters[key] = value
    needs = tuple(entry.get("needs", ()))
    for needed in needs:
        require(f"a notebook that {name} needs, listed before it,", needed, before)
    return Notebook(name, template, entry["title"], parameters, needs)


def parameter_names(template: Path) -> list[str]:
    """List the names that a template's parameters cell assigns."""
    for cell in read_json(template)["cells"]:
        if "parameters" in cell["metadata"].get("tags", ()):
            return [
                target.id
                for node in ast.parse("".join(cell["source"])).body
                if isinstance(node, ast.Assign)
                for target in node.targets
            ]
    return []
