"""All that is measured of one model, by name."""

from collections.abc import Callable

from vaelib.data.dataset import ImageSet
from vaelib.measure.appearance import measure_appearance
from vaelib.measure.autoencoder import measure_autoencoder
from vaelib.measure.code_length import measure_code_lengths
from vaelib.measure.encoder_controls import measure_encoder_controls
from vaelib.measure.encoders import measure_encoder, measure_encoders
from vaelib.measure.explored import measure_explored
from vaelib.measure.full_covariance import measure_full_covariance
from vaelib.measure.gap_sources import measure_evidence
from vaelib.measure.levels import measure_levels
from vaelib.measure.rate import measure_rate
from vaelib.measure.refinement import measure_refinement
from vaelib.measure.samples import measure_samples
from vaelib.plumbing import stale
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

MEASURES: dict[str, Callable[[VAE, Objective, ImageSet, int], dict | str]] = {
    "appearance": measure_appearance,
    "rate": measure_rate,
    "evidence": measure_evidence,
    "code": measure_code_lengths,
    "samples": measure_samples,
    "levels": measure_levels,
    "explored": measure_explored,
    "encoder": measure_encoder,
    **{f"encoders_{units}": measure_encoders(units) for units in (16, 64, 256, 1024)},
    "encoders_again": measure_encoders(None),
    "encoder_controls": measure_encoder_controls,
    "refinement": measure_refinement,
    "full_covariance": measure_full_covariance,
    "autoencoder": measure_autoencoder,
}
"""Name → function of a model, the objective that it was trained with, the data, all on the CPU, and
a seed; it gives plain values. Evidence, code lengths and what follows ``levels`` need two latent
dimensions."""


def inputs_of(name: str, data: str, labels: str) -> dict:
    """Collect what a measure depends on, but for the model: see :mod:`vaelib.plumbing.stale`.

    Args:
        name: a key of :data:`MEASURES`.
        data, labels: the fingerprints of the images and of their labels, see
            :class:`vaelib.data.dataset.ImageSet`.
    """
    module = MEASURES[name].__module__
    own = {"samples": ("pillow",), "levels": ("pillow",), "autoencoder": ("pillow", "scipy")}
    packages = ("torch", "numpy", *own.get(name, ("scipy",)))
    return stale.inputs(f"import {module}", packages, data=data, labels=labels)
