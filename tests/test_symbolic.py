"""Each proof holds, and each deliberately wrong variant of it is refused."""

import math

import mpmath
import pytest
import sympy as sp
from scipy.integrate import dblquad, quad

from vaelib import symbolic
from vaelib.symbolic import NotProved, bound, divergence, gaussian, gradients, likelihoods
from vaelib.symbolic.divergence import gap, t

# Claims that stand for themselves: function → the right claim.
CLAIMS = {
    gaussian.prove_log_ratio: gaussian.log_ratio(),
    gaussian.prove_variance: gaussian.sigma_q**2,
    gaussian.prove_second_moment: gaussian.sigma_q**2 + (gaussian.mu_q - gaussian.mu_p) ** 2,
    gaussian.prove_gaussian_kl: gaussian.gaussian_kl(),
    gaussian.prove_kl_standard_normal: gaussian.kl_standard_normal(),
    gaussian.prove_diagonal: gaussian.gaussian_kl(),
    divergence.prove_exponential: gap(sp.symbols("lambda_q") / sp.symbols("lambda_p")).subs(
        {sp.Symbol(n): sp.Symbol(n, positive=True) for n in ("lambda_p", "lambda_q")}
    ),
    likelihoods.prove_logit_form: likelihoods.cross_entropy_of_logit(),
    likelihoods.prove_binarisation: likelihoods.cross_entropy(likelihoods.x, likelihoods.p),
    likelihoods.prove_floor: likelihoods.entropy(likelihoods.x),
    likelihoods.prove_curvature: 1 / (likelihoods.x * (1 - likelihoods.x)),
    likelihoods.prove_continuous_bernoulli: likelihoods.continuous_bernoulli(),
    likelihoods.prove_gaussian_constant: likelihoods.error + 392 * sp.log(sp.pi),
    likelihoods.prove_beta_variance: likelihoods.beta / 2,
    likelihoods.prove_best_variance: likelihoods.error / likelihoods.pixels,
}
WRONG = {
    "flipped sign": lambda e: -e,
    "dropped factor": lambda e: e / 2,
    "added constant": lambda e: e + sp.Rational(1, 3),
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


@pytest.mark.parametrize("prove", list(CLAIMS), ids=lambda f: f.__name__)
def test_the_right_claim_is_accepted(prove):
    prove(CLAIMS[prove])


@pytest.mark.parametrize("wrong", list(WRONG))
@pytest.mark.parametrize("prove", list(CLAIMS), ids=lambda f: f.__name__)
def test_a_wrong_claim_is_refused(prove, wrong):
    with pytest.raises(NotProved):
        prove(WRONG[wrong](CLAIMS[prove]))


@pytest.mark.parametrize(
    "prove",
    [
        gaussian.prove_log_ratio,
        gaussian.prove_second_moment,
        gaussian.prove_gaussian_kl,
        gaussian.prove_diagonal,
    ],
    ids=lambda f: f.__name__,
)
def test_p_and_q_exchanged_are_refused(prove):
    with pytest.raises(NotProved):
        prove(CLAIMS[prove].subs(EXCHANGE, simultaneous=True))


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


@pytest.mark.parametrize("outcomes", [2, 3])
def test_gibbs(outcomes):
    assert len(divergence.gibbs(outcomes)) == outcomes - 1


@pytest.mark.parametrize("outcomes", [2, 3])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda p, q: -divergence.outcomes_kl(p, q),
        lambda p, q: divergence.outcomes_kl(p, q) + 1,
        lambda p, q: divergence.outcomes_kl(p, q) + q[0],
        lambda p, q: sum(a * sp.log(b) for a, b in zip(p, q, strict=True)),
    ],
)
def test_wrong_divergences_have_no_gibbs(outcomes, wrong):
    with pytest.raises(NotProved):
        divergence.gibbs(outcomes, wrong)


@pytest.mark.parametrize(
    "prove",
    [divergence.prove_bernoulli, divergence.prove_laplace, divergence.prove_gaussian],
    ids=lambda f: f.__name__,
)
def test_sums_of_gaps(prove):
    prove()
    with pytest.raises(NotProved):
        prove(gap(t))


