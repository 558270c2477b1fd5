import sys
from pathlib import Path

import pytest

from vaelib.plumbing import places

ROOT = Path(places.__file__).parents[3]


def test_the_book_is_found_from_below_and_beside(tmp_path, monkeypatch):
    book = tmp_path / "book"
    (book / "notebooks").mkdir(parents=True)
    (book / "notebooks.yml").touch()
    for place in (tmp_path, book, book / "notebooks"):
        monkeypatch.chdir(place)
        assert places.find_book() == book


def test_the_book_of_a_build_is_the_one_it_says(tmp_path, monkeypatch):
    monkeypatch.setenv("VAELIB_BOOK", str(tmp_path / "there"))
    assert places.find_book() == tmp_path / "there"


def test_a_run_is_looked_for_here_and_then_in_the_book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAELIB_BOOK", str(tmp_path / "book"))
    assert places.run_folder("bce", "") == tmp_path / "book" / "executed" / "bce"
    (tmp_path / "bce").mkdir()
    assert places.run_folder("bce", "") == Path("bce")
    assert places.run_folder("bce", "..") == Path("..", "bce")


def test_a_book_is_not_built_by_the_library_of_another_checkout(tmp_path):
    (tmp_path / "src" / "vaelib").mkdir(parents=True)
    places.require_own_library(tmp_path / "book")  # it has no library of its own
    (tmp_path / "src" / "vaelib" / "__init__.py").touch()
    with pytest.raises(ValueError, match=r"the checkout of this book has its own, .*new \.venv"):
        places.require_own_library(tmp_path / "book")
    places.require_own_library(ROOT / "book")


@pytest.mark.parametrize(
    ("name", "encoding", "readable"),
    [
        ("ü 数字 🙂\n", "utf-8", True),
        ("b\udcff", "utf-8", False),  # a byte that begins nothing
        ("plain", "ascii", True),
        ("\udcc3\udcbc", "ascii", False),  # ü, seen from the locale C
        ("Ã¼", "iso8859-1", False),  # the same, and other processes see it as it is
    ],
)
def test_a_path_that_not_all_processes_can_read_is_refused(monkeypatch, name, encoding, readable):
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: encoding)
    if readable:
        places.require_readable(Path("/", name))
    else:
        with pytest.raises(ValueError, match=r"cannot be read as .*rename the folder, or set PYT"):
            places.require_readable(Path("/", name))
