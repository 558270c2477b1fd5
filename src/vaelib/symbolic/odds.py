"""Proportional odds: a likelihood of grey levels with one output and shared thresholds.

The proofs take something else to try, and raise NotProved where two sides differ.
"""

from itertools import pairwise

import sympy as sp
from sympy import Expr, Rational, Symbol, exp, log

from vaelib.symbolic.likelihoods import CROSS_ENTROPY_OF_LOGIT, half, logit, odds, x
from vaelib.symbolic.proof import Statement, require_zero

LEVELS = 256
lower = Symbol(r"\tau_{k-1}", real=True)
gap = Symbol(r"g_k", positive=True)  # from one threshold to the next
threshold = Symbol(r"\tau_0", real=True)
mean = Symbol("m", real=True)  # of a logistic density
scale = Symbol("s", positive=True)


def share(at: Expr) -> Expr:
    """Write the probability of what lies below a threshold. Source: :eq:`proportional-odds`."""
    return 1 / (1 + exp(logit - at))


_below = 1 / (1 + exp(lower - logit))  # σ(a − τ), which loses no digits where 1 − σ does
LEVEL_PROBABILITY = share(lower + gap) * _below * (1 - exp(-gap))
"""The probability of a level between two thresholds as a product.

Source: equation :eq:`proportional-odds-level`.
"""


def prove_level(claimed: Expr = LEVEL_PROBABILITY) -> Statement:
    """Prove that the difference of the two shares is a product, whose logarithm loses no digits.

    Source: equation :eq:`proportional-odds-level`.
    """
    require_zero(share(lower + gap) - share(lower) - claimed, "probability of a level")
    right = (
        r"\sigma(\tau_k - a)\, \sigma(a - \tau_{k-1})\, \bigl(1 - e^{-(\tau_k - \tau_{k-1})}\bigr)"
    )
    return Statement(r"\sigma(\tau_k - a) - \sigma(\tau_{k-1} - a)", right)


def prove_slope(claimed: Expr | None = None) -> Statement:
    """Prove the slope of a level's log-probability: it never leaves (−1, 1).

    Source: equation :eq:`proportional-odds-slope`.
    """
    claimed = share(lower + gap) + share(lower) - 1 if claimed is None else claimed
    slope = sp.diff(log(share(lower + gap)) - log(1 + exp(lower - logit)), logit)
    require_zero(slope - claimed, "slope of a level's log-probability")
    left = r"\frac{\partial}{\partial a} \log P(k \mid a)"
    return Statement(left, r"\sigma(\tau_k - a) + \sigma(\tau_{k-1} - a) - 1")


def prove_one_threshold(claimed: Expr = CROSS_ENTROPY_OF_LOGIT) -> Statement:
    """Prove that a single threshold gives the cross-entropy of black or not.

    Source: equation :eq:`proportional-odds-one`.
    """
    black = share(threshold)
    for ink, chance in ((0, black), (1, 1 - black)):
        loss = claimed.subs({x: ink, logit: logit - threshold}, simultaneous=True)
        require_zero(-log(chance) - loss, f"ink {ink}", {logit: threshold + log(odds)})
    shifted = claimed.subs(logit, Symbol(r"(a - \tau_0)", real=True))
    condition = r"x = 0 \text{ if } k = 0, \text{ else } 1"
    return Statement(r"-\log P(k \mid a)", shifted, order="rev-lex", condition=condition)


LOGISTIC_BIN = share(logit + (x + half - mean) / scale) - share(logit + (x - half - mean) / scale)
"""The probability of a bin from x − h to x + h under a logistic density.

Source: equation :eq:`proportional-odds-logistic`.
"""


def prove_logistic(claimed: Expr = LOGISTIC_BIN) -> Statement:
    """Prove that thresholds at equal distances integrate a logistic density over bins.

    Both sides are 0 for a bin without width, and have the same slope in its half width.

    Source: equation :eq:`proportional-odds-logistic`.
    """

    def density(at: Expr) -> Expr:
        tail = exp(-(at - mean) / scale)
        return tail / (scale * (1 + tail) ** 2)

    slope = sp.diff(claimed, half)
    require_zero(slope - density(x + half) - density(x - half), "logistic density over a bin")
    require_zero(claimed.subs(half, 0), "a bin without width")
    left = r"\int_{x - h}^{x + h} \frac{e^{-(y - m)/s}}{s\, (1 + e^{-(y - m)/s})^2}\, \mathrm{d}y"
    right = r"\sigma\Bigl(\frac{x + h - m}{s}\Bigr) - \sigma\Bigl(\frac{x - h - m}{s}\Bigr)"
    return Statement(left, right)


def prove_mean(claimed: Expr | None = None) -> Statement:
    """Prove that the mean grey value is the mean of what lies above the thresholds.

    Source: equation :eq:`proportional-odds-mean`.
    """
    below = sp.symbols(f"F:{LEVELS - 1}", real=True)
    claimed = mean_level(below) if claimed is None else claimed
    shares = [*below, sp.Integer(1)]
    masses = [shares[0], *(high - low for low, high in pairwise(shares))]
    value = sum(Rational(k, LEVELS - 1) * mass for k, mass in enumerate(masses))
    require_zero(sp.expand(value - claimed), "mean grey value")
    left = r"\sum_{k=0}^{255} \frac{k}{255}\, P(k \mid a)"
    return Statement(left, r"\frac{1}{255} \sum_{k=0}^{254} \sigma(a - \tau_k)")


def mean_level(below: tuple[Symbol, ...]) -> Expr:
    """Write the mean of what lies above each threshold, given what lies below."""
    return sum((1 - share for share in below), sp.Integer(0)) / len(below)
