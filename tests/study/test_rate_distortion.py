"""Answers on made-up records that are known; a question decided the wrong way is seen."""

import copy

import pytest

from vaelib.plumbing.places import QUESTIONS
from vaelib.study import rate_distortion
from vaelib.study.design import CODED
from vaelib.study.questions import answer, read_questions

from .made_up import BOOK, on_the_scale, table


def record(loss, beta, dimension, seed):
    """A run by which all answers are yes."""
    little = 0.001 * seed
    return {
        "settings": {
            "recipe": "report",
            "reconstruction_loss": loss,
            "beta": beta,
            "latent_dim": dimension,
            "seed": seed,
        },
        "losses": {"test": {"reconstruction": 100 + beta + little}},
        "appearance": {
            "sharpness": (0.4 if loss == "gaussian" else 0.3) + little,
            "confusion": table((4, 9), 0.3 + 0.01 * seed),
        },
        **on_the_scale(loss, beta, dimension, seed),
    }


@pytest.fixture
def records():
    objectives = {
        *CODED.values(),
        *((loss, b) for loss in ("bce", "mse") for b in rate_distortion.BETAS),
    }
    return [record(*objective, 2, seed) for objective in objectives for seed in range(4)] + [
        record(loss, 1.0, 16, seed) for loss in ("bce", "mse") for seed in range(4)
    ]


def answers(records):
    values = rate_distortion.values_of(rate_distortion.by_seed(records))
    return answer(read_questions(BOOK / QUESTIONS), values)


def test_every_quantity_decides_a_question_of_the_book():
    asked = read_questions(BOOK / QUESTIONS).values()
    used = [quantity for question in asked for quantity in question["quantities"]]
    assert sorted(used) == sorted([*rate_distortion.QUANTITIES, *rate_distortion.ALONG_CURVES])


def test_all_answers_are_yes(records):
    found = answers(records)
    assert {name: part["answer"] for name, part in found.items()} == dict.fromkeys(found, "yes")
    unused = found["Q11"]["parts"]["bce_leaves_dimensions_unused"]
    assert unused["values"] == [6.5] * 4


def blurred(content):
    content["appearance"]["sharpness"] -= 0.2


def with_others_merged(content):
    content["appearance"]["confusion"] = table((3, 5), 0.4 + 0.01 * content["settings"]["seed"])


def constant(content):
    content["losses"]["test"]["reconstruction"] = 100
    content["rate"]["nats"] = 5 + 0.001 * content["settings"]["seed"]


def at_the_prior(content):
    content["rate"]["aggregate"]["divergence"] = 0.1 if content["settings"]["beta"] == 0.5 else 0.2


@pytest.mark.parametrize(
    ("spoil", "loss", "answered"),
    [
        (blurred, "gaussian", {"Q7": "no"}),
        (with_others_merged, "mse", {"Q10": "no"}),
        (constant, "bce", {"Q8": "undecided"}),
        (at_the_prior, "mse", {"Q9": "no"}),
    ],
)
def test_records_that_say_otherwise_change_the_answer(spoil, loss, answered, records):
    others = copy.deepcopy(records)
    for content in others:
        if content["settings"]["reconstruction_loss"] == loss:
            spoil(content)
    found = {name: part["answer"] for name, part in answers(others).items()}
    assert found == dict.fromkeys(found, "yes") | answered


def test_classes_merge_where_the_first_pair_does(records):
    curve = [copy.deepcopy(record("bce", beta, 2, 0)) for beta in rate_distortion.BETAS]
    for content in curve[:3]:
        content["appearance"]["confusion"] = table((3, 5), 0.1)
    merged, votes = rate_distortion.first_merged(curve)
    assert merged["settings"]["beta"] == rate_distortion.BETAS[3]
    assert votes[4, 9] == 30


def test_only_seeds_with_all_that_is_compared_count(records):
    some = [r for r in records if r["settings"]["seed"] < 2]
    some += [r for r in records if r["settings"]["reconstruction_loss"] == "bce"]
    assert len(rate_distortion.by_seed(some)) == 2


def test_a_seed_without_all_weights_has_no_say_along_curves_alone(records):
    some = [r for r in records if (r["settings"]["seed"], r["settings"]["beta"]) != (3, 4.0)]
    found = answers(some)
    assert len(found["Q8"]["parts"]["mse_rate_falls_2_to_4"]["values"]) == 3
    assert len(found["Q9"]["parts"]["mse_leaves_the_prior"]["values"]) == 4
