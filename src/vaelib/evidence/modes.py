"""The separate modes of posteriors, and the mass of each."""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from vaelib.evidence.cover import DEPTH
from vaelib.evidence.quadrature import Evidence
from vaelib.evidence.tiles import SIDE

BARRIER = 1.0  # nats by which a peak rises above every way to a higher one, if it is a mode
EIGHT = np.ones((3, 3), dtype=bool)  # a node's neighbours are eight


@dataclass(frozen=True)
class Mode:
    """A mode of the posterior p(z|x)."""

    mass: float  # share of the posterior
    peak: tuple[float, float]  # the node with the greatest density


def separate_modes(evidence: Evidence) -> dict[int, list[Mode]]:
    """Find the images whose posteriors have more than one mode, and these modes.

    A peak of the posterior's logarithm is a mode if every way to a higher peak leads ``BARRIER``
    down at least. A node belongs to the mode from which the water of its watershed comes.

    Args:
        evidence: of N images.

    Returns:
        Image → its modes, the heaviest first, for the images that have at least two.
    """
    found = {}
    for pairs in evidence.pairs:
        order = pairs.image.argsort(stable=True)
        image = pairs.image[order]
        bounds = np.flatnonzero(np.diff(image.numpy(), prepend=-1, append=-1))
        tiles, values = pairs.tile[order].numpy(), pairs.values[order].numpy()
        for start, stop in itertools.pairwise(bounds):
            density, corner = _dense(tiles[start:stop], values[start:stop])
            modes = _modes(density)
            if len(modes) > 1:
                found[int(image[start])] = [
                    Mode(mass, tuple((corner + peak + 0.5) * pairs.step)) for mass, peak in modes
                ]
    return dict(sorted(found.items()))


def _dense(tiles: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay the tiles of one image into one array; return it and its lower corner, in nodes."""
    low, high = tiles.min(0), tiles.max(0) + 1
    density = np.full((*(high - low), SIDE, SIDE), -np.inf, dtype=np.float32)
    density[tuple((tiles - low).T)] = values.reshape(-1, SIDE, SIDE)
    return density.swapaxes(1, 2).reshape((high - low) * SIDE), low * SIDE


def _modes(density: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Return the mass and the peak of each mode of log p(x, z) on a grid, the heaviest first."""
    depth = density.max() - density
    summits = np.argwhere((density == ndimage.maximum_filter(density, 3)) & (depth < DEPTH))
    peaks = summits if len(summits) == 1 else [p for p in summits if _is_mode(density, p)]
    if len(peaks) == 1:
        return [(1.0, peaks[0])]
    markers = np.zeros(density.shape, dtype=np.int16)
    markers[tuple(np.transpose(peaks))] = np.arange(1, len(peaks) + 1)
    # Heights in thousandths of a nat; what was not decoded is as deep as numbers go.
    height = np.minimum(1000 * depth, np.iinfo(np.uint16).max).astype(np.uint16)
    basins = ndimage.watershed_ift(height, markers, EIGHT)
    mass = ndimage.sum_labels(np.exp(-depth), basins, np.arange(1, len(peaks) + 1))
    ranked = sorted(zip(mass / mass.sum(), peaks, strict=True), key=lambda mode: -mode[0])
    return [(float(share), peak) for share, peak in ranked]


def _is_mode(density: np.ndarray, peak: np.ndarray) -> bool:
    """Tell whether a peak is the highest of the island that rises ``BARRIER`` below it."""
    islands, _ = ndimage.label(density >= density[tuple(peak)] - BARRIER, EIGHT)
    island = np.where(islands == islands[tuple(peak)], density, -np.inf)
    return island.argmax() == np.ravel_multi_index(peak, density.shape)  # of equals the first
