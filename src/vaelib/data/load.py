"""Load a data set: MNIST, synthetic digits for tests, or images of the reader's own."""

import gzip
import math
import os
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from vaelib.data import mnist
from vaelib.data.dataset import ImageSet
from vaelib.data.synthetic import synthetic_digits
from vaelib.plumbing.checks import require

NAMES = ("mnist", "synthetic")
ARRAYS = ("images", "labels", "test_images", "test_labels")  # of a .npz file
IDX = {
    "images": "train-images-idx3-ubyte",
    "labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


class TorchvisionData(Protocol):
    """A data set of torchvision such as ``FashionMNIST(…)`` or ``KMNIST(…)``."""

    data: Tensor
    targets: Tensor


def load_data(
    source: str | os.PathLike[str] | TorchvisionData = "mnist", test: TorchvisionData | None = None
) -> ImageSet:
    """Load a data set.

    Args:
        source: one of

            - ``"mnist"``, which is fetched if need be, see :func:`vaelib.data.mnist.obtain`;
            - a ``.npz`` file with ``images`` (N, 28, 28), uint8, and if there are any, ``labels``
              (N,), ``test_images`` and ``test_labels``;
            - a folder of IDX files named as MNIST's are, such as ``train-images-idx3-ubyte``,
              gzipped (``.gz``) or not, of which all but that one may be missing;
            - a data set of torchvision that was made with ``train=True``;
            - ``"synthetic"``, for tests only.
        test: a data set of torchvision that was made with ``train=False``.

    Returns:
        The data set, on the CPU. Without test images, the last seventh of the images are these.

    Raises:
        ValueError: an unknown name, or images that are not 28 × 28 and uint8.
        OSError: a file cannot be read.
        vaelib.data.mnist.DataError: MNIST cannot be obtained.

    >>> import vaelib
    >>> data = vaelib.load_data("synthetic")
    >>> data.images.shape, data.images.dtype, data.name
    (torch.Size([600, 28, 28]), torch.uint8, 'synthetic')
    """
    if not isinstance(source, str | os.PathLike):
        return _of_torchvision(source, test)
    if str(source) == "mnist":
        return _mnist()
    if str(source) == "synthetic":
        training, tests = synthetic_digits(600, seed=0), synthetic_digits(200, seed=1)
        return ImageSet.of(*training, *tests, name="synthetic")
    path = Path(source).expanduser()
    if not path.exists():
        if not (path.suffix or len(path.parts) > 1):  # a name, misspelt
            require("data set", str(source), NAMES)
        raise FileNotFoundError(f"there is no file or folder {path}")
    arrays = _read_folder(path) if path.is_dir() else _read_npz(path)
    try:
        return ImageSet.of(
            **{name: _bytes(name, array) for name, array in arrays.items()}, name=path.stem
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _mnist() -> ImageSet:
    folder = mnist.obtain()

    from vaelib.data.torchvision_import import torchvision

    training, test = (torchvision.datasets.MNIST(folder, train=train) for train in (True, False))
    return ImageSet.of(
        training.data, training.targets.byte(), test.data, test.targets.byte(), name="mnist"
    )


def _of_torchvision(source: TorchvisionData, test: TorchvisionData | None) -> ImageSet:
    kind = type(source).__name__
    arrays = {}
    for part, prefix in ((source, ""), (test, "test_")):
        if part is not None:
            if not hasattr(part, "data"):
                raise ValueError(
                    f"source is {part!r:.60}; expected a name, a path, or a data set of "
                    "torchvision with its images in `data`, such as FashionMNIST"
                )
            arrays[f"{prefix}images"] = part.data
            if getattr(part, "targets", None) is not None:
                arrays[f"{prefix}labels"] = part.targets
    of_bytes = {name: _bytes(name, torch.as_tensor(array)) for name, array in arrays.items()}
    return ImageSet.of(**of_bytes, name=kind.lower())


def _bytes(name: str, values: Tensor | np.ndarray) -> Tensor:
    """Return whole numbers of 0 to 255 as uint8; images must be so already."""
    tensor = torch.as_tensor(values)
    if name.endswith("labels") and tensor.dtype != torch.uint8:
        if tensor.is_floating_point() or not (
            tensor.numel() and 0 <= tensor.min() <= tensor.max() <= 255
        ):
            raise ValueError(f"{name} are {tensor.dtype}; expected whole numbers from 0 to 255")
        return tensor.byte()
    return tensor


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in ARRAYS if name in file}
            there = list(file)
    except (ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no .npz file of arrays: write it with numpy.savez") from error
    if "images" not in found:
        raise ValueError(
            f"{path} has {', '.join(there) or 'nothing'}; expected the array images and, if there "
            f"are any, {', '.join(ARRAYS[1:])}"
        )
    return found


def _read_folder(folder: Path) -> dict[str, np.ndarray]:
    found = {}
    for name, file in IDX.items():
        for path in (folder / file, folder / f"{file}.gz"):
            if path.exists():
                found[name] = _read_idx(path)
                break
    if "images" not in found:
        raise FileNotFoundError(f"{folder} has no {IDX['images']}, gzipped (.gz) or not")
    return found


def _read_idx(path: Path) -> np.ndarray:
    """Read unsigned bytes: two zeros, 8 for their type, the number of axes, lengths, content."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be unpacked: {error}") from error
    axes = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    start = 4 + 4 * axes
    shape = np.frombuffer(content[4:start], ">u4").tolist() if len(content) >= start else []
    if not axes or len(content) - start != math.prod(shape):
        raise ValueError(f"{path} is no whole IDX file of unsigned bytes")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


@cache
def fingerprints(name: str) -> tuple[str, str]:
    """Return the fingerprints of a named data set's images and labels, of MNIST without reading it.

    Args:
        name: one of ``NAMES``. That MNIST's files are the right ones is checked when they are read.
    """
    if name == "mnist":
        return mnist.FINGERPRINT, mnist.LABEL_FINGERPRINT
    data = load_data(name)
    return data.fingerprint, data.label_fingerprint
