"""The derivations of the book in sympy: each function proves something and returns it.

A check that does not hold raises :class:`NotProved`, which fails the build of the book.
"""

import sympy as sp
from sympy import Eq, Expr, Integral, Rational, Symbol, exp, log, oo, pi, sqrt

x = Symbol("x", real=True)
mu, mu_q, mu_p = sp.symbols("mu mu_q mu_p", real=True)
sigma, sigma_q, sigma_p = sp.symbols("sigma sigma_q sigma_p", positive=True)
log_variance = Symbol("v", real=True)


class NotProved(ArithmeticError):
    """A step of a derivation does not hold."""


def require_zero(difference: Expr, claim: str) -> None:
    """Raise NotProved unless an expression simplifies to exactly 0."""
    rest = sp.simplify(sp.expand_log(sp.expand(difference), force=True))
    if rest != 0:
        raise NotProved(f"{claim}: left and right differ by {rest}")


def logarithm_bound(gap: Expr | None = None) -> list[Eq]:
    """Prove that a function of t > 0 is nowhere negative, and 0 at t = 1 only.

    The function is strictly convex and its one critical point, where it vanishes, is t = 1.

    Args:
        gap: function of the positive symbol ``t``; t − 1 − log t if not given.

    Returns:
        Value at t = 1, first derivative, critical point and second derivative, as equations.

    Raises:
        NotProved: one of the steps does not hold.

    Source: equation :eq:`log-bound`.
    """
    t = Symbol("t", positive=True)
    f = t - 1 - log(t) if gap is None else gap
    slope, curvature = sp.diff(f, t), sp.diff(f, t, 2)
    critical = sp.solveset(slope, t, domain=sp.Interval.open(0, oo))
    if critical != sp.FiniteSet(1):
        raise NotProved(f"the critical points of {f} are {critical}, not t = 1 alone")
    require_zero(f.subs(t, 1), f"{f} vanishes at t = 1")
    if not curvature.is_positive:
        raise NotProved(f"the second derivative {curvature} of {f} is not positive for all t > 0")
    d = sp.Function("f")
    return [
        Eq(d(1), f.subs(t, 1), evaluate=False),
        Eq(sp.Derivative(d(t), t), slope),
        Eq(t, critical.args[0]),
        Eq(sp.Derivative(d(t), (t, 2)), curvature),
    ]


def elbo_terms(outcomes: int) -> dict[str, Expr]:
    """Write log p(x), KL divergence and ELBO for a latent variable with a few values.

    Probabilities are positive weights divided by their sum, so that no constraint is left over.

    Args:
        outcomes: number K of values of z.

    Returns:
        ``log_evidence``, log p(x); ``kl``, the divergence from q(z|x) to p(z|x); ``elbo``;
        ``expected_log_likelihood``, E_q[log p(x|z)]; ``kl_to_prior``, from q(z|x) to p(z).
    """
    weights = sp.symbols(f"w1:{outcomes + 1}", positive=True)  # p(z) up to its sum
    likelihoods = sp.symbols(f"l1:{outcomes + 1}", positive=True)  # p(x|z)
    amounts = sp.symbols(f"a1:{outcomes + 1}", positive=True)  # q(z|x) up to its sum
    prior = [weight / sum(weights) for weight in weights]
    joint = [p * likelihood for p, likelihood in zip(prior, likelihoods, strict=True)]
    evidence = sum(joint)
    posterior = [p / evidence for p in joint]
    q = [amount / sum(amounts) for amount in amounts]

    def expectation(numerators, denominators) -> Expr:
        terms = zip(q, numerators, denominators, strict=True)
        return sum(weight * log(top / bottom) for weight, top, bottom in terms)

    return {
        "log_evidence": log(evidence),
        "kl": expectation(q, posterior),
        "elbo": expectation(joint, q),
        "expected_log_likelihood": expectation(likelihoods, [sp.S.One] * outcomes),
        "kl_to_prior": expectation(q, prior),
    }


