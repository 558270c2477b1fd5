"""What would count as width, training, both, neither: on made-up gaps."""

import itertools

import pytest

from vaelib.figures import looseness as figures
from vaelib.figures.style import render
from vaelib.study import looseness
from vaelib.study.design import whole_models
from vaelib.study.questions import answer, read_questions

from .made_up import BOOK, loose

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
    return looseness.Seed({"gap": own + little, "family": family}, held, whole)


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


def recorded(seed):
    """A model; one that was trained for longer, with 2 nats more evidence, and 1 more gap; and a
    wider one, with 1 nat more evidence, and 2 less gap."""
    models = whole_models(seed)
    base, longer, wider = (models[at].as_record() for at in ((16, 3), (16, 12), (256, 3)))
    own = loose(seed)
    split = {"family": 0.1 + 0.01 * seed}
    return [
        {
            "settings": longer,
            "evidence": {"log_evidence": -138.0, "bound": -145.0, "split": split},
            "encoder": own["encoder"] | {"gap": own["encoder"]["gap"] + 1},
        },
        {
            "settings": wider,
            "evidence": {"log_evidence": -139.0, "bound": -143.5, "split": split},
            "encoder": own["encoder"] | {"gap": own["encoder"]["gap"] - 2},
        },
        {
            "settings": base,
            "evidence": {"log_evidence": -140.0, "bound": -146.5, "split": split},
            **own,
        },
    ]


@pytest.fixture
def found():
    records = [record for seed in range(4, 8) for record in recorded(seed)]
    del records[2]["encoder"]  # of a seed whose decoder is not held
    return looseness.summarise_looseness(records)


def test_a_summary_is_of_the_seeds_whose_decoders_are_held(found):
    assert found["own"]["gap"]["values"] == pytest.approx([6.05, 6.06, 6.07])
    assert found["own"]["family"]["mean"] == pytest.approx(0.16)
    assert found["held"]["again"]["30"]["gap"]["values"] == [5, 5, 5]
    assert found["held"]["16"]["3"]["gap"]["values"] == pytest.approx([9.02, 9.03, 9.04])
    assert found["held"]["64"]["30"]["gap"]["values"] == pytest.approx([6.05, 6.06, 6.07])
    assert found["lost"] == {
        "16": {"3": 0, "10": 1, "30": 0},
        "64": {"3": 0, "10": 0, "30": 0},
        "256": {"3": 0, "10": 0, "30": 0},
    }
    assert {units: list(models) for units, models in found["whole"].items()} == {
        "16": ["3", "12"],
        "256": ["3"],
    }
    assert found["whole"]["16"]["12"]["gap"]["values"] == pytest.approx([7.05, 7.06, 7.07])
    assert found["whole"]["16"]["12"]["log_evidence"]["values"] == [-138, -138, -138]
    assert found["whole"]["256"]["3"]["bound"]["values"] == [-143.5, -143.5, -143.5]
    assert found["steps"]["test"]["50"]["values"] == pytest.approx([1.05, 1.06, 1.07])
    assert found["full"]["gap"]["values"] == pytest.approx([5.05, 5.06, 5.07])
    differences = {name: part["values"] for name, part in found["differences"].items()}
    assert differences == {
        "training": pytest.approx([1.05, 1.06, 1.07]),
        "unseen": [0.5, 0.5, 0.5],
        "unseen_before": pytest.approx([0.5, 0.5, 0.5]),
        "width": pytest.approx([2.7, 2.7, 2.7]),
        "more_width": pytest.approx([2, 2, 2]),
        "more_width_seen": pytest.approx([2, 2, 2]),
        "wider_gains": [1, 1, 1],
        "wider_narrows": pytest.approx([2, 2, 2]),
        "steps": pytest.approx([5, 5, 5]),
        "full_evidence": [-4, -5, -6],
        "full_gap": pytest.approx([-1, -1, -1]),
        "training_closes_half": pytest.approx([-4.24, -4.245, -4.25]),
        "own_is_nearer": pytest.approx([2.97, 2.97, 2.97]),
        "longer_training_widens": pytest.approx([1, 1, 1]),
        "longer_training_gains": [2, 2, 2],
        "bound_hides_gain": [0.5, 0.5, 0.5],
        "width_halves_whole": pytest.approx([-1.025, -1.03, -1.035]),
    }


def test_the_figure_has_every_encoder_and_both_kinds_of_images(found):
    figure = figures.gaps(found)
    assert b"<svg" in render(figure, "svg")
    held, steps = figure.axes
    expected = [
        (held, name, [each["gap"] for each in found["held"][units].values()])
        for units, (*_, name) in figures.HELD.items()
    ]
    expected += [
        (steps, name, list(found["steps"][split].values()))
        for split, (*_, name) in figures.SPLITS.items()
    ]
    for axes, name, parts in expected:
        (named,) = (line for line in axes.lines if line.get_label() == name)
        alike = [line for line in axes.lines if line.get_color() == named.get_color()]
        drawn = [list(line.get_ydata()) for line in alike]
        assert drawn == [list(seed) for seed in zip(*(p["values"] for p in parts), strict=True)]
    for axes in (held, steps):
        across = {line.get_linestyle(): line.get_ydata()[0] for line in axes.lines[-2:]}
        assert across == {"--": found["own"]["gap"]["mean"], ":": found["own"]["family"]["mean"]}
    names = [text.get_text() for axes in (held, steps) for text in axes.get_legend().get_texts()]
    assert names == [name for _, name, _ in expected]
