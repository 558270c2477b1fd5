import math

import pytest
import torch
from torch import distributions
from torch.distributions import kl_divergence

from vaelib.evidence.likelihood import Bernoulli, ContinuousBernoulli, Gaussian, assumed
from vaelib.vae.objective import TOTAL, Objective


@pytest.fixture
def images(generator):
    return torch.rand(4, 784, generator=generator)


@pytest.fixture
def logits(generator):
    return 3 * torch.randn(5, 784, generator=generator)


def test_a_grey_image_has_the_mean_of_its_binarisations(images, logits):
    ones, zeros = torch.ones(1, 784), torch.zeros(1, 784)
    pixels = -distributions.Bernoulli(logits=logits.double()).log_prob(ones.double())
    others = -distributions.Bernoulli(logits=logits.double()).log_prob(zeros.double())
    expected = -(images.double() @ pixels.T + (1 - images.double()) @ others.T)
    density = Bernoulli().log_density(images, logits)
    torch.testing.assert_close(density.double(), expected, rtol=1e-6, atol=1e-3)


def test_the_continuous_bernoulli_is_that_of_torch(images, logits):
    logits[:, ::3] /= 1000  # near 0, where a series is taken
    one = distributions.ContinuousBernoulli(logits=logits.double())
    expected = one.log_prob(images.double()[:, None]).sum(2)
    density = ContinuousBernoulli().log_density(images, logits)
    torch.testing.assert_close(density.double(), expected, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("variance", [0.25, 0.5])
def test_the_gaussian_is_that_of_torch(images, logits, variance):
    one = distributions.Normal(torch.sigmoid(logits.double()), math.sqrt(variance))
    expected = one.log_prob(images.double()[:, None]).sum(2)
    density = Gaussian(variance).log_density(images, logits)
    torch.testing.assert_close(density.double(), expected, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(
    ("likelihood", "family"),
    [
        (Bernoulli(), lambda a: distributions.Bernoulli(logits=a)),
        (ContinuousBernoulli(), lambda a: distributions.ContinuousBernoulli(logits=a)),
        (Gaussian(0.25), lambda a: distributions.Normal(torch.sigmoid(a), 0.5)),
    ],
)
def test_the_divergence_is_both_of_torch(likelihood, family, logits):
    a, b = logits[:2].double(), logits[2:4].double()
    expected = kl_divergence(family(a), family(b)) + kl_divergence(family(b), family(a))
    torch.testing.assert_close(likelihood.divergence(a, b), expected.sum(1))


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_squared_error_is_a_bound_of_the_gaussian_that_it_assumes(weight, images, logits):
    objective = Objective("mse", weight)
    mean, log_variance = torch.tensor([[0.3, -1.2]]), torch.tensor([[-2.0, -5.0]])
    shape = (1, 1, 28, 28)
    total = objective(logits[:1].view(shape), images[:1].view(shape), mean, log_variance)[TOTAL]
    q = distributions.Normal(mean, torch.exp(log_variance / 2))
    divergence = kl_divergence(q, distributions.Normal(0.0, 1.0)).sum()
    likelihood = assumed(objective)
    bound = likelihood.log_density(images[:1], logits[:1]).squeeze() - divergence
    constant = 784 * math.log(2 * math.pi * likelihood.variance) / 2
    torch.testing.assert_close(total.squeeze(), -weight * (bound + constant))


@pytest.mark.parametrize("name", ["bce", "cb", "cb-levels"])
def test_the_two_bernoullis_are_assumed_whatever_the_weight(name):
    assert assumed(Objective(name, 0.5)) == assumed(Objective(name, 1.0))


def test_a_learnt_variance_is_not_assumed():
    with pytest.raises(ValueError, match="whose variance is the decoder's"):
        assumed(Objective("gaussian", 1.0))
