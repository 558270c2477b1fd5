"""Comparisons of networks and codes on made-up code lengths."""

import itertools

import pytest

from vaelib.study import codes
from vaelib.study.questions import answer, read_questions

from .made_up import BOOK

CODES = ("bernoulli", "untailed", "quarter", "fitted", "odds")
YARDSTICKS = {
    "independent_pixels": 1.7,
    "png_together": 1.68,
    "jpeg_xl_together": 1.57,
    "neighbours": 0.5,
}


def record(network, seed, shift=0.0):
    """Each code is a bit shorter than the one before, each network a tenth from the last on."""
    loss, beta = codes.NETWORKS[network]
    rank = list(codes.NETWORKS).index(network)
    bits = {code: 6 - n - rank / 10 + seed / 1000 + shift for n, code in enumerate(CODES)}
    if network in ("logistic", "odds"):
        bits["own"] = 1.4 - rank / 10
    return {
        "settings": {
            "recipe": "report",
            "reconstruction_loss": loss,
            "beta": beta,
            "latent_dim": 2,
            "seed": seed,
        },
        "code": {code: {"bits_per_pixel": value} for code, value in bits.items()},
    }


@pytest.fixture
def records():
    return [record(*point) for point in itertools.product(codes.NETWORKS, range(3))]


def test_a_comparison_is_the_right_sides_length_without_the_lefts(records):
    seeds = codes.by_seed(records)
    asked = {"a": {"quantities": ["bce:odds < mse:quarter", "best < neighbours"]}}
    values = codes.values_of(asked, seeds, YARDSTICKS)
    assert values["bce:odds < mse:quarter"] == pytest.approx([1.8] * 3)
    assert values["best < neighbours"] == pytest.approx([0.5 - 0.7] * 3)


def test_the_books_questions_are_answered(records):
    questions = read_questions(BOOK / "codes.yml")
    values = codes.values_of(questions, codes.by_seed(records), YARDSTICKS)
    found = {name: part["answer"] for name, part in answer(questions, values).items()}
    # In these records each network is better than those before it, so BCE's are the worst.
    assert found == dict.fromkeys(found, "yes") | {"Q12": "no", "Q13": "no"}
    assert list(found) == [f"Q{n}" for n in range(12, 21)]


def test_only_seeds_with_all_networks_count(records):
    del records[4]["code"]
    assert len(codes.by_seed(records)) == 2
    assert len(codes.by_seed(records[3:])) == 0


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
        codes.length(side, codes.by_seed(records)[0], YARDSTICKS)
