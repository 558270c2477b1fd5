"""Verdicts on the book's claims, on made-up records whose answers are known."""

import copy

import pytest

from vaelib.study import claims
from vaelib.study.statistics import NOT_REPRODUCED, PROVED, REPRODUCED, UNDECIDED

from .made_up import BOOK, ORIGINAL, record, scattered, table

CLAIMS = claims.read_claims(BOOK)


HISTORY = [{"total": 200.0, "val_total": 180.0}]
IDS = ["C1", "C2", "C3", "C4", "C5", "C6", "C7a", "C7b", "C7c", "C9a", "C9b", "C10", "C11", "C12"]
PROVED_ONES = {"C1", "C2", "C3"}


def pairs(seeds=8, **changes):
    return [
        {loss: record(loss, seed, **changes) for loss in ("bce", "mse")} for seed in range(seeds)
    ]


def judged(pairs, history=HISTORY):
    return claims.judge(CLAIMS, pairs, ORIGINAL, history)


def verdicts_of(*given):
    return {name: finding.verdict for name, finding in judged(*given).items()}


def test_runs_that_agree_reproduce_every_claim():
    found = verdicts_of(pairs())
    assert list(found) == IDS
    assert {name for name, verdict in found.items() if verdict == PROVED} == PROVED_ONES
    assert {verdict for name, verdict in found.items() if name not in PROVED_ONES} == {REPRODUCED}


def test_other_losses_do_not():
    found = verdicts_of(pairs(shift=0.05))
    assert found["C5"] == found["C10"] == NOT_REPRODUCED
    assert found["C11"] == REPRODUCED


def test_few_runs_cannot_tell():
    found = verdicts_of(pairs(6))
    assert {name for name, verdict in found.items() if verdict == UNDECIDED} == {"C5", "C10"}
    assert judged(pairs(6))["C5"].tests["table"] is None


def test_another_first_epoch_is_no_ordinary_run():
    found = judged(pairs(), [{"total": 300.0, "val_total": 180.0}])
    assert found["C5"].verdict == NOT_REPRODUCED
    assert found["C5"].tests["table"] > 0.05 > found["C5"].tests["first_epoch"]
    assert found["C10"].verdict == REPRODUCED
    assert list(found["C10"].tests) == ["table"]


def test_intervals_that_hold_both_losses_decide_nothing():
    wide = pairs()
    for seed, pair in enumerate(wide):
        for losses in pair["mse"]["losses"].values():
            losses["kl"] += 0.5 * (-1) ** seed
    found = verdicts_of(wide)
    assert {name for name, verdict in found.items() if verdict == UNDECIDED} == {"C10"}


def test_a_run_that_leaves_a_dimension_unused_is_not_held_against_the_originals():
    some = pairs(9)
    for seed, nats in ((4, 0.09), (5, 0.1)):
        some[seed]["bce"]["rate"]["dimensions"] = [4.0, nats]
    for losses in some[4]["bce"]["losses"].values():
        losses["total"] += 20
        losses["reconstruction"] += 20
    found, without = judged(some), judged(some[:4] + some[5:])
    assert (found["C5"].left_out, found["C10"].left_out) == ("4", "none")
    assert (found["C5"].parts, found["C5"].tests) == (without["C5"].parts, without["C5"].tests)
    assert [len(found[name].parts[0].values) for name in ("C5", "C6", "C10")] == [8, 9, 9]
    some[7]["mse"]["rate"]["dimensions"] = [0.0, 6.0]
    unused = {name: judged(some)[name].parts[0].unused for name in ("C7a", "C9b", "C11")}
    assert unused == {"C7a": [4], "C9b": [4], "C11": [4, 7]}
    assert {tuple(part.unused) for part in mse_too(some)} == {(7,)}


@pytest.mark.parametrize(
    ("other", "told"), [(1.0, False), (2.0, False), (0.9, True), (2.1, True), (1.5, False)]
)
def test_an_interval_tells_from_what_lies_outside(other, told):
    part = claims.Part("kl", [1.4, 1.6], (1.0, 2.0), claimed=1.5, other=other)
    assert claims.tells(part) == told


@pytest.mark.parametrize(
    ("refuted", "loss", "path", "value"),
    [
        ({"C6", "C5"}, "bce", ("losses", "test", "kl"), 20.0),
        ({"C7b", "C11"}, "bce", ("appearance", "sharpness"), 1.2),
        ({"C7c"}, "bce", ("appearance", "sharpness"), 0.2),
        ({"C7a"}, "bce", ("appearance", "recognised"), 0.3),
        ({"C9b"}, "bce", ("appearance", "confusion"), table((3, 5), 0.4)),
        ({"C9a"}, "bce", ("appearance", "confusion"), scattered()),
        ({"C11"}, "bce", ("appearance", "sharpness"), 0.9),
        ({"C12"}, "bce", ("appearance", "dispersion", "robust"), 0.5),
        ({"C12"}, "mse", ("appearance", "dispersion", "deviation"), 9.0),
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
    for seed, pair in enumerate(changed):
        pair["mse"]["appearance"]["sharpness"] = 0.4 if seed % 2 else 0.8
    assert verdicts_of(changed)["C11"] == UNDECIDED


def test_a_verdict_that_one_seed_turns_is_named():
    assert claims.turned(CLAIMS, pairs(10), ORIGINAL, HISTORY) == {}
    two = pairs(10)
    for seed in (4, 7):  # of ten the second least bounds the median, and of nine too
        two[seed]["mse"]["appearance"]["sharpness"] = -2.0
    assert verdicts_of(two)["C11"] == UNDECIDED
    assert claims.turned(CLAIMS, two, ORIGINAL, HISTORY) == {"C11": [4, 7]}


def test_what_is_asked_of_bce_is_asked_of_mse_with_the_same_limits():
    changed = pairs()
    for pair in changed:
        pair["mse"]["appearance"]["sharpness"] = 0.3
    found = {(part.name, part.above, part.below): part.verdict for part in mse_too(changed)}
    assert found.pop(("mse_sharpness", 0.5, None)) == NOT_REPRODUCED
    assert set(found.values()) == {REPRODUCED}
    assert len(found) == 4


def mse_too(pairs):
    return claims.mse_too(CLAIMS, pairs)


def test_another_network_is_not_the_originals():
    changed = copy.deepcopy(CLAIMS)
    changed["C4"]["numbers"]["encoder"] += 1
    found = claims.judge(changed, pairs(), ORIGINAL, HISTORY)
    assert found["C4"].verdict == NOT_REPRODUCED


def test_a_misspelt_quantity_names_the_nearest():
    changed = {"C11": CLAIMS["C11"] | {"effects": {"mse_minus_bce_sharpnes": {"above": 0}}}}
    with pytest.raises(ValueError, match="did you mean 'mse_minus_bce_sharpness'"):
        claims.judge(changed, pairs(), ORIGINAL, HISTORY)


def test_a_limit_is_above_or_below(tmp_path):
    text = (BOOK / "claims.yml").read_text()
    (tmp_path / "claims.yml").write_text(text.replace("{below: 0.1}", "{belwo: 0.1}"))
    with pytest.raises(ValueError, match=r"a key of bce_kl_share of C6 is 'belwo'.*'below'"):
        claims.read_claims(tmp_path)


def test_pairs_are_made_seed_by_seed():
    records = [content for pair in pairs() for content in pair.values()]
    records.pop()  # a seed with one loss only is no pair
    other = record("bce", 7)
    other["settings"]["recipe"] = "report"
    made = claims.pair_up([*records, other], "original")
    assert [pair["bce"]["settings"]["seed"] for pair in made] == list(range(7))
