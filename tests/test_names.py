"""Names: those that ``import vaelib`` offers, those of the reference, those of folders of tests."""

import doctest
import importlib
import logging
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch

import vaelib
from vaelib.data.synthetic import synthetic_digits

from .book.conftest import ROOT


@pytest.mark.parametrize("name", sorted(set(vaelib.__all__) - {"RECIPES", "Run", "load_run"}))
def test_the_example_of_a_name_is_right(name, monkeypatch):
    # A command that was called in this process prints what the library says.
    monkeypatch.setattr(logging.getLogger("vaelib"), "handlers", [])
    if name in ("explore", "model_of", "save_run"):  # which show no value: few digits will do
        monkeypatch.setattr(
            "vaelib.data.load.synthetic_digits",
            lambda number, seed: synthetic_digits(number // 10, seed),
        )
    found = getattr(vaelib, name)
    module = importlib.import_module(found.__module__)
    (test,) = doctest.DocTestFinder(recurse=False).find(found, name, module, globs={})
    assert test.examples
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert runner.run(test).failed == 0


def test_import_loads_neither_pytorch_nor_numpy():
    code = "import sys, vaelib; assert not {'torch', 'numpy', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_library_prints_nothing_and_logs_below_its_name():
    code = """
import sys, vaelib
settings = vaelib.Settings(recipe="smoke", device="cpu")
data = vaelib.ImageSet.of(vaelib.load_data("synthetic").images[:70])
vaelib.train(settings, data)
import logging
import re
logging.basicConfig(level="INFO", format="%(name)s: %(message)s", stream=sys.stderr)
vaelib.train(settings, data)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    lines = [line.split("  ")[0] for line in done.stderr.splitlines()]
    assert lines == ["vaelib.training.fit: epoch", "vaelib.training.fit: epoch"]


def test_every_module_that_others_may_use_is_in_the_reference():
    """All but the pages' own room, the door, and packages that only hold others."""
    pages = (ROOT / "book" / "api").glob("*.md")
    named = {
        name
        for page in pages
        for name in re.findall(r"^(?:\.\. automodule:: )?(vaelib\S*)$", page.read_text(), re.M)
    }
    package = Path(vaelib.__file__).parent
    found = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in package.rglob("*.py")
        if path.read_text().strip()
    }
    apart = {n for n in found if n.startswith("vaelib.book") and n != "vaelib.book.explorer.single"}
    assert named == found - apart - {"vaelib", "vaelib.cli", "vaelib.__main__"}


def test_each_test_begins_with_the_same_random_numbers():
    torch.testing.assert_close(
        torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(0))
    )


def test_no_folder_of_tests_is_left_out(request):
    """By their names, and without a word: pytest itself leaves out every folder named build."""
    tests = Path(__file__).parent
    folders = {part for path in tests.rglob("test_*.py") for part in path.relative_to(tests).parts}
    patterns = request.config.getini("norecursedirs")
    assert not [name for name in folders for pattern in patterns if fnmatch(name, pattern)]
