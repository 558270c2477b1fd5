"""Staleness and execution, on a small book whose notebooks import no PyTorch."""

import json
import shutil
import subprocess
import sys

import nbformat
import pytest
import yaml

from vaelib.build import execute, notebooks
from vaelib.build.notebooks import NotebookError
from vaelib.plumbing import stale
from vaelib.plumbing.machine import usable_cores
from vaelib.plumbing.places import EXECUTED

from ..book.conftest import ROOT
from ..hostile.kills import template

SOURCE = """
from pathlib import Path
from vaelib.plumbing.checks import require
require("word", word, ["one", "two"])
Path(output_folder, "figure.svg").write_text(word)
print(word, recipe)
"""


ENTRIES = {
    "first": {"template": "say", "title": "First", "parameters": {"word": "one"}},
    "second": {"template": "say", "title": "Second", "parameters": {"word": "two"}},
    "last": {"template": "say", "title": "Last", "needs": ["first"]},
}


def new_book(folder):
    book = folder / "a book"
    parameters = 'word = "one"\nrecipe = "report"\noutput_folder = "."'
    template(book / "notebooks" / "say.ipynb", parameters, SOURCE)
    write(book, ENTRIES)
    return book


@pytest.fixture
def book(tmp_path):
    return new_book(tmp_path)


def write(book, entries):
    (book / "notebooks.yml").write_text(yaml.safe_dump(entries, sort_keys=False))


def changed(name, **entry):
    return ENTRIES | {name: {k: v for k, v in (ENTRIES[name] | entry).items() if v is not None}}


def make(book, *names):
    (book / EXECUTED).mkdir(exist_ok=True)  # as the lock does
    return execute.make(notebooks.read_notebooks(book, "smoke"), book, list(names))


def reasons(book):
    known = notebooks.read_notebooks(book, "smoke")
    return {name: notebook.why_stale(book / EXECUTED) for name, notebook in known.items()}


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    book = new_book(tmp_path_factory.mktemp("once"))
    assert make(book, "first") == ["first"]
    return book


@pytest.fixture
def made(made_once, tmp_path):
    """The small book with its first run made."""
    return shutil.copytree(made_once, tmp_path / "a book")


def test_a_run_becomes_a_page_without_traces_of_the_machine(made):
    text = (made / "executed" / "first" / "notebook.ipynb").read_text()
    page = nbformat.reads(text, 4)
    assert page.cells[0].source == "# First\n\nIts text."
    assert page.cells[-1].outputs[0].text == "one smoke\n"
    assert page.cells[-1].metadata == {"mystnb": {"image": {"alt": "a word"}}}
    assert set(page.metadata) == {"kernelspec", "language_info", "myst"}
    assert page.metadata["myst"]["html_meta"]["description"] == "Executed notebook. First."
    assert str(made) not in text
    assert not list((made / "executed").glob(".partial-*"))


def test_only_what_is_stale_runs_again(made, monkeypatch):
    assert reasons(made)["first"] == ""
    monkeypatch.setattr(execute, "execute_notebook", lambda *_: pytest.fail("a fresh run was made"))
    assert make(made, "first") == []


def test_a_changed_parameter_makes_reasons(made):
    write(made, changed("first", parameters={"word": "two"}))
    assert reasons(made)["first"] == "changed: parameters.word"


def test_a_changed_recipe_makes_reasons(made):
    first = notebooks.read_notebooks(made, "original")["first"]
    assert first.why_stale(made / EXECUTED) == "changed: parameters.recipe"


def test_a_changed_notebook_makes_reasons(made):
    file = made / "notebooks" / "say.ipynb"
    file.write_text(file.read_text().replace("print(word", "print(2 * word"))
    assert reasons(made)["first"] == "changed: template"


def test_a_changed_module_makes_stale(made, edit_modules):
    edit_modules("plumbing.checks")
    assert reasons(made)["first"] == "changed: modules.plumbing.checks"


@pytest.mark.parametrize("package", ["torch", "numpy", "matplotlib"])
def test_another_version_makes_stale(made, monkeypatch, package):
    versions = stale.versions
    monkeypatch.setattr(stale, "versions", lambda *names: versions(*names) | {package: "0"})
    assert reasons(made)["first"] == f"changed: versions.{package}"


def test_a_deleted_figure_makes_reasons(made):
    (made / "executed" / "first" / "figure.svg").unlink()
    assert reasons(made)["first"] == "damaged or deleted: figure.svg"


def test_edited_files_make_stale_and_are_made_again(made):
    files = [made / "executed" / "first" / name for name in ("figure.svg", "notebook.ipynb")]
    before = [file.read_bytes() for file in files]
    for file, content in zip(files, before, strict=True):
        file.write_bytes(content.replace(b"o", b"0", 1))
    assert reasons(made)["first"] == "damaged or deleted: figure.svg, notebook.ipynb"
    make(made, "first")
    assert (reasons(made)["first"], [file.read_bytes() for file in files]) == ("", before)


def test_an_unreadable_record_of_a_page_makes_stale(made):
    for content in ("", "{", "[]", "{}", '{"inputs": 1, "files": 2}', "NaN"):
        (made / "executed" / "first" / "page.json").write_text(content)
        assert reasons(made)["first"] == "damaged: page.json"
    assert make(made, "first") == ["first"]


