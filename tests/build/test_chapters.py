"""Which chapters are executed again."""

import pytest

from vaelib.build import chapters
from vaelib.plumbing import files, stale
from vaelib.plumbing.places import RECORDED, SUMMARY

CELL = "---\nkernelspec: {{name: python3}}\n---\n```{{code-cell}} ipython3\n{}\n```\n"


@pytest.fixture
def book(tmp_path):
    for name, code in (
        ("proof", "1 + 1"),
        ("numbers", "show(recorded)"),
        ("sums", "read(SUMMARY)"),
    ):
        (tmp_path / f"{name}.md").write_text(CELL.format(code))
    (tmp_path / "prose.md").write_text("No cell, but the word recorded.\n")
    (tmp_path / RECORDED).mkdir(parents=True)
    (tmp_path / "_build").mkdir()
    say(tmp_path, 1)
    return tmp_path


def say(book, total, parts=()):
    files.write_derived({"total": total, "parts": list(parts)}, "key", book / SUMMARY)


@pytest.fixture
def executed(book, monkeypatch):
    """Build the cache; return its folder and the chapters that were executed for it."""

    names = []

    def add(todo, book, cache, cell_seconds):
        names.extend(name.removesuffix(".md") for name in todo)
        cache.mkdir(exist_ok=True)

    def fill():
        names.clear()
        cache, number = chapters.fill_cache(book, 60)
        assert number == len(names)
        return cache, set(names)

    monkeypatch.setattr(chapters, "_add", add)
    return fill


def test_chapters_with_cells_are_executed_once(executed):
    cache, names = executed()
    assert names == {"proof", "numbers", "sums"}
    assert executed() == (cache, set())


def test_a_chapter_whose_cells_change_is_executed_alone(book, executed):
    before, _ = executed()
    (book / "proof.md").write_text(CELL.format("1 + 2") + "Other prose.\n")
    cache, names = executed()
    assert names == {"proof"}
    assert cache != before  # so that Sphinx reads the pages again
    assert not before.exists()
    (book / "proof.md").write_text(CELL.format("1 + 2") + "Only prose.\n")
    assert executed() == (cache, set())


def test_other_records_are_for_the_chapters_that_name_them(book, executed):
    before, _ = executed()
    say(book, 1, parts=["stale"])
    assert executed() == (before, set())
    say(book, 2)
    cache, names = executed()
    assert names == {"numbers", "sums"}
    assert cache != before
    (book / RECORDED / "cost.json").write_text("{}")
    assert executed()[1] == {"numbers", "sums"}


@pytest.mark.parametrize("package", ["matplotlib", "numpy", "scipy", "sympy", "torch"])
def test_another_release_of_what_cells_compute_with_executes_them_again(
    executed, monkeypatch, package
):
    executed()
    releases = stale._version
    monkeypatch.setattr(
        stale, "_version", lambda name: "another" if name == package else releases(name)
    )
    assert executed()[1] == {"proof", "numbers", "sums"}
