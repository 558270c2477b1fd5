"""What a build tells on a terminal, and in which order it works."""

import io
import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from vaelib.build import progress
from vaelib.build.notebooks import Notebook, read_notebooks
from vaelib.build.progress import Progress, chains, say

from ..book.conftest import ROOT


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is put forward."""
    now = [1e9]
    monkeypatch.setattr(progress.time, "time", lambda: now[0])
    return now


@pytest.fixture
def terminal(monkeypatch):
    """What is a terminal when it is asked for: between fixtures and test, pytest sets another."""
    written = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stdout=written))
    monkeypatch.setattr(progress, "print", partial(print, file=written), raising=False)
    return written


def notebook(name, template, *needs, **parameters):
    return Notebook(name, Path(f"{template}.ipynb"), name, parameters, needs)


BOOK = {
    each.name: each
    for each in (
        notebook("first", "train", recipe="smoke"),  # 2.5 epochs
        notebook("second", "evidence", "first"),  # 2 epochs
        notebook("third", "compare", "first"),  # half an epoch
    )
}


def test_the_longest_chain_is_told_of_each_notebook():
    assert chains(BOOK) == {"first": 4.5, "second": 2.0, "third": 0.5}


def test_the_book_begins_with_trainings_that_others_wait_for():
    chain = chains(read_notebooks(ROOT / "book", "report"))
    first = sorted(chain, key=chain.get, reverse=True)[:2]
    assert {f"evidence-{name}" for name in first} < chain.keys()
    assert max(chain, key=chain.get).startswith(("bce", "mse"))
    assert min(chain, key=chain.get) == "model"


def test_the_first_epoch_tells_how_long_the_rest_takes(clock, terminal, tmp_path):
    told = Progress(BOOK, 1, tmp_path)
    told.begin("first")
    clock[0] += 60
    told.show()
    assert terminal.getvalue() == "\r\033[Krunning first, 2 more to come"
    state = tmp_path / ".checkpoint-one.pt"
    state.touch()
    os.utime(state, (clock[0], clock[0]))
    terminal.truncate(0)
    told.show()  # 5 epochs of a minute, less this one
    assert terminal.getvalue().endswith("2 more to come, about 4 min")


def test_a_notebook_that_is_done_tells_it_better(clock, terminal, tmp_path):
    told = Progress(BOOK, 2, tmp_path)
    told.begin("first")
    clock[0] += 500
    told.end("first")
    told.begin("second")
    told.begin("third")
    clock[0] += 50
    told.show()  # 2.5 epochs of 200 s, less twice 50, by two processes
    assert terminal.getvalue().endswith("running second and third, 0 more to come, about 3 min")


def test_what_is_fresh_is_no_work(clock, terminal, tmp_path):
    told = Progress(BOOK, 1, tmp_path)
    told.end("first")
    told.begin("second")
    told.show()
    assert terminal.getvalue().endswith("running second, 1 more to come")


def test_a_log_has_no_such_line(capsys, tmp_path):
    told = Progress(BOOK, 1, tmp_path)
    told.begin("first")
    told.show()
    say("notebook first: done in 3 s")
    assert capsys.readouterr().out == "notebook first: done in 3 s\n"
