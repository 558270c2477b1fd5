"""The types of the library agree, by mypy."""

from mypy import api

from .book.conftest import ROOT


def test_mypy_finds_nothing(monkeypatch):
    monkeypatch.chdir(ROOT)
    found, wrong, status = api.run([])
    assert (status, wrong) == (0, ""), found
