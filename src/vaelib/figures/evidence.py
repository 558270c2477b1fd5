"""The gap between evidence and bound, posteriors beside the encoder's, and aggregate posteriors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle

from vaelib.figures.style import styled, subplots

ENCODER: dict[str, Any] = {"color": "C1", "lw": 1.6}
SHARES = (0.95, 0.5)  # of the mass, which contours hold


@dataclass(frozen=True)
class Portrait:
    """What is drawn of one image: NumPy arrays."""

    image: np.ndarray  # (28, 28), in [0, 1]
    decoded: dict[str, np.ndarray]  # what is decoded → (28, 28)
    mean: np.ndarray  # (2,), of the encoder's q
    deviation: np.ndarray  # (2,)
    window: tuple[float, float, float, float]  # of the density, left, right, bottom, top
    density: np.ndarray  # (n, n), of the posterior; the first latent coordinate along the rows


@styled
def gap_shares(gaps: dict[str, np.ndarray]) -> Figure:
    """Draw for each model which share of the images has at most a gap.

    Args:
        gaps: model → (N,), nats, all greater than 0.
    """
    figure, axes = subplots(3.2)
    for (name, values), dash in zip(gaps.items(), ("-", "--", "-.", ":"), strict=False):
        ordered = np.sort(values)
        axes.plot(ordered, np.arange(1, len(ordered) + 1) / len(ordered), ls=dash, label=name)
    axes.set(xscale="log", xlabel="gap (nats)", ylabel="share of the images", ylim=(0, 1))
    axes.legend(loc="upper left")
    return figure


@styled
def posteriors(rows: list[Portrait], codes: np.ndarray) -> Figure:
    """Draw posteriors beside the encoder's Gaussians, one image in each row.

    Args:
        rows: images, all with the same names of what is decoded.
        codes: (N, 2), means of q(z|x) of many images, the background of the plane.
    """
    if not rows:
        figure = Figure(figsize=(7.2, 0.5))
        figure.text(0.5, 0.5, "there is no such image", ha="center", va="center")
        return figure
    figure = Figure(figsize=(7.2, 1.9 * len(rows)))
    number = 1 + len(rows[0].decoded)
    widths = [1] * number + [1.9, 1.9]
    grid = figure.subplots(len(rows), number + 2, width_ratios=widths, squeeze=False)
    for line, row in zip(grid, rows, strict=True):
        for axes, image in zip(line, (row.image, *row.decoded.values()), strict=False):
            axes.imshow(image, vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        plane, closer = line[number:]
        plane.scatter(*codes.T, s=0.3, lw=0, color="0.8", rasterized=True)
        left, right, bottom, top = row.window
        plane.add_patch(
            Rectangle((left, bottom), right - left, top - bottom, fill=False, color="0.2")
        )
        _draw_encoder(plane, row)
        extent = np.abs(codes).max()
        plane.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal")
        _draw_density(closer, row)
        _draw_encoder(closer, row)
        _frame(closer, row)
    for axes, title in zip(
        grid[0], ("image", *rows[0].decoded, "latent plane", "magnified"), strict=True
    ):
        axes.set_title(title)
    return figure


def _draw_encoder(axes: Axes, row: Portrait) -> None:
    """Draw the ellipse of two deviations of q around its mean."""
    centre = float(row.mean[0]), float(row.mean[1])
    axes.add_patch(Ellipse(centre, *(4 * row.deviation), fill=False, **ENCODER))
    axes.plot(*row.mean, "+", **ENCODER)


def _frame(axes: Axes, row: Portrait) -> None:
    """Show the smallest square that holds the window and the encoder's ellipse."""
    left, right, bottom, top = row.window
    reach = 2.2 * row.deviation
    low = np.minimum((left, bottom), row.mean - reach)
    high = np.maximum((right, top), row.mean + reach)
    middle, half = (low + high) / 2, (high - low).max() / 2
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half))
    axes.locator_params(nbins=3)
    axes.set_facecolor(colormaps["Blues"](0.0))


def _draw_density(axes: Axes, row: Portrait) -> None:
    left, right, bottom, top = row.window
    axes.imshow(
        row.density.T, origin="lower", extent=row.window, cmap="Blues", aspect="equal", vmin=0
    )
    first = np.linspace(left, right, len(row.density))
    second = np.linspace(bottom, top, row.density.shape[1])
    levels = mass_levels(row.density, SHARES)
    axes.contour(first, second, row.density.T, levels, colors="C0", linewidths=0.8)
    axes.grid(False)


def mass_levels(density: np.ndarray, shares: Sequence[float]) -> list[float]:
    """Return the densities above which shares of the mass lie.

    Args:
        density: at the nodes of a regular grid that holds all of the mass, of any shape.
        shares: each in (0, 1).
    """
    ordered = np.sort(density, axis=None)[::-1]
    masses = np.cumsum(ordered)
    return [float(ordered[np.searchsorted(masses, share * masses[-1])]) for share in shares]


@styled
def aggregate(axis: np.ndarray, density: np.ndarray, limit: float) -> Figure:
    """Draw the aggregate posterior, with the prior's circles of one, two and three deviations.

    Args:
        axis: (n,), of both coordinates.
        density: (n, n), the first coordinate along the rows.
        limit: both axes run from -limit to limit.
    """
    figure, axes = subplots(5, width=6)
    edge = axis[-1] + (axis[1] - axis[0]) / 2
    shown = axes.imshow(
        np.sqrt(density.T), origin="lower", extent=(-edge, edge, -edge, edge), cmap="viridis"
    )
    for radius in (1, 2, 3):
        axes.add_patch(Ellipse((0, 0), 2 * radius, 2 * radius, fill=False, color="white", ls="--"))
    axes.set(xlabel="$z_1$", ylabel="$z_2$", xlim=(-limit, limit), ylim=(-limit, limit))
    axes.grid(False)
    figure.colorbar(shown, ax=axes, label="square root of the density", shrink=0.8)
    return figure
