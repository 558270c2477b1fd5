"""Images in rows and grids, and latent codes in a plane."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from vaelib.figures.labels import label_places
from vaelib.figures.style import styled, subplots

# Of ten colours with a lightness of 38 to 78 those whose least distance in CIELAB is greatest, for
# ordinary sight (45; petroff10 has 19), and without red or green cones (28; it has 18).
COLOURS = (
    *("#4e7cff", "#dac11b", "#706d44", "#61d1c1", "#631dfb"),
    *("#a50299", "#48bbff", "#b76413", "#1fdb75", "#934a70"),
)
CLASS_COLOURS = ListedColormap(COLOURS)
HALO = [withStroke(linewidth=3, foreground="white")]


@styled
def image_rows(rows: dict[str, np.ndarray]) -> Figure:
    """Draw rows of images, each row with its name at the left.

    Args:
        rows: name → images (n, 28, 28) in [0, 1], the same n in each row.

    >>> import numpy, vaelib
    >>> figure = vaelib.image_rows({"original": numpy.zeros((3, 28, 28))})
    >>> len(figure.axes)
    3
    """
    number = len(next(iter(rows.values())))
    figure, panels = subplots(0.3 + 0.6 * len(rows), len(rows), number, squeeze=False)
    for line, (name, images) in zip(panels, rows.items(), strict=True):
        for axes, image in zip(line, images, strict=True):
            axes.imshow(image, vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


@styled
def image_grid(images: np.ndarray, number: int, limit: float | None = None) -> Figure:
    """Draw a square grid of images.

    Args:
        images: (number², 28, 28) in [0, 1], row by row from the top.
        number: images along each side.
        limit: both latent axes run from −limit to limit; without it there are no axes.

    >>> import vaelib
    >>> z = vaelib.latent_grid(3, 2.0)
    >>> figure = vaelib.image_grid(vaelib.decode(vaelib.VAE(), z).numpy(), 3, 2.0)
    >>> figure.axes[0].get_xlabel()
    '$z_1$'
    """
    figure, axes = subplots(6, width=6)
    _draw_grid(axes, images, number, limit)
    return figure


@styled
def image_grids(panels: dict[str, np.ndarray], number: int, limit: float) -> Figure:
    """Draw square grids of images of a latent plane side by side, as :func:`image_grid` does.

    Args:
        panels: title → images (number², 28, 28) in [0, 1], row by row from the top.
        number, limit: of every grid.
    """
    figure, every = subplots(3.7, 1, len(panels))
    for axes, (title, images) in zip(every, panels.items(), strict=True):
        _draw_grid(axes, images, number, limit)
        axes.set_title(title)
    return figure


def _draw_grid(axes: Axes, images: np.ndarray, number: int, limit: float | None) -> None:
    rows = images.reshape(number, number, *images.shape[1:])
    canvas = rows.transpose(0, 2, 1, 3).reshape(number * images.shape[1], -1)
    axes.grid(False)
    if limit is None:
        axes.imshow(canvas, vmin=0, vmax=1, interpolation="antialiased")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        return
    edge = limit * number / (number - 1)  # the outermost codes are at the centres of their images
    extent = (-edge, edge, -edge, edge)
    axes.imshow(canvas, vmin=0, vmax=1, extent=extent, interpolation="antialiased")
    ticks = np.linspace(-limit, limit, 5)
    axes.set(xlabel="$z_1$", ylabel="$z_2$", xticks=ticks, yticks=ticks)


@styled
def latent_scatter(
    panels: dict[str, np.ndarray], labels: np.ndarray | None, axes_names: Sequence[str]
) -> Figure:
    """Scatter points of a plane, one colour per class, the class written where it is dense.

    Args:
        panels: title → points (N, 2); panels share their axes; an empty title is left out.
        labels: (N,), classes from 0 to 9; without them all points have one colour.
        axes_names: of the two axes.

    >>> import numpy, vaelib
    >>> figure = vaelib.latent_scatter({"codes": numpy.eye(2)}, numpy.array([3, 8]), ("z1", "z2"))
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['3', '8']
    """
    most = max(map(len, panels.values()))
    size = min(20, max(3, 30_000 / most))  # square points: few points must be seen too
    look: dict[str, Any] = {"s": size, "lw": 0, "alpha": 0.8, "rasterized": True}
    if labels is not None:
        look |= {"c": labels, "cmap": CLASS_COLOURS, "vmin": -0.5, "vmax": 9.5}
    figure = Figure(figsize=(7.2, 3.6) if len(panels) > 1 else (6, 5))
    every = figure.subplots(1, len(panels), squeeze=False, sharex=True, sharey=True)[0]
    for axes, (title, points) in zip(every, panels.items(), strict=True):
        dots = axes.scatter(*points.T, **look)
        for label, place in ({} if labels is None else label_places(points, labels)).items():
            axes.text(*place, label, ha="center", va="center", weight="bold", path_effects=HALO)
        axes.set(title=title, xlabel=axes_names[0], aspect="equal")
    every[0].set_ylabel(axes_names[1])
    if labels is not None:
        figure.colorbar(dots, ax=every, ticks=range(10), label="class", shrink=0.8)
    return figure
