"""Verdicts on the book's claims, on made-up records whose answers are known."""

import copy

import pytest

from vaelib.study import claims
from vaelib.study.statistics import NOT_REPRODUCED, PROVED, REPRODUCED, UNDECIDED

from .made_up import BOOK, ORIGINAL, record, table

CLAIMS = claims.read_claims(BOOK)


def pairs(**changes):
    return [{loss: record(loss, seed, **changes) for loss in ("bce", "mse")} for seed in range(3)]


def verdicts_of(pairs):
    return {
        name: finding.verdict for name, finding in claims.judge(CLAIMS, pairs, ORIGINAL).items()
    }


def test_runs_that_agree_reproduce_every_claim():
    found = verdicts_of(pairs())
    assert list(found) == [f"C{number}" for number in range(1, 13) if number != 8]
    assert {name for name, verdict in found.items() if verdict == PROVED} == {"C1", "C2", "C3"}
    assert {verdict for name, verdict in found.items() if name not in ("C1", "C2", "C3")} == {
        REPRODUCED
    }


def test_other_losses_do_not():
    found = verdicts_of(pairs(shift=0.05))
    assert found["C5"] == found["C10"] == NOT_REPRODUCED
    assert found["C11"] == REPRODUCED


@pytest.mark.parametrize(
    ("refuted", "loss", "path", "value"),
    [
        ({"C6", "C5"}, "bce", ("losses", "test", "kl"), 20.0),
        ({"C7", "C11"}, "bce", ("appearance", "sharpness"), 1.2),
        ({"C7"}, "bce", ("appearance", "recognised"), 0.3),
        ({"C9"}, "bce", ("appearance", "confusion"), table((3, 5), 0.4)),
        ({"C11"}, "bce", ("appearance", "sharpness"), 0.9),
        ({"C12"}, "bce", ("appearance", "dispersion", "robust"), 0.5),
    ],
)
def test_the_opposite_of_a_claim_is_seen_in_no_other(refuted, loss, path, value):
    changed = copy.deepcopy(pairs())
    for seed, pair in enumerate(changed):
        place = pair[loss]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value * (1 + seed / 1000) if isinstance(value, float) else value
    found = verdicts_of(changed)
    assert {name for name, verdict in found.items() if verdict == NOT_REPRODUCED} == refuted
    assert UNDECIDED not in found.values()


def test_an_effect_that_changes_its_sign_is_undecided():
    changed = pairs()
    for pair, value in zip(changed, (0.4, 0.6, 0.8), strict=True):
        pair["mse"]["appearance"]["sharpness"] = value
    assert verdicts_of(changed)["C11"] == UNDECIDED


def test_another_network_is_not_the_originals():
    changed = copy.deepcopy(CLAIMS)
    changed["C4"]["numbers"]["encoder"] += 1
    assert claims.judge(changed, pairs(), ORIGINAL)["C4"].verdict == NOT_REPRODUCED


def test_a_misspelt_quantity_names_the_nearest():
    changed = {"C11": CLAIMS["C11"] | {"quantities": ["mse_sharper_then_bce"]}}
    with pytest.raises(ValueError, match="did you mean 'mse_sharper_than_bce'"):
        claims.judge(changed, pairs(), ORIGINAL)


def test_pairs_are_made_seed_by_seed():
    records = [content for pair in pairs() for content in pair.values()]
    records.pop()  # a seed with one loss only is no pair
    other = record("bce", 7)
    other["settings"]["recipe"] = "report"
    made = claims.pair_up([*records, other], "original")
    assert [pair["bce"]["settings"]["seed"] for pair in made] == [0, 1]
