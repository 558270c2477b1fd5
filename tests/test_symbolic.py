"""Each proof holds, and each deliberately wrong variant of it is refused."""

import math

import pytest
import sympy as sp
from scipy.integrate import quad

from vaelib import symbolic
from vaelib.symbolic import NotProved

t = sp.Symbol("t", positive=True)


def test_logarithm_bound():
    value, slope, critical, curvature = symbolic.logarithm_bound()
    assert value.rhs == 0
    assert slope.rhs == 1 - 1 / t
    assert critical.rhs == 1
    assert curvature.rhs == 1 / t**2


@pytest.mark.parametrize(
    "gap",
    [
        t - 1 + sp.log(t),  # flipped sign: no critical point
        t - sp.log(t),  # dropped constant: not 0 at 1
        sp.log(t) - t + 1,  # exchanged sides: concave
        2 * (t - 1) - sp.log(t),  # dropped factor: critical point elsewhere
    ],
)
def test_logarithm_bound_refuses(gap):
    with pytest.raises(NotProved):
        symbolic.logarithm_bound(gap)


@pytest.mark.parametrize("outcomes", [2, 3])
def test_elbo_identities(outcomes):
    assert len(symbolic.elbo_identities(outcomes)) == 2


@pytest.mark.parametrize("term", list(symbolic.elbo_terms(2)))
@pytest.mark.parametrize("wrong", [lambda e: -e, lambda e: 2 * e, lambda e: e + 1])
def test_elbo_identities_refuse(term, wrong):
    terms = symbolic.elbo_terms(2)
    terms[term] = wrong(terms[term])
    with pytest.raises(NotProved):
        symbolic.elbo_identities(2, terms)


def test_elbo_terms_are_what_they_are_called():
    """At numbers: against sums written out."""
    terms = symbolic.elbo_terms(2)
    numbers = {"w1": 1, "w2": 3, "l1": 0.5, "l2": 0.2, "a1": 2, "a2": 3}
    value = {
        name: float(term.subs({s: numbers[s.name] for s in term.free_symbols}))
        for name, term in terms.items()
    }
    prior, likelihood, q = (0.25, 0.75), (0.5, 0.2), (0.4, 0.6)
    evidence = sum(p * f for p, f in zip(prior, likelihood, strict=True))
    posterior = [p * f / evidence for p, f in zip(prior, likelihood, strict=True)]
    assert value["log_evidence"] == pytest.approx(math.log(evidence))
    kl = sum(a * math.log(a / b) for a, b in zip(q, posterior, strict=True))
    assert value["kl"] == pytest.approx(kl)
    kl_to_prior = sum(a * math.log(a / b) for a, b in zip(q, prior, strict=True))
    assert value["kl_to_prior"] == pytest.approx(kl_to_prior)
    fit = sum(a * math.log(b) for a, b in zip(q, likelihood, strict=True))
    assert value["expected_log_likelihood"] == pytest.approx(fit)
    assert value["elbo"] == pytest.approx(fit - kl_to_prior)


def test_gaussian_kl_is_the_integral():
    symbolic.prove_gaussian_kl()


def test_gaussian_kl_is_a_numerical_integral():
    mu_q, sigma_q, mu_p, sigma_p = 0.3, 0.8, -0.5, 1.7

    def density(x, mu, sigma):
        return math.exp(-((x - mu) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))

    def integrand(x):
        q = density(x, mu_q, sigma_q)
        return q * math.log(q / density(x, mu_p, sigma_p))

    values = {
        symbolic.mu_q: mu_q,
        symbolic.sigma_q: sigma_q,
        symbolic.mu_p: mu_p,
        symbolic.sigma_p: sigma_p,
    }
    value = float(symbolic.gaussian_kl().subs(values))
    assert value == pytest.approx(quad(integrand, -10, 10)[0], abs=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda kl: -kl,
        lambda kl: 2 * kl,
        lambda kl: kl - sp.log(symbolic.sigma_p / symbolic.sigma_q) / 2,
        lambda kl: kl + sp.Rational(1, 2),
        lambda kl: kl.subs(
            {
                symbolic.mu_q: symbolic.mu_p,
                symbolic.mu_p: symbolic.mu_q,
                symbolic.sigma_q: symbolic.sigma_p,
                symbolic.sigma_p: symbolic.sigma_q,
            },
            simultaneous=True,
        ),
    ],
)
def test_gaussian_kl_refuses(wrong):
    with pytest.raises(NotProved):
        symbolic.prove_gaussian_kl(wrong(symbolic.gaussian_kl()))


def test_kl_standard_normal():
    assert symbolic.prove_kl_standard_normal().rhs == symbolic.kl_standard_normal()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda kl: -kl,
        lambda kl: 2 * kl,
        lambda kl: kl + sp.Rational(1, 2),
        lambda kl: kl.subs(symbolic.log_variance, -symbolic.log_variance),
        lambda kl: kl - symbolic.mu**2,
    ],
)
def test_kl_standard_normal_refuses(wrong):
    with pytest.raises(NotProved):
        symbolic.prove_kl_standard_normal(wrong(symbolic.kl_standard_normal()))
