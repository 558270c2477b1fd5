"""How surprising a number is: against Student's and Hotelling's tests by other means."""

import numpy as np
import pytest
from scipy import stats

from vaelib.study import statistics

FIVE = [3.0, 5.0, 4.0, 8.0, 6.0]


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
