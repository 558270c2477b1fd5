"""Execute a template by hand, with parameters that it knows."""

from pathlib import Path
from typing import Any

import nbformat

from vaelib.build.execute import execute_template
from vaelib.build.notebooks import parameters_of, templates
from vaelib.build.processes import begin_kernels, sockets
from vaelib.plumbing.checks import require
from vaelib.plumbing.files import write_bytes


def execute_by_hand(template: str, given: dict[str, str], output: Path) -> None:
    """Execute a template in the current folder; the notebook appears whole or not at all.

    Args:
        template: its name, see :func:`vaelib.build.notebooks.templates`.
        given: parameter → value as it was typed, such as ``0.5``.
        output: the executed notebook.

    Raises:
        ValueError: a template or parameter that does not exist, with the nearest that does, or a
            value of another type than the template's own.
        FileExistsError: the notebook is there already.
        vaelib.build.notebooks.NotebookError: a cell failed.
    """
    known = templates()
    require("template", template, known)
    own = parameters_of(known[template])
    parameters = {}
    for name, text in given.items():
        require(f"a parameter of {template}", name, own)
        parameters[name] = _like(own[name], name, text)
    if output.exists():
        raise FileExistsError(f"{output} is there already: choose another output")
    with sockets() as folder:
        begin_kernels(folder, folder)
        made = execute_template(known[template], parameters, Path.cwd(), template)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(nbformat.writes(made).encode(), output)


def _like(own: Any, name: str, text: str) -> object:
    """Read a value of the type that the template's own value has."""
    try:
        return type(own)(text)
    except ValueError as error:
        kind = {int: "a whole number", float: "a number"}[type(own)]
        raise ValueError(f"{name} is {text!r}; expected {kind}, such as {own}") from error
