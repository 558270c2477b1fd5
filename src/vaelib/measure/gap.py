"""How good a model's bound is: the evidence of many images, and what it says in numbers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaelib.evidence.aggregate import Aggregate, aggregate
from vaelib.evidence.likelihood import Likelihood, assumed
from vaelib.evidence.modes import Mode, separate_modes
from vaelib.evidence.quadrature import TOLERANCE, Evidence, integrate
from vaelib.plumbing import machine
from vaelib.vae.latent import encode
from vaelib.vae.model import VAE, Posterior
from vaelib.vae.objective import Objective, kl_per_dimension

QUANTILES = (5, 50, 95, 99)  # per cent
SECOND_MODE = 0.05  # mass above which a second mode counts


@dataclass(frozen=True)
class Gap:
    """The evidence of N images beside the bound that their encoder gives. Float64, nats."""

    likelihood: Likelihood
    pixels: Tensor  # (N, 784), float32, the images
    q: Posterior
    evidence: Evidence
    bound: Tensor  # (N,), the ELBO, the divergence summed whatever the objective's weight
    gap: Tensor  # (N,), log p(x) - ELBO = KL(q(z|x) ‖ p(z|x))
    modes: dict[int, list[Mode]]
    aggregate: Aggregate


@torch.no_grad()
def measure_gap(
    model: VAE, objective: Objective, images: Tensor, tolerance: float = TOLERANCE
) -> Gap:
    """Compute the evidence, the bound and the gap of images.

    Args:
        model: with two latent dimensions.
        objective: with which it was trained; it says which likelihood is assumed.
        images: (N, 28, 28), uint8; they are moved to the model's device.
        tolerance: see :func:`vaelib.evidence.quadrature.integrate`.

    Raises:
        ValueError: the model has not two latent dimensions.
        vaelib.evidence.quadrature.QuadratureError: an image's integrals do not settle.

    Source: equation :eq:`elbo-decomposition`.

    >>> import vaelib
    >>> model, images = vaelib.VAE(latent_dim=2), vaelib.load_data("synthetic").test_images[:20]
    >>> result = vaelib.measure_gap(model, vaelib.Objective("bce", 1.0), images)
    >>> result.gap.shape, bool((result.gap > -0.02).all())
    (torch.Size([20]), True)
    """
    if model.latent_dim != 2:
        raise ValueError(
            f"the model has {model.latent_dim} latent dimensions; expected 2: the quadrature is "
            "over a plane"
        )
    machine.keep_freed_memory()
    likelihood = assumed(objective, model.edges())
    q = encode(model, images)
    pixels = images.to(q.mean.device).flatten(1).float() / 255
    evidence = integrate(model.decoder, likelihood, pixels, q, tolerance)
    divergence = kl_per_dimension(q.mean.double(), q.log_variance.double()).sum(1)
    bound = evidence.expected - divergence
    gap = evidence.log_evidence - bound
    modes = separate_modes(evidence)
    return Gap(likelihood, pixels, q, evidence, bound, gap, modes, aggregate(q))


def numbers(result: Gap) -> dict:
    """Summarise the gaps of images in plain numbers.

    Returns:
        ``log_evidence``, ``bound`` and ``gap``, means over the images in nats; ``quantiles`` of
        the gap by percentage; its ``greatest`` and ``least``; ``error``, the greatest estimate of
        the absolute error of log p(x) and of the bound; ``two_modes``, the share of images whose
        posterior has a second mode of at least ``SECOND_MODE`` of its mass; and ``distance``, the
        median distance of the encoder's mean from the posterior's, in the encoder's deviations.
    """
    evidence, q = result.evidence, result.q
    shares = torch.tensor([percent / 100 for percent in QUANTILES], dtype=torch.float64)
    deviation = torch.exp(q.log_variance.double() / 2)
    distance = ((q.mean.double() - evidence.mean) / deviation).square().sum(1).sqrt()
    second = sum(modes[1].mass >= SECOND_MODE for modes in result.modes.values())
    return {
        "log_evidence": float(evidence.log_evidence.mean()),
        "bound": float(result.bound.mean()),
        "gap": float(result.gap.mean()),
        "quantiles": {
            str(percent): float(value)
            for percent, value in zip(QUANTILES, result.gap.quantile(shares), strict=True)
        },
        "greatest": float(result.gap.max()),
        "least": float(result.gap.min()),
        "error": float(torch.maximum(evidence.error, evidence.expected_error).max()),
        "two_modes": second / len(result.gap),
        "distance": float(distance.median()),
    }
