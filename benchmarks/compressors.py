"""Code lengths of the test images that need no network: pixels by their place or by their
neighbours, and compressors.

Needs benchmarks/requirements/compressors.txt beside the locked packages.

Usage: compressors.py RECORD
"""

import bz2
import io
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from vaelib.data.load import load_data
from vaelib.plumbing import machine
from vaelib.plumbing.files import write_json

PSEUDOCOUNTS = tuple(2.0**-n for n in range(12))  # of which the validation images choose one
NEAR = 24  # pixels of a square of 7 × 7 that are coded before the one in its middle
RATES = (0.002, 0.008, 0.032, 0.128)  # of learning, of which the validation images choose one
FEW = 10_000  # training images from which each rate is tried
SIDE = 100  # of the square in which all test images lie together


def histograms(images: Tensor) -> Tensor:
    """Count each grey level at each pixel; images (N, 28, 28), uint8 → (784, 256), float64."""
    pixels = images.flatten(1).long()
    index = torch.arange(pixels.shape[1]) * 256 + pixels
    counts = torch.bincount(index.flatten(), minlength=256 * pixels.shape[1])
    return counts.view(-1, 256).double()


def independent_pixels(counts: Tensor, pseudocount: float, images: Tensor) -> float:
    """Return the bits per pixel of images whose pixels are coded one by one.

    Args:
        counts: (784, 256), of the images from which the probabilities come.
        pseudocount: added to each.
        images: (N, 28, 28), uint8.
    """
    share = (counts + pseudocount) / (counts + pseudocount).sum(1, keepdim=True)
    return float(-(histograms(images) * torch.log2(share)).sum() / images.numel())


def neighbours(images: Tensor) -> Tensor:
    """Describe each pixel by those that are coded before it, row by row.

    Args:
        images: (N, 28, 28), uint8.

    Returns:
        (N, 784, 3 · ``NEAR``), float32: of each neighbour its grey value in [0, 1], and whether it
        is black, and whether white. Beyond the image all is black.
    """
    near = F.unfold(images[:, None].float() / 255, kernel_size=7, padding=3)[:, :NEAR].mT
    return torch.cat([near, (near == 0).float(), (near == 1).float()], dim=2)


class Regression:
    """Multinomial logistic regression of a pixel's level on its neighbours and on its place.

    Args:
        counts: (784, 256), of levels at each place, at which the regression begins.
        rate: of learning.
        epochs: over the training images, the rate falling to 0.
    """

    def __init__(self, counts: Tensor, rate: float, epochs: int):
        self.bias = torch.log(counts / counts.sum(1, keepdim=True)).float().requires_grad_()
        self.weight = torch.zeros(3 * NEAR, counts.shape[1], requires_grad=True)
        self.rate, self.epochs = rate, epochs

    def losses(self, images: Tensor) -> Tensor:
        """Return −log P of every pixel given those before it, (N · 784,), in nats."""
        scores = neighbours(images) @ self.weight + self.bias
        return F.cross_entropy(scores.flatten(0, 1), images.flatten().long(), reduction="none")

    def fit(self, images: Tensor, batch: int = 32) -> "Regression":
        """Learn from images (N, 28, 28) in batches of a random order; return itself."""
        generator = torch.Generator().manual_seed(0)
        optimiser = torch.optim.Adam([self.bias, self.weight], lr=self.rate)
        steps = self.epochs * -(-len(images) // batch)
        schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.01, steps)
        for _ in range(self.epochs):
            for order in torch.randperm(len(images), generator=generator).split(batch):
                optimiser.zero_grad()
                self.losses(images[order]).mean().backward()
                optimiser.step()
                schedule.step()
        return self

    @torch.no_grad()
    def bits_per_pixel(self, images: Tensor) -> float:
        """Return the mean code length of images (N, 28, 28), uint8."""
        nats = sum(float(self.losses(part).double().sum()) for part in images.split(100))
        return nats / math.log(2) / images.numel()


def png(image: np.ndarray) -> bytes:
    """Compress an image (height, width), uint8, as PNG, as small as Pillow makes it."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png", optimize=True, compress_level=9)
    return file.getvalue()


def bzip2(image: np.ndarray) -> bytes:
    """Compress the bytes of an array, one after the other, whatever it shows."""
    return bz2.compress(image.tobytes(), 9)


def bits_per_pixel(compress: Callable[[np.ndarray], bytes], images: np.ndarray) -> float:
    """Return the mean size of compressed images (N, height, width) in bits per pixel."""
    return 8 * sum(len(compress(image)) for image in images) / images.size


def together(images: np.ndarray) -> np.ndarray:
    """Lay 10,000 images (N, 28, 28) side by side in one of 2800 × 2800 pixels, (1, 2800, 2800)."""
    rows = images.reshape(SIDE, SIDE, *images.shape[1:])
    return rows.swapaxes(1, 2).reshape(1, SIDE * images.shape[1], SIDE * images.shape[2])


def main(record: Path) -> None:
    """Measure, and write the record."""
    import imagecodecs

    def jpeg_xl(image: np.ndarray) -> bytes:
        return imagecodecs.jpegxl_encode(image, lossless=True, effort=9)

    data = load_data("mnist")
    counts = histograms(data.training_images)
    tried = {a: independent_pixels(counts, a, data.validation_images) for a in PSEUDOCOUNTS}
    pseudocount = min(tried, key=tried.get)
    begin = counts + pseudocount
    few = data.training_images[:FEW]
    of_validation = {
        rate: Regression(begin, rate, 3).fit(few).bits_per_pixel(data.validation_images)
        for rate in RATES
    }
    rate = min(of_validation, key=of_validation.get)
    regression = Regression(begin, rate, 3).fit(data.training_images)
    images = data.test_images.numpy()
    whole = together(images)
    assert np.array_equal(imagecodecs.jpegxl_decode(jpeg_xl(images[0])), images[0])
    found = {
        "independent_pixels": independent_pixels(counts, pseudocount, data.test_images),
        "neighbours": regression.bits_per_pixel(data.test_images),
        "png": bits_per_pixel(png, images),
        "jpeg_xl": bits_per_pixel(jpeg_xl, images),
        "png_together": bits_per_pixel(png, whole),
        "jpeg_xl_together": bits_per_pixel(jpeg_xl, whole),
        "bzip2_together": bits_per_pixel(bzip2, images.reshape(1, -1)),
    }
    environment = machine.describe(torch.device("cpu"))
    environment["versions"] |= {
        "Pillow": PIL.__version__,
        "imagecodecs": imagecodecs.__version__,
        "JPEG XL": imagecodecs.jpegxl_version(),
    }
    content = {
        "images": len(images),
        "black": float((data.test_images == 0).double().mean()),
        "pseudocount": pseudocount,
        "rate": rate,
        "neighbours_of_validation": {str(rate): bits for rate, bits in of_validation.items()},
        "bits_per_pixel": found,
        "environment": environment,
    }
    write_json(content, record)
    print(found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