def test_outcomes_kl_is_mpmaths_sum():
    p, q = [mpmath.mpf(2) / 5, mpmath.mpf(3) / 5], [mpmath.mpf(1) / 4, mpmath.mpf(3) / 4]
    value = divergence.outcomes_kl([sp.Rational(2, 5), sp.Rational(3, 5)], sp.S([0.25, 0.75]))
    expected = sum(a * mpmath.log(a / b) for a, b in zip(p, q, strict=True))
    assert float(value) == pytest.approx(float(expected))


@pytest.mark.parametrize("outcomes", [2, 3])
def test_elbo_lines(outcomes):
    bound.elbo_lines(outcomes)
    bound.elbo_two_terms(outcomes)


@pytest.mark.parametrize("wrong", list(WRONG))
@pytest.mark.parametrize("term", list(bound.elbo_terms(2)))
def test_a_wrong_term_is_refused(term, wrong):
    terms = bound.elbo_terms(2)
    terms[term] = WRONG[wrong](terms[term])

    def prove_both():
        bound.elbo_lines(2, terms)
        bound.elbo_two_terms(2, terms)

    with pytest.raises(NotProved):
        prove_both()


def test_elbo_terms_are_what_they_are_called():
    """At numbers: against sums written out."""
    numbers = {"w1": 1, "w2": 3, "l1": 0.5, "l2": 0.2, "a1": 2, "a2": 3}
    value = {
        name: float(term.subs({s: numbers[s.name] for s in term.free_symbols}))
        for name, term in bound.elbo_terms(2).items()
    }
    prior, likelihood, q = (0.25, 0.75), (0.5, 0.2), (0.4, 0.6)
    evidence = sum(p * f for p, f in zip(prior, likelihood, strict=True))
    posterior = [p * f / evidence for p, f in zip(prior, likelihood, strict=True)]
    assert value["evidence"] == pytest.approx(math.log(evidence))
    kl = sum(a * math.log(a / b) for a, b in zip(q, posterior, strict=True))
    assert value["gap"] == pytest.approx(kl)
    to_prior = sum(a * math.log(a / b) for a, b in zip(q, prior, strict=True))
    assert value["to_prior"] == pytest.approx(to_prior)
    fit = sum(a * math.log(b) for a, b in zip(q, likelihood, strict=True))
    assert value["likelihood"] == pytest.approx(fit)
    assert value["elbo"] == pytest.approx(fit - to_prior)


MODEL = bound.linear_gaussian()
NUMBERS = {bound.w: 0.7, bound.b: -0.2, bound.s: 0.6, bound.x: 1.1, bound.m: 0.3, bound.v: 0.4}


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


def test_linear_statements():
    assert len(bound.prove_linear_bayes()) == 2
    bound.prove_linear_elbo()
    bound.prove_linear_gap()
    bound.prove_linear_maximum()


