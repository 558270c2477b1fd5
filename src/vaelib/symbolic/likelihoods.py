"""What the two reconstruction losses assume about the pixels.

The proofs take something else to try, and raise NotProved where two sides differ.
"""

import sympy as sp
from sympy import Expr, Rational, Symbol, exp, log, pi

from vaelib.symbolic.divergence import gap
from vaelib.symbolic.proof import NotProved, Statement, require_positive, require_zero

x = Symbol("x", real=True)  # a pixel
p = Symbol(r"\hat{x}", real=True)  # its decoded value
logit = Symbol("a", real=True)
half = Symbol("h", positive=True)  # of the width of a grey level's bin
beta, pixels, error, variance = sp.symbols("beta D S s2", positive=True)

# By its odds, a number between 0 and 1 takes every value there, and the sign of 1 − x is seen.
odds, decoded_odds = sp.symbols("o r", positive=True)
DECODED = {p: decoded_odds / (1 + decoded_odds)}  # 0 < x̂ < 1
BETWEEN = DECODED | {x: odds / (1 + odds)}  # and 0 < x < 1


def cross_entropy(pixel: Expr, decoded: Expr) -> Expr:
    """Write the binary cross-entropy of one pixel, in nats. Source: :eq:`bernoulli-likelihood`."""
    return -pixel * log(decoded) - (1 - pixel) * log(1 - decoded)


def entropy(pixel: Expr) -> Expr:
    """Write the entropy of a pixel that is 1 with probability x. Source: :eq:`bce-floor`."""
    return -pixel * log(pixel) - (1 - pixel) * log(1 - pixel)


CROSS_ENTROPY_OF_LOGIT = log(1 + exp(logit)) - logit * x
"""The binary cross-entropy of one pixel in terms of the logit, log(1 + eᵃ) − a x."""


def prove_logit_form(claimed: Expr = CROSS_ENTROPY_OF_LOGIT) -> Statement:
    """Prove how the cross-entropy is computed from logits. Source: equation :eq:`bce-logit`."""
    on, off = exp(logit) / (1 + exp(logit)), 1 / (1 + exp(logit))
    direct = -x * log(on) - (1 - x) * log(off)
    require_zero(direct - claimed, "cross-entropy from a logit")
    return Statement(r"\ell(x, \hat{x})", claimed, order="rev-lex")


def prove_binarisation(claimed: Expr | None = None) -> Statement:
    """Prove that BCE of a grey pixel is the mean Bernoulli loss of its random binarisation.

    Source: equation :eq:`bce-binarisation`.
    """
    claimed = cross_entropy(x, p) if claimed is None else claimed
    mean = x * cross_entropy(sp.Integer(1), p) + (1 - x) * cross_entropy(sp.Integer(0), p)
    require_zero(mean - claimed, "mean over binarisations", DECODED)
    return Statement(
        r"\mathbb{E}_{\tilde{x} \sim \mathrm{Bernoulli}(x)}[\ell(\tilde{x}, \hat{x})]", claimed
    )


def prove_floor(claimed: Expr | None = None) -> Statement:
    """Prove that the infimum of BCE over x̂ is the entropy of the binarisation.

    For 0 < x < 1, BCE exceeds the entropy by x f(x̂/x) + (1 − x) f((1 − x̂)/(1 − x)), which is 0
    at x̂ = x only, by the lemma. For x = 0, BCE is −log(1 − x̂): positive, and 0 in the limit
    x̂ → 0; x = 1 is its mirror image.

    Source: equation :eq:`bce-floor`.
    """
    claimed = entropy(x) if claimed is None else claimed
    excess = x * gap(p / x) + (1 - x) * gap((1 - p) / (1 - x))
    require_zero(cross_entropy(x, p) - claimed - excess, "BCE above the entropy", BETWEEN)
    at_zero = log(1 + decoded_odds)
    for edge, domain in ((0, DECODED), (1, {p: 1 / (1 + decoded_odds)})):
        loss = cross_entropy(sp.Integer(edge), p)
        require_zero(loss - at_zero, f"BCE of a pixel that is {edge}", domain)
    require_positive(at_zero, "BCE of a pixel that is 0")
    if sp.limit(at_zero, decoded_odds, 0, "+") != 0:
        raise NotProved("BCE of a pixel that is 0 has another infimum than 0")
    return Statement(
        r"\inf_{0 < \hat{x} < 1} \ell(x, \hat{x})", claimed, condition=r"0 \le x \le 1"
    )


