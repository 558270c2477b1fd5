"""log p(x) and its bounds by samples."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Normal

from vaelib.evidence.cover import log_prior
from vaelib.evidence.likelihood import Likelihood
from vaelib.vae.model import Posterior

PART = 128  # samples decoded together
FREEDOM = 5  # degrees of freedom of the proposal: its tails are heavier than a posterior's


@torch.no_grad()
def importance_sampling(
    decoder: Callable[[Tensor], Tensor],
    likelihood: Likelihood,
    images: Tensor,
    mean: Tensor,
    covariance: Tensor,
    number: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Estimate log p(x) from samples of a Student-t around the posterior of each image.

    Args:
        decoder, likelihood, images: as :func:`vaelib.evidence.quadrature.integrate` takes them.
        mean, covariance: of the posteriors, (N, 2) and (N, 2, 2), float64.
        number: S, samples for each image.
        generator: of the samples.

    Returns:
        Estimates and their standard errors, (N,) each, float64, nats. The error is that of the
        mean weight, divided by the mean weight.

    Source: importance sampling, Owen (2013), chapter 9.
    """
    factor = torch.linalg.cholesky(covariance)
    estimates, errors = [], []
    for k in range(len(images)):
        normal = torch.randn(number, 2, generator=generator, dtype=torch.float64)
        squares = torch.randn(number, FREEDOM, generator=generator, dtype=torch.float64).square()
        standard = normal * (FREEDOM / squares.sum(1, keepdim=True)).sqrt()
        radius = standard.square().sum(1)
        # In two dimensions the constant of Student's t is 1 / 2π for any degree of freedom.
        log_proposal = (
            -(FREEDOM + 2) / 2 * torch.log1p(radius / FREEDOM)
            - math.log(2 * math.pi)
            - torch.log(factor[k].diagonal()).sum()
        )
        z = mean[k] + standard @ factor[k].T
        log_weight = log_joint(decoder, likelihood, images[k], z) - log_proposal
        weight = torch.exp(log_weight - log_weight.max())
        estimates.append(log_weight.max() + torch.log(weight.mean()))
        errors.append(weight.std() / weight.mean() / math.sqrt(number))
    return torch.stack(estimates), torch.stack(errors)


@torch.no_grad()
def log_weights(
    decoder: Callable[[Tensor], Tensor],
    likelihood: Likelihood,
    images: Tensor,
    q: Posterior,
    number: int,
    generator: torch.Generator,
) -> Tensor:
    """Sample log p(x, z) - log q(z|x) with z from the encoder's q.

    Args:
        decoder, likelihood, images, q: as :func:`vaelib.evidence.quadrature.integrate` takes
            them, but for any number of latent dimensions.
        number: S, samples for each image.
        generator: of the samples.

    Returns:
        (N, S), float64, nats. Their mean is the ELBO.
    """
    rows = []
    for image, mean, log_variance in zip(images, *q, strict=True):
        proposal = Normal(mean.double(), torch.exp(log_variance.double() / 2))
        noise = torch.randn(number, len(mean), generator=generator, dtype=torch.float64)
        z = proposal.loc + proposal.scale * noise
        rows.append(log_joint(decoder, likelihood, image, z) - proposal.log_prob(z).sum(1))
    return torch.stack(rows)


def importance_weighted_bound(log_weights: Tensor, samples: int) -> Tensor:
    """Average the bound of k samples over as many disjoint sets of k as there are.

    Args:
        log_weights: (N, S), from :func:`log_weights`.
        samples: k, at most S.

    Returns:
        (N,), nats. It is the ELBO for k = 1, and rises to log p(x) as k grows.

    Source: importance-weighted autoencoders, Burda, Grosse and Salakhutdinov (2016).
    """
    sets = log_weights.unfold(1, samples, samples)
    return (torch.logsumexp(sets, 2) - math.log(samples)).mean(1)


@torch.no_grad()
def log_joint(
    decoder: Callable[[Tensor], Tensor], likelihood: Likelihood, image: Tensor, z: Tensor
) -> Tensor:
    """Compute log p(x, z) of one image.

    Args:
        decoder, likelihood: as :func:`vaelib.evidence.quadrature.integrate` takes them.
        image: (D,), float32.
        z: (S, d).

    Returns:
        (S,), float64, nats.
    """
    outputs = torch.cat([decoder(part).flatten(1) for part in z.float().split(PART)])
    return likelihood.log_density(image[None], outputs)[0] + log_prior(z.double())
