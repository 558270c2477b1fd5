"""Synthetic digits for tests: seven-segment figures, shifted and shaded. No claim rests on them."""

import torch
from torch import Tensor

from vaelib.plumbing.checks import MOST_SEED, require_whole

MOST = 10**6  # digits at a time

# Segments: a top, b upper right, c lower right, d bottom, e lower left, f upper left, g middle.
DIGITS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgecd", "abc", "abcdefg", "abcdfg")
SEGMENTS = {  # rows and columns of a 28 × 28 image
    "a": (slice(5, 8), slice(9, 19)),
    "b": (slice(5, 15), slice(16, 19)),
    "c": (slice(13, 23), slice(16, 19)),
    "d": (slice(20, 23), slice(9, 19)),
    "e": (slice(13, 23), slice(9, 12)),
    "f": (slice(5, 15), slice(9, 12)),
    "g": (slice(13, 16), slice(9, 19)),
}


def synthetic_digits(number: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw synthetic digits.

    Args:
        number: how many, N.
        seed: of the shifts and grey values.

    Returns:
        images (N, 28, 28) and labels (N,), both uint8; the labels run 0, 1, …, 9, 0, 1, …
    """
    require_whole("number", number, 1, MOST)
    require_whole("seed", seed, 0, MOST_SEED)
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(number) % 10
    templates = torch.zeros(10, 28, 28)
    for digit, segments in enumerate(DIGITS):
        for segment in segments:
            templates[(digit, *SEGMENTS[segment])] = 1
    shifts = torch.randint(-3, 4, (number, 2), generator=generator).tolist()
    shades = torch.randint(128, 256, (number, 1, 1), generator=generator)
    images = torch.stack(
        [
            templates[label].roll(shift, dims=(0, 1))
            for label, shift in zip(labels, shifts, strict=True)
        ]
    )
    return (images * shades).byte(), labels.byte()
