"""Intervals, verdicts and p-values: what numbers of several runs say of one more, or of a claim.

The unit of replication is the seed: every value is one training's.
"""

import math
from collections.abc import Iterable
from statistics import mean, median, stdev

import numpy as np
from scipy import stats

PROVED = "proved"
REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
UNDECIDED = "undecided"
ALL = (PROVED, REPRODUCED, NOT_REPRODUCED, UNDECIDED)
LEVEL = 0.95


def confidence_interval(values: list[float]) -> tuple[float, float]:
    """Bound the mean over seeds: mean ± t·s/√n, at 95 %.

    Raises:
        ValueError: fewer than two values, or one that is not finite.
    """
    return _interval(values, 0)


def prediction_interval(values: list[float]) -> tuple[float, float]:
    """Bound the value of one new seed: mean ± t·s·√(1 + 1/n), at 95 %; raise as for the mean."""
    return _interval(values, 1)


def median_interval(values: list[float]) -> tuple[float, float]:
    """Bound the median over seeds by two of them, at 95 % or more, whatever their distribution.

    Raises:
        ValueError: fewer than six values, of which no two are enough, or one that is not finite.

    Source: David and Nagaraja, Order Statistics (2003), section 7.1.
    """
    _require_finite(values)
    outside = int(stats.binom.ppf((1 - LEVEL) / 2, len(values), 0.5))
    if outside < 1:
        raise ValueError(f"{len(values)} value(s) do not bound a median; expected at least 6 seeds")
    ordered = sorted(values)
    return ordered[outside - 1], ordered[-outside]


def median_over_seeds(values: Iterable[float]) -> dict:
    """Summarise one value per seed by the median; at least six."""
    values = list(values)
    low, high = median_interval(values)
    return {"values": values, "median": median(values), "low": low, "high": high}


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
    _require_finite(values)
    half = stats.t.ppf((1 + LEVEL) / 2, n - 1) * stdev(values) * math.sqrt(new + 1 / n)
    return mean(values) - half, mean(values) + half


def _require_finite(values: list[float]) -> None:
    if not all(map(math.isfinite, values)):
        raise ValueError(f"values are {values}; expected finite numbers")


def of_effect(
    interval: tuple[float, float], above: float | None = None, below: float | None = None
) -> str:
    """Judge an effect by the interval of its median, and the limit that it is claimed to lie above
    or below."""
    low, high = interval
    if above is not None:
        beyond, short = low > above, high < above
    elif below is not None:
        beyond, short = high < below, low > below
    else:
        raise ValueError("an effect has no limit; expected one that it lies above or below")
    if beyond:
        return REPRODUCED
    return NOT_REPRODUCED if short else UNDECIDED


def of_numbers(chances: list[float | None], told_apart: bool) -> str:
    """Judge numbers of one run: could it be one of ours?

    Args:
        chances: p-values of tests of it, as many as are asked together; None where our runs are
            too few.
        told_apart: whether our intervals are narrow enough to tell what matters.
    """
    known = [chance for chance in chances if chance is not None]
    if known and min(known) < (1 - LEVEL) / len(chances):
        return NOT_REPRODUCED
    return REPRODUCED if told_apart and len(known) == len(chances) else UNDECIDED


def together(verdicts: list[str]) -> str:
    """Judge a claim of several parts by the worst of their verdicts."""
    for verdict in (NOT_REPRODUCED, UNDECIDED):
        if verdict in verdicts:
            return verdict
    return verdicts[0]


def joint_p_value(claimed: list[float], runs: list[list[float]]) -> float | None:
    """Return the chance that a new run lies at least as far from others, in k numbers together.

    Args:
        claimed: (k,), of the run in question.
        runs: (n, k), of others.

    Returns:
        The p-value of Hotelling's T² for a new observation; None if n is not above k.

    Source: Hotelling, The generalization of Student's ratio (1931).
    """
    rows = np.array(runs)
    n, k = rows.shape
    if n <= k:
        return None
    away = np.array(claimed) - rows.mean(0)
    square = away @ np.linalg.solve(np.atleast_2d(np.cov(rows.T)), away) * n / (n + 1)
    return float(stats.f.sf(square * (n - k) / (k * (n - 1)), k, n - k))
