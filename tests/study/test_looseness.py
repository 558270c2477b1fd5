"""What would count as width, training, both, neither: on made-up gaps."""

import itertools

import pytest

from vaelib.figures import looseness as figures
from vaelib.figures.style import render
from vaelib.study import looseness
from vaelib.study.design import whole_models
from vaelib.study.questions import answer, read_questions

from .made_up import BOOK, encoder, loose

UNITS, EPOCHS = (16, 64, 256, 1024), (3, 10, 30)


def seed(number, by_width=0.0, by_training=0.0, family=0.05, seen=5.5, own=5.5, wide=1.0):
    """A gap of 6 nats, of which each of width and training closes a share from least to most."""
    little = 0.01 * number

    def share(at, steps):
        return steps.index(at) / (len(steps) - 1)

    held = {}
    for units, epochs in itertools.product(UNITS, EPOCHS):
        left = 1 - by_width * share(units, UNITS) - by_training * share(epochs, EPOCHS)
        held[units, epochs] = {"gap": (6 + little) * left, "training_gap": seen * left}
    whole = {
        (units, epochs): {"log_evidence": -140 + epochs, "bound": -146 + 0.5 * epochs}
        for units in (16, 256)
        for epochs in (3, 12)
    }
    for (_, epochs), cell in whole.items():
        cell["gap"] = cell["log_evidence"] - cell["bound"] + little * epochs
    whole[256, 12]["gap"] *= wide
    return looseness.Seed({"gap": own + little, "family": family}, {}, {}, held, whole)


def answers(**shares):
    values = looseness.values_of([seed(number, **shares) for number in range(3)])
    found = answer(read_questions(BOOK / "looseness.yml"), values)
    return {name: part["answer"] for name, part in found.items()}


def test_every_quantity_decides_a_question_of_the_book():
    asked = read_questions(BOOK / "looseness.yml").values()
    used = [quantity for question in asked for quantity in question["quantities"]]
    assert sorted(used) == sorted(looseness.QUANTITIES)


@pytest.mark.parametrize(
    ("shares", "width", "training", "both"),
    [
        ({}, "no", "no", "no"),
        ({"by_width": 0.6}, "yes", "no", "yes"),
        ({"by_training": 0.6}, "no", "yes", "yes"),
        ({"by_width": 0.3, "by_training": 0.3}, "no", "no", "yes"),
        ({"by_width": 0.2, "by_training": 0.2}, "no", "no", "no"),
    ],
)
def test_width_training_and_both_are_told_apart(shares, width, training, both):
    found = answers(**shares)
    assert (found["L1"], found["L2"], found["L3"]) == (width, training, both)


def test_what_is_left_is_held_against_the_family_and_against_training_images():
    found = answers(by_width=0.6)
    assert (found["L4"], found["L5"], found["L6"]) == ("yes", "yes", "no")
    assert answers(family=1.0)["L5"] == "no"
    assert answers(own=6.5)["L4"] == "no"
    assert answers(seen=2.5)["L6"] == "yes"


def test_whole_models_gain_more_than_their_bound_says():
    found = answers()
    assert [found[name] for name in ("L7", "L8", "L9", "L10", "L11")] == [
        "yes",
        "yes",
        "yes",
        "no",
        "no",
    ]
    found = answers(wide=0.3)
    assert (found["L10"], found["L11"]) == ("no", "yes")


WHOLE = {
    (16, 3): (-140, 6),
    (16, 12): (-138, 7),
    (256, 3): (-139, 4),
    (256, 12): (-136, 3),
    ("original", "elbo"): (-137, 5),
    ("original", "half"): (-134, 8),
}
"""Units and epochs, or recipe and weight, of whole models → evidence and gap."""


def recorded(seed):
    """The whole models of a seed; encoders are trained for the decoder of the first."""
    more = 0.01 * seed
    return [
        {
            "settings": settings.as_record(),
            "rate": {"dimensions": [3.0, 0.0 if seed == 7 else 2.0]},
            "evidence": {
                "log_evidence": WHOLE[at][0],
                "bound": WHOLE[at][0] - WHOLE[at][1] - more,
                "split": {"family": 0.1 + more},
            },
            **(loose(seed) if at == (16, 3) else {"encoder": encoder(WHOLE[at][1] + more)}),
        }
        for at, settings in whole_models(seed).items()
    ]


@pytest.fixture
def found():
    records = [record for seed in range(4, 8) for record in recorded(seed)]
    del records[0]["encoder"]  # of a seed whose decoder is not held
    return looseness.summarise_looseness(BOOK, records)


