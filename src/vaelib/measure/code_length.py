"""How many bits a model needs for images of 256 grey levels: every model under every code."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from vaelib.data.dataset import ImageSet
from vaelib.evidence.levels import ContinuousBernoulliLevels, GaussianLevels, Levels
from vaelib.evidence.odds import ProportionalOdds
from vaelib.evidence.quadrature import integrate
from vaelib.measure.codes import (
    best_variance,
    fit_thresholds,
    fit_variance,
    joint_counts,
    mean_logits,
)
from vaelib.plumbing import machine
from vaelib.vae.losses import draw_noise
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

TOLERANCE = 0.1  # nats per image, 0.0002 bits per pixel
KEPT = 2000  # tiles of the plane whose outputs are kept: 400 MB

Decoder = Callable[[Tensor], Tensor]


def measure_code_lengths(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Measure the code lengths of the test images under every code, whatever the objective was.

    Args:
        model: with two latent dimensions, on the CPU.
        objective: with which it was trained; only ``own`` depends on it.
        data: on the CPU; what a code learns after the training, it learns of validation images.
        seed: of one sampled z for each of them.

    Returns:
        Of each code ``bits_per_pixel``, the mean over images; ``deviation``, the standard
        deviation over them; ``error``, the greatest estimate of an image's error; and what was
        fitted. The codes are ``quarter``, the Gaussian with variance ¼ around the mean grey value;
        ``untailed``, the same within [0, 1]; ``fitted``, the Gaussian with the variance that is
        best; ``bernoulli``, the continuous Bernoulli; ``odds``, proportional odds with thresholds
        and scale fitted; and ``own``, with the thresholds or the variance that were learnt, if
        any were.

    Raises:
        vaelib.evidence.quadrature.QuadratureError: an image's integral does not settle.
    """
    machine.keep_freed_memory()
    decoder, found = _kept(model.decoder), {}
    for name, (levels, read, fitted) in _codes(model, objective, data, seed).items():
        bits, error = _bits(_then(read, decoder), levels, data.test_images)
        found[name] = {
            "bits_per_pixel": float(bits.mean()),
            "deviation": float(bits.std()),
            "error": float(error.max()),
            **fitted,
        }
    return found


def _codes(
    model: VAE, objective: Objective, data: ImageSet, seed: int
) -> dict[str, tuple[Levels, Decoder, dict]]:
    """Return by code the levels, what they take of the decoder's outputs, and what was fitted."""
    images = data.validation_images
    noise = draw_noise(len(images), model.latent_dim, seed)
    read = mean_logits(model.thresholds)
    counts = joint_counts(model, images, noise)
    variance = fit_variance(joint_counts(model, images, noise, read))
    edges, scale = fit_thresholds(counts)
    codes: dict[str, tuple[Levels, Decoder, dict]] = {
        "quarter": (GaussianLevels(0.25), read, {}),
        "untailed": (GaussianLevels(0.25, censored=False), read, {}),
        "fitted": (GaussianLevels(variance), read, {"variance": variance}),
        "bernoulli": (ContinuousBernoulliLevels(), read, {}),
        "odds": (ProportionalOdds(edges), lambda outputs: scale * outputs, {"scale": scale}),
    }
    if (learnt := model.edges()) is not None:
        codes["own"] = ProportionalOdds(learnt.detach()), lambda outputs: outputs, {}
    if objective.reconstruction_loss == "gaussian":
        best = best_variance(model, data.training_images, seed)
        codes["own"] = GaussianLevels(best), read, {"variance": best}
    return codes


def _then(read: Decoder, decoder: Decoder) -> Decoder:
    return lambda z: read(decoder(z))


def _kept(decoder: Decoder) -> Decoder:
    """Keep what a decoder says of the first tiles: those with large steps, which all codes need."""
    kept: dict[tuple[float, ...], Tensor] = {}

    def decode(nodes: Tensor) -> Tensor:
        key = *nodes[0].tolist(), *nodes[-1].tolist()
        outputs = kept[key] if key in kept else decoder(nodes)
        if len(kept) < KEPT:
            kept[key] = outputs
        return outputs

    return decode


def bits_per_pixel(model: VAE, levels: Levels, images: Tensor) -> tuple[Tensor, Tensor]:
    """Compute −log₂ p(x) of images of 256 grey levels by quadrature over the latent plane.

    Args:
        model: with two latent dimensions.
        levels: the probability of grey levels given z.
        images: (N, 28, 28), uint8, on the model's device.

    Returns:
        Bits per pixel and the estimates of their absolute errors, (N,) each, float64.

    Source: equation :eq:`code-length`.

    >>> import vaelib
    >>> from vaelib.evidence.levels import GaussianLevels
    >>> model, images = vaelib.VAE(latent_dim=2), vaelib.load_data("synthetic").test_images[:20]
    >>> bits, error = vaelib.bits_per_pixel(model, GaussianLevels(0.25), images)
    >>> bits.shape, bool((bits > 0).all()), bool((error < 0.0002).all())
    (torch.Size([20]), True, True)
    """
    return _bits(model.decoder, levels, images)


@torch.no_grad()
def _bits(decoder: Decoder, levels: Levels, images: Tensor) -> tuple[Tensor, Tensor]:
    rows = levels.rows(images.flatten(1).float() / 255)
    evidence = integrate(decoder, levels, rows, None, TOLERANCE)
    bit = images[0].numel() * math.log(2)
    return -evidence.log_evidence / bit, evidence.error / bit
