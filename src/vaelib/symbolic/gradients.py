"""Gradients of an expectation under q = N(μ, σ²), through the sample and by the score function."""

import sympy as sp
from sympy import Expr, Symbol, oo
from sympy.simplify.fu import TR8

from vaelib.symbolic.gaussian import normal_density, x
from vaelib.symbolic.proof import Statement, require_zero

mu = Symbol("mu", real=True)
sigma = Symbol("sigma", positive=True)
epsilon = Symbol("epsilon", real=True)
z = Symbol("z", real=True)
NOISE = (z - mu) / sigma  # the ε that leads to z


def noise_mean(g: Expr) -> Expr:
    """Take the expectation over ε ~ N(0, 1) by integration, term by term.

    Products of waves are written as sums before.
    """
    density = normal_density(sp.Integer(0), sp.Integer(1)).subs(x, epsilon)
    parts = (
        part.as_independent(epsilon) for part in sp.Add.make_args(sp.expand(TR8(sp.expand(g))))
    )
    return sum(factor * sp.integrate(wave * density, (epsilon, -oo, oo)) for factor, wave in parts)


def prove_reparameterisation(path: Expr = mu + sigma * epsilon) -> Statement:
    """Prove ∂/∂θ E_q[g(z)] = E_ε[∂/∂θ g(μ + σε)] for every smooth g, θ = μ and θ = σ.

    At every z, g ∂q/∂θ = g′ (∂z/∂θ) q − d/dz (g (∂z/∂θ) q), for a g that is nowhere specified.
    Integrated over z, the last part vanishes if g q and z g q do at infinity. What is left is the
    right side, because z = μ + σε, the path, has the density q.

    Raises:
        NotProved: one of the steps does not hold.

    Source: equation :eq:`reparameterised-gradient`.
    """
    g = sp.Function("g", real=True)(z)
    density = normal_density(mu, sigma).subs(x, z)
    normal = normal_density(sp.Integer(0), sp.Integer(1)).subs(x, epsilon)
    require_zero(path.subs(epsilon, NOISE) - z, "the path leads to z")
    require_zero(density.subs(z, path) * sp.diff(path, epsilon) - normal, "z has the density q")
    for theta in (mu, sigma):
        along = sp.diff(path, theta).subs(epsilon, NOISE)
        inside = sp.diff(g, z) * along * density
        boundary = sp.diff(g * along * density, z)
        require_zero(g * sp.diff(density, theta) - (inside - boundary), f"gradient in {theta}")
    return Statement(
        r"\frac{\partial}{\partial \theta}\, \mathbb{E}_q[g(z)]",
        r"\mathbb{E}_\varepsilon\left[\frac{\partial}{\partial \theta}"
        r" g(\mu + \sigma \varepsilon)\right]",
    )


def estimator_variances(g: Expr, at: dict[Symbol, Expr] | None = None) -> dict[str, Expr]:
    """Compute the variances of two one-sample estimates of ∂/∂μ E_q[g(z)], which agree in mean.

    Args:
        g: of z; a polynomial, or with sines and cosines if ``at`` is given.
        at: values for μ and σ.

    Returns:
        ``pathwise``, of ∂g(μ + σε)/∂μ; ``score``, of g(z) ∂ log q(z)/∂μ = g(z) ε/σ.

    Raises:
        NotProved: the means of the two differ.

    Source: chapter :doc:`/theory/elbo`.
    """
    along = g.subs(z, mu + sigma * epsilon)
    estimates = {
        "pathwise": sp.diff(along, mu).subs(at or {}),
        "score": (along * epsilon / sigma).subs(at or {}),
    }
    means = {name: noise_mean(estimate) for name, estimate in estimates.items()}
    require_zero(means["pathwise"] - means["score"], "the two estimates agree in mean")
    return {
        name: sp.expand(noise_mean(estimate**2) - means[name] ** 2)
        for name, estimate in estimates.items()
    }
