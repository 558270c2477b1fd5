"""Each proof holds, and each deliberately wrong variant of it is refused."""

import math

import pytest
import sympy as sp
from scipy.integrate import quad

from vaelib import symbolic
from vaelib.symbolic import NotProved, bound, divergence, gaussian, gradients
from vaelib.symbolic.divergence import gap, t

WRONG = {
    "flipped sign": lambda e: -e,
    "dropped factor": lambda e: e / 2,
}
EXCHANGE = {
    gaussian.mu_q: gaussian.mu_p,
    gaussian.mu_p: gaussian.mu_q,
    gaussian.sigma_q: gaussian.sigma_p,
    gaussian.sigma_p: gaussian.sigma_q,
}


@pytest.mark.parametrize("label", list(symbolic.STATEMENTS))
def test_every_statement_of_the_book_is_proved(label):
    statement = symbolic.STATEMENTS[label]()
    assert statement.latex
    assert "Piecewise" not in statement.latex


@pytest.mark.parametrize(
    "wrong",
    [
        t - 1 + sp.log(t),  # flipped sign: no critical point
        t - sp.log(t),  # dropped constant: not 0 at 1
        sp.log(t) - t + 1,  # exchanged sides: concave
        2 * (t - 1) - sp.log(t),  # a factor: critical point elsewhere
    ],
)
def test_wrong_lemmas_are_refused(wrong):
    with pytest.raises(NotProved):
        divergence.logarithm_bound(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda p, q: -divergence.term(p, q),
        lambda p, q: divergence.term(p, q) + 1,
        lambda p, q: divergence.term(p, q) + q,
        lambda p, q: p * sp.log(q),
    ],
)
def test_wrong_divergences_have_no_minimum_at_equality(wrong):
    divergence.prove_minimum()
    with pytest.raises(NotProved):
        divergence.prove_minimum(wrong)


@pytest.mark.parametrize(
    "prove",
    [
        divergence.prove_bernoulli,
        divergence.prove_exponential,
        divergence.prove_laplace,
        divergence.prove_gaussian,
    ],
    ids=lambda f: f.__name__,
)
def test_sums_of_gaps(prove):
    prove()
    with pytest.raises(NotProved):
        prove(gap(t))


@pytest.mark.parametrize("wrong", list(WRONG))
@pytest.mark.parametrize("term", list(bound.elbo_terms()))
def test_a_wrong_term_is_refused(term, wrong):
    terms = bound.elbo_terms()
    terms[term] = WRONG[wrong](terms[term])

    def prove_both():
        bound.elbo_lines(terms)
        bound.elbo_two_terms(terms)

    with pytest.raises(NotProved):
        prove_both()


MODEL = bound.linear_gaussian()
NUMBERS = {bound.w: 0.7, bound.c: -0.2, bound.s: 0.6, bound.x: 1.1, bound.m: 0.3, bound.nu: 0.4}


def at_numbers(expression):
    return float(expression.subs(NUMBERS))


def log_normal(value, mean, variance):
    return -math.log(2 * math.pi * variance) / 2 - (value - mean) ** 2 / (2 * variance)


def log_joint(z):
    return log_normal(z, 0, 1) + log_normal(1.1, 0.7 * z - 0.2, 0.36)


def test_linear_evidence_is_a_numerical_integral():
    value = quad(lambda z: math.exp(log_joint(z)), -12, 12)[0]
    assert at_numbers(MODEL["log_evidence"]) == pytest.approx(math.log(value), abs=1e-9)


def test_linear_elbo_is_a_numerical_integral():
    def integrand(z):
        log_q = log_normal(z, 0.3, 0.4)
        return math.exp(log_q) * (log_joint(z) - log_q)

    assert at_numbers(MODEL["elbo"]) == pytest.approx(quad(integrand, -8, 8)[0], abs=1e-9)


@pytest.mark.parametrize(
    ("prove", "uses"),
    [
        (bound.prove_linear_bayes, ["log_evidence", "posterior_mean", "posterior_variance"]),
        (bound.prove_linear_elbo, ["elbo"]),
        (bound.prove_linear_gap, ["log_evidence", "elbo", "gap"]),
        (
            bound.prove_linear_maximum,
            ["log_evidence", "elbo", "posterior_mean", "posterior_variance"],
        ),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_linear_model_is_refused(prove, uses, wrong):
    for name in uses:
        with pytest.raises(NotProved):
            prove(MODEL | {name: WRONG[wrong](MODEL[name])})


@pytest.mark.parametrize(
    "path",
    [
        gradients.mu - 2 * gradients.sigma * gradients.epsilon,
        gradients.mu + gradients.sigma**2 * gradients.epsilon,
        2 * gradients.mu + gradients.sigma * gradients.epsilon,
        gradients.mu + gradients.sigma * gradients.epsilon + 1,
    ],
)
def test_a_wrong_path_is_refused(path):
    gradients.prove_reparameterisation()
    with pytest.raises(NotProved):
        gradients.prove_reparameterisation(path=path)


def test_limits_and_asymmetry():
    assert gaussian.prove_limits()[0].right == sp.oo
    gaussian.prove_asymmetry()
    for wrong in (gaussian.KL + 1, gaussian.KL / 2, gaussian.mu_q**2):
        with pytest.raises(NotProved):
            gaussian.prove_limits(wrong)
    swapped = gaussian.KL.subs(EXCHANGE, simultaneous=True)
    for wrong in (swapped, gaussian.KL + swapped):
        with pytest.raises(NotProved):
            gaussian.prove_asymmetry(wrong)


def test_a_statement_is_shown_as_mathematics():
    statement = symbolic.Statement("a", sp.Symbol("b") ** 2, r"\le")
    assert statement._repr_latex_() == r"$\displaystyle a \le b^{2}$"