def test_what_a_killed_build_left_is_taken_back(made):
    runs = made / "executed"
    (runs / "first").rename(runs / ".outdated-first")  # killed just then
    (runs / ".partial-first-1").mkdir()
    (runs / ".partial-first-1" / "figure.svg").write_text("half")
    assert make(made, "first") == []
    assert {path.name for path in runs.iterdir()} == {"first", ".settings"}


def test_a_run_is_stale_when_one_that_it_needs_has_other_weights(made, monkeypatch):
    make(made, "last")
    assert reasons(made)["last"] == ""
    monkeypatch.setattr(notebooks.folder, "identity", lambda folder: f"other {folder.name}")
    assert reasons(made)["last"] == "changed: needs.first"


def test_mnist_is_fetched_before_a_notebook_runs(book, monkeypatch):
    """Or the page would show the download."""

    def obtain():
        begun = list((book / "executed").glob(".partial-first-*"))
        raise execute.mnist.DataError(f"asked for when {len(begun)} notebooks had begun")

    monkeypatch.setattr(execute.mnist, "obtain", obtain)
    (book / EXECUTED).mkdir()
    with pytest.raises(execute.mnist.DataError, match="when 0 notebooks had begun"):
        execute.make(notebooks.read_notebooks(book, "report"), book, ["first"])


def test_needed_runs_are_made_first_and_what_each_prints_is_told_apart(book, capfd):
    assert make(book, "last") == ["first", "last"]
    first, last = (book / "executed" / name / "figure.svg" for name in ("first", "last"))
    assert first.stat().st_mtime < last.stat().st_mtime
    printed = capfd.readouterr().out
    assert "first: one smoke\n" in printed
    assert "last: one smoke\n" in printed


MEET = """
import os, time
from pathlib import Path
Path(output_folder, "figure.svg").write_text(os.environ["OMP_NUM_THREADS"])
here = Path(output_folder, "..")
(here / f"{other} may end").touch()
deadline = time.monotonic() + 100
while not list(here.glob(f"{own} may end")):
    if time.monotonic() > deadline:
        raise TimeoutError(other)
    time.sleep(0.1)
"""


@pytest.mark.skipif(usable_cores() < 2, reason="one core: one notebook at a time")
def test_runs_are_made_side_by_side_and_share_the_cores(book, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    parameters = 'own = ""\nother = ""\nrecipe = "report"\noutput_folder = "."'
    template(book / "notebooks" / "meet.ipynb", parameters, MEET)
    write(
        book,
        {
            name: {"template": "meet", "title": name, "parameters": {"own": name, "other": other}}
            for name, other in (("first", "second"), ("second", "first"))
        },
    )
    assert sorted(make(book)) == ["first", "second"]
    share = usable_cores() // min(usable_cores(), 4)
    assert (book / "executed" / "first" / "figure.svg").read_text() == str(share)


def test_after_a_failure_no_other_begins_and_what_was_there_stays(made, monkeypatch):
    monkeypatch.setattr(execute, "usable_cores", lambda: 1)
    before = (made / "executed" / "first" / "notebook.ipynb").read_text()
    write(made, changed("first", parameters={"word": "three"}))
    with pytest.raises(
        NotebookError, match=r"notebook first failed in cell 3 of say.ipynb: ValueError: wo"
    ):
        make(made, "first", "second")
    assert (made / "executed" / "first" / "notebook.ipynb").read_text() == before
    assert not list((made / "executed").glob(".partial-*"))
    assert not (made / "executed" / "second").exists()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"parameters": {"wrod": "one"}}, "did you mean 'word'"),
        ({"paramters": {"word": "one"}}, "did you mean 'parameters'"),
        ({"template": "sya"}, "did you mean 'say'"),
        ({"needs": ["secnd"]}, "did you mean"),
        ({"needs": "first"}, "expected a mapping and a list"),
        ({"title": None}, "title"),
    ],
)
def test_a_misspelt_entry_names_the_nearest(book, entry, message):
    write(book, changed("last", **entry))
    with pytest.raises(NotebookError, match=rf"notebooks.yml: .*{message}"):
        notebooks.read_notebooks(book, "smoke")


def test_an_unknown_recipe_is_refused(book):
    with pytest.raises(NotebookError, match="did you mean 'report'"):
        notebooks.read_notebooks(book, "reprot")


def test_the_books_own_runs_are_well_formed():
    runs = notebooks.read_notebooks(ROOT / "book", "report")
    trained = ["bce", "mse", "bce-elbo", "mse-elbo"]
    evidence = [f"evidence-{name}" for name in ("bce-elbo", "mse-elbo")]
    assert sorted(runs) == sorted(["model", "compare", *trained, *evidence])
    assert list(runs["compare"].needs) == trained
    for name in evidence:
        assert runs[name].needs == (runs[name].parameters["trained"],)
    assert runs["bce-elbo"].parameters["beta"] == 1.0


def test_templates_are_stored_without_outputs():
    for file in notebooks.TEMPLATES.glob("*.ipynb"):
        for cell in json.loads(file.read_text())["cells"]:
            assert not cell.get("outputs")
            assert not cell.get("execution_count")


def test_a_build_with_nothing_to_execute_imports_neither_torch_nor_matplotlib(book):
    code = """
import sys
from unittest.mock import MagicMock
from vaelib.book import setup
app = MagicMock(srcdir=sys.argv[1])
setup(app)
assert app.add_directive.called
print(sorted({"torch", "matplotlib"} & set(sys.modules)))
"""
    (book / "_static").mkdir()
    done = subprocess.run([sys.executable, "-c", code, book], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
