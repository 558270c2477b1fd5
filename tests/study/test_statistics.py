"""The rules against textbook numbers, and against what they promise in repeated experiments."""

import numpy as np
import pytest
from scipy import stats

from vaelib.study import statistics
from vaelib.study.statistics import NOT_REPRODUCED, REPRODUCED, UNDECIDED

THREE = [9.0, 10.0, 11.0]  # mean 10, s = 1; t(0.975, 2) = 4.3027 in every table
FIVE = [3.0, 5.0, 4.0, 8.0, 6.0]


def test_intervals_of_three_values():
    low, high = statistics.confidence_interval(THREE)
    assert (low, high) == pytest.approx((10 - 2.4842, 10 + 2.4842), abs=1e-4)  # 4.3027 / √3
    low, high = statistics.prediction_interval(THREE)
    assert (low, high) == pytest.approx((10 - 4.9683, 10 + 4.9683), abs=1e-4)  # 4.3027 · √(4/3)


def test_intervals_hold_what_they_promise():
    draws = np.random.default_rng(0).normal(5, 2, (4000, 6))
    inside = [
        low <= row[5] <= high
        for row in draws
        for low, high in [statistics.prediction_interval(row[:5].tolist())]
    ]
    covers = [
        low <= 5 <= high
        for row in draws
        for low, high in [statistics.confidence_interval(row[:5].tolist())]
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)
    assert np.mean(covers) == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize(("n", "rank"), [(6, 1), (8, 1), (9, 2), (15, 4), (25, 8), (50, 18)])
def test_the_interval_of_a_median_lies_between_the_ranks_of_every_table(n, rank):
    values = np.random.default_rng(n).permutation(np.arange(1.0, n + 1)).tolist()
    assert statistics.median_interval(values) == (rank, n + 1 - rank)


def test_the_interval_of_a_median_holds_what_it_promises_where_one_in_eight_fails():
    rng = np.random.default_rng(0)
    draws = rng.normal(0, 1, (4000, 15)) + 20 * (rng.random((4000, 15)) < 1 / 8)
    middle = stats.norm.ppf(0.5 / (7 / 8))  # where half of all lie below, none of them failed
    inside = [
        low <= middle <= high for row in draws for low, high in [statistics.median_interval([*row])]
    ]
    assert np.mean(inside) == pytest.approx(0.965, abs=0.01)  # 1 − 2·P(fewer than 4 of 15 heads)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([1.0] * 5, r"5 value\(s\) do not bound a median; expected at least 6 seeds"),
        ([*[1.0] * 5, float("nan")], "expected finite numbers"),
    ],
)
def test_what_bounds_no_median(values, why):
    with pytest.raises(ValueError, match=why):
        statistics.median_interval(values)


@pytest.mark.parametrize("values", [[], [1.0]])
def test_one_seed_has_no_spread(values):
    with pytest.raises(ValueError, match="expected at least 2 seeds"):
        statistics.prediction_interval(values)


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        ({"above": 7.5}, REPRODUCED),  # the interval is 7.516 to 12.484
        ({"above": 7.6}, UNDECIDED),
        ({"above": 12.4}, UNDECIDED),
        ({"above": 12.5}, NOT_REPRODUCED),
        ({"below": 7.5}, NOT_REPRODUCED),
        ({"below": 7.6}, UNDECIDED),
        ({"below": 12.4}, UNDECIDED),
        ({"below": 12.5}, REPRODUCED),
    ],
)
def test_effects(limit, verdict):
    assert statistics.of_effect(statistics.confidence_interval(THREE), **limit) == verdict


@pytest.mark.parametrize("limit", [7.0, 13.0])
def test_an_interval_that_touches_a_limit_contains_it(limit):
    for side in ("above", "below"):
        assert statistics.of_effect((7.0, 13.0), **{side: limit}) == UNDECIDED


def test_a_test_at_its_level_does_not_reject():
    level = 1 - statistics.LEVEL
    assert statistics.of_numbers([level], True) == REPRODUCED
    assert statistics.of_numbers([0.5, level / 2], True) == REPRODUCED


def test_an_effect_needs_a_limit():
    with pytest.raises(ValueError, match="expected one that it lies above or below"):
        statistics.of_effect((0.0, 1.0))


@pytest.mark.parametrize(
    ("chances", "told_apart", "verdict"),
    [
        ([0.06], True, REPRODUCED),
        ([0.06], False, UNDECIDED),
        ([0.04], True, NOT_REPRODUCED),
        ([0.04, 0.9], True, REPRODUCED),  # of two tests each may err in one of forty
        ([0.9, 0.02], True, NOT_REPRODUCED),
        ([None, 0.9], True, UNDECIDED),
        ([None, 0.02], True, NOT_REPRODUCED),
        ([None], True, UNDECIDED),
    ],
)
def test_numbers(chances, told_apart, verdict):
    assert statistics.of_numbers(chances, told_apart) == verdict


def test_the_worst_part_decides():
    assert statistics.together([REPRODUCED, REPRODUCED]) == REPRODUCED
    assert statistics.together([REPRODUCED, UNDECIDED]) == UNDECIDED
    assert statistics.together([UNDECIDED, NOT_REPRODUCED]) == NOT_REPRODUCED


def test_one_number_alone_is_students_test():
    low, high = statistics.prediction_interval(FIVE)
    for edge in (low, high):
        joint = statistics.joint_p_value([edge], [[value] for value in FIVE])
        assert joint == pytest.approx(0.05)
    assert statistics.joint_p_value([np.mean(FIVE)], [[value] for value in FIVE]) == 1


def test_more_numbers_than_runs_cannot_be_tested():
    assert statistics.joint_p_value([1.0, 2.0], [[1.0, 2.0], [2.0, 1.0]]) is None
    assert statistics.joint_p_value([1.0, 2.0], [[1.0, 2.0], [2.0, 1.0], [3.0, 5.0]]) > 0.1


def test_two_numbers_together_do_not_depend_on_their_units():
    rows = np.random.default_rng(0).normal(size=(6, 2))
    mixed = rows @ np.array([[3.0, 1.0], [-1.0, 2.0]])
    new, new_mixed = np.array([1.0, -2.0]), np.array([1.0, -2.0]) @ np.array([[3, 1], [-1, 2]])
    assert statistics.joint_p_value(new, rows) == pytest.approx(
        statistics.joint_p_value(new_mixed, mixed)
    )


def test_joint_p_values_of_new_runs_are_uniform():
    draws = np.random.default_rng(0).multivariate_normal([1, 2], [[2, 1.5], [1.5, 2]], (3000, 6))
    found = [statistics.joint_p_value(runs[5], runs[:5]) for runs in draws]
    assert stats.kstest(found, "uniform").pvalue > 0.01
