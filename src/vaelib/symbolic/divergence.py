"""The KL divergence is never negative: the lemma, Gibbs' inequality, closed forms."""

import sympy as sp
from sympy import Expr, Symbol, exp, log, oo

from vaelib.symbolic.gaussian import gaussian_kl, mu_p, mu_q, sigma_p, sigma_q
from vaelib.symbolic.proof import (
    NotProved,
    Statement,
    require_only_solution,
    require_positive,
    require_zero,
)

t = Symbol("t", positive=True)


def gap(ratio: Expr) -> Expr:
    """Write t − 1 − log t, the distance of the logarithm from its tangent, at a ratio t."""
    return ratio - 1 - log(ratio)


def logarithm_bound(claimed: Expr | None = None) -> list[Statement]:
    """Prove that f(t) = t − 1 − log t is positive for all t > 0 but t = 1, where it is 0.

    f is strictly convex, and its one critical point, where it vanishes, is t = 1.

    Args:
        claimed: another f(t) to try; :func:`gap` if not given.

    Returns:
        Derivative, critical point, second derivative and value at t = 1.

    Raises:
        NotProved: one of the steps does not hold.

    Source: equation :eq:`log-bound`.
    """
    f = gap(t) if claimed is None else claimed
    slope, curvature = sp.diff(f, t), sp.diff(f, t, 2)
    critical = sp.solveset(slope, t, domain=sp.Interval.open(0, oo))
    if critical != sp.FiniteSet(1):
        raise NotProved(f"the critical points of {f} are {critical}, not t = 1 alone")
    require_positive(curvature, f"the second derivative of {f}")
    require_zero(f.subs(t, 1), f"{f} vanishes at t = 1")
    return [
        Statement("f'(t)", slope),
        Statement("f'(t) = 0", sp.Integer(1), r"\iff t ="),
        Statement("f''(t)", curvature),
        Statement("f(1)", f.subs(t, 1)),
    ]


def log_bound() -> Statement:
    """State the lemma, proved by :func:`logarithm_bound`. Source: equation :eq:`log-bound`."""
    logarithm_bound()
    return Statement(r"\log t", t - 1, r"\le")


def outcomes_kl(p: list[Expr], q: list[Expr]) -> Expr:
    """Write the KL divergence from p to q, two lists of probabilities, in nats."""
    return sum(a * log(a / b) for a, b in zip(p, q, strict=True))


def gibbs(outcomes: int, divergence=outcomes_kl) -> list[Statement]:
    """Prove Gibbs' inequality for a few outcomes, without the lemma.

    For fixed p, the divergence is stationary in q at q = p only, is 0 there, and its Hessian is
    positive definite for every q with positive entries: q = p is its only minimum.

    Args:
        outcomes: number K of outcomes, 2 or 3.
        divergence: another function (p, q) to try.

    Returns:
        The leading principal minors of the Hessian.

    Raises:
        NotProved: one of the steps does not hold.

    Source: equation :eq:`kl-nonnegative`.
    """
    weights = sp.symbols(f"w1:{outcomes + 1}", positive=True)
    p = [w / sum(weights) for w in weights]
    q = list(sp.symbols(f"q1:{outcomes + 1}", positive=True))
    # The last probability depends on the others: a derivative along q_k takes from q_K.
    last, free = q[-1], q[:-1]

    def slope(f: Expr, k: Symbol) -> Expr:
        return sp.diff(f, k) - sp.diff(f, last)

    kl = divergence(p, q)
    gradient = [slope(kl, k) for k in free]
    require_only_solution([*gradient, sum(q) - 1], q, p, "stationary only at q = p")
    require_zero(kl.subs(dict(zip(q, p, strict=True)), simultaneous=True), "0 at q = p")
    hessian = sp.Matrix([[slope(g, k) for k in free] for g in gradient])
    minors = [sp.factor(hessian[:k, :k].det()) for k in range(1, outcomes)]
    for minor in minors:
        require_positive(minor, "Hessian positive definite")
    return [Statement(f"H_{k}", minor) for k, minor in enumerate(minors, 1)]


def nonnegative() -> Statement:
    """State Gibbs' inequality: the lemma proves it, and calculus for two and three outcomes.

    Source: equation :eq:`kl-nonnegative`.
    """
    logarithm_bound()
    gibbs(2)
    gibbs(3)
    return Statement(r"D_{\mathrm{KL}}(p \,\|\, q)", sp.Integer(0), r"\ge")


