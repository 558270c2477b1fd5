"""The evidence lower bound: in any model, and in the linear-Gaussian one.

The proofs take other ``terms`` to try, as :func:`elbo_terms` gives them, or another ``model``, as
:func:`linear_gaussian` does; all raise NotProved where two sides differ.
"""

from itertools import pairwise

import sympy as sp
from sympy import Expr, log, oo, pi, sqrt

from vaelib.symbolic import gaussian
from vaelib.symbolic.divergence import gap, nonnegative
from vaelib.symbolic.proof import Statement, require_positive, require_zero

EVIDENCE = r"\log p(x)"
GAP = r"D_{\mathrm{KL}}\bigl(q(z \mid x) \,\|\, p(z \mid x)\bigr)"
TO_PRIOR = r"D_{\mathrm{KL}}\bigl(q(z \mid x) \,\|\, p(z)\bigr)"
ELBO = r"\mathcal{L}(q)"
WEIGHTED = r"\mathcal{L}_\beta(q)"

# At one z with q(z|x) > 0: evidence p(x), prior p(z), likelihood p(x|z), and q(z|x).
evidence, prior, likelihood, q = sp.symbols("e p l q", positive=True)
beta = sp.Symbol("beta", positive=True)


def elbo_terms() -> dict[str, Expr]:
    """Write what stands in each expectation of the derivation, at one z.

    All are expectations under the same q. Where two integrands are equal at every z, so are their
    expectations, for discrete z with any number of values and for continuous z of any dimension.

    Returns:
        ``line1`` to ``line3``, as in :eq:`elbo-steps`; ``gap`` and ``elbo``, which line 4 adds;
        ``likelihood``, log p(x|z); ``to_prior``, whose expectation is the divergence to p(z).
    """
    joint = prior * likelihood
    posterior = joint / evidence
    return {
        "line1": log(evidence),
        "line2": log(joint / posterior),
        "line3": log(joint * q / (posterior * q)),
        "gap": log(q / posterior),
        "elbo": log(joint / q),
        "likelihood": log(likelihood),
        "to_prior": log(q / prior),
    }


def elbo_lines(terms: dict[str, Expr] | None = None) -> Statement:
    """Prove log p(x) = KL + ELBO, line by line.

    Source: equations :eq:`elbo-steps` and :eq:`elbo-decomposition`.
    """
    terms = terms or elbo_terms()
    lines = [terms["line1"], terms["line2"], terms["line3"], terms["gap"] + terms["elbo"]]
    require_zero(lines[0] - log(evidence), "line 1 is log p(x)")
    for number, (above, below) in enumerate(pairwise(lines), start=1):
        require_zero(above - below, f"line {number} = line {number + 1}")
    return Statement(EVIDENCE, f"{GAP} + {ELBO}")


def lower_bound() -> Statement:
    """State that the ELBO is a lower bound: the gap is a divergence, which is never negative.

    Source: equation :eq:`elbo-bound`.
    """
    elbo_lines()
    nonnegative()
    return Statement(EVIDENCE, ELBO, r"\ge")


def elbo_two_terms(terms: dict[str, Expr] | None = None) -> Statement:
    """Prove ELBO = E_q[log p(x|z)] − KL to the prior. Source: equation :eq:`elbo-two-terms`."""
    terms = terms or elbo_terms()
    difference = terms["elbo"] - (terms["likelihood"] - terms["to_prior"])
    require_zero(difference, "ELBO = expected log-likelihood − KL to the prior")
    return Statement(ELBO, rf"\mathbb{{E}}_q[\log p(x \mid z)] - {TO_PRIOR}")


def weighted_bound(claimed: Expr | None = None) -> Statement:
    """Prove that the weight β on the divergence to the prior adds (1 − β) KL, in every model.

    Source: equation :eq:`weighted-bound`.
    """
    terms = elbo_terms()
    amount = (1 - beta) * terms["to_prior"] if claimed is None else claimed
    weighted = terms["likelihood"] - beta * terms["to_prior"]
    require_zero(weighted - (terms["elbo"] + amount), "weighted bound")
    return Statement(WEIGHTED, rf"{ELBO} + (1 - \beta)\, {TO_PRIOR}")


# The linear-Gaussian model: p(z) = N(0, 1), p(x|z) = N(wz + c, s²), q(z) = N(m, ν).
w, c, m = sp.symbols("w c m", real=True)
s, nu = sp.symbols("s nu", positive=True)
x, z = sp.symbols("x z", real=True)


def _log_normal(value: Expr, mean: Expr, variance: Expr) -> Expr:
    return -log(2 * pi * variance) / 2 - (value - mean) ** 2 / (2 * variance)