def test_a_summary_is_of_the_seeds_whose_decoders_are_held(found):
    assert found["own"]["gap"]["values"] == pytest.approx([6.05, 6.06, 6.07])
    assert found["own"]["family"]["mean"] == pytest.approx(0.16)
    assert found["held"]["again"]["30"]["gap"]["values"] == [5, 5, 5]
    assert found["held"]["16"]["3"]["gap"]["values"] == pytest.approx([9.02, 9.03, 9.04])
    assert found["held"]["64"]["30"]["gap"]["values"] == pytest.approx([6.05, 6.06, 6.07])
    assert found["held"]["1024"]["30"]["gap"]["values"] == pytest.approx([3.05, 3.06, 3.07])
    assert found["held"]["again"]["30"]["unseen"]["values"] == [0.5, 0.5, 0.5]
    assert found["lost"] == {
        "16": {"3": 0, "10": 1, "30": 0},
        "64": {"3": 0, "10": 0, "30": 0},
        "256": {"3": 0, "10": 0, "30": 0},
        "1024": {"3": 0, "10": 0, "30": 0},
    }
    closes = {units: part["gap"]["values"] for units, part in found["closes"].items()}
    assert closes == {
        "again": pytest.approx([1.05, 1.06, 1.07]),
        "16": pytest.approx([-2.7, -2.7, -2.7]),
        "64": pytest.approx([2.7, 2.7, 2.7]),
        "256": pytest.approx([2, 2, 2]),
        "1024": pytest.approx([1.5, 1.5, 1.5]),
        "muon": pytest.approx([0.5, 0.5, 0.5]),
        "moved": pytest.approx([2, 2, 2]),
    }
    trained = {units: part["gap"]["values"] for units, part in found["trained"].items()}
    assert trained == {
        "16": pytest.approx([0.27, 0.27, 0.27]),
        "64": pytest.approx([2.7, 2.7, 2.7]),
        "256": pytest.approx([4.5, 4.5, 4.5]),
        "1024": pytest.approx([5.4, 5.4, 5.4]),
    }
    assert found["moved"]["gap"]["values"] == pytest.approx([2.05, 2.06, 2.07])
    assert found["closes"]["256"]["training_gap"]["values"] == pytest.approx([2, 2, 2])
    for (first, second), (log_evidence, gap) in WHOLE.items():
        part = found["whole"][str(first)][str(second)]
        assert part["log_evidence"]["values"] == [log_evidence] * 3
        assert part["gap"]["values"] == pytest.approx([gap + 0.01 * seed for seed in (5, 6, 7)])
    for name, last in (("all", 8), ("alike", 7)):
        gaps = found["protocol"][name]["gap"]["values"]
        assert gaps == pytest.approx([8 + 0.01 * seed for seed in range(4, last)])
    changes = {
        name: [part[of]["mean"] for of in ("log_evidence", "bound", "gap")]
        for name, part in found["changes"].items()
    }
    assert changes == {
        "wider": pytest.approx([1, 3, -2]),
        "wider_later": pytest.approx([2, 6, -4]),
        "longer": pytest.approx([2, 1, 1]),
        "longer_wide": pytest.approx([3, 4, -1]),
        "both": pytest.approx([4, 7, -3]),
        "protocol": pytest.approx([3, 4, -1]),
        "weight": pytest.approx([3, 0, 3]),
    }
    assert found["steps"]["test"]["50"]["values"] == pytest.approx([1.05, 1.06, 1.07])
    assert found["full"]["gap"]["values"] == pytest.approx([5.05, 5.06, 5.07])
    differences = {name: part["values"] for name, part in found["differences"].items()}
    assert differences == {
        "steps": pytest.approx([5, 5, 5]),
        "full_evidence": [-4, -5, -6],
        "full_gap": pytest.approx([-1, -1, -1]),
    }
    parts = [question["parts"] for question in found["questions"].values()]
    decide = {name: part["values"] for each in parts for name, part in each.items()}
    assert decide == {
        "width_closes_half": pytest.approx([1.325, 1.32, 1.315]),
        "training_closes_half": pytest.approx([-4.24, -4.245, -4.25]),
        "both_close_half": pytest.approx([1.46, 1.455, 1.45]),
        "own_is_nearer": pytest.approx([2.97, 2.97, 2.97]),
        "left_is_not_family": pytest.approx([1.55, 1.46, 1.37]),
        "left_is_generalisation": pytest.approx([-1.025, -1.03, -1.035]),
        "longer_training_widens": pytest.approx([1, 1, 1]),
        "longer_training_gains": [2, 2, 2],
        "bound_hides_gain": pytest.approx([1, 1, 1]),
        "width_halves_whole": pytest.approx([-1.025, -1.03, -1.035]),
        "width_halves_whole_later": pytest.approx([0.475, 0.47, 0.465]),
    }


def test_the_figure_has_every_change_and_both_kinds_of_images(found):
    figure = figures.gaps(found)
    assert b"<svg" in render(figure, "svg")
    closed, steps = figure.axes
    own, last = found["own"], found["held"]["256"]["30"]
    rows = [own, *(found["closes"][name] for name in figures.CLOSED), last]
    drawn = [
        [list(line.get_xdata()) for line in closed.lines if line.get_label() == name]
        for name in ("test images", "training images")
    ]
    assert drawn == [
        [part[name]["values"] for part in (*rows, *more)]
        for name, more in (("gap", [{"gap": own["family"]}]), ("training_gap", []))
    ]
    bars = [bar.get_segments()[0][:, 0].tolist() for bar in closed.collections]
    assert bars[:2] == [list(own[name]["confidence"].values()) for name in ("gap", "training_gap")]
    assert len(closed.get_yticklabels()) == 9
    lines = iter(steps.lines)
    for split in ("test", "training"):
        for seed in zip(*(part["values"] for part in found["steps"][split].values()), strict=True):
            assert tuple(next(lines).get_ydata()) == seed
