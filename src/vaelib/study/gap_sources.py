"""Where a gap comes from, and whether samples confirm it, on some of the images."""

import torch
from torch import Tensor

from vaelib.study.gap import Gap
from vaelib.vae.evidence import fits, sampling
from vaelib.vae.evidence.likelihood import Bernoulli
from vaelib.vae.evidence.quadrature import integrate
from vaelib.vae.model import VAE, Posterior
from vaelib.vae.objective import kl_per_dimension

ONE_IN = 20  # images is looked at more closely
SAMPLES = (1, 5, 50, 500)  # of the importance-weighted bounds


def choose(result: Gap, generator: torch.Generator) -> Tensor:
    """Choose one image in ``ONE_IN``, at random: (M,), int64."""
    number = len(result.gap)
    return torch.randperm(number, generator=generator)[: -(-number // ONE_IN)]


def confirm(
    result: Gap, model: VAE, images: Tensor, number: int, generator: torch.Generator
) -> dict:
    """Estimate evidence and gap of images from samples alone, and compare.

    The gap's estimate is the mean of log q(z|x) - log p(x, z) over samples of q, plus the evidence
    by importance sampling: no quadrature enters.

    Args:
        result, model: from :func:`vaelib.study.gap.measure`, and what it measured.
        images: (M,), int64, which.
        number: S, samples of each kind for each image.
        generator: of the samples.

    Returns:
        ``evidence`` and ``gap``, each with ``mean_score`` and ``rms_score`` of the differences in
        standard errors; ``error``, the median standard error of log p(x), and ``difference``, the
        mean difference of log p(x) from the quadrature, in nats; ``images`` and ``samples``.
    """
    evidence, some = result.evidence, result.pixels[images]
    estimate, error = sampling.importance_sampling(
        model.decoder,
        result.likelihood,
        some,
        evidence.mean[images],
        evidence.covariance[images],
        number,
        generator,
    )
    weights = sampling.log_weights(
        model.decoder, result.likelihood, some, _of(result.q, images), number, generator
    )
    gap = estimate - weights.mean(1)
    gap_error = torch.sqrt(error.square() + weights.var(1) / number)
    return {
        "evidence": _scores((estimate - evidence.log_evidence[images]) / error),
        "gap": _scores((gap - result.gap[images]) / gap_error),
        "error": float(error.median()),
        "difference": float((estimate - evidence.log_evidence[images]).mean()),
        "images": len(images),
        "samples": number,
    }


def split(result: Gap, images: Tensor) -> dict:
    """Split the gap of images into what amortisation costs, and what the family of q costs.

    Returns:
        ``gap``; ``family``, that of the nearest diagonal Gaussian; ``amortisation``, the rest of
        the gap; ``full``, that of the nearest Gaussian of any covariance; all of them means over
        the images in nats; and ``images``, how many.

    Source: Cremer, Li and Duvenaud (2018).
    """
    diagonal, full = (
        fits.nearest_gaussian(result.evidence, images, result.q, diagonal)
        for diagonal in (True, False)
    )
    gap = result.gap[images]
    return {
        "gap": float(gap.mean()),
        "family": float(diagonal.gap.mean()),
        "amortisation": float((gap - diagonal.gap).mean()),
        "full": float(full.gap.mean()),
        "images": len(images),
    }


def bounds(
    result: Gap, model: VAE, images: Tensor, number: int, generator: torch.Generator
) -> dict:
    """Tell how far importance-weighted bounds of images stay below log p(x), by samples.

    Args:
        result, model, images, generator: as :func:`confirm` takes them.
        number: of samples for each image, at least the greatest of ``SAMPLES``.

    Returns:
        Number of samples → mean of log p(x) minus the bound over the images, in nats; and
        ``images``, how many.
    """
    weights = sampling.log_weights(
        model.decoder,
        result.likelihood,
        result.pixels[images],
        _of(result.q, images),
        number,
        generator,
    )
    exact = result.evidence.log_evidence[images]
    below = {
        str(samples): float((exact - sampling.importance_weighted_bound(weights, samples)).mean())
        for samples in SAMPLES
    }
    return below | {"images": len(images)}


def weighted(result: Gap, model: VAE, images: Tensor, weight: float) -> dict:
    """Hold the encoder's q against the posterior that a weight β of the divergence asks for.

    With a Bernoulli likelihood, the q that maximises the mean of log p(x|z) minus β times the
    divergence from the prior is proportional to p(x|z)^(1/β) p(z).

    Args:
        result, model, images: as :func:`confirm` takes them; the likelihood is Bernoulli.
        weight: β.

    Returns:
        ``posterior`` and ``weighted``, means over the images of the divergence in nats from q to
        p(z|x), and to the density that is asked for; and ``images``, how many.

    Source: equation :eq:`weighted-posterior`.
    """
    q = _of(result.q, images)
    evidence = integrate(model.decoder, Bernoulli(1 / weight), result.pixels[images], q)
    divergence = kl_per_dimension(q.mean.double(), q.log_variance.double()).sum(1)
    return {
        "posterior": float(result.gap[images].mean()),
        "weighted": float((evidence.log_evidence - evidence.expected + divergence).mean()),
        "images": len(images),
    }


def _of(q: Posterior, images: Tensor) -> Posterior:
    return Posterior(q.mean[images], q.log_variance[images])


def _scores(scores: Tensor) -> dict[str, float]:
    return {
        "mean_score": float(scores.mean()),
        "rms_score": float(scores.square().mean().sqrt()),
    }
