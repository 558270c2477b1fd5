"""Images as tensors: load MNIST or synthetic digits, split, scale and check them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaelib.digits import mnist
from vaelib.digits.slices import training_number
from vaelib.digits.synthetic import synthetic_digits
from vaelib.plumbing.checks import require, require_tensor


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


def load(name: str = "mnist") -> Digits:
    """Load a data set.

    Args:
        name: ``mnist``, which is fetched if need be, see :func:`vaelib.digits.mnist.obtain`, or
            ``synthetic``, for tests only.

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
    folder = mnist.obtain()

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


def to_unit(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Turn images into a batch for the network.

    Args:
        images: (B, 28, 28), uint8.
        dtype: of the batch, a floating one.

    Returns:
        (B, 1, 28, 28), pixels in [0, 1].

    Raises:
        ValueError: images of another shape or dtype; divided by 255 once more, pixels in [0, 1]
            would be all but black.
    """
    check_images(images)
    return images.unsqueeze(1).to(dtype).div_(255)


def check_images(images: Tensor) -> None:
    """Check that images are (N, 28, 28), uint8, with N ≥ 1.

    Raises:
        ValueError: they are not; the message says what was received.
    """
    hint = "grey values of 0 to 255, as vaelib.digits.dataset.load returns them"
    require_tensor("images", images, ("N", 28, 28), torch.uint8, hint=hint)
