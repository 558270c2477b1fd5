"""Where the numbers in the prose come from."""

import json

import pytest

from vaelib.book.directives.values import look_up, look_up_interval
from vaelib.plumbing import files


@pytest.fixture
def book(tmp_path):
    for name, record in (
        ("executed/bce/losses", {"test": {"total": 148.1234}}),
        (
            "recorded/cost",
            {
                "peers": {"plain PyTorch": {"ratio": 0.5}},
                "steps": 1594,
                "open": None,
                "less": {"median": -0.004, "low": -0.1, "high": 0},
                "quartiles": {"low": 1, "median": 2, "high": 4, "number": 9},
                "range": {"mean": 2.5, "least": 1.25, "greatest": 3, "seeds": 3},
                "seeds": {"values": [1], "mean": 2, "confidence": {"low": 1, "high": 3}},
            },
        ),
    ):
        file = tmp_path / f"{name}.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(record))
    files.seal(tmp_path / "executed" / "bce")
    table = tmp_path / "recorded" / "original" / "results.csv"
    table.parent.mkdir()
    table.write_text("reconstruction_loss,split,total\nbce,test,149.556\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "path", "form", "text", "file"),
    [
        ("bce", "losses.test.total", ".2f", "148.12", "executed/bce/losses.json"),
        ("cost", "peers.plain PyTorch.ratio", ".0%", "50%", "recorded/cost.json"),
        ("cost", "steps", ",", "1,594", "recorded/cost.json"),
        ("cost", "open", ".2g", "unknown", "recorded/cost.json"),
        ("cost", "less.median", ".2f", "0.00", "recorded/cost.json"),
        ("original", "bce.test.total", ".1f", "149.6", "recorded/original/results.csv"),
    ],
)
def test_values_of_runs_of_records_and_of_the_original(book, name, path, form, text, file):
    assert look_up(book, name, path, form) == (text, book / file)


@pytest.mark.parametrize(
    ("name", "path", "hint"),
    [
        ("bce", "losses.tets.total", "did you mean 'test'"),
        ("cost", "peers.plain Pytorch.ratio", "did you mean 'plain PyTorch'"),
        ("cost", "steps.median", "no entry 'median'"),
    ],
)
def test_a_misspelt_key_names_the_nearest(book, name, path, hint):
    with pytest.raises(ValueError, match=hint):
        look_up(book, name, path, "")


def test_an_unknown_source_is_an_error(book):
    with pytest.raises(OSError, match="csot"):
        look_up(book, "csot", "losses.x", "")


def test_a_number_that_was_edited_is_refused(book):
    (book / "executed" / "bce" / "losses.json").write_text('{"test": {"total": 1}}')
    with pytest.raises(files.DamagedError, match=r"losses\.json is gone, or not what was saved"):
        look_up(book, "bce", "losses.test.total", "")


def test_what_the_records_say_is_read_where_the_build_leaves_it(book):
    file = book / "_build" / "reproduction.json"
    file.parent.mkdir()
    files.write_derived({"verdicts": {"proved": 3}}, "key", file)
    assert look_up(book, "reproduction", "verdicts.proved", "") == ("3", file)
    file.write_text(file.read_text().replace("3", "4"))
    with pytest.raises(files.DamagedError, match=r"reproduction\.json is not what was written"):
        look_up(book, "reproduction", "verdicts.proved", "")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("quartiles", "2.0 (1.0 to 4.0)"),
        ("range", "2.5 (1.2 to 3.0)"),
        ("seeds", "2.0 (1.0 to 3.0)"),
        ("less", "0.0 (-0.1 to 0.0)"),
    ],
)
def test_an_interval_has_its_middle_and_its_bounds(book, path, text):
    file = book / "recorded" / "cost.json"
    assert look_up_interval(book, "cost", path, ".1f") == (text, file)


def test_what_has_no_bounds_is_no_interval(book):
    with pytest.raises(ValueError, match="expected a median or mean with two bounds"):
        look_up_interval(book, "cost", "peers", ".1f")
