"""Code lengths of the test images that need no network: independent pixels, and compressors.

Needs benchmarks/requirements/compressors.txt beside the locked packages.

Usage: compressors.py RECORD
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
import torch
from PIL import Image
from torch import Tensor

from vaelib.data.load import load_data
from vaelib.plumbing import machine
from vaelib.plumbing.files import write_json

PSEUDOCOUNTS = tuple(2.0**-n for n in range(12))  # of which the validation images choose one
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


def png(image: np.ndarray) -> bytes:
    """Compress an image (height, width), uint8, as PNG, as small as Pillow makes it."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png", optimize=True, compress_level=9)
    return file.getvalue()


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
    images = data.test_images.numpy()
    whole = together(images)
    assert np.array_equal(imagecodecs.jpegxl_decode(jpeg_xl(images[0])), images[0])
    found = {
        "independent_pixels": independent_pixels(counts, pseudocount, data.test_images),
        "png": bits_per_pixel(png, images),
        "jpeg_xl": bits_per_pixel(jpeg_xl, images),
        "png_together": bits_per_pixel(png, whole),
        "jpeg_xl_together": bits_per_pixel(jpeg_xl, whole),
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
        "bits_per_pixel": found,
        "environment": environment,
    }
    write_json(content, record)
    print(found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
