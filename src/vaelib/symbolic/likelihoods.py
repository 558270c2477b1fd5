"""What the two reconstruction losses assume about the pixels."""

import sympy as sp
from sympy import Expr, Rational, Symbol, exp, log, pi

from vaelib.symbolic.proof import Statement, require_only_solution, require_positive, require_zero

x = Symbol("x", positive=True)  # a pixel, below 1
p = Symbol(r"\hat{x}", positive=True)  # its decoded value
logit = Symbol("a", real=True)
beta, pixels, error, variance = sp.symbols("beta D S s2", positive=True)


def cross_entropy(pixel: Expr, decoded: Expr) -> Expr:
    """Write the binary cross-entropy of one pixel, in nats. Source: :eq:`bernoulli-likelihood`."""
    return -pixel * log(decoded) - (1 - pixel) * log(1 - decoded)


def entropy(pixel: Expr) -> Expr:
    """Write the entropy of a pixel that is 1 with probability x. Source: :eq:`bce-floor`."""
    return -pixel * log(pixel) - (1 - pixel) * log(1 - pixel)


def cross_entropy_of_logit() -> Expr:
    """Write the binary cross-entropy of one pixel in terms of the logit: log(1 + eᵃ) − a x."""
    return log(1 + exp(logit)) - logit * x


def prove_logit_form(claimed: Expr | None = None) -> Statement:
    """Prove the form in which the cross-entropy is computed, from logits.

    Args:
        claimed: another right side to try; so in every function of this module.

    Raises:
        NotProved: the two differ; so in every function of this module.

    Source: equation :eq:`bce-logit`.
    """
    claimed = cross_entropy_of_logit() if claimed is None else claimed
    on, off = exp(logit) / (1 + exp(logit)), 1 / (1 + exp(logit))
    direct = -x * log(on) - (1 - x) * log(off)
    require_zero(direct - claimed, "cross-entropy from a logit")
    return Statement(r"\ell(x, a)", claimed, order="rev-lex")


def prove_binarisation(claimed: Expr | None = None) -> Statement:
    """Prove that BCE of a grey pixel is the mean Bernoulli loss of its random binarisation.

    Source: equation :eq:`bce-binarisation`.
    """
    claimed = cross_entropy(x, p) if claimed is None else claimed
    mean = x * cross_entropy(sp.Integer(1), p) + (1 - x) * cross_entropy(sp.Integer(0), p)
    require_zero(mean - claimed, "mean over binarisations")
    return Statement(r"\mathbb{E}_{b \sim \mathrm{Bernoulli}(x)}[\ell(b, \hat{x})]", claimed)


def prove_floor(claimed: Expr | None = None) -> Statement:
    """Prove that BCE is smallest at x̂ = x only, where it is the entropy of the binarisation.

    In terms of the odds, so that every sign is seen: x = o/(1 + o), x̂ = r/(1 + r).

    Source: equation :eq:`bce-floor`.
    """
    claimed = entropy(x) if claimed is None else claimed
    odds, decoded = sp.symbols("o r", positive=True)
    pixel = odds / (1 + odds)
    loss = pixel * log((1 + decoded) / decoded) + log(1 + decoded) / (1 + odds)
    slope = sp.factor(sp.diff(loss, decoded))
    require_only_solution([slope], [decoded], [odds], "BCE stationary only at x̂ = x")
    curvature = sp.factor(sp.diff(loss, decoded, 2).subs(decoded, odds))
    require_positive(curvature, "a minimum")
    floor = claimed.subs(x, pixel)
    require_zero(loss.subs(decoded, odds) - sp.simplify(floor), "the floor is the entropy")
    return Statement(r"\min_{\hat{x}} \ell(x, \hat{x})", claimed)


