"""The evidence lower bound: discrete latent variables, and the linear-Gaussian model."""

from itertools import pairwise

import sympy as sp
from sympy import Expr, log, oo, pi, sqrt

from vaelib.symbolic import gaussian
from vaelib.symbolic.divergence import nonnegative
from vaelib.symbolic.proof import Statement, require_only_solution, require_positive, require_zero

HALF = sp.Rational(1, 2)
EVIDENCE = r"\log p(x)"
GAP = r"D_{\mathrm{KL}}\bigl(q(z \mid x) \,\|\, p(z \mid x)\bigr)"
TO_PRIOR = r"D_{\mathrm{KL}}\bigl(q(z \mid x) \,\|\, p(z)\bigr)"
ELBO = r"\mathcal{L}(q)"


def elbo_terms(outcomes: int) -> dict[str, Expr]:
    """Write every quantity of the derivation for a latent variable with a few values.

    Probabilities are positive weights divided by their sum, so that no constraint is left over.

    Args:
        outcomes: number K of values of z.

    Returns:
        ``evidence``, log p(x); ``line1`` to ``line4``, the right sides of :eq:`elbo-steps`;
        ``gap``, the divergence from q(z|x) to p(z|x); ``elbo``; ``likelihood``,
        E_q[log p(x|z)]; ``to_prior``, the divergence from q(z|x) to p(z).
    """
    weights = sp.symbols(f"w1:{outcomes + 1}", positive=True)  # p(z) up to its sum
    likelihoods = sp.symbols(f"l1:{outcomes + 1}", positive=True)  # p(x|z)
    amounts = sp.symbols(f"a1:{outcomes + 1}", positive=True)  # q(z|x) up to its sum
    prior = [weight / sum(weights) for weight in weights]
    joint = [p * likelihood for p, likelihood in zip(prior, likelihoods, strict=True)]
    evidence = sum(joint)
    posterior = [p / evidence for p in joint]
    q = [amount / sum(amounts) for amount in amounts]

    def mean(values) -> Expr:
        return sum(weight * value for weight, value in zip(q, values, strict=True))

    gap = mean(log(a / b) for a, b in zip(q, posterior, strict=True))
    elbo = mean(log(a / b) for a, b in zip(joint, q, strict=True))
    return {
        "evidence": log(evidence),
        "line1": mean(log(evidence) for _ in q),
        "line2": mean(log(a / b) for a, b in zip(joint, posterior, strict=True)),
        "line3": mean(log(a * c / (b * c)) for a, b, c in zip(joint, posterior, q, strict=True)),
        "line4": gap + elbo,
        "gap": gap,
        "elbo": elbo,
        "likelihood": mean(log(value) for value in likelihoods),
        "to_prior": mean(log(a / b) for a, b in zip(q, prior, strict=True)),
    }


def elbo_lines(outcomes: int = 3, terms: dict[str, Expr] | None = None) -> Statement:
    """Prove log p(x) = KL + ELBO, line by line.

    Args:
        outcomes: number of values of z.
        terms: as :func:`elbo_terms` gives them, or others to try.

    Raises:
        NotProved: two lines differ.

    Source: equations :eq:`elbo-steps` and :eq:`elbo-decomposition`.
    """
    terms = terms or elbo_terms(outcomes)
    names = ["evidence", "line1", "line2", "line3", "line4"]
    for above, below in pairwise(names):
        require_zero(terms[above] - terms[below], f"{above} = {below}")
    require_zero(terms["line4"] - terms["gap"] - terms["elbo"], "line4 = gap + elbo")
    return Statement(EVIDENCE, f"{GAP} + {ELBO}")


def lower_bound() -> Statement:
    """State that the ELBO is a lower bound: the gap is a divergence, which is never negative.

    Source: equation :eq:`elbo-bound`.
    """
    elbo_lines()
    nonnegative()
    return Statement(EVIDENCE, ELBO, r"\ge")


def elbo_two_terms(outcomes: int = 3, terms: dict[str, Expr] | None = None) -> Statement:
    """Prove ELBO = E_q[log p(x|z)] − KL to the prior.

    Args:
        outcomes: number of values of z.
        terms: as :func:`elbo_terms` gives them, or others to try.

    Raises:
        NotProved: the two differ.

    Source: equation :eq:`elbo-two-terms`.
    """
    terms = terms or elbo_terms(outcomes)
    difference = terms["elbo"] - (terms["likelihood"] - terms["to_prior"])
    require_zero(difference, "ELBO = expected log-likelihood − KL to the prior")
    return Statement(ELBO, rf"\mathbb{{E}}_q[\log p(x \mid z)] - {TO_PRIOR}")


# The linear-Gaussian model: p(z) = N(0, 1), p(x|z) = N(wz + b, s²), q(z) = N(m, v).
w, b, m = sp.symbols("w b m", real=True)
s, v = sp.symbols("s v", positive=True)
x, z = sp.symbols("x z", real=True)


def _log_normal(value: Expr, mean: Expr, variance: Expr) -> Expr:
    return -log(2 * pi * variance) / 2 - (value - mean) ** 2 / (2 * variance)


