"""What the explorer needs of a model: weights, codes and images, as plain values."""

import base64

import numpy as np
import torch

from vaelib.data.dataset import ImageSet
from vaelib.measure.gap import measure_gap
from vaelib.measure.portraits import offered
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

IMAGES = 1000  # test images among which those that a page offers are chosen
CONVOLUTIONS = ("conv1", "conv2")
TRANSPOSED = ("deconv1", "deconv2", "deconv3")


def measure_explored(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Collect what the explorer shows of a model, with a choice of test images.

    Args:
        model: with two latent dimensions, on the CPU.
        objective: with which it was trained, with a likelihood that the explorer computes.
        data: with labels from 0 to 9, the codes have colours.
        seed: not used.

    Returns:
        See :func:`explored`.
    """
    labels = data.test_labels
    if labels is not None and labels.max() > 9:
        labels = None
    with torch.no_grad():
        result = measure_gap(model, objective, data.test_images[:IMAGES])
        weights = {name: weight.numpy() for name, weight in model.state_dict().items()}
        return explored(weights, offered(result, labels))


def explored(weights: dict[str, np.ndarray], chosen: dict) -> dict:
    """Write what the explorer needs of a model as plain values, about 400 kB of JSON.

    Args:
        weights: of the model.
        chosen: what :func:`vaelib.measure.portraits.offered` returns.

    Returns:
        ``variance`` and ``thresholds`` of the likelihood; ``weights`` and ``codes`` as
        :func:`integers` writes them; ``images`` and ``others``, their pixels in base64.
    """
    layers = {name: w for name, w in weights.items() if not name.startswith("thresholds.")}
    arrays = {name: matrix(name, values) for name, values in layers.items()}
    return {
        **{name: chosen[name] for name in ("variance", "thresholds")},
        "weights": {key: {"shape": w.shape} | integers(w) for key, w in arrays.items()},
        "codes": {
            "means": integers(np.array(chosen["codes"])),
            "labels": chosen["labels"],
            "places": chosen["places"],
        },
        **{
            name: [image | {"pixels": octets(image["pixels"])} for image in chosen[name]]
            for name in ("images", "others")
        },
    }


def matrix(name: str, values: np.ndarray) -> np.ndarray:
    """Turn a weight of :class:`vaelib.vae.model.VAE` into a matrix (inputs, outputs).

    Args:
        name: of the weight. A bias stays as it is.
        values: as PyTorch has them.

    Returns:
        The inputs of a convolution are a patch, by row, column and channel; so are the outputs of
        a transposed one.
    """
    layer = name.split(".")[1]
    if values.ndim == 1:
        return values
    if layer in CONVOLUTIONS:  # (outputs, inputs, 3, 3)
        return values.transpose(2, 3, 1, 0).reshape(-1, values.shape[0])
    if layer in TRANSPOSED:  # (inputs, outputs, 3, 3)
        return values.transpose(0, 2, 3, 1).reshape(values.shape[0], -1)
    return values.T  # (outputs, inputs)


def integers(values: np.ndarray) -> dict:
    """Round numbers to 16-bit integers, little-endian, in base64, in units of a ``scale``.

    They take as much room as numbers in half precision, which would round large ones more coarsely.

    Args:
        values: of any shape; they are written row by row.
    """
    scale = float(np.abs(values).max()) / 32767 or 1.0
    rounded = np.round(values.astype(np.float64) / scale).astype("<i2")
    return {"scale": scale, "integers": base64.b64encode(rounded.tobytes()).decode()}


def octets(values: list[int]) -> str:
    """Write numbers of 0 to 255 in base64."""
    return base64.b64encode(bytes(values)).decode()
