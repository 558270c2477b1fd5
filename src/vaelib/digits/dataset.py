"""Images as tensors: load MNIST or synthetic digits, split, scale and check them."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vaelib.digits import mnist
from vaelib.digits.slices import training_number
from vaelib.digits.synthetic import synthetic_digits
from vaelib.plumbing.names import require


@dataclass(frozen=True)
class Digits:
    """A data set of handwritten digits, in the order of its files.

    ``images`` (N, 28, 28) and ``labels`` (N,) hold the training file, ``test_images`` and
    ``test_labels`` the test file; all are uint8. The first ``training_number`` images are trained
    on, the rest of the training file is held out for validation.
    """

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    training_number: int

    @property
    def training_images(self) -> Tensor:
        """The images that training sees, the first 85 % of MNIST's training file."""
        return self.images[: self.training_number]

    @property
    def validation_images(self) -> Tensor:
        """The images that no training step sees, the last 15 % of MNIST's training file."""
        return self.images[self.training_number :]

    def to(self, device: torch.device) -> "Digits":
        """Copy the images and labels to a device."""
        tensors = (self.images, self.labels, self.test_images, self.test_labels)
        return Digits(*(tensor.to(device) for tensor in tensors), self.training_number)


def load(name: str = "mnist", folder: Path | None = None) -> Digits:
    """Load a data set.

    Args:
        name: ``mnist``, which is fetched if need be, or ``synthetic``, for tests only.
        folder: of MNIST; see :func:`vaelib.digits.mnist.obtain`.

    Returns:
        The whole data set, on the CPU.

    Raises:
        ValueError: an unknown name.
        vaelib.digits.mnist.DataError: MNIST cannot be obtained.
    """
    require("data set", name, ("mnist", "synthetic"))
    if name == "synthetic":
        training, test = synthetic_digits(600, seed=0), synthetic_digits(200, seed=1)
        return Digits(*training, *test, training_number(600))
    folder = mnist.obtain(folder)

    from vaelib.digits.torchvision_import import torchvision

    training = torchvision.datasets.MNIST(folder, train=True)
    test = torchvision.datasets.MNIST(folder, train=False)
    return Digits(
        training.data,
        training.targets.byte(),
        test.data,
        test.targets.byte(),
        training_number(len(training.data)),
    )


def fingerprint(name: str) -> str:
    """Return what identifies a data set: the SHA-256 of MNIST, or the name of synthetic data."""
    return mnist.fingerprint() if name == "mnist" else name


def to_unit(images: Tensor) -> Tensor:
    """Turn uint8 images (B, 28, 28) into a float32 batch (B, 1, 28, 28) with pixels in [0, 1]."""
    return images.unsqueeze(1).float().div_(255)


def check_images(images: Tensor) -> None:
    """Check that images are (N, 28, 28), uint8, with N ≥ 1.

    Raises:
        ValueError: they are not; the message says what was received.
    """
    if images.dtype != torch.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise ValueError(
            f"images have shape {tuple(images.shape)} and dtype {images.dtype}; expected "
            "(N, 28, 28) and torch.uint8, grey values of 0 to 255"
        )
    if len(images) == 0:
        raise ValueError("there is no image; expected (N, 28, 28) with N of at least 1")
