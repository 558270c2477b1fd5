"""The data of a run as a script that a page can load from a file: weights, codes and images."""

import base64
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from vaelib.plumbing.files import read_json
from vaelib.plumbing.places import OFFERED
from vaelib.training import folder

CONVOLUTIONS = ("conv1", "conv2")
TRANSPOSED = ("deconv1", "deconv2", "deconv3")


def files(runs: Path, name: str) -> list[Path]:
    """List the files that the script of a run is made of: weights, and what its notebook chose."""
    return [runs / name / folder.FILES["weights"], runs / f"evidence-{name}" / OFFERED]


def script(runs: Path, name: str) -> str:
    """Write the script that leaves a run's data in ``explorerRuns``.

    Args:
        runs: folder of the book's runs.
        name: of the run.

    Returns:
        JavaScript, about 380 kB: ``weights`` is base64 of half-precision numbers, one array after
        the other, in the order of ``shapes``; codes and pixels are base64 too.
    """
    weights, chosen = files(runs, name)
    arrays = {key: matrix(key, values) for key, values in load_file(weights).items()}
    chosen = read_json(chosen)
    data = {
        "variance": chosen["variance"],
        "shapes": {key: values.shape for key, values in arrays.items()},
        "weights": halves(np.concatenate([values.ravel() for values in arrays.values()])),
        "codes": {"means": halves(np.array(chosen["codes"])), "labels": chosen["labels"]},
        "images": [image | {"pixels": octets(image["pixels"])} for image in chosen["images"]],
    }
    return f"(globalThis.explorerRuns ??= {{}})[{json.dumps(name)}] = {json.dumps(data)};\n"


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


def halves(values: np.ndarray) -> str:
    """Write numbers in half precision, little-endian, in base64."""
    return base64.b64encode(values.astype("<f2").tobytes()).decode()


def octets(values: list[int]) -> str:
    """Write numbers of 0 to 255 in base64."""
    return base64.b64encode(bytes(values)).decode()
