"""The KL divergence between Gaussians, in one and in several dimensions."""

import sympy as sp
from sympy import Expr, Matrix, Rational, Symbol, exp, log, oo, pi, sqrt

from vaelib.symbolic.proof import NotProved, Statement, require_zero

x = Symbol("x", real=True)
mu, mu_q, mu_p = sp.symbols("mu mu_q mu_p", real=True)
sigma_q, sigma_p = sp.symbols("sigma_q sigma_p", positive=True)
log_variance = Symbol("v", real=True)


def normal_density(mean: Expr, deviation: Expr) -> Expr:
    """Write the density of N(mean, deviation²) at x."""
    return exp(-((x - mean) ** 2) / (2 * deviation**2)) / (sqrt(2 * pi) * deviation)


def expectation(f: Expr) -> Expr:
    """Integrate f(x) against the density of q = N(μ_q, σ_q²), over the real line."""
    return sp.integrate(sp.expand(f) * normal_density(mu_q, sigma_q), (x, -oo, oo))


def log_ratio() -> Expr:
    """Write log q(x)/p(x). Source: equation :eq:`gaussian-log-ratio`."""
    return (
        log(sigma_p / sigma_q)
        - (x - mu_q) ** 2 / (2 * sigma_q**2)
        + (x - mu_p) ** 2 / (2 * sigma_p**2)
    )


def gaussian_kl() -> Expr:
    """Write the KL divergence from N(μ_q, σ_q²) to N(μ_p, σ_p²), in nats.

    Source: equation :eq:`gaussian-kl`.
    """
    return Rational(1, 2) * (
        (mu_q - mu_p) ** 2 / sigma_p**2 + sigma_q**2 / sigma_p**2 - 1 + 2 * log(sigma_p / sigma_q)
    )


def prove_log_ratio(claimed: Expr | None = None) -> Statement:
    """Prove the logarithm of the ratio of the two densities.

    Args:
        claimed: another right side to try; so in every function of this module.

    Raises:
        NotProved: the two differ; so in every function of this module.

    Source: equation :eq:`gaussian-log-ratio`.
    """
    claimed = log_ratio() if claimed is None else claimed
    densities = log(normal_density(mu_q, sigma_q)) - log(normal_density(mu_p, sigma_p))
    require_zero(densities - claimed, "log ratio of two Gaussian densities")
    return Statement(r"\log \frac{q(x)}{p(x)}", claimed, order="rev-lex")


def prove_variance(claimed: Expr | None = None) -> Statement:
    """Prove E_q[(x − μ_q)²] = σ_q² by integration. Source: equation :eq:`gaussian-variance`."""
    claimed = sigma_q**2 if claimed is None else claimed
    require_zero(expectation((x - mu_q) ** 2) - claimed, "variance of a Gaussian")
    return Statement(r"\mathbb{E}_q[(x - \mu_q)^2]", claimed)


def prove_second_moment(claimed: Expr | None = None) -> Statement:
    """Prove E_q[(x − μ_p)²] by integration. Source: equation :eq:`gaussian-second-moment`."""
    claimed = sigma_q**2 + (mu_q - mu_p) ** 2 if claimed is None else claimed
    require_zero(expectation((x - mu_p) ** 2) - claimed, "second moment about another mean")
    return Statement(r"\mathbb{E}_q[(x - \mu_p)^2]", claimed, order="rev-lex")


def prove_gaussian_kl(claimed: Expr | None = None) -> Statement:
    """Prove the Gaussian KL divergence by integration. Source: equation :eq:`gaussian-kl`."""
    claimed = gaussian_kl() if claimed is None else claimed
    require_zero(expectation(log_ratio()) - claimed, "integral of q log(q/p)")
    return Statement(r"D_{\mathrm{KL}}(q \,\|\, p)", claimed, order="rev-lex")


def prove_limits(kl: Expr | None = None) -> list[Statement]:
    """Prove what the divergence tends to: σ_q → 0, and equal variances."""
    kl = gaussian_kl() if kl is None else kl
    if sp.limit(kl, sigma_q, 0, "+") != oo:
        raise NotProved("the divergence does not tend to ∞ as σ_q → 0")
    equal = (mu_q - mu_p) ** 2 / (2 * sigma_p**2)
    require_zero(kl.subs(sigma_q, sigma_p) - equal, "equal variances")
    require_zero(kl.subs({mu_q: mu_p, sigma_q: sigma_p}), "0 for equal Gaussians")
    return [
        Statement(r"\lim_{\sigma_q \to 0} D_{\mathrm{KL}}", oo),
        Statement(r"D_{\mathrm{KL}} \big|_{\sigma_q = \sigma_p}", equal, order="rev-lex"),
    ]


def prove_asymmetry(kl: Expr | None = None) -> Statement:
    """Prove that exchanging q and p changes the divergence, by its value at σ_q = 2 σ_p."""
    kl = gaussian_kl() if kl is None else kl
    exchange = {mu_q: mu_p, mu_p: mu_q, sigma_q: sigma_p, sigma_p: sigma_q}
    difference = kl - kl.subs(exchange, simultaneous=True)
    at = sp.simplify(difference.subs({mu_q: mu_p, sigma_q: 2 * sigma_p}))
    expected = Rational(15, 8) - 2 * log(2)
    require_zero(at - expected, "the divergence is asymmetric")
    return Statement(r"D_{\mathrm{KL}}(q \,\|\, p) - D_{\mathrm{KL}}(p \,\|\, q)", expected)