def linear_gaussian() -> dict[str, Expr]:
    """Write the closed forms of the linear-Gaussian model.

    Returns:
        ``log_evidence``; ``posterior_mean`` and ``posterior_variance`` of p(z|x);
        ``likelihood``, E_q[log p(x|z)], ``to_prior``, the divergence from q to p(z), ``elbo``,
        their difference, and ``gap``, the divergence from q to p(z|x), as functions of m and v.
    """
    total = w**2 + s**2
    mean, variance = w * (x - b) / total, s**2 / total
    kl = gaussian.gaussian_kl()

    def divergence(mean_p: Expr, variance_p: Expr) -> Expr:
        values = {
            gaussian.mu_q: m,
            gaussian.sigma_q: sqrt(v),
            gaussian.mu_p: mean_p,
            gaussian.sigma_p: sqrt(variance_p),
        }
        return kl.subs(values, simultaneous=True)

    likelihood = _log_normal(x, b + w * m, s**2) - w**2 * v / (2 * s**2)
    to_prior = sp.expand_log(divergence(sp.Integer(0), sp.Integer(1)))
    return {
        "log_evidence": _log_normal(x, b, total),
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

    Args:
        model: as :func:`linear_gaussian` gives it, or another to try.

    Raises:
        NotProved: the two sides differ.

    Source: chapter :doc:`/theory/elbo`.
    """
    model = model or linear_gaussian()
    joint = _log_normal(z, 0, 1) + _log_normal(x, w * z + b, s**2)
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
    """Prove the model's ELBO by integration over z.

    Args:
        model: as :func:`linear_gaussian` gives it, or another to try.

    Returns:
        Its two terms.

    Raises:
        NotProved: the integral is something else.

    Source: chapter :doc:`/theory/elbo`.
    """
    model = model or linear_gaussian()
    log_q = _log_normal(z, m, v)
    integrand = _log_normal(z, 0, 1) + _log_normal(x, w * z + b, s**2) - log_q
    density = sp.exp(-((z - m) ** 2) / (2 * v)) / sqrt(2 * pi * v)
    value = sp.integrate(sp.expand(integrand) * density, (z, -oo, oo))
    require_zero(value - model["elbo"], "ELBO of the linear-Gaussian model")
    likelihood = r"\mathbb{E}_q[\log p(x \mid z)]"
    return [
        Statement(likelihood, model["likelihood"], order="rev-lex"),
        Statement(r"D_{\mathrm{KL}}\bigl(q(z) \,\|\, p(z)\bigr)", model["to_prior"]),
    ]


def prove_linear_gap(model: dict[str, Expr] | None = None) -> Statement:
    """Prove log p(x) − ELBO − KL = 0 in the linear-Gaussian model, for every q.

    Args:
        model: as :func:`linear_gaussian` gives it, or another to try.

    Raises:
        NotProved: it is something else.

    Source: equation :eq:`linear-gap`.
    """
    model = model or linear_gaussian()
    difference = model["log_evidence"] - model["elbo"] - model["gap"]
    require_zero(difference, "log p(x) − ELBO − KL")
    return Statement(rf"\log p(x) - \mathcal{{L}}(m, v) - {GAP}", sp.Integer(0))


def prove_linear_maximum(model: dict[str, Expr] | None = None) -> Statement:
    """Prove that the ELBO's only maximum over (m, v) is the true posterior.

    Its gradient vanishes there only, and its Hessian is diagonal with negative entries.

    Args:
        model: as :func:`linear_gaussian` gives it, or another to try.

    Raises:
        NotProved: one of the steps does not hold.

    Source: equation :eq:`linear-maximum`.
    """
    model = model or linear_gaussian()
    elbo = model["elbo"]
    posterior = [model["posterior_mean"], model["posterior_variance"]]
    require_only_solution([sp.diff(elbo, m), sp.diff(elbo, v)], [m, v], posterior, "maximiser")
    require_zero(sp.diff(elbo, m, v), "mixed second derivative")
    for variable in (m, v):
        require_positive(sp.simplify(-sp.diff(elbo, variable, 2)), f"concave in {variable}")
    mean, variance = (sp.latex(value, order="rev-lex") for value in posterior)
    return Statement(
        r"\operatorname*{argmax}_{(m, v)} \mathcal{L}(m, v)",
        rf"\left( {mean},\, {variance} \right)",
    )


def prove_half_kl_is_no_bound(weight: Expr = HALF) -> Statement:
    """Prove that E_q[log p(x|z)] − β KL, at the posterior, exceeds log p(x) by (1 − β) KL.

    Args:
        weight: β; the statement needs β < 1.

    Raises:
        NotProved: the excess is something else, or not positive.

    Source: equation :eq:`half-kl`.
    """
    terms = linear_gaussian()
    values = {m: terms["posterior_mean"], v: terms["posterior_variance"]}
    likelihood, to_prior = (terms[name].subs(values) for name in ("likelihood", "to_prior"))
    excess = likelihood - weight * to_prior - terms["log_evidence"]
    require_zero(excess - (1 - weight) * to_prior, "excess over log p(x)")
    require_positive(1 - weight, "1 − β")
    return Statement(
        rf"\mathcal{{L}}_{{{weight}}}(q) - \log p(x)", rf"{sp.latex(1 - weight)} {TO_PRIOR}"
    )
