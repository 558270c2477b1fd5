"""The aggregate posterior against Gaussians and samples."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaelib.evidence import aggregate
from vaelib.vae.model import Posterior


def test_one_image_has_its_own_gaussian():
    mean, log_variance = torch.tensor([[0.4, -1.3]]), torch.tensor([[-3.0, 0.5]])
    result = aggregate.aggregate(Posterior(mean, log_variance))
    q = Normal(mean.double(), torch.exp(log_variance.double() / 2))
    expected = kl_divergence(q, Normal(torch.zeros(()).double(), torch.ones(()).double())).sum()
    assert result.divergence == pytest.approx(float(expected), abs=1e-5)
    places = torch.cartesian_prod(result.axis, result.axis)
    density = torch.exp(q.log_prob(places).sum(1)).view(result.density.shape)
    torch.testing.assert_close(result.density, density)


def test_an_aggregate_that_is_the_prior_leaves_one_hundredth_of_it_empty():
    result = aggregate.aggregate(Posterior(torch.zeros(7, 2), torch.zeros(7, 2)))
    assert result.divergence == pytest.approx(0, abs=1e-9)
    assert result.empty == pytest.approx(0.01, abs=1e-4)


def test_two_far_images_share_the_plane():
    """The smallest region with 0.99 of two narrow Gaussians: two discs, each of a known radius."""
    deviation = 0.3
    means = torch.tensor([[2.0, 0.0], [-2.0, 0.0]])
    posterior = Posterior(means, torch.full((2, 2), 2 * math.log(deviation)))
    result = aggregate.aggregate(posterior)
    radius = deviation * math.sqrt(-2 * math.log(0.01))
    z = torch.randn(400_000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    outside = (torch.cdist(z, means.double()) > radius).all(1).double().mean()
    assert result.empty == pytest.approx(float(outside), abs=2e-3)
