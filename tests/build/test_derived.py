"""What the records say together is derived once, and again when what decides it changes."""

import shutil

import pytest

from vaelib.build import derived
from vaelib.figures import looseness
from vaelib.plumbing.files import DamagedError
from vaelib.plumbing.places import SUMMARY
from vaelib.study import design, freshness
from vaelib.study import summary as summarising

from ..study.made_up import BOOK

PARTS = sum(len(freshness.parts_of(settings)) for settings in design.trainings())


@pytest.fixture
def book(tmp_path):
    for name in ("recorded", "claims.yml", "codes.yml", "questions.yml", "looseness.yml"):
        copy = shutil.copytree if (BOOK / name).is_dir() else shutil.copy
        copy(BOOK / name, tmp_path / name)
    (tmp_path / "_build").mkdir()
    return tmp_path


@pytest.fixture
def summarised(monkeypatch):
    """Count how often the records are summed up."""
    done = []
    counted = lambda book: {"number": done.append(1) or len(done)}  # noqa: E731
    monkeypatch.setattr(summarising, "summarise", counted)
    return done


def test_the_summary_is_that_of_the_records_and_a_page_can_read_it(book, summary, monkeypatch):
    monkeypatch.setattr(summarising, "summarise", lambda folder: summary if folder == book else {})
    assert derived.derive(book) == derived.read_summary(book) == summary
    assert summary["parts"]["all"] == PARTS
    assert summary["recorded"]["original"]["records"] == 30


@pytest.mark.parametrize(
    "names",
    [
        [
            "original-mse-beta0.5-d2-seed3",
            "report-bce-beta0.5-d2-seed0",
            "report-bce-beta1-d16-seed4",
            "report-cb-beta1-d2-seed2",
            "report-bce-beta1-d2-u256-seed5",
        ],
        ["original-bce-beta1-d2-seed6", "report-mse-beta1-d2-seed1", "report-bce-beta2-d2-seed1"],
    ],
    ids=["of all kinds", "others"],
)
def test_records_that_are_gone_leave_the_others_their_say(book, names):
    for name in names:
        (book / "recorded" / "records" / f"{name}.json").unlink()
    summary = derived.derive(book)
    looseness.gaps(summary["looseness"])  # a page draws whatever seeds are left
    parts = summary["parts"]
    missing = [group for group in parts["groups"] if group["why"] == "not there"]
    assert {group["part"] for group in missing} >= {"training", "appearance"}
    assert parts["all"] == PARTS


def test_it_is_derived_once(book, summarised):
    assert derived.derive(book) == derived.derive(book) == {"number": 1}


@pytest.mark.parametrize(
    "name",
    [
        "recorded/records/original-bce-beta0.5-d2-seed0.json",
        "recorded/processors.json",
        "recorded/stamps.json",
        "recorded/yardsticks.json",
        "recorded/original/results.csv",
        "claims.yml",
        "codes.yml",
        "questions.yml",
        "looseness.yml",
    ],
)
def test_what_it_is_made_of_makes_it_stale(book, summarised, name):
    derived.derive(book)
    file = book / name
    file.write_text(file.read_text() + "\n")
    assert derived.derive(book) == {"number": 2}
    file.unlink()
    if name.startswith("recorded"):
        assert derived.derive(book) == {"number": 3}


@pytest.mark.parametrize("module", ["study.claims", "measure.gap", "training.step"])
def test_so_does_its_code_and_that_of_what_may_be_stale(book, summarised, edit_modules, module):
    derived.derive(book)
    edit_modules(module)
    assert derived.derive(book) == {"number": 2}


@pytest.mark.parametrize("module", ["figures.images", "book.directives.values", "build.execute"])
def test_figures_and_pages_do_not(book, summarised, edit_modules, module):
    test_so_does = test_so_does_its_code_and_that_of_what_may_be_stale
    with pytest.raises(AssertionError):
        test_so_does(book, summarised, edit_modules, module)


def test_one_that_was_edited_is_not_read_and_is_derived_again(book, summarised):
    derived.derive(book)
    file = book / SUMMARY
    file.write_text(file.read_text().replace('"number": 1', '"number": 7'))
    with pytest.raises(DamagedError, match=r"reproduction\.json is not what was written there"):
        derived.read_summary(book)
    assert derived.derive(book) == {"number": 2}
    assert derived.read_summary(book) == {"number": 2}
