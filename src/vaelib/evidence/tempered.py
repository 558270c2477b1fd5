"""The posterior with the likelihood raised to a power: what a weighted divergence asks for."""

import torch
from torch import Tensor

from vaelib.evidence.cover import log_prior
from vaelib.evidence.quadrature import Evidence


def log_tempered(evidence: Evidence, power: float) -> Tensor:
    """Integrate p(x|z)^power p(z) over the nodes that the quadrature of p(x|z) p(z) accepted.

    For a power above 1 the integrand is narrower than the posterior, so the step fits it less well.

    Args:
        evidence: of N images.
        power: at least 1.

    Returns:
        The logarithm of the integral, (N,), float64, nats.

    Source: equation :eq:`weighted-posterior`.
    """
    total = torch.zeros_like(evidence.log_evidence)
    shift = power * evidence.log_evidence  # near the greatest exponent
    for pairs in evidence.pairs:
        for part in pairs.chunks():
            prior = log_prior(part.nodes().double())
            exponent = power * (part.values - prior) + prior - shift[part.image, None]
            total.index_add_(0, part.image, torch.exp(exponent).sum(1) * part.step**2)
    return shift + torch.log(total)
