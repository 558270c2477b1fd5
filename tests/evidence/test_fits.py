"""The nearest Gaussian against its closed form where the posterior is known."""

import math

import pytest
import torch

from tests.evidence.test_modes import Mixture
from tests.evidence.test_quadrature import linear_model
from vaelib.evidence.fits import nearest_gaussian
from vaelib.evidence.quadrature import integrate
from vaelib.vae.model import Posterior


@pytest.mark.parametrize("width", [0.2, 0.02])
def test_the_nearest_gaussians_to_a_gaussian(width):
    decoder, likelihood, images, q, _, posterior = linear_model(width)
    evidence = integrate(decoder, likelihood, images.float(), q)
    chosen = torch.tensor([4, 1])
    full = nearest_gaussian(evidence, chosen, q, diagonal=False)
    torch.testing.assert_close(full.gap, torch.zeros(2).double(), rtol=0, atol=2e-4)
    covariance = full.factor @ full.factor.mT
    torch.testing.assert_close(
        covariance, posterior.covariance_matrix[chosen], rtol=0.02, atol=0.01 * width**2
    )
    # Of all diagonal Gaussians the nearest has the conditional variances.
    diagonal = nearest_gaussian(evidence, chosen, q, diagonal=True)
    precision = posterior.precision_matrix[0]
    gap = (precision.diagonal().log().sum() - torch.logdet(precision)) / 2
    torch.testing.assert_close(diagonal.gap, gap.expand(2), rtol=0, atol=2e-3)
    torch.testing.assert_close(diagonal.mean, posterior.mean[chosen], rtol=0, atol=0.02 * width)
    deviations = diagonal.factor.diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(
        deviations, precision.diagonal().rsqrt().expand(2, 2), rtol=0.02, atol=0
    )


@pytest.mark.parametrize("diagonal", [False, True])
def test_of_two_far_modes_the_nearest_gaussian_takes_the_heavier(diagonal):
    modes = Mixture([(0.7, (0.1, 0.2), 0.05), (0.3, (1.5, -0.6), 0.05)])
    images, chosen = torch.zeros(1, 1), torch.tensor([0])
    lighter = Posterior(torch.tensor([[1.5, -0.6]]), torch.full((1, 2), 2 * math.log(0.05)))
    evidence = integrate(lambda z: z, modes, images, lighter)
    fit = nearest_gaussian(evidence, chosen, lighter, diagonal)
    assert float(fit.gap) == pytest.approx(-math.log(0.7), abs=2e-3)
    assert fit.mean[0].tolist() == pytest.approx([0.1, 0.2], abs=1e-3)
