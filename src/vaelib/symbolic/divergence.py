"""The KL divergence is never negative: the lemma, Gibbs' inequality, closed forms.

The proofs take something else to try, as ``claimed``, and raise NotProved where two sides differ.
"""

import sympy as sp
from sympy import Expr, Symbol, exp, log, oo

from vaelib.symbolic.gaussian import KL, mu_p, mu_q, sigma_p, sigma_q
from vaelib.symbolic.proof import Statement, require_positive, require_zero

t = Symbol("t", positive=True)
p, q = sp.symbols("p q", positive=True)  # two densities, or probabilities, at one point


def gap(ratio: Expr) -> Expr:
    """Write f(t) = t − 1 − log t, the distance of the logarithm from its tangent, at a ratio t."""
    return ratio - 1 - log(ratio)


def logarithm_bound(claimed: Expr | None = None) -> list[Statement]:
    """Prove that f(t) = t − 1 − log t is positive for all t > 0 but t = 1, where it is 0.

    f is strictly convex, and at t = 1 it vanishes with its slope.

    Returns:
        Value and slope at t = 1, slope, second derivative.

    Source: equation :eq:`log-bound`.
    """
    f = gap(t) if claimed is None else claimed
    slope, curvature = sp.diff(f, t), sp.diff(f, t, 2)
    require_zero(f.subs(t, 1), f"{f} vanishes at t = 1")
    require_zero(slope.subs(t, 1), f"the slope of {f} vanishes at t = 1")
    require_positive(curvature, f"the second derivative of {f}")
    return [
        Statement("f(1)", sp.Integer(0)),
        Statement("f'(t)", slope),
        Statement("f'(1)", sp.Integer(0)),
        Statement("f''(t)", curvature),
    ]


def log_bound() -> Statement:
    """State the lemma, proved by :func:`logarithm_bound`. Source: equation :eq:`log-bound`."""
    logarithm_bound()
    return Statement(r"\log t", t - 1, r"\le")


def term(a: Expr, b: Expr) -> Expr:
    """Write what an outcome with probability, or density, a adds to the divergence from a to b."""
    return a * log(a / b)


def prove_term(claimed: Expr | None = None) -> Statement:
    """Prove, at one point x, the step from the lemma to Gibbs' inequality.

    Summed over any number of outcomes, or integrated over p > 0, the right side is a sum of gaps,
    which are at least 0 by the lemma, plus 1 minus the mass that q has there, at most 1.

    Source: equation :eq:`kl-term`.
    """
    right = p * gap(q / p) + p - q if claimed is None else claimed
    require_zero(term(p, q) - right, "one term of the divergence as a gap")
    return Statement(
        r"p(x) \log \frac{p(x)}{q(x)}", r"p(x)\, f\!\left(\frac{q(x)}{p(x)}\right) + p(x) - q(x)"
    )


def nonnegative() -> Statement:
    """State Gibbs' inequality by the lemma, term by term. Source: equation :eq:`kl-nonnegative`."""
    logarithm_bound()
    prove_term()
    return Statement(r"D_{\mathrm{KL}}(p \,\|\, q)", sp.Integer(0), r"\ge")


def prove_minimum(summand=term) -> list[Statement]:
    """Prove Gibbs' inequality for any number of outcomes by calculus, without the lemma.

    A divergence is a sum with a term for each outcome. As a function of q_k, each term is strictly
    convex; at q = p all slopes are equal, so the sum is stationary among distributions; and its
    value there is 0. A strictly convex function has one minimum.

    Returns:
        Slope and second derivative of a term.

    Source: equation :eq:`kl-nonnegative`.
    """
    of_outcome = summand(p, q)
    slope, curvature = sp.diff(of_outcome, q), sp.diff(of_outcome, q, 2)
    require_zero(sp.diff(slope.subs(q, p), p), "slopes at q = p are the same for all outcomes")
    require_positive(curvature, "a term is convex in q")
    require_zero(of_outcome.subs(q, p), "0 at q = p")
    left = r"p_k \log \frac{p_k}{q_k}"
    p_k, q_k = sp.symbols("p_k q_k", positive=True)
    shown = {p: p_k, q: q_k}
    return [
        Statement(rf"\frac{{\partial}}{{\partial q_k}}\, {left}", slope.subs(shown)),
        Statement(rf"\frac{{\partial^2}}{{\partial q_k^2}}\, {left}", curvature.subs(shown)),
    ]


def prove_bernoulli(claimed: Expr | None = None) -> Statement:
    """Prove that the Bernoulli divergence is a mean of gaps, each at least 0 by the lemma."""
    a, b, c, d = sp.symbols("a b c d", positive=True)  # weights of the outcomes 1 and 0: p, then q
    one, other = (a / (a + b), c / (c + d)), (b / (a + b), d / (c + d))
    mean = sum(p * gap(q / p) for p, q in (one, other)) if claimed is None else claimed
    require_zero(term(*one) + term(*other) - mean, "Bernoulli divergence as a mean of gaps")
    return Statement(
        r"D_{\mathrm{KL}}",
        r"p\, f\!\left(\tfrac{q}{p}\right) + (1 - p)\, f\!\left(\tfrac{1 - q}{1 - p}\right)",
    )


def prove_exponential(claimed: Expr | None = None) -> Statement:
    """Prove by integration that the divergence between exponentials is one gap.

    For rates λ_p and λ_q it is f(λ_q/λ_p).
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
    """
    square = (mu_q - mu_p) ** 2 / (2 * sigma_p**2)
    closed = gap(sigma_q**2 / sigma_p**2) / 2 + square if claimed is None else claimed
    require_zero(KL - closed, "Gaussian divergence as a gap plus a square")
    return Statement(
        r"D_{\mathrm{KL}}",
        r"\tfrac{1}{2} f\!\left(\tfrac{\sigma_q^2}{\sigma_p^2}\right)"
        r" + \tfrac{(\mu_q - \mu_p)^2}{2 \sigma_p^2}",
    )
