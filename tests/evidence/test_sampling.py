"""Estimates by samples against the closed forms of the linear Gaussian model."""

import math

import pytest
import torch

from tests.evidence.test_quadrature import linear_model
from vaelib.evidence.sampling import (
    importance_sampling,
    importance_weighted_bound,
    log_weights,
)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_importance_sampling_has_the_evidence_within_its_error(shift, generator):
    width = 0.05
    decoder, likelihood, images, _, log_evidence, posterior = linear_model(width)
    mean = posterior.mean + shift * width  # the proposal need not sit right
    estimate, error = importance_sampling(
        decoder, likelihood, images, mean, posterior.covariance_matrix, 4000, generator
    )
    score = (estimate - log_evidence) / error
    assert score.abs().max() < 3.5
    assert (error < 0.05).all()


def test_a_student_t_that_is_the_posterior_but_for_its_tails_needs_few_samples(generator):
    """The error of one sample is known: the ratio of a normal to Student's t in two dimensions."""
    decoder, likelihood, images, _, _, posterior = linear_model(0.05)
    _, error = importance_sampling(
        decoder, likelihood, images, posterior.mean, posterior.covariance_matrix, 4000, generator
    )
    # The mean square of the weights p / t is the integral of p² / t over the plane, in the squared
    # radius s that of e^-s (1 + s/ν)^((ν + 2)/2) / 2.
    s = torch.linspace(0, 60, 200_001, dtype=torch.float64)
    second = torch.trapezoid(torch.exp(-s) * (1 + s / 5) ** 3.5 / 2, s)
    expected = math.sqrt((float(second) - 1) / 4000)
    assert error.mean() == pytest.approx(expected, rel=0.1)


def test_scores_lean_to_the_positive_though_the_evidence_is_exact(generator):
    """Weights with a long lower tail: high means have small spreads. In nats nothing leans."""
    decoder, likelihood, images, _, log_evidence, posterior = linear_model(0.05)
    many = 4000
    place = torch.arange(many) % len(images)
    estimate, error = importance_sampling(
        decoder,
        likelihood,
        images[place],
        posterior.mean[place],
        posterior.covariance_matrix[place],
        150,
        generator,
    )
    difference = estimate - log_evidence[place]
    score = difference / error
    assert score.mean() == pytest.approx(0.12, abs=3 / math.sqrt(many))
    assert abs(difference.mean()) < 3 * difference.std() / math.sqrt(many)
    assert difference.std() == pytest.approx(error.mean(), rel=0.05)


def test_the_bound_of_one_sample_is_the_elbo_and_that_of_many_the_evidence(generator):
    decoder, likelihood, images, q, log_evidence, posterior = linear_model(0.05)
    weights = log_weights(decoder, likelihood, images, q, 20_000, generator)
    assert weights.shape == (6, 20_000)
    approximate = torch.distributions.MultivariateNormal(
        q.mean.double(), torch.diag_embed(torch.exp(q.log_variance.double()))
    )
    gap = torch.distributions.kl_divergence(approximate, posterior)
    error = weights.std(1) / math.sqrt(20_000)
    elbo = importance_weighted_bound(weights, 1)
    assert ((elbo - (log_evidence - gap)).abs() < 4 * error).all()
    bounds = torch.stack([importance_weighted_bound(weights, k) for k in (1, 10, 100, 20_000)])
    assert (bounds.mean(1).diff() > 0).all()
    torch.testing.assert_close(bounds[-1], log_evidence, rtol=0, atol=0.1)
