"""Where a gap comes from, and whether samples confirm it."""

import math

import torch
from torch import Tensor

from vaelib.data.dataset import ImageSet
from vaelib.evidence import fits, sampling
from vaelib.evidence.tempered import log_tempered
from vaelib.measure.gap import Gap, measure_gap, numbers
from vaelib.vae.model import VAE, Posterior
from vaelib.vae.objective import Objective, kl_per_dimension

TOLERANCE = 0.01  # nats, of every image's log p(x) and bound
CONFIRMED = 40  # one image in so many has its log p(x) confirmed by samples
CLOSER = 100  # one image in so many has its gap confirmed, and split
NUMBER = 150  # of samples that confirm log p(x), for each image
SAMPLES = (1, 5, 50, 500)  # of the importance-weighted bounds; the last confirms the gap


def measure_evidence(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Measure the evidence of the test images, and where its gap to the bound comes from.

    Args:
        model: on the CPU, with two latent dimensions.
        objective: with which it was trained.
        data: on the CPU.
        seed: of the samples.

    Returns:
        What :func:`vaelib.measure.gap.numbers` and :func:`examine` return.
    """
    measured = measure_gap(model, objective, data.test_images, TOLERANCE)
    generator = torch.Generator().manual_seed(seed)
    return numbers(measured) | examine(measured, model, objective, generator)


def examine(result: Gap, model: VAE, objective: Objective, generator: torch.Generator) -> dict:
    """Confirm the evidence and the gap by samples, and tell where the gap comes from.

    Args:
        result, model: from :func:`vaelib.measure.gap.measure_gap`, and what it measured.
        objective: with which the model was trained.
        generator: of the samples and of the choice of images.

    Returns:
        ``confirmed``, ``split`` and ``below``, what :func:`confirm`, :func:`split` and
        :func:`bounds` return; and ``weighted``, what :func:`weighted` returns, for binary
        cross-entropy with a weight other than 1.
    """
    chosen = torch.randperm(len(result.gap), generator=generator)
    chosen = chosen[: math.ceil(len(chosen) / CONFIRMED)]
    closer = chosen[: math.ceil(len(result.gap) / CLOSER)]
    q = Posterior(result.q.mean[closer], result.q.log_variance[closer])
    log_weights = sampling.log_weights(
        model.decoder, result.likelihood, result.pixels[closer], q, SAMPLES[-1], generator
    )
    found = {
        "confirmed": confirm(result, model, chosen, log_weights, generator),
        "split": split(result, closer),
        "below": bounds(result, closer, log_weights),
    }
    if objective.reconstruction_loss == "bce" and objective.beta != 1:
        found["weighted"] = weighted(result, objective.beta)
    return found


def confirm(
    result: Gap, model: VAE, images: Tensor, log_weights: Tensor, generator: torch.Generator
) -> dict:
    """Estimate evidence and gap of images from samples alone, and compare.

    The gap's estimate is the evidence by importance sampling minus the mean of the weights'
    logarithms: no quadrature enters.

    Args:
        result, model, generator: as :func:`examine` takes them.
        images: (M,), int64, which.
        log_weights: (K, S), of the first K of them, from
            :func:`vaelib.evidence.sampling.log_weights`.

    Returns:
        ``evidence`` and ``gap``, each with the number of ``images`` and of ``samples`` for each,
        and with ``mean_score`` and ``rms_score`` of the differences in standard errors; for
        ``evidence`` also ``error``, the median standard error, and ``difference``, the mean
        difference of log p(x) from the quadrature, in nats.
    """
    evidence = result.evidence
    estimate, error = sampling.importance_sampling(
        model.decoder,
        result.likelihood,
        result.pixels[images],
        evidence.mean[images],
        evidence.covariance[images],
        NUMBER,
        generator,
    )
    difference = estimate - evidence.log_evidence[images]
    first, samples = log_weights.shape
    gap = estimate[:first] - log_weights.mean(1)
    gap_error = torch.sqrt(error[:first].square() + log_weights.var(1) / samples)
    gap_score = (gap - result.gap[images[:first]]) / gap_error
    return {
        "evidence": {
            "images": len(images),
            "samples": NUMBER,
            **_moments(difference / error),
            "error": float(error.median()),
            "difference": float(difference.mean()),
        },
        "gap": {"images": first, "samples": samples, **_moments(gap_score)},
    }


def split(result: Gap, images: Tensor) -> dict:
    """Split the gap of images into what amortisation costs, and what the family of q costs.

    Args:
        result: from :func:`vaelib.measure.gap.measure_gap`.
        images: (M,), int64, which.

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


def bounds(result: Gap, images: Tensor, log_weights: Tensor) -> dict:
    """Tell how far importance-weighted bounds of images stay below log p(x), by samples.

    Args:
        result, images: as :func:`split` takes them.
        log_weights: (M, S), from :func:`vaelib.evidence.sampling.log_weights`, S at least the
            greatest of ``SAMPLES``.

    Returns:
        Number of samples → mean of log p(x) minus the bound over the images, in nats; and
        ``images``, how many.
    """
    exact = result.evidence.log_evidence[images]
    below = {
        str(samples): float(
            (exact - sampling.importance_weighted_bound(log_weights, samples)).mean()
        )
        for samples in SAMPLES
    }
    return below | {"images": len(images)}


def weighted(result: Gap, weight: float) -> dict:
    """Hold the encoder's q against the density that a weight β of the divergence asks for.

    Args:
        result: from :func:`vaelib.measure.gap.measure_gap`; the likelihood is Bernoulli.
        weight: β, at most 1.

    Returns:
        ``posterior`` and ``weighted``, means over all images of the divergence in nats from q to
        p(z|x), and to the density that is asked for.

    Source: equation :eq:`weighted-posterior`.
    """
    q = result.q
    divergence = kl_per_dimension(q.mean.double(), q.log_variance.double()).sum(1)
    log_z = log_tempered(result.evidence, 1 / weight)
    return {
        "posterior": float(result.gap.mean()),
        "weighted": float((log_z - result.evidence.expected / weight + divergence).mean()),
    }


def _moments(scores: Tensor) -> dict[str, float]:
    return {
        "mean_score": float(scores.mean()),
        "rms_score": float(scores.square().mean().sqrt()),
    }
