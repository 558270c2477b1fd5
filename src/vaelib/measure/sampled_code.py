"""How many bits a model of any dimension needs for images of 256 grey levels, by samples."""

import math

import torch

from vaelib.data.dataset import ImageSet
from vaelib.evidence.odds import ProportionalOdds
from vaelib.evidence.sampling import importance_weighted_bound, log_weights
from vaelib.vae.latent import encode
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

SAMPLES = 100  # for each image


def measure_sampled_code(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Estimate the code length of the test images under a likelihood that learnt thresholds.

    Args:
        model: with thresholds, of any latent dimension, on the CPU.
        objective: with which it was trained.
        data: on the CPU.
        seed: of the samples.

    Returns:
        ``bits_per_pixel``, by the importance-weighted bound of ``SAMPLES`` samples, which is too
        long on average rather than too short; and ``bound``, that of the ELBO from the same.

    Source: importance-weighted autoencoders, Burda, Grosse and Salakhutdinov (2016).
    """
    edges = model.edges()
    if edges is None:
        raise ValueError(f"the model of {objective} has no thresholds; expected one that has")
    images = data.test_images
    weights = log_weights(
        model.decoder,
        ProportionalOdds(edges.detach()),
        images.flatten(1).float() / 255,
        encode(model, images),
        SAMPLES,
        torch.Generator().manual_seed(seed),
    )
    bit = -images[0].numel() * math.log(2)
    weighted = importance_weighted_bound(weights, SAMPLES)
    return {
        "bits_per_pixel": float(weighted.mean()) / bit,
        "bound": float(weights.mean()) / bit,
    }
