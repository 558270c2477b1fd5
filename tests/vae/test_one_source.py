"""The code's losses against the book's formulas, with 50 digits: values and gradients.

A formula is turned into a function of mpmath; the code runs in float64. The error may be at most
1e-12 times (1 + the sum of the magnitudes of the formula's terms).
"""

import math

import mpmath
import pytest
import sympy as sp
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from vaelib.symbolic import gaussian, likelihoods
from vaelib.vae.objective import gaussian_kl, kl_per_dimension
from vaelib.vae.reconstruction import RECONSTRUCTION_LOSSES

logits = st.floats(-30, 30)
pixels = st.floats(0, 1)
means = st.floats(-20, 20)
log_variances = st.floats(-10, 10) | st.floats(-1e-6, 1e-6)  # KL near 0 included


class Formula:
    """A symbolic expression and its derivatives, as functions of mpmath numbers."""

    def __init__(self, expression, *symbols):
        self.functions = [
            (sp.lambdify(symbols, e, "mpmath"), [sp.lambdify(symbols, t, "mpmath") for t in terms])
            for e in (expression, *(sp.diff(expression, s) for s in symbols))
            for terms in [sp.Add.make_args(sp.expand(e))]
        ]

    def __call__(self, *numbers):
        """Return (value, size) of the expression and of each derivative."""
        with mpmath.workdps(50):
            exact = [mpmath.mpf(number) for number in numbers]
            return [
                (function(*exact), 1 + sum(abs(term(*exact)) for term in terms))
                for function, terms in self.functions
            ]


def assert_agree(formula, code, *numbers):
    """Compare value and gradients of code, a function of tensors, with a formula."""
    tensors = [torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in numbers]
    value = code(*tensors)
    value.backward()
    received = [value.item(), *(tensor.grad.item() for tensor in tensors)]
    for number, (expected, size) in zip(received, formula(*numbers), strict=True):
        assert abs(number - expected) <= 1e-12 * size


KL = Formula(gaussian.KL_STANDARD_NORMAL, gaussian.mu, gaussian.log_variance)


@given(means, log_variances)
def test_kl_to_the_standard_normal(mean, v):
    assert_agree(KL, lambda m, v: kl_per_dimension(m.view(1, 1), v.view(1, 1)).sum(), mean, v)


u_q, u_p = sp.symbols("u_q u_p", real=True)
GENERAL = Formula(
    gaussian.KL.subs({gaussian.sigma_q: sp.exp(u_q / 2), gaussian.sigma_p: sp.exp(u_p / 2)}),
    gaussian.mu_q,
    u_q,
    gaussian.mu_p,
    u_p,
)


@given(means, log_variances, means, log_variances)
def test_general_gaussian_kl(mean_q, v_q, mean_p, v_p):
    assert_agree(GENERAL, gaussian_kl, mean_q, v_q, mean_p, v_p)


@given(means, log_variances)
def test_equal_gaussians_have_no_divergence(mean, v):
    values = [torch.tensor(n, dtype=torch.float64) for n in (mean, v, mean, v)]
    assert gaussian_kl(*values) == 0


SQUARED_ERROR = (1 / (1 + sp.exp(-likelihoods.logit)) - likelihoods.x) ** 2
FORMULAS = {
    "bce": Formula(likelihoods.CROSS_ENTROPY_OF_LOGIT, likelihoods.logit, likelihoods.x),
    "mse": Formula(SQUARED_ERROR, likelihoods.logit, likelihoods.x),
    "cb": Formula(likelihoods.CONTINUOUS_BERNOULLI_LOSS, likelihoods.logit, likelihoods.x),
    "cb-levels": Formula(
        -sp.log(likelihoods.LEVEL_PROBABILITY.subs(likelihoods.half, sp.Rational(1, 510))),
        likelihoods.logit,
        likelihoods.x,
    ),
    "gaussian": Formula(
        likelihoods.BEST_VARIANCE_LOSS.subs(
            {likelihoods.error: SQUARED_ERROR, likelihoods.pixels: 1}
        ),
        likelihoods.logit,
        likelihoods.x,
    ),
}


@pytest.mark.parametrize("name", list(FORMULAS))
@given(logit=logits.filter(lambda a: abs(a) > 1e-9), pixel=pixels)
def test_reconstruction_losses(name, logit, pixel):
    # The outer levels, black and white, have bins of their own: tests/evidence/test_levels.py.
    assume(name != "cb-levels" or 0 < pixel < 1)
    # No formula has a value for a decoder that is exactly right in all pixels, here one.
    assume(name != "gaussian" or abs(1 / (1 + math.exp(-logit)) - pixel) > 0.01)

    def code(a, x):
        return RECONSTRUCTION_LOSSES[name](a.view(1, 1, 1, 1), x.view(1, 1, 1, 1)).sum()

    assert_agree(FORMULAS[name], code, logit, pixel)