def prove_curvature(claimed: Expr | None = None) -> Statement:
    """Prove how sharply BCE rises at its minimum: its second derivative in x̂ at x̂ = x.

    Source: equation :eq:`bce-curvature`.
    """
    claimed = 1 / (x * (1 - x)) if claimed is None else claimed
    curvature = sp.diff(cross_entropy(x, p), p, 2).subs(p, x)
    require_zero(sp.simplify(curvature - claimed), "second derivative of BCE")
    left = r"\frac{\partial^2 \ell(x, \hat{x})}{\partial \hat{x}^2} \bigg|_{\hat{x} = x}"
    return Statement(left, claimed)


def continuous_bernoulli() -> Expr:
    """Write the integral of x̂ˣ (1 − x̂)¹⁻ˣ over x in [0, 1], for x̂ = 1/(1 + e^{−a}).

    Source: equation :eq:`continuous-bernoulli`.
    """
    return (exp(logit) - 1) / (logit * (1 + exp(logit)))


def prove_continuous_bernoulli(claimed: Expr | None = None) -> Statement:
    """Prove what exp(−BCE) integrates to over grey values: not 1, so it is no density.

    Source: equation :eq:`continuous-bernoulli`.
    """
    claimed = continuous_bernoulli() if claimed is None else claimed
    y = Symbol("y", positive=True)
    a = Symbol("a", positive=True)  # either sign gives the same form; 0 is its limit
    value = sp.integrate(exp(a * y) / (1 + exp(a)), (y, 0, 1))
    require_zero(sp.simplify(value - claimed.subs(logit, a)), "integral over grey values")
    return Statement(r"\int_0^1 e^{-\ell(x, a)}\, \mathrm{d}x", claimed)


def gaussian_loss(squares: Expr, number: Expr, spread: Expr) -> Expr:
    """Write −log p(x|z) of a Gaussian decoder: D pixels, squared error S, variance s²."""
    return number * log(2 * pi * spread) / 2 + squares / (2 * spread)


def prove_gaussian_constant(claimed: Expr | None = None) -> Statement:
    """Prove that at variance ½ and 784 pixels it is the squared error plus 392 log π.

    Source: equation :eq:`gaussian-likelihood`.
    """
    claimed = error + 392 * log(pi) if claimed is None else claimed
    value = gaussian_loss(error, sp.Integer(784), Rational(1, 2))
    require_zero(value - claimed, "Gaussian likelihood with variance ½")
    squares = Symbol(r"\sum_{i=1}^{784} (x_i - \hat{x}_i)^2")
    return Statement(r"-\log p(x \mid z)", claimed.subs(error, squares))


def prove_beta_variance(claimed: Expr | None = None) -> Statement:
    """Prove that S + β KL is β times a negative ELBO with variance β/2, up to a constant.

    Args:
        claimed: another variance to try.

    Source: equation :eq:`beta-variance`.
    """
    claimed = beta / 2 if claimed is None else claimed
    kl = Symbol("K", positive=True)
    negative_elbo = gaussian_loss(error, pixels, claimed) + kl
    constant = beta * pixels * log(2 * pi * claimed) / 2
    require_zero(error + beta * kl - (beta * negative_elbo - constant), "squared error + β KL")
    return Statement(r"s^2", claimed)


def prove_best_variance(claimed: Expr | None = None) -> Statement:
    """Prove that for a fixed decoder the best variance is the mean squared error per pixel.

    Source: equation :eq:`best-variance`.
    """
    claimed = error / pixels if claimed is None else claimed
    loss = gaussian_loss(error, pixels, variance)
    require_only_solution([sp.diff(loss, variance)], [variance], [claimed], "best variance")
    require_positive(sp.diff(loss, variance, 2).subs(variance, claimed), "a minimum")
    return Statement(r"\operatorname*{argmin}_{s^2} \left(-\log p(x \mid z)\right)", claimed)


def squared_error_of_logit() -> Expr:
    """Write the squared error of one pixel in terms of the logit: (1/(1 + e^{−a}) − x)²."""
    return (1 / (1 + exp(-logit)) - x) ** 2
