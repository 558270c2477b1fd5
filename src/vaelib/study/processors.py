"""The same trainings, with the same code, on two kinds of processor, and with others' kernels."""

import math
from pathlib import Path
from statistics import mean, variance

from scipy import stats

from vaelib.plumbing.files import read_json
from vaelib.plumbing.places import RECORDED
from vaelib.study.statistics import LEVEL

PROCESSORS = RECORDED / "processors.json"
KERNELS = RECORDED / "kernels.json"
END = "end"  # of a training: its test total


def summarise_processors(book: Path) -> dict:
    """Hold what the processor does to a training's totals against what another seed does.

    Args:
        book: its folder; ``benchmarks/processors.py`` wrote the record.

    Returns:
        The two ``processors``, ``recorded`` and ``again``; the number of ``trainings``; and
        ``after``, by number of epochs for the validation total, and by ``end`` for the test total:
        by loss the standard deviations ``seeds``, between seeds on one processor (the mean of
        both), and ``processors``, between processors, of one training; and the ``ratio`` of the
        second to the first, over both losses, with its ``confidence`` interval of 95 %. At 1,
        nothing of the seed is left.
    """
    record = read_json(book / PROCESSORS)
    losses = sorted({training["loss"] for training in record["trainings"]})
    pairs = {
        loss: [
            list(zip(*training["totals"], strict=True))
            for training in record["trainings"]
            if training["loss"] == loss
        ]
        for loss in losses
    }
    stages = [*map(str, range(1, len(pairs[losses[0]][0]))), END]
    return {
        "processors": {
            name: environment["processor"]
            for name, environment in zip(("recorded", "again"), record["environments"], strict=True)
        },
        "trainings": len(record["trainings"]),
        "after": {
            stage: _stage([[training[at] for training in pairs[loss]] for loss in losses], losses)
            for at, stage in enumerate(stages)
        },
    }


def summarise_kernels(book: Path) -> dict:
    """Count the trainings that another processor repeats bit for bit, by the kernels it chose.

    Args:
        book: its folder; ``benchmarks/kernels.py`` wrote the record.

    Returns:
        The ``processor`` and its ``capability``; and by name of the kernels the number of
        ``trainings``, and of those that came out the ``same``.
    """
    rows = read_json(book / KERNELS)
    own = next(row["again"] for row in rows if row["kernels"] == "own")
    return {name: own[name] for name in ("processor", "capability")} | {
        name: {
            "trainings": sum(row["kernels"] == name for row in rows),
            "same": sum(row["kernels"] == name and row["same"] for row in rows),
        }
        for name in sorted({row["kernels"] for row in rows})
    }


def _stage(groups: list[list[tuple[float, float]]], losses: list[str]) -> dict:
    """Compare totals of pairs of trainings, a group for each loss.

    If nothing but chance moves a training, the sum and the difference of a pair are independent,
    and their variances are as 1 + r to 1 - r, with r the share that is the seed's.
    """
    seeds = [mean(variance(side) for side in zip(*group, strict=True)) for group in groups]
    processors = [mean((a - b) ** 2 / 2 for a, b in group) for group in groups]
    sums = [variance(a + b for a, b in group) / 2 for group in groups]
    number = sum(map(len, groups))
    # Both losses count alike, each in its own deviations.
    apart = mean(d / s for d, s in zip(processors, seeds, strict=True))
    together = mean(d / s for d, s in zip(sums, seeds, strict=True))
    quotient = stats.f(number, number - len(groups))
    ends = {"low": quotient.ppf((1 + LEVEL) / 2), "high": quotient.ppf((1 - LEVEL) / 2)}

    def ratio(divisor: float) -> float:
        q = apart / together / divisor
        return math.sqrt(2 * q / (1 + q))

    return {
        loss: {"seeds": math.sqrt(s), "processors": math.sqrt(p)}
        for loss, s, p in zip(losses, seeds, processors, strict=True)
    } | {
        "ratio": {
            "mean": ratio(1.0),
            "confidence": {name: ratio(divisor) for name, divisor in ends.items()},
        }
    }