def elbo_identities(outcomes: int = 3, terms: dict[str, Expr] | None = None) -> list[Eq]:
    """Prove log p(x) = KL + ELBO and ELBO = E_q[log p(x|z)] − KL to the prior.

    Args:
        outcomes: number of values of z.
        terms: as :func:`elbo_terms` gives them, which is the default.

    Returns:
        The two identities.

    Raises:
        NotProved: one of them does not hold.

    Source: equations :eq:`elbo-decomposition` and :eq:`elbo-two-terms`.
    """
    t = terms or elbo_terms(outcomes)
    require_zero(t["log_evidence"] - t["kl"] - t["elbo"], "log p(x) = KL + ELBO")
    require_zero(
        t["elbo"] - t["expected_log_likelihood"] + t["kl_to_prior"],
        "ELBO = expected log-likelihood − KL to the prior",
    )
    evidence, elbo = Symbol(r"\log p(x)"), Symbol(r"\mathcal{L}(q)")
    gap = Symbol(r"D_{\mathrm{KL}}(q(z|x) \,\|\, p(z|x))")
    likelihood = Symbol(r"\mathbb{E}_q[\log p(x|z)]")
    to_prior = Symbol(r"D_{\mathrm{KL}}(q(z|x) \,\|\, p(z))")
    return [Eq(evidence, gap + elbo), Eq(elbo, likelihood - to_prior)]


def normal_density(mean: Expr, deviation: Expr) -> Expr:
    """Write the density of N(mean, deviation²) at x."""
    return exp(-((x - mean) ** 2) / (2 * deviation**2)) / (sqrt(2 * pi) * deviation)


def gaussian_kl() -> Expr:
    """Write the KL divergence from N(μ_q, σ_q²) to N(μ_p, σ_p²), in nats.

    Source: equation :eq:`gaussian-kl`.
    """
    return Rational(1, 2) * (
        (mu_q - mu_p) ** 2 / sigma_p**2 + sigma_q**2 / sigma_p**2 - 1 + 2 * log(sigma_p / sigma_q)
    )


def prove_gaussian_kl(claimed: Expr | None = None) -> Eq:
    """Prove the Gaussian KL divergence by integration over x.

    Args:
        claimed: closed form; :func:`gaussian_kl` if not given.

    Returns:
        The integral, not carried out, and the closed form.

    Raises:
        NotProved: the integral is something else.

    Source: equation :eq:`gaussian-kl`.
    """
    claimed = gaussian_kl() if claimed is None else claimed
    q, p = normal_density(mu_q, sigma_q), normal_density(mu_p, sigma_p)
    log_ratio = sp.expand_log(log(q) - log(p), force=True)
    value = sp.integrate(q * sp.expand(log_ratio), (x, -oo, oo))
    require_zero(value - claimed, "integral of q log(q/p)")
    ratio = sp.Function("q")(x) / sp.Function("p")(x)
    return Eq(Integral(sp.Function("q")(x) * log(ratio), (x, -oo, oo)), claimed)


def kl_standard_normal() -> Expr:
    """Write the KL divergence from N(μ, e^v) to N(0, 1), v the log-variance, in nats.

    Source: equation :eq:`kl-standard-normal`.
    """
    return (mu**2 + exp(log_variance) - log_variance - 1) / 2


def prove_kl_standard_normal(claimed: Expr | None = None) -> Eq:
    """Prove the VAE's KL divergence from the general one.

    Args:
        claimed: closed form in μ and v; :func:`kl_standard_normal` if not given.

    Returns:
        The general formula at μ_p = 0, σ_p = 1, σ_q = e^{v/2}, and the closed form.

    Raises:
        NotProved: they differ.

    Source: equation :eq:`kl-standard-normal`.
    """
    claimed = kl_standard_normal() if claimed is None else claimed
    special = gaussian_kl().subs({mu_q: mu, mu_p: 0, sigma_p: 1, sigma_q: exp(log_variance / 2)})
    require_zero(special - claimed, "KL divergence to the standard normal")
    return Eq(Symbol(r"D_{\mathrm{KL}}"), claimed)