def prove_curvature(claimed: Expr = 1 / (x * (1 - x))) -> Statement:
    """Prove how sharply BCE rises at its minimum: its second derivative in x̂ at x̂ = x.

    Source: equation :eq:`bce-curvature`.
    """
    curvature = sp.diff(cross_entropy(x, p), p, 2).subs(p, x)
    require_zero(curvature - claimed, "second derivative of BCE", BETWEEN)
    left = r"\frac{\partial^2 \ell(x, \hat{x})}{\partial \hat{x}^2} \bigg|_{\hat{x} = x}"
    return Statement(left, claimed, condition="0 < x < 1")


def prove_pinsker(claimed: Expr = 2 * (p - x) ** 2) -> Statement:
    """Prove Pinsker's inequality for a pixel: an error x̂ − x costs at least twice its square.

    BCE minus the claimed bound has the slope (x̂ − x) (1 − 2x̂)²/(x̂ (1 − x̂)): it falls up to x̂ = x
    and rises from there.

    Source: equation :eq:`bce-pinsker`.
    """
    slope = sp.diff(cross_entropy(x, p) - claimed, p)
    expected = (p - x) * (1 - 2 * p) ** 2 / (p * (1 - p))
    require_zero(slope - expected, "slope of BCE minus its bound", DECODED)
    require_positive((p * (1 - p)).subs(DECODED), "x̂ (1 − x̂)")
    require_zero(claimed.subs(p, x), "the bound is 0 at x̂ = x")
    return Statement(r"\ell(x, \hat{x}) - \ell(x, x)", claimed, r"\ge", condition=r"0 < x < 1")


CONTINUOUS_BERNOULLI = (exp(logit) - 1) / (logit * (1 + exp(logit)))
"""The integral of x̂ˣ (1 − x̂)¹⁻ˣ over x in [0, 1], for x̂ = 1/(1 + e^{−a}).

Source: equation :eq:`continuous-bernoulli`.
"""


def prove_continuous_bernoulli(claimed: Expr = CONTINUOUS_BERNOULLI) -> Statement:
    """Prove what exp(−BCE) integrates to over grey values: not 1, so it is no density.

    Source: equation :eq:`continuous-bernoulli`.
    """
    y = Symbol("y", real=True)
    a = Symbol("a", real=True, nonzero=True)
    value = sp.integrate(exp(a * y) / (1 + exp(a)), (y, 0, 1))
    require_zero(value - claimed.subs(logit, a), "integral over grey values")
    return Statement(r"\int_0^1 e^{-\ell(x, \hat{x})}\, \mathrm{d}x", claimed, condition=r"a \ne 0")


CONTINUOUS_BERNOULLI_LOSS = log((exp(logit) - 1) / logit) - logit * x
"""The loss of a grey pixel under a continuous Bernoulli decoder, log((eᵃ − 1)/a) − a x.

Source: equation :eq:`continuous-bernoulli-loss`.
"""


def prove_continuous_bernoulli_loss(claimed: Expr = CONTINUOUS_BERNOULLI_LOSS) -> Statement:
    """Prove the loss that makes exp(−loss) a density: BCE plus the logarithm of its integral.

    Positive and negative logits are proved one by one, so that the sign of eᵃ − 1 is seen.

    Source: equation :eq:`continuous-bernoulli-loss`.
    """
    prove_continuous_bernoulli()
    size = Symbol("u", positive=True)  # e^|a| − 1
    difference = CROSS_ENTROPY_OF_LOGIT + log(CONTINUOUS_BERNOULLI) - claimed
    for sign in (1, -1):
        require_zero(difference, "continuous Bernoulli loss", {logit: sign * log(1 + size)})
    left = r"\ell(x, \hat{x}) + \log \int_0^1 e^{-\ell(y, \hat{x})}\, \mathrm{d}y"
    return Statement(left, claimed, condition=r"a \ne 0")


