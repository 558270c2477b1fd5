"""Gradients of an expectation under q = N(μ, σ²), through the sample and by the score function."""

import sympy as sp
from sympy import Expr, Symbol, oo

from vaelib.symbolic.gaussian import normal_density, x
from vaelib.symbolic.proof import Statement, require_zero

mu = Symbol("mu", real=True)
sigma = Symbol("sigma", positive=True)
epsilon = Symbol("epsilon", real=True)
z = Symbol("z", real=True)


def noise_mean(f: Expr) -> Expr:
    """Take the expectation over ε ~ N(0, 1) of a polynomial in ε, from E[ε²ᵏ] = (2k − 1)!!."""
    terms = sp.Poly(sp.expand(f), epsilon).terms()
    return sum(c * (sp.factorial2(n - 1) if n % 2 == 0 else 0) for (n,), c in terms)


def prove_reparameterisation(degree: int = 4, path: Expr | None = None) -> Statement:
    """Prove ∂/∂θ E_q[f(z)] = E_ε[∂/∂θ f(μ + σε)] for polynomials f, θ = μ and θ = σ.

    The left side is integrated over z, the right side is an expectation over ε.

    Args:
        degree: of the polynomial, with a coefficient of its own for each power.
        path: z as a function of μ, σ and ε; μ + σε if not given.

    Raises:
        NotProved: the two differ.

    Source: equation :eq:`reparameterised-gradient`.
    """
    path = mu + sigma * epsilon if path is None else path
    coefficients = sp.symbols(f"c0:{degree + 1}", real=True)
    density = normal_density(mu, sigma).subs(x, z)
    for k, c in enumerate(coefficients):
        moment = sp.integrate(z**k * density, (z, -oo, oo))
        for theta in (mu, sigma):
            inside = noise_mean(sp.diff(c * path**k, theta))
            require_zero(sp.diff(c * moment, theta) - inside, f"d/d{theta} of E[z^{k}]")
    return Statement(
        r"\frac{\partial}{\partial \theta}\, \mathbb{E}_q[f(z)]",
        r"\mathbb{E}_\varepsilon\left[\frac{\partial}{\partial \theta}"
        r" f(\mu + \sigma \varepsilon)\right]",
    )


def estimator_variances(f: Expr) -> dict[str, Expr]:
    """Compute the variances of two one-sample estimates of ∂/∂μ E_q[f(z)], which agree in mean.

    Args:
        f: polynomial in z.

    Returns:
        ``pathwise``, of ∂f(μ + σε)/∂μ; ``score``, of f(z) ∂ log q(z)/∂μ = f(z) ε/σ.

    Raises:
        NotProved: the means of the two differ.

    Source: chapter :doc:`/theory/elbo`.
    """
    along = f.subs(z, mu + sigma * epsilon)
    estimates = {"pathwise": sp.diff(along, mu), "score": along * epsilon / sigma}
    means = {name: noise_mean(estimate) for name, estimate in estimates.items()}
    require_zero(means["pathwise"] - means["score"], "the two estimates agree in mean")
    return {
        name: sp.factor(noise_mean(estimate**2) - means[name] ** 2)
        for name, estimate in estimates.items()
    }
