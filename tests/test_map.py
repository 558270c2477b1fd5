"""CONTRIBUTING.md has the map of modules that they give of themselves."""

from . import map as modules


def test_the_map_is_that_of_the_modules_first_lines():
    text = modules.CONTRIBUTING.read_text(encoding="utf-8")
    assert modules.BEGIN in text, "make map writes it"
    shown = text.split(modules.BEGIN)[1].split(modules.END)[0].splitlines()
    assert shown == modules.lines(), "make map writes it anew"


def test_every_module_has_a_first_line_that_fits():
    for file in modules.LIBRARY.rglob("*.py"):
        line = modules.first_line(file)
        assert line.endswith((".", ":")) or (file.name == "__init__.py" and not line), file
        assert len(line) <= 100
