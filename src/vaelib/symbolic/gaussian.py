"""The KL divergence between Gaussians, in one and in several dimensions.

The proofs take something else to try, and raise NotProved where two sides differ.
"""

import sympy as sp
from sympy import Expr, MatrixSymbol, Rational, Symbol, exp, log, oo, pi, sqrt
from sympy.concrete.delta import deltasummation

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


LOG_RATIO = (
    log(sigma_p / sigma_q) - (x - mu_q) ** 2 / (2 * sigma_q**2) + (x - mu_p) ** 2 / (2 * sigma_p**2)
)
"""Logarithm of q(x)/p(x).

Source: equation :eq:`gaussian-log-ratio`.
"""


KL = Rational(1, 2) * (
    (mu_q - mu_p) ** 2 / sigma_p**2 + sigma_q**2 / sigma_p**2 - 1 + 2 * log(sigma_p / sigma_q)
)
"""KL(N(μ_q, σ_q²) ‖ N(μ_p, σ_p²)), in nats.

Source: equation :eq:`gaussian-kl`.
"""


def prove_log_ratio(claimed: Expr = LOG_RATIO) -> Statement:
    """Prove the log ratio of the two densities. Source: equation :eq:`gaussian-log-ratio`."""
    densities = log(normal_density(mu_q, sigma_q)) - log(normal_density(mu_p, sigma_p))
    require_zero(densities - claimed, "log ratio of two Gaussian densities")
    return Statement(r"\log \frac{q(x)}{p(x)}", claimed, order="rev-lex")


def prove_variance(claimed: Expr = sigma_q**2) -> Statement:
    """Prove E_q[(x − μ_q)²] = σ_q² by integration. Source: equation :eq:`gaussian-variance`."""
    require_zero(expectation((x - mu_q) ** 2) - claimed, "variance of a Gaussian")
    return Statement(r"\mathbb{E}_q[(x - \mu_q)^2]", claimed)


def prove_second_moment(claimed: Expr = sigma_q**2 + (mu_q - mu_p) ** 2) -> Statement:
    """Prove E_q[(x − μ_p)²] by integration. Source: equation :eq:`gaussian-second-moment`."""
    require_zero(expectation((x - mu_p) ** 2) - claimed, "second moment about another mean")
    return Statement(r"\mathbb{E}_q[(x - \mu_p)^2]", claimed, order="rev-lex")


def prove_gaussian_kl(claimed: Expr = KL) -> Statement:
    """Prove the Gaussian KL divergence by integration. Source: equation :eq:`gaussian-kl`."""
    require_zero(expectation(LOG_RATIO) - claimed, "integral of q log(q/p)")
    return Statement(r"D_{\mathrm{KL}}(q \,\|\, p)", claimed, order="rev-lex")


def prove_limits(kl: Expr = KL) -> list[Statement]:
    """Prove what the divergence tends to: σ_q → 0, and equal variances."""
    if sp.limit(kl, sigma_q, 0, "+") != oo:
        raise NotProved("the divergence does not tend to ∞ as σ_q → 0")
    equal = (mu_q - mu_p) ** 2 / (2 * sigma_p**2)
    require_zero(kl.subs(sigma_q, sigma_p) - equal, "equal variances")
    require_zero(kl.subs({mu_q: mu_p, sigma_q: sigma_p}), "0 for equal Gaussians")
    return [
        Statement(r"\lim_{\sigma_q \to 0} D_{\mathrm{KL}}", oo),
        Statement(r"D_{\mathrm{KL}} \big|_{\sigma_q = \sigma_p}", equal, order="rev-lex"),
    ]


def prove_asymmetry(kl: Expr = KL) -> Statement:
    """Prove that exchanging q and p changes the divergence, by its value at σ_q = 2 σ_p."""
    exchange = {mu_q: mu_p, mu_p: mu_q, sigma_q: sigma_p, sigma_p: sigma_q}
    difference = kl - kl.subs(exchange, simultaneous=True)
    at = sp.simplify(difference.subs({mu_q: mu_p, sigma_q: 2 * sigma_p}))
    expected = Rational(15, 8) - 2 * log(2)
    require_zero(at - expected, "the divergence is asymmetric")
    return Statement(r"D_{\mathrm{KL}}(q \,\|\, p) - D_{\mathrm{KL}}(p \,\|\, q)", expected)


KL_STANDARD_NORMAL = (mu**2 + exp(log_variance) - log_variance - 1) / 2
"""KL(N(μ, e^v) ‖ N(0, 1)), in nats.

Source: equation :eq:`kl-standard-normal`.
"""


def prove_kl_standard_normal(claimed: Expr = KL_STANDARD_NORMAL) -> Statement:
    """Prove the VAE's case from the general one, at μ_p = 0, σ_p = 1 and σ_q = e^{v/2}.

    Source: equation :eq:`kl-standard-normal`.
    """
    special = KL.subs({mu_q: mu, mu_p: 0, sigma_p: 1, sigma_q: exp(log_variance / 2)})
    require_zero(special - claimed, "KL divergence to the standard normal")
    left = r"D_{\mathrm{KL}}\bigl(\mathcal{N}(\mu, e^v) \,\|\, \mathcal{N}(0, 1)\bigr)"
    return Statement(left, claimed)