def kl_standard_normal() -> Expr:
    """Write the KL divergence from N(μ, e^v) to N(0, 1), v the log-variance, in nats.

    Source: equation :eq:`kl-standard-normal`.
    """
    return (mu**2 + exp(log_variance) - log_variance - 1) / 2


def prove_kl_standard_normal(claimed: Expr | None = None) -> Statement:
    """Prove the VAE's case from the general one, at μ_p = 0, σ_p = 1 and σ_q = e^{v/2}.

    Source: equation :eq:`kl-standard-normal`.
    """
    claimed = kl_standard_normal() if claimed is None else claimed
    special = gaussian_kl().subs({mu_q: mu, mu_p: 0, sigma_p: 1, sigma_q: exp(log_variance / 2)})
    require_zero(special - claimed, "KL divergence to the standard normal")
    left = r"D_{\mathrm{KL}}\bigl(\mathcal{N}(\mu, e^v) \,\|\, \mathcal{N}(0, 1)\bigr)"
    return Statement(left, claimed)


def _plane(name: str, diagonal: bool) -> tuple[Matrix, Matrix]:
    """Mean and Cholesky factor of a Gaussian in the plane; any positive definite matrix is LLᵀ."""
    mean = Matrix(sp.symbols(f"m_{name}1 m_{name}2", real=True))
    a, c = sp.symbols(f"a_{name} c_{name}", positive=True)
    b = sp.Integer(0) if diagonal else Symbol(f"b_{name}", real=True)
    return mean, Matrix([[a, 0], [b, c]])


def full_kl(mean_q: Matrix, cov_q: Matrix, mean_p: Matrix, cov_p: Matrix) -> Expr:
    """Write the KL divergence between Gaussians with full covariances, in nats.

    Source: equation :eq:`kl-full`.
    """
    shift = mean_p - mean_q
    inverse = cov_p.inv()
    return Rational(1, 2) * (
        (inverse * cov_q).trace()
        + (shift.T * inverse * shift)[0]
        - len(shift)
        + log(cov_p.det() / cov_q.det())
    )


def _plane_kl(diagonal: bool) -> tuple[Expr, tuple[Matrix, Matrix, Matrix, Matrix]]:
    """Take the expectation of log q/p in the plane, with x = mean_q + L_q ε and E[ε εᵀ] = I."""
    (mean_q, root_q), (mean_p, root_p) = _plane("q", diagonal), _plane("p", diagonal)
    noise = Matrix(sp.symbols("e1 e2", real=True))
    from_p = root_p.inv() * (mean_q + root_q * noise - mean_p)
    ratio = log(root_p.det() / root_q.det()) + (from_p.dot(from_p) - noise.dot(noise)) / 2
    moments = sp.Poly(sp.expand(ratio), *noise)
    normal = {(0, 0): 1, (2, 0): 1, (0, 2): 1, (1, 0): 0, (0, 1): 0, (1, 1): 0}
    value = sum(c * normal[powers] for powers, c in moments.terms())
    return value, (mean_q, root_q * root_q.T, mean_p, root_p * root_p.T)


def prove_full(formula=full_kl) -> Statement:
    """Prove the divergence for full covariances in two dimensions.

    Args:
        formula: another function of (mean_q, cov_q, mean_p, cov_p) to try.

    Source: equation :eq:`kl-full`.
    """
    value, gaussians = _plane_kl(diagonal=False)
    require_zero(value - formula(*gaussians), "divergence with full covariances")
    return Statement(
        r"D_{\mathrm{KL}}",
        r"\tfrac{1}{2} \bigl( \operatorname{tr}(\Sigma_p^{-1} \Sigma_q)"
        r" + (\mu_p - \mu_q)^\top \Sigma_p^{-1} (\mu_p - \mu_q) - d"
        r" + \log \tfrac{\det \Sigma_p}{\det \Sigma_q} \bigr)",
    )


def prove_diagonal(one: Expr | None = None) -> Statement:
    """Prove that with diagonal covariances the divergence is the sum over the dimensions.

    Args:
        one: another divergence in one dimension to try.

    Source: equation :eq:`kl-sum`.
    """
    one = gaussian_kl() if one is None else one
    value, (mean_q, cov_q, mean_p, cov_p) = _plane_kl(diagonal=True)
    total = sum(
        one.subs(
            {
                mu_q: mean_q[j],
                mu_p: mean_p[j],
                sigma_q: sqrt(cov_q[j, j]),
                sigma_p: sqrt(cov_p[j, j]),
            },
            simultaneous=True,
        )
        for j in (0, 1)
    )
    require_zero(value - total, "sum over independent dimensions")
    in_dimension_j = kl_standard_normal().subs({mu: Symbol("mu_j"), log_variance: Symbol("v_j")})
    return Statement(
        r"D_{\mathrm{KL}}\bigl(q(z \mid x) \,\|\, p(z)\bigr)",
        rf"\sum_{{j=1}}^{{d}} \left( {sp.latex(in_dimension_j)} \right)",
    )
