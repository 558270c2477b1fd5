"""What the explorer needs of a model: weights, codes and images, as plain values."""

import base64

import numpy as np
import torch
from torch import Tensor

from vaelib.data.dataset import ImageSet
from vaelib.evidence.likelihood import Gaussian
from vaelib.evidence.odds import ProportionalOdds
from vaelib.figures.labels import label_places
from vaelib.measure.chosen import greatest_gaps, most_equal_modes, ordinary
from vaelib.measure.gap import Gap, measure_gap
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

IMAGES = 1000  # test images among which those that a page offers are chosen
CODES = 2000  # of test images: enough to fill the plane, few enough for a page
EACH = 3  # images of a kind that the explorer offers
OTHERS = 32  # more, the first test images
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


def offered(result: Gap, labels: Tensor | None) -> dict:
    """Choose images with ordinary gaps, with two modes and with the greatest gaps.

    Args:
        result: from :func:`vaelib.measure.gap.measure_gap`.
        labels: (N,), the classes of its images, 0 to 9, if there are any.

    Returns:
        ``variance`` of the Gaussian likelihood and ``thresholds`` of proportional odds, the
        ``first`` and the ``gaps`` to the next, None where there are none; ``codes``, means of
        q(z|x) of the first images, and their ``labels``, one character each, or none; ``places``
        where the labels are written; ``images``, each with ``index``, ``label`` or None, ``why`` it
        was chosen, ``pixels`` (784 grey values of 0 to 255), ``log_evidence`` and ``bound`` in
        nats; ``others`` with index and pixels only.
    """
    kinds = {
        "ordinary gap": ordinary(result, EACH),
        "two modes": most_equal_modes(result, EACH),
        "greatest gap": greatest_gaps(result, EACH),
    }
    likelihood = result.likelihood
    codes = result.q.mean[:CODES]

    def pixels(image: int) -> list[int]:
        return (result.pixels[image] * 255).round().to(torch.uint8).tolist()

    places = {} if labels is None else label_places(codes.numpy(), labels[: len(codes)].numpy())
    return {
        "variance": likelihood.variance if isinstance(likelihood, Gaussian) else None,
        "thresholds": (
            thresholds(likelihood) if isinstance(likelihood, ProportionalOdds) else None
        ),
        "codes": [[round(z, 3) for z in mean] for mean in codes.tolist()],
        "labels": ""
        if labels is None
        else "".join(str(int(each)) for each in labels[: len(codes)]),
        "places": {label: [round(z, 3) for z in place] for label, place in places.items()},
        "others": [
            {"index": image, "pixels": pixels(image)}
            for image in range(min(OTHERS, len(result.pixels)))
        ],
        "images": [
            {
                "index": image,
                "label": None if labels is None else int(labels[image]),
                "why": kind,
                "pixels": pixels(image),
                "log_evidence": float(result.evidence.log_evidence[image]),
                "bound": float(result.bound[image]),
            }
            for kind, images in kinds.items()
            for image in images
        ],
    }


def thresholds(likelihood: ProportionalOdds) -> dict:
    """Return the ``first`` threshold between grey levels, and the ``gaps`` to the next ones."""
    _, above, width = likelihood.edges.detach().double().T
    gaps = -torch.log(-torch.expm1(width[1:-1]))
    return {"first": round(float(above[0]), 6), "gaps": [float(f"{gap:.6g}") for gap in gaps]}


def explored(weights: dict[str, np.ndarray], chosen: dict) -> dict:
    """Write what the explorer needs of a model as plain values, about 400 kB of JSON.

    Args:
        weights: of the model.
        chosen: what :func:`offered` returns.

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
