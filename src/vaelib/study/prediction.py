"""How surprising a number of the original would be as that of one more of our runs."""

import math
from statistics import mean, stdev

import numpy as np
from scipy import stats

from vaelib.study.verdicts import LEVEL

DRAWS = 20_000


def p_value(claimed: float, values: list[float]) -> float:
    """Return the chance that a new run lies at least as far from the mean of the others.

    Args:
        claimed: the original's number.
        values: ours, one per seed, at least two.

    Returns:
        The two-sided p-value of Student's t for a new value. It is below 0.05 where the number lies
        outside :func:`vaelib.study.verdicts.prediction_interval`.
    """
    finite = all(map(math.isfinite, [claimed, *values]))
    if not finite or len(values) < 2 or stdev(values) == 0:
        raise ValueError(
            f"the claimed number is {claimed}, the values are {values}; expected finite numbers, "
            "at least two of them different"
        )
    n = len(values)
    distance = abs(claimed - mean(values)) / (stdev(values) * math.sqrt(1 + 1 / n))
    return float(2 * stats.t.sf(distance, n - 1))


def joint_p_value(claimed: list[float], runs: list[list[float]]) -> float:
    """Return the same for several numbers of one run together.

    Args:
        claimed: k numbers.
        runs: one row of k numbers per seed, more rows than k.

    Returns:
        The p-value of Hotelling's T² for a new observation.

    Source: Hotelling, The generalization of Student's ratio (1931).
    """
    rows = np.array(runs)
    n, k = rows.shape
    away = np.array(claimed) - rows.mean(0)
    square = away @ np.linalg.solve(np.atleast_2d(np.cov(rows.T)), away) * n / (n + 1)
    return float(stats.f.sf(square * (n - k) / (k * (n - 1)), k, n - k))


def chance_of_a_miss(runs: list[list[float]]) -> float:
    """Return the chance that one run more has any of its numbers outside its prediction interval.

    The runs are drawn from a normal distribution with the covariance of ours, so that numbers that
    go together in our runs go together in these.

    Args:
        runs: one row of numbers per seed.
    """
    rows = np.array(runs)
    n = len(rows)
    # With n runs the covariance has n − 1 directions: their differences from the mean.
    directions = (rows - rows.mean(0)) / math.sqrt(n - 1)
    noise = np.random.default_rng(0).standard_normal((DRAWS, n + 1, n))
    drawn = noise @ directions
    ours, new = drawn[:, :n], drawn[:, n]
    half = stats.t.ppf((1 + LEVEL) / 2, n - 1) * ours.std(1, ddof=1) * math.sqrt(1 + 1 / n)
    return float((abs(new - ours.mean(1)) > half).any(1).mean())
