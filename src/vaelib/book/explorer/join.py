"""The explorer's markup, and its modules as one script: a page from a file may not import them."""

import html
import re
from pathlib import Path

HERE = Path(__file__).parent

IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:class|function|const) (\w+))", re.MULTILINE)


def markup(runs: list[str]) -> str:
    """Return the explorer's markup with a choice of runs, the first of them chosen."""
    choices = "\n".join(
        f'<label><input type="radio" name="explorer-run" value="{html.escape(name)}"'
        f"{' checked' if name == runs[0] else ''}> {html.escape(name)}</label>"
        for name in runs
    )
    return (HERE / "markup.html").read_text(encoding="utf-8").replace("<!-- runs -->", choices)


def joined(folder: Path, entry: str) -> str:
    """Join a module and all that it imports, each after those that it imports itself.

    Args:
        folder: of the modules. Each becomes a function that returns what it exports.
        entry: name of the module that exports ``main``; it gets the script's own source.
    """
    modules: dict[str, str] = {}
    _collect(folder, entry, modules)
    body = "\n".join(modules.values())
    return (
        f'(function explorer() {{\n"use strict";\n{body}\n'
        f"in_{entry}.main(`(${{explorer}})()`);\n}})();\n"
    )


def _collect(folder: Path, name: str, modules: dict[str, str]) -> None:
    text = (folder / f"{name}.js").read_text(encoding="utf-8")
    for _, needed in IMPORT.findall(text):
        if needed not in modules:
            _collect(folder, needed, modules)
    exported = ", ".join(EXPORT.findall(text))
    text = EXPORT.sub("", IMPORT.sub(r"const \1 = in_\2;", text))
    modules[name] = f"const in_{name} = (() => {{\n{text}\nreturn {{ {exported} }};\n}})();\n"
