"""Code of the library in chapters: as it is in its file, but for its docstrings."""

import ast
import importlib
import inspect
import re
import textwrap

import pytest

from vaelib.book.directives.listings import code_of, numbered
from vaelib.plumbing.stale import PACKAGE

from .conftest import ROOT

SHOWN = [
    (page, *found.groups())
    for page in sorted((ROOT / "book").rglob("*.md"))
    for found in re.finditer(
        r"^```\{listing\} (\S+)\n:name: (\S+)$", page.read_text(), re.MULTILINE
    )
]


def without_docstrings(source: str) -> str:
    """Take the docstrings out by writing the code anew from its tree, which drops all layout."""
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.unparse(tree)


@pytest.mark.parametrize("name", [name for _, name, _ in SHOWN])
def test_a_listing_is_the_code_that_python_runs(name):
    module, found = name, []
    while not PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py").exists():
        module, _, last = module.rpartition(".")
        found.insert(0, last)
    shown = importlib.import_module(module)
    for part in found:
        shown = getattr(shown, part)
    code, file = code_of(name)
    assert ast.unparse(ast.parse(code)) == without_docstrings(inspect.getsource(shown))
    assert '"""' not in code
    assert file == PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")


def test_each_listing_is_referred_to():
    assert len(SHOWN) >= 9
    for page, _, name in SHOWN:
        assert f"{{numref}}`{name}`" in page.read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("torch.nn.Linear", "package is 'torch'; expected one of vaelib"),
        ("vaelib.vea.model.VAE", "'vea'.*did you mean 'vae'"),
        ("vaelib.vae.modell.VAE", "'modell'.*did you mean 'model'"),
        ("vaelib.vae.model.VAEE", "'VAEE'.*did you mean 'VAE'"),
        ("vaelib.vae.model.VAE.forwards", "'forwards'.*did you mean 'forward'"),
        ("vaelib.vae.model", "is no function"),
        ("vaelib.vae", "is no function"),
    ],
)
def test_unknown_code_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        code_of(name)


def test_what_is_said_of_a_line_stands_beside_its_number():
    code = "a = 1\nb = a + 1\nreturn b"
    assert list(numbered(code, {"return": "(2.2)", "a + 1": "(2.1)"}).items()) == [
        (2, "(2.1)"),
        (3, "(2.2)"),
    ]
    with pytest.raises(ValueError, match="expected one, and no other piece"):
        numbered(code, {"a + 1": "(2.1)", "b =": "(2.2)"})
    for piece, number in (("c", 0), ("a", 2)):
        with pytest.raises(ValueError, match=f"'{piece}' stands in {number} lines"):
            numbered(code, {piece: "(2.1)"})
