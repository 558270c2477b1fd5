"""Intervals, verdicts and p-values: what numbers of several runs say of one more, or of a claim.

The unit of replication is the seed: every value is one training's. ``claimed`` is the original's
number, ``values`` are ours, one per seed; where there are several numbers, ``runs`` have a row of
them per seed.
"""

import math
from collections.abc import Iterable
from statistics import mean, stdev

import numpy as np
from scipy import stats

PROVED = "proved"
REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
UNDECIDED = "undecided"
ALL = (PROVED, REPRODUCED, NOT_REPRODUCED, UNDECIDED)
LEVEL = 0.95
DRAWS = 20_000


def confidence_interval(values: list[float]) -> tuple[float, float]:
    """Bound the mean over seeds: mean ± t·s/√n, at 95 %.

    Raises:
        ValueError: fewer than two values, or one that is not finite.
    """
    return _interval(values, 0)


def prediction_interval(values: list[float]) -> tuple[float, float]:
    """Bound the value of one new seed: mean ± t·s·√(1 + 1/n), at 95 %; raise as for the mean."""
    return _interval(values, 1)


def over_seeds(values: Iterable[float]) -> dict:
    """Summarise one value per seed; at least two."""
    values = list(values)
    low, high = prediction_interval(values)
    return {
        "values": values,
        "mean": mean(values),
        "prediction": {"low": low, "high": high},
        "confidence": dict(zip(("low", "high"), confidence_interval(values), strict=True)),
    }


def each_over_seeds(seeds: list[dict[str, float]]) -> dict[str, dict]:
    """Summarise several values per seed by name, as :func:`over_seeds` does each."""
    return {name: over_seeds(seed[name] for seed in seeds) for name in seeds[0]}


def _interval(values: list[float], new: int) -> tuple[float, float]:
    """Bound the mean, or with ``new`` = 1, which adds its variance, a new value."""
    n = len(values)
    if n < 2:
        raise ValueError(f"{n} value(s) have no spread; expected at least 2 seeds")
    if not all(map(math.isfinite, values)):
        raise ValueError(f"values are {values}; expected finite numbers")
    half = stats.t.ppf((1 + LEVEL) / 2, n - 1) * stdev(values) * math.sqrt(new + 1 / n)
    return mean(values) - half, mean(values) + half


def of_number(claimed: float, values: list[float], widest: float) -> str:
    """Judge a number: is it one that a new run could have given?

    Args:
        widest: the greatest width of the prediction interval, as a share of the claimed number,
            that still tells something; a wider one decides nothing.
    """
    if not math.isfinite(claimed):
        raise ValueError(f"the claimed number is {claimed}; expected a finite one")
    low, high = prediction_interval(values)
    if not low <= claimed <= high:
        return NOT_REPRODUCED
    return REPRODUCED if high - low <= widest * abs(claimed) else UNDECIDED


def of_effect(values: list[float]) -> str:
    """Judge an effect, given per seed with the claimed sign as positive."""
    low, high = confidence_interval(values)
    if low > 0:
        return REPRODUCED
    return NOT_REPRODUCED if high < 0 else UNDECIDED


def together(verdicts: list[str]) -> str:
    """Judge a claim of several parts by the worst of their verdicts."""
    for verdict in (NOT_REPRODUCED, UNDECIDED):
        if verdict in verdicts:
            return verdict
    return verdicts[0]


def p_value(claimed: float, values: list[float]) -> float:
    """Return the chance that a new run lies at least as far from the mean of two or more others.

    Returns:
        The two-sided p-value of Student's t for a new value. It is below 0.05 where the number lies
        outside :func:`prediction_interval`.
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
    """Return the same for k numbers of one run together, from more runs than k.

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