def linear_gaussian() -> dict[str, Expr]:
    """Write the closed forms of the linear-Gaussian model.

    Returns:
        ``log_evidence``; ``posterior_mean`` and ``posterior_variance`` of p(z|x);
        ``likelihood``, E_q[log p(x|z)], ``to_prior``, the divergence from q to p(z), ``elbo``,
        their difference, and ``gap``, the divergence from q to p(z|x), as functions of m and ν.
    """
    total = w**2 + s**2
    mean, variance = w * (x - c) / total, s**2 / total
    kl = gaussian.KL

    def divergence(mean_p: Expr, variance_p: Expr) -> Expr:
        values = {
            gaussian.mu_q: m,
            gaussian.sigma_q: sqrt(nu),
            gaussian.mu_p: mean_p,
            gaussian.sigma_p: sqrt(variance_p),
        }
        return kl.subs(values, simultaneous=True)

    likelihood = _log_normal(x, c + w * m, s**2) - w**2 * nu / (2 * s**2)
    to_prior = sp.expand_log(divergence(sp.Integer(0), sp.Integer(1)))
    return {
        "log_evidence": _log_normal(x, c, total),
        "posterior_mean": mean,
        "posterior_variance": variance,
        "likelihood": likelihood,
        "to_prior": to_prior,
        "elbo": likelihood - to_prior,
        "gap": divergence(mean, variance),
    }


def prove_linear_bayes(model: dict[str, Expr] | None = None) -> list[Statement]:
    """Prove Bayes' rule for the model: log p(z) + log p(x|z) = log p(x) + log p(z|x), for all z.

    Both p(x) and p(z|x) are normalised densities, so the rule determines them.

    Source: chapter :doc:`/theory/elbo`.
    """
    model = model or linear_gaussian()
    joint = _log_normal(z, 0, 1) + _log_normal(x, w * z + c, s**2)
    posterior = _log_normal(z, model["posterior_mean"], model["posterior_variance"])
    require_zero(joint - model["log_evidence"] - posterior, "Bayes' rule")
    mean, variance = (
        sp.latex(model[name], order="rev-lex") for name in ("posterior_mean", "posterior_variance")
    )
    return [
        Statement(r"\log p(x)", model["log_evidence"], order="rev-lex"),
        Statement(r"p(z \mid x)", rf"\mathcal{{N}}\left(z;\, {mean},\, {variance}\right)"),
    ]


def prove_linear_elbo(model: dict[str, Expr] | None = None) -> list[Statement]:
    """Prove the model's ELBO by integration over z; return its two terms.

    Source: chapter :doc:`/theory/elbo`.
    """
    model = model or linear_gaussian()
    log_q = _log_normal(z, m, nu)
    integrand = _log_normal(z, 0, 1) + _log_normal(x, w * z + c, s**2) - log_q
    density = sp.exp(-((z - m) ** 2) / (2 * nu)) / sqrt(2 * pi * nu)
    value = sp.integrate(sp.expand(integrand) * density, (z, -oo, oo))
    require_zero(value - model["elbo"], "ELBO of the linear-Gaussian model")
    likelihood = r"\mathbb{E}_q[\log p(x \mid z)]"
    return [
        Statement(likelihood, model["likelihood"], order="rev-lex"),
        Statement(r"D_{\mathrm{KL}}\bigl(q(z) \,\|\, p(z)\bigr)", model["to_prior"]),
    ]


def prove_linear_gap(model: dict[str, Expr] | None = None) -> Statement:
    """Prove log p(x) − ELBO − KL = 0 in the model, for all q. Source: equation :eq:`linear-gap`."""
    model = model or linear_gaussian()
    difference = model["log_evidence"] - model["elbo"] - model["gap"]
    require_zero(difference, "log p(x) − ELBO − KL")
    return Statement(rf"\log p(x) - \mathcal{{L}}(m, \nu) - {GAP}", sp.Integer(0))


def prove_linear_maximum(model: dict[str, Expr] | None = None) -> Statement:
    """Prove that the ELBO's only maximum over (m, ν) is the true posterior.

    It lies below log p(x) by ½ f(ν/ν*) + (m − m*)²/(2ν*), with (m*, ν*) the posterior and f the
    lemma's: both parts are at least 0, and 0 only at ν = ν* and at m = m*.

    Source: equation :eq:`linear-maximum`.
    """
    model = model or linear_gaussian()
    mean, variance = model["posterior_mean"], model["posterior_variance"]
    require_positive(variance, "the posterior's variance")
    below = gap(nu / variance) / 2 + (m - mean) ** 2 / (2 * variance)
    require_zero(model["log_evidence"] - model["elbo"] - below, "a gap and a square below log p(x)")
    mean, variance = (sp.latex(value, order="rev-lex") for value in (mean, variance))
    return Statement(
        r"\operatorname*{argmax}_{(m, \nu)} \mathcal{L}(m, \nu)",
        rf"\left( {mean},\, {variance} \right)",
    )
