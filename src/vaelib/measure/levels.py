"""What a likelihood with thresholds says of grey levels: its thresholds, quantiles and samples."""

import torch
from torch import Tensor

from vaelib.data.dataset import ImageSet
from vaelib.measure.samples import png, prior_samples
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective
from vaelib.vae.thresholds import mean_level

QUANTILES = (0.05, 0.5, 0.95)


@torch.no_grad()
def measure_levels(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Show the distribution of grey levels of decoded samples z of the prior.

    Args:
        model: with thresholds, on the CPU.
        objective, data: of the training; nothing here depends on them.
        seed: of the z, as in :func:`vaelib.measure.samples.measure_samples`, and of the levels.

    Returns:
        ``thresholds``, 255 numbers; and ``images``, rows of the same ten z as a PNG in Base64: the
        mean grey level of each pixel, its quantiles ``QUANTILES``, and a level drawn for each.

    Raises:
        ValueError: the model has no thresholds.
    """
    if model.thresholds is None:
        raise ValueError("the model has no thresholds; expected one trained with odds or logistic")
    thresholds = model.thresholds()
    outputs = model.decoder(prior_samples(model, seed)).squeeze(1)
    drawn = torch.rand(outputs.shape, generator=torch.Generator().manual_seed(seed))
    return {
        "thresholds": [round(float(threshold), 4) for threshold in thresholds],
        "images": png(
            (255 * mean_level(outputs, thresholds)).round(),
            *(quantile(outputs, thresholds, torch.tensor(share)) for share in QUANTILES),
            quantile(outputs, thresholds, drawn),
        ),
    }


def quantile(outputs: Tensor, thresholds: Tensor, share: Tensor) -> Tensor:
    """Return the least level k with P(level ≤ k) of a share or more, by equation
    :eq:`proportional-odds`: the first threshold at or above a + logit(share).

    Args:
        outputs: a, of any shape.
        thresholds: (255,), in rising order.
        share: in (0, 1), that shape or one number.

    Returns:
        Whole numbers from 0 to 255, of that shape.
    """
    return torch.searchsorted(thresholds, (outputs + torch.logit(share)).contiguous())