def full_kl(shift: Expr, cov_q: Expr, cov_p: Expr) -> Expr:
    """Write the KL divergence between Gaussians with full covariances, in nats.

    Args:
        shift: (d, 1), mean_p − mean_q; as the other two a matrix of numbers or a matrix symbol.
        cov_q, cov_p: (d, d).

    Source: equation :eq:`kl-full`.
    """
    inverse = cov_p**-1
    return Rational(1, 2) * (
        sp.Trace(inverse * cov_q).doit()
        + sp.Trace(shift.T * inverse * shift).doit()
        - shift.shape[0]
        + log(sp.Determinant(cov_p).doit() / sp.Determinant(cov_q).doit())
    )


def prove_full(formula=full_kl) -> Statement:
    """Prove the divergence for full covariances, in any number d of dimensions.

    With Σ = L Lᵀ, x = μ_q + L_q ε, M = L_p⁻¹ L_q and c = L_p⁻¹ (μ_q − μ_p), the log ratio of the
    densities is log(det L_p / det L_q) + ½ ‖Mε + c‖² − ½ ‖ε‖².

    Source: equation :eq:`kl-full`.
    """
    _require_mean_square()
    size = Symbol("d", integer=True, positive=True)
    root_q, root_p = (MatrixSymbol(f"L_{name}", size, size) for name in "qp")
    shift = MatrixSymbol("s", size, 1)
    matrix, vector = root_p**-1 * root_q, root_p**-1 * shift
    mean_square = sp.Trace(matrix * matrix.T).doit() + sp.Trace(vector.T * vector).doit()
    log_det = log(sp.Determinant(root_p) / sp.Determinant(root_q))
    derived = log_det + (mean_square - size) / 2
    claimed = formula(shift, root_q * root_q.T, root_p * root_p.T)
    require_zero(_scalars(derived) - _scalars(claimed), "divergence with full covariances")
    return Statement(
        r"D_{\mathrm{KL}}(q \,\|\, p)",
        r"\tfrac{1}{2} \bigl( \operatorname{tr}(\Sigma_p^{-1} \Sigma_q)"
        r" + (\mu_p - \mu_q)^\top \Sigma_p^{-1} (\mu_p - \mu_q) - d"
        r" + \log \tfrac{\det \Sigma_p}{\det \Sigma_q} \bigr)",
    )


def _require_mean_square() -> None:
    """Prove E‖Mε + c‖² = tr(M Mᵀ) + ‖c‖² in any dimension, from E[ε] = 0 and E[ε εᵀ] = I.

    In row i, (Σ_j M_ij ε_j + c_i)² has the mean Σ_j Σ_k M_ij M_ik δ_jk + c_i².
    """
    size = Symbol("d", integer=True, positive=True)
    i, j, k = sp.symbols("i j k", integer=True)
    matrix = MatrixSymbol("M", size, size)
    inner = deltasummation(
        sp.KroneckerDelta(j, k) * matrix[i, j] * matrix[i, k], (k, 0, size - 1), no_piecewise=True
    )
    rows = sp.Sum(inner, (j, 0, size - 1), (i, 0, size - 1))
    trace = sp.Trace(matrix * matrix.T).rewrite(sp.Sum).doit()
    if not rows.dummy_eq(trace):
        raise NotProved(f"mean of ‖Mε‖²: {rows} is not {trace}")


def _scalars(expression: Expr) -> Expr:
    """Name traces and determinants by positive symbols: those that are equal by the same one.

    The factors in a trace may be rotated, and a matrix has the determinant of its transpose, here
    positive, because L has a positive diagonal.
    """

    def trace(of: Expr) -> Symbol:
        factors = of.args
        rotated = [str(factors[at:] + factors[:at]) for at in range(len(factors))]
        return Symbol(f"tr {min(rotated)}", positive=True)

    def determinant(of: Expr) -> Symbol:
        return Symbol(f"det {of.arg if isinstance(of, sp.Transpose) else of}", positive=True)

    return expression.replace(sp.Trace, trace).replace(sp.Determinant, determinant)


def prove_diagonal(one: Expr = KL_STANDARD_NORMAL) -> Statement:
    """Prove that with independent dimensions the divergence is the sum over them.

    The logarithm of the ratio of products is a sum, at every point; with one dimension more, it
    has one term more. Each term's expectation is that of its own dimension.

    Source: equation :eq:`kl-sum`.
    """
    q_j, q_rest, p_j, p_rest = sp.symbols("q_j q_rest p_j p_rest", positive=True)
    product = log(q_j * q_rest / (p_j * p_rest))
    require_zero(product - log(q_j / p_j) - log(q_rest / p_rest), "one dimension more")
    prove_kl_standard_normal(one)
    in_dimension_j = one.subs({mu: Symbol("mu_j"), log_variance: Symbol("v_j")})
    return Statement(
        r"D_{\mathrm{KL}}\bigl(q(z \mid x) \,\|\, p(z)\bigr)",
        rf"\sum_{{j=1}}^{{d}} \left( {sp.latex(in_dimension_j)} \right)",
    )
