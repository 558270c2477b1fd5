"""Images as tensors: a data set, its split and its fingerprints, and a batch for the network."""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelib.data.slices import training_number
from vaelib.plumbing.checks import require_tensor, require_whole

TEST_SHARE = 1 / 7  # of images that come without a test set; MNIST's is 10,000 of 70,000


@dataclass(frozen=True)
class ImageSet:
    """A data set of grey images of 28 × 28 pixels, in the order of its files.

    Args:
        images: (N, 28, 28), uint8, the training file. The first ``training_number`` are trained
            on, the rest is held out for validation.
        labels: (N,), uint8, the classes of ``images``; None where there are none.
        test_images: (M, 28, 28), uint8.
        test_labels: (M,), uint8, or None.
        training_number: from 1 to N - 1.
        name: what the data set is called in the names of runs and in messages.

    Raises:
        ValueError: tensors of another shape or dtype.

    >>> import torch, vaelib
    >>> data = vaelib.ImageSet.of(torch.zeros(70, 28, 28, dtype=torch.uint8))
    >>> len(data.training_images), len(data.validation_images), len(data.test_images)
    (51, 9, 10)
    """

    images: Tensor
    labels: Tensor | None
    test_images: Tensor
    test_labels: Tensor | None
    training_number: int
    name: str = "own"

    def __post_init__(self) -> None:
        check_images(self.images)
        check_images(self.test_images)
        for kind, labels, images in (
            ("labels", self.labels, self.images),
            ("test_labels", self.test_labels, self.test_images),
        ):
            if labels is not None:
                require_tensor(kind, labels, (len(images),), torch.uint8, hint="one for each image")
        require_whole("training_number", self.training_number, 1, len(self.images) - 1)

    @classmethod
    def of(
        cls,
        images: Tensor,
        labels: Tensor | None = None,
        test_images: Tensor | None = None,
        test_labels: Tensor | None = None,
        name: str = "own",
    ) -> "ImageSet":
        """Split images as MNIST is: 85 % of the training images are trained on.

        Args:
            images: (N, 28, 28), uint8.
            labels: (N,), uint8, or None.
            test_images: (M, 28, 28), uint8; if not given, the last seventh of ``images``.
            test_labels: (M,), uint8, or None.
            name: of the data set.

        Raises:
            ValueError: tensors of another shape or dtype, or fewer than 5 images.
        """
        check_images(images)
        if test_images is None:
            number = len(images) - max(1, round(len(images) * TEST_SHARE))
            images, test_images = images[:number], images[number:]
            if labels is not None:
                labels, test_labels = labels[:number], labels[number:]
        if len(images) < 4:
            raise ValueError(
                f"there are {len(images)} images besides the test images; expected at least 4, of "
                "which one is held out for validation"
            )
        return cls(images, labels, test_images, test_labels, training_number(len(images)), name)

    @property
    def training_images(self) -> Tensor:
        """The images that training sees, the first 85 % of the training file."""
        return self.images[: self.training_number]

    @property
    def validation_images(self) -> Tensor:
        """The images that no training step sees, the last 15 % of the training file."""
        return self.images[self.training_number :]

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the images in their order, with the split; trainings depend on it."""
        return _digest(str(self.training_number), self.images, self.test_images)

    @property
    def label_fingerprint(self) -> str:
        """The SHA-256 of the labels, if there are any; measures depend on it."""
        return _digest("", self.labels, self.test_labels)

    def require_labels(self, what: str) -> tuple[Tensor, Tensor]:
        """Return labels and test labels; raise ValueError if there are none for ``what``."""
        if self.labels is None or self.test_labels is None:
            raise ValueError(
                f"the data set {self.name!r} has no labels; {what} needs those of training and "
                "test images: load it with labels, or leave this out"
            )
        return self.labels, self.test_labels

    def to(self, device: torch.device) -> "ImageSet":
        """Copy the images and labels to a device."""
        return ImageSet(
            self.images.to(device),
            None if self.labels is None else self.labels.to(device),
            self.test_images.to(device),
            None if self.test_labels is None else self.test_labels.to(device),
            self.training_number,
            self.name,
        )


def _digest(text: str, *tensors: Tensor | None) -> str:
    found = hashlib.sha256(text.encode())
    for tensor in tensors:
        if tensor is not None:
            found.update(f"{tuple(tensor.shape)}".encode())
            found.update(tensor.cpu().contiguous().numpy().data)
    return found.hexdigest()


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
    hint = "grey values of 0 to 255; make other images so, with torchvision's resize for the size"
    require_tensor("images", images, ("N", 28, 28), torch.uint8, hint=hint)
