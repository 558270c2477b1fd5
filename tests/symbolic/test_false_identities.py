"""Identities that do not hold, all of which the checker must refuse.

Each of the first kind comes with a witness: a point of its domain at which the two sides differ or
are not defined, so that the suite itself can be checked. The second kind are the statements of the
book with a mistake in each.
"""

import pytest
import sympy as sp
from sympy import Abs, Rational, exp, log, oo, pi, sqrt

from vaelib import symbolic
from vaelib.symbolic import NotProved, bound, divergence, gaussian, gradients, likelihoods, odds
from vaelib.symbolic.divergence import gap, term
from vaelib.symbolic.proof import require_defined, require_positive, require_zero

x, y = sp.symbols("x y", real=True)
c, d = sp.symbols("c d")  # complex
a, b = sp.symbols("a b", positive=True)
n = sp.Symbol("n", nonnegative=True)
w1, w2, w3, w4 = sp.symbols("w1:5", positive=True)
k, number = sp.symbols("k n", integer=True, positive=True)


BRANCH_CUTS = {
    "log x² = 2 log x": (log(x**2) - 2 * log(x), {x: -1}),
    "log x³ = 3 log x": (log(x**3) - 3 * log(x), {x: -1}),
    "log cd = log c + log d": (log(c * d) - log(c) - log(d), {c: -1, d: -1}),
    "log x/y = log x - log y": (log(x / y) - log(x) + log(y), {x: 1, y: -1}),
    "log 1/x = -log x": (log(1 / x) + log(x), {x: -1}),
    "log exp c = c": (log(exp(c)) - c, {c: 2 * sp.I * pi}),
    "root of a product": (sqrt(c * d) - sqrt(c) * sqrt(d), {c: -1, d: -1}),
    "root of a quotient": (sqrt(1 / c) - 1 / sqrt(c), {c: -1}),
    "power of a power": ((c**2) ** a - c ** (2 * a), {c: -1, a: Rational(1, 2)}),
    "log of odds": (log(x / (1 - x)) - log(x) + log(1 - x), {x: 2}),
    "log(1 + x) and its inverse": (log(1 + x) + log(1 / (1 + x)), {x: -2}),
}
ABSOLUTE_VALUES = {
    "√x² = x": (sqrt(x**2) - x, {x: -1}),
    "√(x - y)² = x - y": (sqrt((x - y) ** 2) - (x - y), {x: 0, y: 1}),
    "|x| = x": (Abs(x) - x, {x: -1}),
    "exp(½ log x²) = x": (exp(log(x**2) / 2) - x, {x: -1}),
    "√(x²y²) = xy": (sqrt(x**2 * y**2) - x * y, {x: -1, y: 1}),
}
DIVISIONS = {
    "(x² - 1)/(x - 1) = x + 1": ((x**2 - 1) / (x - 1) - (x + 1), {x: 1}),
    "(x² - y²)/(x + y) = x - y": ((x**2 - y**2) / (x + y) - (x - y), {x: 1, y: -1}),
    "1/(1 + x) + x/(1 + x) = 1": (1 / (1 + x) + x / (1 + x) - 1, {x: -1}),
    "(eˣ - 1)/(e^{x/2} - 1)": ((exp(x) - 1) / (exp(x / 2) - 1) - exp(x / 2) - 1, {x: 0}),
    "n log(n/a), n may be 0": (n * log(n / a) - n * log(n) + n * log(a), {n: 0, a: 1}),
    "(n² - an)/n = n - a, n may be 0": ((n**2 - a * n) / n - (n - a), {n: 0, a: 1}),
}
DOMAINS = {
    "a term of the divergence, q real": (term(a, x) - a * log(a) + a * log(x), {a: 1, x: -1}),
    "entropy floor without 0 < x < 1": (
        likelihoods.cross_entropy(x, a)
        - likelihoods.entropy(x)
        - x * gap(a / x)
        - (1 - x) * gap((1 - a) / (1 - x)),
        {x: 0, a: Rational(1, 2)},
    ),
    "continuous Bernoulli at a = 0": (
        (exp(x) - 1) / (x * (1 + exp(x))) - (1 - exp(-x)) / (x * (1 + exp(-x))),
        {x: 0},
    ),
    "divergence with variances of any sign": (
        log(sqrt(x) / a) - log(x) / 2 + log(a),
        {x: 0, a: 1},
    ),
    "odds of any number": ((x - x**2) / (1 - x) - x, {x: 1}),
}
LIMITS = {
    "limits in x and y": (
        sp.limit(sp.limit(x / (x + a), x, 0), a, 0, "+")
        - sp.limit(sp.limit(b / (b + a), a, 0, "+"), b, 0, "+"),
        {},
    ),
    "limit and integral": (
        sp.limit(sp.integrate(a * exp(-a * b), (b, 0, oo)), a, oo)
        - sp.integrate(sp.limit(a * exp(-a * b), a, oo), (b, 0, oo)),
        {},
    ),
    "limit and sum": (
        sp.limit(sp.summation(1 / number, (k, 1, number)), number, oo)
        - sp.summation(sp.limit(1 / number, number, oo), (k, 1, oo)),
        {},
    ),
    "derivative and integral": (
        # ∫ a³ exp(-a² b) db over b > 0 is a; the derivative of the integrand at a = 0 is 0.
        sp.diff(sp.integrate(a**3 * exp(-(a**2) * b), (b, 0, oo)), a)
        - sp.integrate(sp.diff(a**3 * exp(-(a**2) * b), a).subs(a, 0), (b, 0, oo)),
        {},
    ),
}
SUMS = {
    "1 + … + n": (sp.summation(k, (k, 1, number)) - number * (number - 1) / 2, {number: 3}),
    "geometric sum": (sum(a**i for i in range(5)) * (a - 1) - (a**6 - 1), {a: 2}),
    "weights without the last": (
        (w1 + w2 + w3) / (w1 + w2 + w3 + w4) - 1,
        {w1: 1, w2: 1, w3: 1, w4: 1},
    ),
    "783 pixels": (
        likelihoods.gaussian_loss(a, sp.Integer(783), Rational(1, 2)) - a - 392 * log(pi),
        {a: 1},
    ),
    "E ε⁴ = 4!!": (gradients.noise_mean(gradients.epsilon**4) - sp.factorial2(4), {}),
    "E ε³ = 2!!": (gradients.noise_mean(gradients.epsilon**3) - sp.factorial2(2), {}),
    "d + 1 dimensions": (gaussian.KL - Rational(1, 2) - gaussian.KL, {}),
}
EXCHANGED = {
    "a term": (term(a, b) - term(b, a), {a: 1, b: 2}),
    "an average": (a * log(a / b) + b * log(b / a) - a * log(b / a), {a: 1, b: 3}),
    "a gap": (gap(a / b) - gap(b / a), {a: 1, b: 2}),
    "Gaussians": (
        gaussian.KL
        - gaussian.KL.subs(
            {gaussian.sigma_q: gaussian.sigma_p, gaussian.sigma_p: gaussian.sigma_q},
            simultaneous=True,
        ),
        {gaussian.sigma_q: 1, gaussian.sigma_p: 2, gaussian.mu_q: 0, gaussian.mu_p: 0},
    ),
    "posterior and q": (
        bound.elbo_terms()["gap"] + bound.elbo_terms()["elbo"].subs(bound.q, bound.prior),
        {bound.q: 1, bound.prior: 2, bound.likelihood: 1, bound.evidence: 3},
    ),
}
FALSE = {
    f"{kind}: {name}": identity
    for kind, identities in {
        "branch cut": BRANCH_CUTS,
        "absolute value": ABSOLUTE_VALUES,
        "division by 0": DIVISIONS,
        "domain": DOMAINS,
        "limits exchanged": LIMITS,
        "off by one": SUMS,
        "p and q exchanged": EXCHANGED,
    }.items()
    for name, identity in identities.items()
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_identity_is_refused(name):
    with pytest.raises(NotProved):
        require_zero(FALSE[name][0], name)


@pytest.mark.parametrize("name", FALSE)
def test_a_false_identity_is_false(name):
    """At its witness the two sides differ, or one is not defined."""
    difference, witness = FALSE[name]
    value = difference.subs(witness, simultaneous=True)
    assert value in (sp.nan, sp.zoo) or abs(complex(value.evalf())) > 1e-9


def test_a_quotient_that_sympy_has_not_cancelled_is_refused_too():
    with pytest.raises(NotProved):
        require_zero(sp.Mul(x, 1 / x, evaluate=False) - 1, "x/x = 1")


def test_a_decimal_number_which_was_rounded_before_is_refused():
    """1 + 10⁻¹⁷ is 1 by the time that the checker sees it."""
    with pytest.raises(NotProved, match=r"the checker does not know 1\.0"):
        require_zero(log(a * (1 + sp.Float("1e-17"))) - log(a), "log(a (1 + 10⁻¹⁷)) = log a")


@pytest.mark.parametrize("expression", [x**2, 1 - a, log(a), gap(a), x * y, n, a - b])
def test_what_is_not_positive_everywhere_is_refused(expression):
    with pytest.raises(NotProved):
        require_positive(expression, "positive")


@pytest.mark.parametrize(
    "expression", [sp.nan, sp.oo, sp.zoo, sp.Piecewise((a, a > 1), (0, True)), sp.Max(a, b), c**a]
)
def test_what_the_checker_does_not_know_is_refused(expression):
    with pytest.raises(NotProved):
        require_defined(expression, "defined")


TRUE = {
    "log ab": log(a * b) - log(a) - log(b),
    "log of a sum's quotient": log(a / (a + b)) - log(a) + log(a + b),
    "log a² / b": log(a**2 / b) - 2 * log(a) + log(b),
    "log √a": log(sqrt(a)) - log(a) / 2,
    "exp of a sum": exp(x + y) - exp(x) * exp(y),
    "exp(2x)": exp(2 * x) - exp(x) ** 2,
    "log exp x, x real": log(exp(x)) - x,
    "softplus": log(1 + exp(x)) - x - log(1 + exp(-x)),
    "fractions": 1 / (a * b) - (1 / a - 1 / (a + b)) * (a + b) / b**2,
    "(a² - b²)/(a + b)": (a**2 - b**2) / (a + b) - (a - b),
    "numbers": log(6) - log(2) - log(3),
}


@pytest.mark.parametrize("name", TRUE)
def test_a_true_identity_is_accepted(name):
    """A checker that refuses everything would pass the tests above."""
    require_zero(TRUE[name], name)


HALF = Rational(1, 2)
kl = gaussian.KL


def wrong_terms(**changed):
    return bound.elbo_terms() | changed


def wrong_model(**changed):
    return bound.linear_gaussian() | changed


def full(sign=1, dimensions=1, exchange=False, factor=1):
    def formula(shift, cov_q, cov_p):
        if exchange:
            cov_q, cov_p = cov_p, cov_q
        inverse = cov_p**-1
        return (
            sp.Trace(inverse * cov_q).doit()
            + factor * sp.Trace(shift.T * inverse * shift).doit()
            - dimensions * shift.shape[0]
            + sign * log(sp.Determinant(cov_p).doit() / sp.Determinant(cov_q).doit())
        ) / 2

    return formula


MUTATIONS = {
    "log-bound": lambda: divergence.logarithm_bound(2 * (divergence.t - 1) - log(divergence.t)),
    "kl-term": lambda: divergence.prove_term(divergence.p * gap(divergence.p / divergence.q)),
    "kl-nonnegative": lambda: divergence.prove_minimum(lambda p, q: -term(p, q)),
    "elbo-decomposition": lambda: bound.elbo_lines(wrong_terms(gap=-bound.elbo_terms()["gap"])),
    "elbo-bound": lambda: bound.elbo_lines(wrong_terms(elbo=bound.elbo_terms()["elbo"] + 1)),
    "elbo-two-terms": lambda: bound.elbo_two_terms(
        wrong_terms(to_prior=log(bound.prior / bound.q))
    ),
    "weighted-bound": lambda: bound.weighted_bound(bound.beta * bound.elbo_terms()["to_prior"]),
    "linear-gap": lambda: bound.prove_linear_gap(
        wrong_model(gap=bound.linear_gaussian()["to_prior"])
    ),
    "linear-maximum": lambda: bound.prove_linear_maximum(
        wrong_model(posterior_variance=bound.s**2 / bound.w**2)
    ),
    "reparameterised-gradient": lambda: gradients.prove_reparameterisation(
        gradients.mu + gradients.sigma**2 * gradients.epsilon
    ),
    "gaussian-log-ratio": lambda: gaussian.prove_log_ratio(-gaussian.LOG_RATIO),
    "gaussian-variance": lambda: gaussian.prove_variance(gaussian.sigma_q),
    "gaussian-second-moment": lambda: gaussian.prove_second_moment(
        gaussian.sigma_q**2 + gaussian.mu_q**2 - gaussian.mu_p**2
    ),
    "gaussian-kl": lambda: gaussian.prove_gaussian_kl(kl + HALF),
    "kl-standard-normal": lambda: gaussian.prove_kl_standard_normal(
        gaussian.KL_STANDARD_NORMAL + gaussian.log_variance / 2
    ),
    "kl-full": lambda: gaussian.prove_full(full(exchange=True)),
    "kl-sum": lambda: gaussian.prove_diagonal(gaussian.KL_STANDARD_NORMAL / 2),
    "bce-logit": lambda: likelihoods.prove_logit_form(
        log(1 + exp(-likelihoods.logit)) - likelihoods.logit * likelihoods.x
    ),
    "bce-binarisation": lambda: likelihoods.prove_binarisation(
        likelihoods.cross_entropy(1 - likelihoods.x, likelihoods.p)
    ),
    "bce-floor": lambda: likelihoods.prove_floor(-likelihoods.entropy(likelihoods.x)),
    "bce-curvature": lambda: likelihoods.prove_curvature(1 / likelihoods.x),
    "bce-pinsker": lambda: likelihoods.prove_pinsker(3 * (likelihoods.p - likelihoods.x) ** 2),
    "continuous-bernoulli": lambda: likelihoods.prove_continuous_bernoulli(
        likelihoods.CONTINUOUS_BERNOULLI * 2
    ),
    "continuous-bernoulli-loss": lambda: likelihoods.prove_continuous_bernoulli_loss(
        likelihoods.CONTINUOUS_BERNOULLI_LOSS + likelihoods.logit
    ),
    "continuous-bernoulli-levels": lambda: likelihoods.prove_level_probability(
        likelihoods.LEVEL_PROBABILITY * likelihoods.logit
    ),
    "gaussian-likelihood": lambda: likelihoods.prove_gaussian_constant(
        likelihoods.error + 784 * log(pi)
    ),
    "beta-variance": lambda: likelihoods.prove_beta_variance(likelihoods.beta),
    "best-variance": lambda: likelihoods.prove_best_variance(
        likelihoods.error / (likelihoods.pixels - 1)
    ),
    "best-variance-loss": lambda: likelihoods.prove_best_variance_loss(
        likelihoods.BEST_VARIANCE_LOSS - likelihoods.pixels
    ),
    "proportional-odds-level": lambda: odds.prove_level(odds.LEVEL_PROBABILITY * exp(odds.gap)),
    "proportional-odds-slope": lambda: odds.prove_slope(
        odds.share(odds.lower + odds.gap) - odds.share(odds.lower)
    ),
    "proportional-odds-one": lambda: odds.prove_one_threshold(
        log(1 + exp(-likelihoods.logit)) - likelihoods.logit * likelihoods.x
    ),
    "proportional-odds-logistic": lambda: odds.prove_logistic(odds.LOGISTIC_BIN * odds.scale),
    "proportional-odds-mean": lambda: odds.prove_mean(
        1 - odds.mean_level(sp.symbols("F:255", real=True))
    ),
}


def test_every_statement_has_a_mutation():
    assert set(MUTATIONS) == set(symbolic.STATEMENTS)


@pytest.mark.parametrize("label", MUTATIONS)
def test_a_statement_with_a_mistake_is_refused(label):
    with pytest.raises(NotProved):
        MUTATIONS[label]()


@pytest.mark.parametrize("wrong", [{"sign": -1}, {"dimensions": 2}, {"factor": 2}])
def test_full_covariances_with_a_mistake_are_refused(wrong):
    gaussian.prove_full(full())
    with pytest.raises(NotProved):
        gaussian.prove_full(full(**wrong))
