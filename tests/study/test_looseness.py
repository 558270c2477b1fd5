"""What would count as width, training, both, neither: on made-up gaps."""

import itertools

import pytest

from vaelib.figures import looseness as figures
from vaelib.figures.style import render
from vaelib.measure.refinement import STEPS
from vaelib.study import looseness
from vaelib.study.design import whole_models
from vaelib.study.questions import answer, read_questions

from .made_up import BOOK

UNITS, EPOCHS = (16, 64, 256, 1024), (3, 10, 30)


def seed(number, by_width=0.0, by_training=0.0, family=0.05):
    """A gap of 6 nats, of which each of width and training closes a share from least to most."""
    little = 0.01 * number

    def share(at, steps):
        return steps.index(at) / (len(steps) - 1)

    held = {}
    for units, epochs in itertools.product(UNITS, EPOCHS):
        left = 1 - by_width * share(units, UNITS) - by_training * share(epochs, EPOCHS)
        held[units, epochs] = {"gap": (6 + little) * left, "training_gap": 5.5 * left}
    whole = {
        (units, epochs): {"log_evidence": -140 + epochs, "bound": -146 + 0.5 * epochs}
        for units in (16, 256)
        for epochs in (3, 12)
    }
    for (_, epochs), cell in whole.items():
        cell["gap"] = cell["log_evidence"] - cell["bound"] + little * epochs
    return looseness.Seed({"gap": 5.5 + little, "family": family}, held, whole)


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


def test_whole_models_gain_more_than_their_bound_says():
    found = answers()
    assert [found[name] for name in ("L7", "L8", "L9", "L10", "L11")] == [
        "yes",
        "yes",
        "yes",
        "no",
        "no",
    ]


SEEDS = 3


def cell(gap):
    return {"gap": gap, "median": gap / 2, "training_gap": gap - 0.5, "living": 12}


def recorded(seed):
    """The four whole models of a seed; the gap of an encoder on the held decoder falls."""
    records = []
    for (_, epochs), settings in whole_models(seed).items():
        gap = 5 + 0.1 * epochs + 0.01 * seed
        evidence = {"log_evidence": -140.0, "bound": -140 - gap, "gap": gap}
        records.append(
            {
                "settings": settings.as_record(),
                "evidence": evidence | {"split": {"family": 0.1 + 0.01 * seed}},
                "encoder": {"training_gap": gap - 0.5, "living": 12},
            }
        )
    base = records[0]
    for units, part in looseness.PARTS.items():
        width = 16 if units == "again" else units
        base[part] = {
            str(epochs): cell(8 - width / 256 - epochs / 30 + 0.01 * seed) for epochs in EPOCHS
        }
    base["refinement"] = {
        split: {str(n): {"gap": 5 / (1 + n) + 0.01 * seed, "median": 1.0} for n in STEPS}
        for split in ("test", "training")
    }
    base["full_covariance"] = {"log_evidence": -139.0 - seed, "gap": 5.0 + seed}
    return records


@pytest.fixture
def found():
    records = [record for seed in range(SEEDS) for record in recorded(seed)]
    return looseness.summarise_looseness(BOOK, records)


def test_a_summary_has_every_cell_over_all_seeds(found):
    assert found["held"]["1024"]["30"]["gap"]["mean"] == pytest.approx(8 - 4 - 1 + 0.01)
    assert found["held"]["again"]["3"]["gap"]["values"] == pytest.approx([7.8375, 7.8475, 7.8575])
    assert found["whole"]["256x12"]["gap"]["mean"] == pytest.approx(6.2 + 0.01)
    assert found["steps"]["test"]["50"]["values"] == pytest.approx(
        [5 / 51 + 0.01 * n for n in (0, 1, 2)]
    )
    assert found["own"]["family"]["mean"] == pytest.approx(0.11)
    assert found["full"]["gap"]["values"] == [5, 6, 7]
    assert found["questions"]["L7"]["answer"] == "yes"


def test_a_seed_that_is_not_recorded_whole_is_left_out():
    records = [record for seed in range(SEEDS) for record in recorded(seed)]
    assert len(looseness.gather(records)) == SEEDS
    assert len(looseness.gather(records[:-1])) == SEEDS - 1


def test_the_figure_has_every_encoder_and_both_kinds_of_images(found):
    figure = figures.gaps(found)
    assert b"<svg" in render(figure, "svg")
    held, steps = figure.axes
    by_name = {line.get_label(): list(line.get_ydata()) for line in held.lines}
    for units, by_epochs in found["held"].items():
        name = "the model's own, trained on" if units == "again" else f"{units} units, anew"
        assert by_name[name] == [part["gap"]["mean"] for part in by_epochs.values()]
    assert {"test images", "training images"} <= {line.get_label() for line in steps.lines}
