"""Comparisons of networks and codes on made-up code lengths."""

import itertools
import shutil

import pytest

from vaelib.plumbing.files import write_json
from vaelib.study import codes
from vaelib.study.questions import answer, read_questions

from .made_up import BOOK, YARDSTICKS, on_the_scale


def record(network, seed):
    loss, beta = codes.CODED[network]
    return {
        "settings": {
            "recipe": "report",
            "reconstruction_loss": loss,
            "beta": beta,
            "latent_dim": 2,
            "seed": seed,
        },
        "appearance": {"sharpness": 0.3 + seed / 100},
        **on_the_scale(loss, beta, 2, seed),
    }


@pytest.fixture
def records():
    return [record(*point) for point in itertools.product(codes.CODED, range(3))]


def seeds_of(records):
    return [codes.bits_of(run) for run in codes.coded(records)]


def test_a_comparison_is_the_right_sides_length_without_the_lefts(records):
    seeds = seeds_of(records)
    asked = {"a": {"quantities": ["bce:odds < mse:quarter", "best < neighbours"]}}
    values = codes.values_of(asked, seeds, YARDSTICKS)
    assert values["bce:odds < mse:quarter"] == pytest.approx([1.08] * 3)
    best = [1.4 - 0.07 + 0.001 * seed for seed in range(3)]
    assert values["best < neighbours"] == pytest.approx([0.5 - bits for bits in best])


def test_the_books_questions_are_answered(records):
    questions = read_questions(BOOK / "codes.yml")
    values = codes.values_of(questions, seeds_of(records), YARDSTICKS)
    found = {name: part["answer"] for name, part in answer(questions, values).items()}
    # In these records each network is better than those before it: squared error's than BCE's.
    assert found == dict.fromkeys(found, "yes") | {"Q12": "no", "Q13": "no"}
    assert list(found) == ["Q1", "Q3", "Q4", *(f"Q{n}" for n in range(12, 21))]


def test_only_seeds_with_all_networks_count(records):
    del records[4]["code"]
    assert len(seeds_of(records)) == 2
    assert len(seeds_of(records[3:])) == 0


@pytest.fixture
def book(tmp_path):
    (tmp_path / "recorded").mkdir()
    shutil.copy(BOOK / "codes.yml", tmp_path)
    write_json({"bits_per_pixel": YARDSTICKS}, tmp_path / "recorded" / "yardsticks.json")
    return tmp_path


def test_a_record_that_is_gone_takes_its_seed_but_no_other_networks_samples(records, book):
    for record in records[1:3]:
        del record["samples"]  # those of the first seed are recorded, as in the book
    found = codes.summarise_codes(book, records[1:])
    assert found["seeds"] == 2
    assert list(found["samples"]) == [network for network in codes.CODED if network != "bce"]
    assert found["samples"]["mse"] == "mse 0"


def test_what_the_loss_decides_is_apart_from_what_the_code_does(records, book):
    found = codes.summarise_codes(book, records)
    assert found["seeds"] == 3
    assert found["error"] == pytest.approx(3e-5)
    # Of the four networks of the two losses the last is three hundredths better than the first.
    assert {code: part["mean"] for code, part in found["loss"].items()} == pytest.approx(
        dict.fromkeys(codes.AFTERWARDS, 0.03)
    )
    assert found["pairs"]["odds"]["1/2"]["values"] == pytest.approx([0.02] * 3)
    assert found["bits"]["mse"]["quarter"]["values"] == pytest.approx([2.58, 2.581, 2.582])
    assert list(found["variance"]["own"]) == ["gaussian"]
    assert found["variance"]["fitted"]["odds"]["values"] == pytest.approx([0.3, 0.301, 0.302])
    assert found["samples"]["mse-elbo"] == "mse 0"
    assert list(found["levels"]) == ["logistic", "odds"]
    assert found["sharpness"]["bce"]["mean"] == pytest.approx(0.31)


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ("bec:odds", "network is 'bec'.*did you mean 'bce'"),
        ("bce:ods", "code of bce is 'ods'.*did you mean 'odds'"),
        ("pgn_together", "yardstick is 'pgn_together'.*did you mean 'png_together'"),
    ],
)
def test_unknown_names_are_refused(records, side, message):
    with pytest.raises(ValueError, match=message):
        codes.length(side, seeds_of(records)[0], YARDSTICKS)
