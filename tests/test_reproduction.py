"""Verdicts on the book's claims, on made-up records whose answers are known."""

import copy
from pathlib import Path

import pytest

from vaelib import artifacts, reproduction
from vaelib.verdicts import NOT_REPRODUCED, PROVED, REPRODUCED, UNDECIDED

BOOK = Path(__file__).parents[1] / "book"
CLAIMS = reproduction.read_claims(BOOK)
ORIGINAL = artifacts.original_results(BOOK)


def table(pair, share):
    """Counts of 100 codes a class, `share` of the two classes of a pair voted into each other."""
    counts = [[100 if a == b else 0 for b in range(10)] for a in range(10)]
    a, b = pair
    moved = round(100 * share)
    counts[a][a] = counts[b][b] = 100 - moved
    counts[a][b] = counts[b][a] = moved
    return counts


def record(loss, seed, shift=0.0):
    """A run that agrees with the original, but for a little spread and a shift of its losses."""
    little = 0.001 * (seed - 1)
    losses = {
        ours: {
            name: number * (1 + little + shift) for name, number in ORIGINAL[loss][split].items()
        }
        for split, ours in reproduction.SLICES.items()
    }
    return {
        "point": {
            "reconstruction_loss": loss,
            "kl_reduction": "mean",
            "recipe": "original",
            "latent_dim": 2,
            "seed": seed,
        },
        "losses": losses,
        "measures": {
            "sharpness": (0.5 if loss == "bce" else 0.6) + little,
            "recognised": 0.8 + little,
            "dispersion": {
                "deviation": (3.0 if loss == "bce" else 2.0) + little,
                "robust": (2.0 if loss == "bce" else 1.0) + little,
            },
            "confusion": table((4, 9), 0.4 + 0.01 * seed),
            "roughness": {"mean": 0.01 + little / 10, "greatest": 0.2},
        },
    }


def pairs(**changes):
    return [{loss: record(loss, seed, **changes) for loss in ("bce", "mse")} for seed in range(3)]


def verdicts_of(pairs):
    return {
        name: finding.verdict
        for name, finding in reproduction.judge(CLAIMS, pairs, ORIGINAL).items()
    }


def test_runs_that_agree_reproduce_every_claim():
    found = verdicts_of(pairs())
    assert list(found) == [f"C{number}" for number in range(1, 13)]
    assert {name for name, verdict in found.items() if verdict == PROVED} == {"C1", "C2", "C3"}
    assert {verdict for name, verdict in found.items() if name not in ("C1", "C2", "C3")} == {
        REPRODUCED
    }


def test_other_losses_do_not():
    found = verdicts_of(pairs(shift=0.05))
    assert found["C5"] == found["C10"] == NOT_REPRODUCED
    assert found["C11"] == REPRODUCED


@pytest.mark.parametrize(
    ("claims", "loss", "path", "value"),
    [
        ({"C6", "C10"}, "mse", ("losses", "test", "kl"), 20.0),
        ({"C7", "C11"}, "bce", ("measures", "sharpness"), 1.2),
        ({"C7"}, "bce", ("measures", "recognised"), 0.3),
        ({"C8"}, "mse", ("measures", "roughness", "mean"), 0.9),
        ({"C9"}, "bce", ("measures", "confusion"), table((3, 5), 0.4)),
        ({"C11"}, "bce", ("measures", "sharpness"), 0.9),
        ({"C12"}, "bce", ("measures", "dispersion", "robust"), 0.5),
    ],
)
def test_the_opposite_of_a_claim_is_seen_in_no_other(claims, loss, path, value):
    changed = copy.deepcopy(pairs())
    for pair in changed:
        place = pair[loss]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    found = verdicts_of(changed)
    assert {name for name, verdict in found.items() if verdict == NOT_REPRODUCED} == claims
    assert UNDECIDED not in found.values()


def test_an_effect_that_changes_its_sign_is_undecided():
    changed = pairs()
    for pair, value in zip(changed, (0.4, 0.6, 0.8), strict=True):
        pair["mse"]["measures"]["sharpness"] = value
    assert verdicts_of(changed)["C11"] == UNDECIDED


def test_another_network_is_not_the_originals():
    claims = copy.deepcopy(CLAIMS)
    claims["C4"]["numbers"]["encoder"] += 1
    assert reproduction.judge(claims, pairs(), ORIGINAL)["C4"].verdict == NOT_REPRODUCED


def test_a_misspelt_quantity_names_the_nearest():
    claims = {"C11": CLAIMS["C11"] | {"quantities": ["mse_sharper_then_bce"]}}
    with pytest.raises(ValueError, match="did you mean 'mse_sharper_than_bce'"):
        reproduction.judge(claims, pairs(), ORIGINAL)


def test_pairs_are_read_seed_by_seed(tmp_path):
    for pair in pairs():
        for loss, content in pair.items():
            artifacts.write_json(content, tmp_path / f"{loss}-{content['point']['seed']}.json")
    (tmp_path / "mse-2.json").unlink()  # a seed with one loss only is no pair
    other = record("bce", 7)
    other["point"]["recipe"] = "report"
    artifacts.write_json(other, tmp_path / "other.json")
    read = reproduction.pair_up(reproduction.read(tmp_path), "original")
    assert [pair["bce"]["point"]["seed"] for pair in read] == [0, 1]
