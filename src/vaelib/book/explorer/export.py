"""The data of a run as a script that a page can load from a file: weights, codes and images."""

import base64
import json

import numpy as np

CONVOLUTIONS = ("conv1", "conv2")
TRANSPOSED = ("deconv1", "deconv2", "deconv3")


def script(name: str, weights: dict[str, np.ndarray], chosen: dict) -> str:
    """Write the script that leaves a run's data in ``explorerRuns``.

    Args:
        name: of the run.
        weights: of its model.
        chosen: what :func:`vaelib.measure.portraits.offered` returns.

    Returns:
        JavaScript, about 400 kB: weights and codes as :func:`integers` writes them, pixels as
        base64.
    """
    arrays = {key: matrix(key, values) for key, values in weights.items()}
    data = {
        "variance": chosen["variance"],
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
    # No text may end the script within a page.
    content = (json.dumps(part).replace("<", "\\u003c") for part in (name, data))
    return "(globalThis.explorerRuns ??= {{}})[{}] = {};\n".format(*content)


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
