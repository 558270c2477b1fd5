"""The figures of recorded runs: every run a point, the mean, an interval, the original's number.

What is drawn are entries of :func:`vaelib.study.summary.summarise`, but for :func:`curves`.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelib.figures.style import legend_below, styled, subplots
from vaelib.plumbing.words import LOSSES, printed

SPLITS = ("train", "validation", "test")
ORIGINAL = {"color": "C1", "lw": 2}
RUN: dict[str, Any] = {"marker": "o", "ms": 4, "mfc": "none", "ls": "", "color": "C0"}


def _draw_seeds(
    axes: Axes, at: float, values: list[float], low: float, high: float, *, middle: str = "mean"
) -> None:
    """Draw the runs as circles, their mean or median as a dot, an interval as a bar beside them."""
    axes.plot([at - 0.12] * len(values), values, **RUN, label="one run")
    dot = getattr(np, middle)(values)
    axes.plot(at + 0.12, dot, "o", color="0.2", ms=5, label=f"{middle}, interval")
    axes.vlines(at + 0.12, low, high, color="0.2", lw=1.5)


@styled
def losses(parts: list[dict]) -> Figure:
    """Draw the losses of a claim with the rule ``numbers``, with prediction intervals."""
    figure, panels = subplots(3.4, 1, 3)
    by_name = {part["name"]: part for part in parts}
    for axes, loss in zip(panels, LOSSES, strict=True):
        for at, split in enumerate(SPLITS):
            part = by_name[f"{split}, {loss}"]
            _draw_seeds(axes, at, part["values"], *part["interval"])
            axes.hlines(part["claimed"], at - 0.3, at + 0.3, **ORIGINAL, label="original")
        axes.set(title=printed(loss), xlim=(-0.5, 2.5))
        axes.set_xticks(range(3), ["train", "valid.", "test"])
    panels[0].set_ylabel("loss")
    legend_below(figure, panels[0])
    return figure


@styled
def effects(parts: dict[str, dict]) -> Figure:
    """Draw effects, one panel each, with intervals of the median and the side that is claimed.

    Runs that leave a latent dimension unused are crossed.

    Args:
        parts: short name → part of a claim with the rule ``effects``.
    """
    rows = -(-len(parts) // 5)
    figure, panels = subplots(2.1 * rows, rows, 5, squeeze=False)
    for axes, (name, part) in zip(panels.flat, parts.items(), strict=False):
        _draw_seeds(axes, 0, part["values"], *part["interval"], middle="median")
        unused = [part["values"][at] for at in part["unused"]]
        label = "one run, a latent dimension unused"
        axes.plot([-0.12] * len(unused), unused, "x", color="C0", ms=7, label=label)
        above = part["above"] is not None
        limit = part["above"] if above else part["below"]
        axes.axhline(limit, **ORIGINAL, label="limit; the claimed side is shaded")
        axes.margins(y=0.3)
        edges = axes.get_ylim()
        axes.axhspan(limit, edges[above], color=ORIGINAL["color"], alpha=0.15, lw=0)
        axes.set_ylim(edges)
        axes.set_title(name.replace(": ", "\n"), fontsize=10)
        axes.set(xticks=[], xlim=(-0.5, 0.5))
        axes.yaxis.set_major_locator(MaxNLocator(4))
    for axes in panels.flat[len(parts) :]:
        axes.set_axis_off()
    legend_below(figure, figure.axes[0])
    return figure


@styled
def curves(records: list[dict], original: list[dict] | None = None) -> Figure:
    """Draw the training and validation losses of recorded runs against the epoch.

    Args:
        records: of one recipe and loss, as :func:`vaelib.study.grid.record` writes them.
        original: the original's history, drawn behind.
    """
    figure, panels = subplots(3.3, 1, 3)
    sources = [("original", original, "0.55")] if original else []
    sources += [("this book", record["history"], "C0") for record in records]
    for axes, loss in zip(panels, LOSSES, strict=True):
        shown = []
        for name, history, colour in sources:
            epochs = [row["epoch"] for row in history]
            for prefix, dashes, part in (("", "-", "training"), ("val_", ":", "validation")):
                values = [row[prefix + loss] for row in history]
                axes.plot(epochs, values, dashes, color=colour, lw=1.2, label=f"{name}, {part}")
                shown += values[1:]
        margin = 0.05 * (max(shown) - min(shown))
        axes.set_ylim(min(shown) - margin, max(shown) + margin)  # the first epoch is off the scale
        axes.set(title=printed(loss), xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    panels[0].set_ylabel("loss")
    legend_below(figure, panels[0])
    return figure


@styled
def weights(objectives: dict[str, dict]) -> Figure:
    """Draw what β does with a recipe: reconstruction, divergence and dispersion, ½ beside 1."""
    names = {
        "reconstruction": "reconstruction loss",
        "divergence": "KL divergence (nats)",
        "deviation": "dispersion of codes",
    }
    figure, panels = subplots(4.4, 2, 3)
    for row, loss in zip(panels, ("bce", "mse"), strict=True):
        for axes, (key, title) in zip(row, names.items(), strict=True):
            for at, name in enumerate((loss, f"{loss}-elbo")):
                part = objectives[name][key]
                _draw_seeds(axes, at, part["values"], *part["confidence"].values())
            axes.set_xticks([0, 1], ["β = ½", "β = 1"])
            axes.set_xlim(-0.5, 1.5)
            axes.set_title(f"{printed(loss)}: {title}", fontsize=10)
    legend_below(figure, panels[0, 0])
    return figure


@styled
def slices(slices: dict[str, dict]) -> Figure:
    """Draw the total on the original's validation slice and on held-out images, run by run."""
    figure, panels = subplots(2.8, 1, 2)
    for axes, (loss, part) in zip(panels, slices.items(), strict=True):
        validation = part["validation"]
        pairs = zip(validation["table"]["values"], validation["split"]["values"], strict=True)
        for shown, held_out in pairs:
            axes.plot([0, 1], [shown, held_out], "o-", color="C0", mfc="none", ms=5, lw=1)
        axes.set(title=printed(loss), ylabel="total loss", xlim=(-0.4, 1.4))
        axes.set_xticks([0, 1], ["first 15 %\n(trained on)", "last 15 %\n(held out)"])
    return figure


@styled
def latent_dimensions(dimensions: dict[str, dict]) -> Figure:
    """Draw the test losses against the latent dimension."""
    figure, panels = subplots(3, 1, 3)
    for axes, loss in zip(panels, LOSSES, strict=True):
        parts = [losses[loss] for losses in dimensions.values()]
        for at, part in enumerate(parts):
            _draw_seeds(axes, at, part["values"], *part["confidence"].values())
        axes.set_xticks(range(len(dimensions)), list(dimensions))
        axes.set(title=printed(loss), xlabel="latent dimension")
    panels[0].set_ylabel("loss (nats)")
    legend_below(figure, panels[0])
    return figure


@styled
def confusion(shares: list[list[float]]) -> Figure:
    """Draw which classes the vote in the latent plane takes for which: shares (10, 10)."""
    figure, axes = subplots(4.1, width=4.4)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, values in enumerate(shares):
        for column, share in enumerate(values):
            if share >= 0.005:
                colour = "white" if share > 0.5 else "black"
                axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=colour)
    axes.set(xlabel="class by vote", ylabel="true class", xticks=range(10), yticks=range(10))
    axes.grid(False)
    return figure
