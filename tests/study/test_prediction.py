"""How surprising a number is: against Student's and Hotelling's tests by other means."""

import numpy as np
import pytest
from scipy import stats

from vaelib.study import statistics

FIVE = [3.0, 5.0, 4.0, 8.0, 6.0]


def test_a_p_value_is_a_twentieth_at_the_interval_and_one_at_the_mean():
    low, high = statistics.prediction_interval(FIVE)
    assert statistics.p_value(low, FIVE) == pytest.approx(0.05)
    assert statistics.p_value(high, FIVE) == pytest.approx(0.05)
    assert statistics.p_value(float(np.mean(FIVE)), FIVE) == 1


def test_one_number_alone_is_students_test():
    joint = statistics.joint_p_value([7.5], [[value] for value in FIVE])
    assert joint == pytest.approx(statistics.p_value(7.5, FIVE))


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


@pytest.mark.parametrize(
    ("columns", "chance"),
    [
        (np.ones((1, 9)), 0.05),  # nine times the same number
        (np.ones((1, 1)), 0.05),
    ],
)
def test_numbers_that_go_together_miss_together(columns, chance):
    rows = np.array(FIVE)[:, None] @ columns
    assert statistics.chance_of_a_miss(rows) == pytest.approx(chance, abs=0.005)


def test_independent_numbers_miss_more_often():
    # Columns of a Hadamard matrix are uncorrelated; the intervals share nothing but their number.
    rows = np.array([[1, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]])
    assert statistics.chance_of_a_miss(rows) == pytest.approx(1 - 0.95**3, abs=0.01)
