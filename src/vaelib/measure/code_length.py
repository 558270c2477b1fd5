"""How many bits a model needs for images of 256 grey levels: one scale for all likelihoods."""

import math

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from vaelib.data.dataset import ImageSet, to_unit
from vaelib.evidence.levels import ContinuousBernoulliLevels, GaussianLevels, Levels
from vaelib.evidence.odds import ProportionalOdds
from vaelib.evidence.quadrature import integrate
from vaelib.plumbing import machine
from vaelib.vae.losses import BATCH_SIZE, draw_noise, image_losses
from vaelib.vae.model import VAE
from vaelib.vae.objective import RECONSTRUCTION, Objective

TOLERANCE = 0.1  # nats per image, 0.0002 bits per pixel
VARIANCES = (math.log(1e-3), math.log(10))  # logarithms of those that are tried


def measure_code_lengths(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Measure the code lengths of the test images under the likelihoods that an objective allows.

    BCE is no likelihood of grey images; its model is coded as a continuous Bernoulli's is. The
    variance of squared error is that of :eq:`beta-variance`, the one that a Gaussian with the
    variance learnt assumes is :func:`best_variance`. Thresholds are those that were learnt.

    Args:
        model: with two latent dimensions, on the CPU.
        objective: with which it was trained.
        data: on the CPU.
        seed: of the noise with which variances are found.

    Returns:
        ``assumed``, under the likelihood that the objective assumes, and for the Gaussians
        ``fitted``, with :func:`fitted_variance` instead. Each has ``bits_per_pixel``, the mean over
        the images; ``deviation``, the standard deviation over them; ``error``, the greatest
        estimate of an image's error; and, for a Gaussian, its ``variance``.

    Raises:
        vaelib.evidence.quadrature.QuadratureError: an image's integral does not settle.
    """
    machine.keep_freed_memory()
    found = {}
    for name, levels in _allowed(model, objective, data, seed).items():
        bits, error = bits_per_pixel(model, levels, data.test_images)
        found[name] = {
            "bits_per_pixel": float(bits.mean()),
            "deviation": float(bits.std()),
            "error": float(error.max()),
        }
        if isinstance(levels, GaussianLevels):
            found[name]["variance"] = levels.variance
    return found


def _allowed(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict[str, Levels]:
    if (edges := model.edges()) is not None:
        return {"assumed": ProportionalOdds(edges)}
    if objective.reconstruction_loss in ("bce", "cb", "cb-levels"):
        return {"assumed": ContinuousBernoulliLevels()}
    assumed = objective.beta / 2
    if objective.reconstruction_loss == "gaussian":
        assumed = best_variance(model, data.training_images, seed)
    fitted = fitted_variance(model, data.validation_images, seed)
    return {"assumed": GaussianLevels(assumed), "fitted": GaussianLevels(fitted)}


def best_variance(model: VAE, images: Tensor, seed: int) -> float:
    """Return the variance that makes a Gaussian decoder's density greatest.

    Args:
        model: of any latent dimension.
        images: (N, 28, 28), uint8, of the training.
        seed: of the noise of one sampled z for each.

    Returns:
        The mean squared error per pixel, squared grey value.

    Source: equation :eq:`best-variance`.
    """
    noise = draw_noise(len(images), model.latent_dim, seed)
    errors = image_losses(model, Objective("mse", 1.0), images, noise)[RECONSTRUCTION]
    return float(errors.double().mean()) / images[0].numel()


@torch.no_grad()
def fitted_variance(model: VAE, images: Tensor, seed: int) -> float:
    """Return the variance that makes the code of a Gaussian decoder's grey levels shortest.

    Args:
        model: of any latent dimension.
        images: (N, 28, 28), uint8, that the model was not trained on.
        seed: of the noise of one sampled z for each.

    Returns:
        The variance that maximises the mean of log p(x|z), squared grey value.
    """
    noise = draw_noise(len(images), model.latent_dim, seed)
    pairs = [
        (batch.flatten(1).float() / 255, model(to_unit(batch), epsilon)[0].flatten(1))
        for batch, epsilon in zip(images.split(BATCH_SIZE), noise.split(BATCH_SIZE), strict=True)
    ]

    def loss(log_variance: float) -> float:
        levels = GaussianLevels(math.exp(log_variance))
        return -sum(
            float(levels.log_density(levels.rows(x), logits).diagonal().double().sum())
            for x, logits in pairs
        )

    found = minimize_scalar(loss, bounds=VARIANCES, method="bounded", options={"xatol": 1e-3})
    return math.exp(found.x)


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
    rows = levels.rows(images.flatten(1).float() / 255)
    evidence = integrate(model.decoder, levels, rows, None, TOLERANCE)
    bit = images[0].numel() * math.log(2)
    return -evidence.log_evidence / bit, evidence.error / bit