LEVEL_PROBABILITY = (exp(logit * (x + half)) - exp(logit * (x - half))) / (exp(logit) - 1)
"""The probability of a bin from x − h to x + h under a continuous Bernoulli decoder.

Source: equation :eq:`continuous-bernoulli-levels`.
"""


def prove_level_probability(claimed: Expr = LEVEL_PROBABILITY) -> Statement:
    """Prove what the continuous Bernoulli's density, exp(−loss), integrates to over a bin.

    Source: equation :eq:`continuous-bernoulli-levels`.
    """
    prove_continuous_bernoulli_loss()
    y = Symbol("y", real=True)
    a = Symbol("a", real=True, nonzero=True)
    integral = sp.integrate(exp(a * y), (y, x - half, x + half))
    scaled = (exp(logit) - 1) * claimed  # the density is a eᵃʸ / (eᵃ − 1)
    require_zero(a * integral - sp.cancel(scaled).subs(logit, a), "probability of a bin")
    left = r"\int_{x - h}^{x + h} \frac{a\, e^{a y}}{e^a - 1}\, \mathrm{d}y"
    return Statement(left, claimed, condition=r"a \ne 0", order="rev-lex")


def gaussian_loss(squares: Expr, number: Expr, s2: Expr) -> Expr:
    """Write −log p(x|z) of a Gaussian decoder: D pixels, squared error S, variance s²."""
    return number * log(2 * pi * s2) / 2 + squares / (2 * s2)


def prove_gaussian_constant(claimed: Expr | None = None) -> Statement:
    """Prove that at variance ½ and 784 pixels it is the squared error plus 392 log π.

    Source: equation :eq:`gaussian-likelihood`.
    """
    claimed = error + 392 * log(pi) if claimed is None else claimed
    value = gaussian_loss(error, sp.Integer(784), Rational(1, 2))
    require_zero(value - claimed, "Gaussian likelihood with variance ½")
    squares = Symbol(r"\sum_{i=1}^{784} (x_i - \hat{x}_i)^2")
    return Statement(r"-\log p(x \mid z)", claimed.subs(error, squares))


def prove_beta_variance(claimed: Expr = beta / 2) -> Statement:
    """Prove that S + β KL is β times a negative ELBO with variance β/2, up to a constant.

    Source: equation :eq:`beta-variance`.
    """
    kl = Symbol("K", positive=True)
    negative_elbo = gaussian_loss(error, pixels, claimed) + kl
    constant = beta * pixels * log(2 * pi * claimed) / 2
    require_zero(error + beta * kl - (beta * negative_elbo - constant), "squared error + β KL")
    return Statement(r"s^2", claimed)


def prove_best_variance(claimed: Expr = error / pixels) -> Statement:
    """Prove that for a fixed decoder the best variance is the mean squared error per pixel.

    With any other variance s², the loss exceeds that with the best one by ½ D f(S/(D s²)).

    Source: equation :eq:`best-variance`.
    """
    above = gaussian_loss(error, pixels, variance) - gaussian_loss(error, pixels, claimed)
    require_zero(above - pixels * gap(claimed / variance) / 2, "loss above that of the best one")
    return Statement(
        r"\operatorname*{argmin}_{s^2} \left(-\log p(x \mid z)\right)", claimed, condition="S > 0"
    )


BEST_VARIANCE_LOSS = pixels * (log(2 * pi * error / pixels) + 1) / 2
"""The least −log p(x|z) over variances, for D pixels with squared error S."""


def prove_best_variance_loss(claimed: Expr = BEST_VARIANCE_LOSS) -> Statement:
    """Prove the loss of a Gaussian decoder that has the best variance: ½ D (log(2 π S/D) + 1).

    Source: equation :eq:`best-variance-loss`.
    """
    prove_best_variance()
    value = gaussian_loss(error, pixels, error / pixels)
    require_zero(value - claimed, "Gaussian likelihood with the best variance")
    return Statement(r"\min_{s^2} \left(-\log p(x \mid z)\right)", claimed, condition="S > 0")