@pytest.mark.parametrize(
    ("prove", "uses"),
    [
        (bound.prove_linear_bayes, ["log_evidence", "posterior_mean", "posterior_variance"]),
        (bound.prove_linear_elbo, ["elbo"]),
        (bound.prove_linear_gap, ["log_evidence", "elbo", "gap"]),
        (bound.prove_linear_maximum, ["elbo", "posterior_mean", "posterior_variance"]),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
@pytest.mark.parametrize("wrong", ["flipped sign", "dropped factor"])
def test_a_wrong_linear_model_is_refused(prove, uses, wrong):
    for name in uses:
        if prove is bound.prove_linear_maximum and (name, wrong) == ("elbo", "dropped factor"):
            continue  # half of a function has the same maximiser
        with pytest.raises(NotProved):
            prove(MODEL | {name: WRONG[wrong](MODEL[name])})


def test_half_kl_is_no_bound():
    bound.prove_half_kl_is_no_bound()
    with pytest.raises(NotProved):
        bound.prove_half_kl_is_no_bound(sp.Integer(1))


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


def test_estimator_variances_are_those_of_samples():
    import numpy as np

    variances = gradients.estimator_variances(gradients.z**2)
    at = {gradients.mu: 0.8, gradients.sigma: 1.3}
    noise = np.random.default_rng(0).standard_normal(1_000_000)
    z = 0.8 + 1.3 * noise
    assert float(variances["pathwise"].subs(at)) == pytest.approx(np.var(2 * z), rel=0.02)
    assert float(variances["score"].subs(at)) == pytest.approx(np.var(z**2 * noise / 1.3), rel=0.02)


def normal(x, mu, sigma):
    return math.exp(-((x - mu) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))


def test_gaussian_kl_is_a_numerical_integral():
    def integrand(x):
        return normal(x, 0.3, 0.8) * math.log(normal(x, 0.3, 0.8) / normal(x, -0.5, 1.7))

    values = dict(
        zip(
            (gaussian.mu_q, gaussian.sigma_q, gaussian.mu_p, gaussian.sigma_p),
            (0.3, 0.8, -0.5, 1.7),
            strict=True,
        )
    )
    value = float(gaussian.gaussian_kl().subs(values))
    assert value == pytest.approx(quad(integrand, -10, 10)[0], abs=1e-9)


def test_limits_and_asymmetry():
    assert gaussian.prove_limits()[0].right == sp.oo
    gaussian.prove_asymmetry()
    for wrong in (gaussian.gaussian_kl() + 1, gaussian.gaussian_kl() / 2, gaussian.mu_q**2):
        with pytest.raises(NotProved):
            gaussian.prove_limits(wrong)
    swapped = gaussian.gaussian_kl().subs(EXCHANGE, simultaneous=True)
    for wrong in (swapped, gaussian.gaussian_kl() + swapped):
        with pytest.raises(NotProved):
            gaussian.prove_asymmetry(wrong)


def full_with(sign=1, dimension=1, exchange=False, factor=1):
    def formula(mean_q, cov_q, mean_p, cov_p):
        if exchange:
            mean_q, cov_q, mean_p, cov_p = mean_p, cov_p, mean_q, cov_q
        shift, inverse = mean_p - mean_q, cov_p.inv()
        return (
            (inverse * cov_q).trace()
            + factor * (shift.T * inverse * shift)[0]
            - 2 * dimension
            + sign * sp.log(cov_p.det() / cov_q.det())
        ) / 2

    return formula


def test_full_covariances():
    gaussian.prove_full()
    gaussian.prove_full(full_with())
    for wrong in ({"sign": -1}, {"dimension": 2}, {"exchange": True}, {"factor": 2}):
        with pytest.raises(NotProved):
            gaussian.prove_full(full_with(**wrong))


def test_full_kl_is_a_numerical_integral():
    import numpy as np
    from scipy.stats import multivariate_normal

    mean_q, mean_p = [0.2, -0.1], [-0.3, 0.4]
    cov_q, cov_p = [[0.5, 0.2], [0.2, 0.4]], [[1.0, -0.3], [-0.3, 0.8]]
    q, p = multivariate_normal(mean_q, cov_q), multivariate_normal(mean_p, cov_p)

    def integrand(y, x):
        point = np.array([x, y])
        return q.pdf(point) * (q.logpdf(point) - p.logpdf(point))

    expected = dblquad(integrand, -5, 5, -5, 5, epsabs=1e-6)[0]
    formula = gaussian.full_kl(*(sp.Matrix(a) for a in (mean_q, cov_q, mean_p, cov_p)))
    assert float(formula) == pytest.approx(expected, abs=1e-5)


def test_continuous_bernoulli_holds_for_negative_logits_too():
    value = quad(lambda x: math.exp(-math.log1p(math.exp(-2.0)) - 2.0 * x), 0, 1)[0]
    formula = likelihoods.continuous_bernoulli().subs(likelihoods.logit, -2.0)
    assert float(formula) == pytest.approx(value)


def test_a_statement_is_shown_as_mathematics():
    statement = symbolic.Statement("a", sp.Symbol("b") ** 2, r"\le")
    assert statement._repr_latex_() == r"$\displaystyle a \le b^{2}$"
