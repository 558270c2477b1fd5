"""Answers to questions, against scipy's tests and Holm's procedure step by step."""

import pytest
from scipy import stats

from vaelib.study.questions import above_zero, answer, holm

CLEAR, UNCLEAR, ALWAYS = [1.0, 1.1, 0.9, 1.05], [1.0, -0.9, 0.2, 0.1], [2.0, 2.0, 2.0, 2.0]
BELOW = [-value for value in CLEAR]
VALUES = {"clear": CLEAR, "unclear": UNCLEAR, "always": ALWAYS, "below": BELOW}


def asked(**questions):
    entries = {name: {"question": name, "quantities": each} for name, each in questions.items()}
    return {name: found["answer"] for name, found in answer(entries, VALUES).items()}


@pytest.mark.parametrize("values", [CLEAR, UNCLEAR, BELOW])
def test_a_p_value_is_that_of_students_t(values):
    expected = stats.ttest_1samp(values, 0, alternative="greater").pvalue
    assert above_zero(values) == pytest.approx(expected, rel=1e-9)
    assert (above_zero(ALWAYS), above_zero([-1.0, -1.0]), above_zero([0.0, 0.0])) == (0, 1, 1)


def test_yes_needs_all_quantities_and_no_needs_one():
    assert asked(
        a=["clear"],
        b=["clear", "always"],
        c=["clear", "unclear"],
        d=["clear", "below"],
        e=["below"],
    ) == {"a": "yes", "b": "yes", "c": "undecided", "d": "no", "e": "no"}


def test_the_p_value_of_several_quantities_is_that_of_the_weakest_or_counts_them():
    entries = {"a": {"question": "?", "quantities": ["clear", "unclear"]}}
    weakest = stats.ttest_1samp(UNCLEAR, 0, alternative="greater").pvalue
    assert answer(entries, VALUES)["a"]["p_value"] == pytest.approx(2 * weakest)
    entries = {"a": {"question": "?", "quantities": ["below", "clear", "unclear"]}}
    strongest = stats.ttest_1samp(BELOW, 0, alternative="less").pvalue
    assert answer(entries, VALUES)["a"]["p_value"] == pytest.approx(2 * 3 * strongest)


def test_more_questions_need_more():
    values = {"x": [1.0, 0.4, 1.2, 0.7]}
    one = answer({"a": {"question": "?", "quantities": ["x"]}}, values)["a"]
    many = {str(n): {"question": "?", "quantities": ["x"]} for n in range(5)}
    five = answer(many, values)["3"]
    assert (one["answer"], five["answer"]) == ("yes", "undecided")
    assert five["p_value"] == pytest.approx(5 * one["p_value"])


def test_holms_procedure():
    """The least is multiplied by 4, the next by 3, and none falls below one before it."""
    found = holm({"a": 0.03, "b": 0.01, "c": 0.04, "d": 0.005})
    assert found == pytest.approx({"d": 0.02, "b": 0.03, "a": 0.06, "c": 0.06})
    assert list(holm({"a": 0.9, "b": 0.8}).values()) == [1, 1]


def test_an_unknown_quantity_is_named():
    with pytest.raises(ValueError, match=r"a quantity of a.*did you mean 'clear'"):
        asked(a=["claer"])