def bernoulli_kl() -> Expr:
    """Write the KL divergence between two Bernoulli distributions, weights a, b against c, d.

    The probabilities are a/(a + b) and c/(c + d) for the outcome 1.
    """
    a, b, c, d = sp.symbols("a b c d", positive=True)
    return outcomes_kl([a / (a + b), b / (a + b)], [c / (c + d), d / (c + d)])


def prove_bernoulli(claimed: Expr | None = None) -> Statement:
    """Prove that the Bernoulli divergence is a mean of gaps, each at least 0 by the lemma.

    Args:
        claimed: another right side to try.

    Raises:
        NotProved: the two differ.
    """
    a, b, c, d = sp.symbols("a b c d", positive=True)
    p, q = a / (a + b), c / (c + d)
    p_not, q_not = b / (a + b), d / (c + d)
    mean = p * gap(q / p) + p_not * gap(q_not / p_not) if claimed is None else claimed
    require_zero(bernoulli_kl() - mean, "Bernoulli divergence as a mean of gaps")
    return Statement(
        r"D_{\mathrm{KL}}",
        r"p\, f\!\left(\tfrac{q}{p}\right) + (1 - p)\, f\!\left(\tfrac{1 - q}{1 - p}\right)",
    )


def prove_exponential(claimed: Expr | None = None) -> Statement:
    """Prove by integration that the divergence between exponentials is one gap.

    For rates λ_p and λ_q it is f(λ_q/λ_p).

    Args:
        claimed: another right side to try.

    Raises:
        NotProved: the integral is something else.
    """
    rate_p, rate_q = sp.symbols("lambda_p lambda_q", positive=True)
    y = Symbol("y", positive=True)
    log_ratio = log(rate_p) - rate_p * y - (log(rate_q) - rate_q * y)
    value = sp.integrate(sp.expand(rate_p * exp(-rate_p * y) * log_ratio), (y, 0, oo))
    closed = gap(rate_q / rate_p) if claimed is None else claimed
    require_zero(value - closed, "divergence between exponentials")
    return Statement(r"D_{\mathrm{KL}}", r"f\!\left(\tfrac{\lambda_q}{\lambda_p}\right)")


def prove_laplace(claimed: Expr | None = None) -> Statement:
    """Prove by integration that the divergence between Laplace distributions is two gaps.

    With scales b_p, b_q, locations a distance δ apart, and s = δ/b_p it is
    f(b_p/b_q) + (b_p/b_q) f(e^{−s}).

    Args:
        claimed: another right side to try.

    Raises:
        NotProved: the integral is something else.
    """
    scale_p, scale_q, distance = sp.symbols("b_p b_q delta", positive=True)
    y = Symbol("y", positive=True)

    def part(p_exponent: Expr, q_exponent: Expr, upper: Expr) -> Expr:
        log_ratio = log(scale_q) - log(scale_p) + p_exponent / scale_p - q_exponent / scale_q
        density = exp(p_exponent / scale_p) / (2 * scale_p)
        return sp.integrate(sp.expand(density * log_ratio), (y, 0, upper))

    # p is centred at 0 and q at δ: left of 0 (x = −y), between, and right of δ (x = δ + y).
    value = (
        part(-y, -y - distance, oo) + part(-y, y - distance, distance) + part(-y - distance, -y, oo)
    )
    ratio = scale_p / scale_q
    closed = gap(ratio) + ratio * gap(exp(-distance / scale_p)) if claimed is None else claimed
    require_zero(value - closed, "divergence between Laplace distributions")
    return Statement(
        r"D_{\mathrm{KL}}",
        r"f\!\left(\tfrac{b_p}{b_q}\right) + \tfrac{b_p}{b_q}\, f\!\left(e^{-\delta / b_p}\right)",
    )


def prove_gaussian(claimed: Expr | None = None) -> Statement:
    """Prove that the Gaussian divergence is a gap plus a square.

    With r = σ_q²/σ_p² it is ½ f(r) + (μ_q − μ_p)²/(2σ_p²).

    Args:
        claimed: another right side to try.

    Raises:
        NotProved: the two differ.
    """
    square = (mu_q - mu_p) ** 2 / (2 * sigma_p**2)
    closed = gap(sigma_q**2 / sigma_p**2) / 2 + square if claimed is None else claimed
    require_zero(gaussian_kl() - closed, "Gaussian divergence as a gap plus a square")
    return Statement(
        r"D_{\mathrm{KL}}",
        r"\tfrac{1}{2} f\!\left(\tfrac{\sigma_q^2}{\sigma_p^2}\right)"
        r" + \tfrac{(\mu_q - \mu_p)^2}{2 \sigma_p^2}",
    )
