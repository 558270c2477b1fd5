"""Rules that turn the numbers of several runs into a verdict on a claim.

The unit of replication is the seed: every value is one training's.
"""

import math
from collections.abc import Iterable
from statistics import mean, stdev

from scipy.stats import t

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
    """Bound the value of one new seed: mean ± t·s·√(1 + 1/n), at 95 %.

    Raises:
        ValueError: fewer than two values, or one that is not finite.
    """
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


def _interval(values: list[float], new: int) -> tuple[float, float]:
    """Bound the mean, or with ``new`` = 1, which adds its variance, a new value."""
    n = len(values)
    if n < 2:
        raise ValueError(f"{n} value(s) have no spread; expected at least 2 seeds")
    if not all(map(math.isfinite, values)):
        raise ValueError(f"values are {values}; expected finite numbers")
    half = t.ppf((1 + LEVEL) / 2, n - 1) * stdev(values) * math.sqrt(new + 1 / n)
    return mean(values) - half, mean(values) + half


def of_number(claimed: float, values: list[float], widest: float) -> str:
    """Judge a number: is it one that a new run could have given?

    Args:
        claimed: the original's number.
        values: ours, one per seed.
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
