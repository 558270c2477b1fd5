"""What would count as width, training, both, neither: on made-up gaps."""

import itertools

import pytest

from vaelib.study import looseness
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
