"""What a code learns after the training: the variance of a Gaussian, thresholds between levels.

A code of one output for each pixel needs to know of images and decoded ones only how often a level
meets an output: a table of counts, with narrow bins of outputs.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from vaelib.data.dataset import to_unit
from vaelib.evidence.levels import GaussianLevels
from vaelib.vae.losses import BATCH_SIZE, draw_noise, image_losses
from vaelib.vae.model import VAE
from vaelib.vae.objective import RECONSTRUCTION, Objective
from vaelib.vae.reconstruction import proportional_odds
from vaelib.vae.thresholds import GAPS, LEVELS, Thresholds, mean_level

BIN = 1 / 64  # width of a bin of outputs
MOST = 40.0  # an output beyond it counts as it: σ(40) is 1 in single precision
VARIANCES = (math.log(1e-3), math.log(10))  # logarithms of those that are tried
STEPS = 500  # at most, of the fit of thresholds
ENDS = 30.0  # beyond the outermost thresholds, where a mean is 0 or 1 but for 1e-13


class Counts(NamedTuple):
    """How often a level met an output; only what was met. Float64 but for the levels."""

    level: Tensor  # (C,), int64
    output: Tensor  # (C,), the middle of a bin
    number: Tensor  # (C,)


@torch.no_grad()
def joint_counts(
    model: VAE,
    images: Tensor,
    noise: Tensor,
    read: Callable[[Tensor], Tensor] = lambda outputs: outputs,
) -> Counts:
    """Count how often each level meets each output of the decoder.

    Args:
        model: of any latent dimension, on the CPU.
        images: (N, 28, 28), uint8, that the model was not trained on.
        noise: (N, d), of one sampled z for each.
        read: what is taken of the outputs.
    """
    most = round(MOST / BIN)
    width = 2 * most + 1
    total = torch.zeros(LEVELS * width, dtype=torch.int64)
    for batch, epsilon in zip(images.split(BATCH_SIZE), noise.split(BATCH_SIZE), strict=True):
        outputs = read(model(to_unit(batch), epsilon)[0])
        place = (outputs / BIN).round().clamp(-most, most).long() + most
        at = batch.flatten().long() * width + place.flatten()
        total += torch.bincount(at, minlength=len(total))
    met = total.nonzero().squeeze(1)
    return Counts(met // width, (met % width - most).double() * BIN, total[met].double())


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


def fit_variance(counts: Counts) -> float:
    """Return the variance that makes the code of a Gaussian around the outputs' sigmoid shortest.

    Returns:
        The variance that maximises the mean of log p(x|z), squared grey value.
    """
    level, output, count = counts

    def loss(log_variance: float) -> float:
        levels = GaussianLevels(math.exp(log_variance))
        # One pixel an image, and all levels: the table of the masses of (level, output).
        every = levels.rows(torch.arange(LEVELS, dtype=torch.float64)[:, None] / 255)
        outputs, at = output.unique(return_inverse=True)
        masses = levels.log_density(every, outputs[:, None])
        return -float((count * masses[level, at]).sum())

    found = minimize_scalar(loss, bounds=VARIANCES, method="bounded", options={"xatol": 1e-3})
    return math.exp(found.x)


def fit_thresholds(counts: Counts) -> tuple[Tensor, float]:
    """Fit the thresholds of proportional odds, and a scale of the outputs, to a decoder that is.

    Returns:
        The edges (256, 3), float32, see :meth:`vaelib.vae.thresholds.Thresholds.edges`, and the
        scale, for which the mean of log P(x | scale · output) is greatest.

    Source: equation :eq:`proportional-odds`; McCullagh (1980).
    """
    level, output, count = counts
    frequencies = torch.zeros(LEVELS, dtype=torch.float64).index_add_(0, level, count)
    thresholds = Thresholds.at(frequencies, GAPS["odds"]).double()
    log_scale = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    grey = (level.double() / 255)[:, None]
    optimiser = torch.optim.LBFGS(
        [*thresholds.parameters(), log_scale],
        max_iter=STEPS,
        history_size=20,
        tolerance_change=1e-10,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        outputs = (log_scale.exp() * output)[:, None]
        each = proportional_odds(outputs, grey, thresholds.edges())
        mean = (count * each).sum() / count.sum()
        mean.backward()
        return mean

    optimiser.step(loss)
    return thresholds.edges().detach().float(), float(log_scale.detach().exp())


def mean_logits(thresholds: Thresholds | None) -> Callable[[Tensor], Tensor]:
    """Return what turns outputs into log-odds of the mean grey value.

    Without thresholds they are that already. With them, the mean is a rising function of one
    number: between the points of a table, its log-odds are taken from a straight line.
    """
    if thresholds is None:
        return lambda outputs: outputs
    with torch.no_grad():
        low, high = (float(thresholds()[end]) - sign * ENDS for end, sign in ((0, 1), (-1, -1)))
        points = torch.linspace(low, high, round((high - low) / BIN) + 1, dtype=torch.float64)
        table = torch.logit(mean_level(points, thresholds().double()))
    step = (high - low) / (len(points) - 1)

    def read(outputs: Tensor) -> Tensor:
        place = ((outputs - low) / step).clamp(0, len(points) - 1)
        at = place.long().clamp_max(len(points) - 2)
        values = table.to(outputs)
        return torch.lerp(values[at], values[at + 1], place - at)

    return read
