"""Questions that were written down before the runs, and the answers that the runs give.

A quantity has one value per seed and is positive where the answer is yes. A question is answered
yes if all its quantities are above 0, and no if one is below. So the p-value of *yes* is the
greatest of those of its quantities, and that of *no* the least, times their number. The smaller of
the two, doubled, is the question's; Holm's procedure holds those of a whole file together.
"""

import math
from pathlib import Path
from statistics import mean, stdev

from scipy import stats

from vaelib.plumbing.checks import require
from vaelib.plumbing.entries import read_entries
from vaelib.study.statistics import LEVEL, over_seeds

YES, NO, UNDECIDED = "yes", "no", "undecided"


def read_questions(file: Path) -> dict:
    """Read questions; raise ValueError for a key that is missing, twice there or not known."""
    return read_entries(file, ("question", "quantities"))


def answer(questions: dict, values: dict[str, list[float]]) -> dict:
    """Answer every question by its quantities.

    Args:
        questions: from :func:`read_questions`.
        values: quantity → one value per seed, at least two.

    Returns:
        Name → ``question``; ``answer``, yes, no or undecided; ``p_value``, adjusted for the number
        of questions; and ``parts``, by quantity what
        :func:`vaelib.study.statistics.over_seeds` says.

    Raises:
        ValueError: an unknown quantity; the message names the nearest.
    """
    likelier, chances = {}, {}
    for name, question in questions.items():
        for quantity in question["quantities"]:
            require(f"a quantity of {name}", quantity, values)
        asked = [values[quantity] for quantity in question["quantities"]]
        yes = max(map(above_zero, asked))
        no = len(asked) * min(above_zero([-value for value in each]) for each in asked)
        likelier[name] = YES if yes <= no else NO
        chances[name] = min(1.0, 2 * min(yes, no))
    adjusted = holm(chances)
    return {
        name: {
            "question": question["question"],
            "answer": likelier[name] if adjusted[name] < 1 - LEVEL else UNDECIDED,
            "p_value": adjusted[name],
            "parts": {
                quantity: over_seeds(values[quantity]) for quantity in question["quantities"]
            },
        }
        for name, question in questions.items()
    }


def above_zero(values: list[float]) -> float:
    """Return the one-sided p-value of Student's t for a mean above 0, of two or more values."""
    if spread := stdev(values):
        return float(stats.t.sf(mean(values) * math.sqrt(len(values)) / spread, len(values) - 1))
    return 0.0 if mean(values) > 0 else 1.0


def holm(chances: dict[str, float]) -> dict[str, float]:
    """Adjust p-values for their number.

    Returns:
        Name → p-value. Hypotheses whose value is below 5 % may be rejected; that any true one is
        among these has a chance of at most 5 %.

    Source: Holm (1979).
    """
    adjusted, greatest = {}, 0.0
    for left, name in zip(
        range(len(chances), 0, -1), sorted(chances, key=chances.__getitem__), strict=True
    ):
        greatest = max(greatest, min(1.0, left * chances[name]))
        adjusted[name] = greatest
    return adjusted
