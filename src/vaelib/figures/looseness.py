"""What width, training and steps for each image close of a gap, and what is left of it.

What is drawn are entries of :func:`vaelib.study.looseness.summarise_looseness`.
"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelib.figures.style import legend_below, styled, subplots

SPLITS = {
    "test": ("C0", "o", "gap", "test images"),
    "training": ("C1", "^", "training_gap", "training images"),
}
"""Images → colour, symbol, name of their gap in a summary, and in the legend."""

CLOSED = {
    "again": "30 more epochs of it\nclose",
    "16": "30 epochs of a new one\nclose",
    "64": "64 units instead of 16,\nfurther",
    "256": "256 instead of 64,\nfurther",
    "1024": "1,024 instead of 256,\nboth by Adam alone",
    "moved": "256 units, images moved\nat random",
}


@styled
def gaps(found: dict) -> Figure:
    """Draw what encoders on held decoders close of a gap, and gaps after steps for each image.

    Args:
        found: the summary.
    """
    figure, (closed, steps) = subplots(4.8, 1, 2, width_ratios=(1.15, 1))
    own, left = found["own"], found["held"]["256"]["30"]
    rows = [
        ("gap of the model's\nown encoder", own),
        *((label, found["closes"][name]) for name, label in CLOSED.items()),
        ("256 units leave", left),
        ("the nearest Gaussians\nleave", {"gap": own["family"]}),
    ]
    for row, (_, parts) in enumerate(rows):
        for place, look in zip((0.14, -0.14), SPLITS.values(), strict=True):
            if look[2] in parts:
                _seeds(closed, place - row, parts[look[2]], *look)
    closed.set_yticks([-row for row in range(len(rows))], [label for label, _ in rows], fontsize=9)
    closed.set(xlabel="nats", xticks=range(-2, 9, 2), ylim=(0.5 - len(rows), 0.5))
    for colour, marker, _, name in SPLITS.values():
        split = name.split()[0]
        at = [int(number) for number in found["steps"][split]]
        for values in zip(*(p["values"] for p in found["steps"][split].values()), strict=True):
            steps.plot(at, values, f"{marker}-", color=colour, mfc="none", ms=4, lw=0.8)
    steps.set_xscale("symlog", linthresh=1)
    steps.set_xticks(at, list(map(str, at)))
    steps.minorticks_off()
    steps.set(xlabel="steps for each image", ylabel="gap left (nats)", ylim=(0, None))
    legend_below(figure, closed)
    return figure


def _seeds(axes: Axes, at: float, part: dict, colour: str, marker: str, _: str, name: str) -> None:
    """Draw the seeds of a row as symbols, over a bar for the interval of their mean."""
    axes.hlines(at, *part["confidence"].values(), color=colour, lw=4, alpha=0.3)
    values = part["values"]
    at_each = [at] * len(values)
    axes.plot(values, at_each, marker, color=colour, mfc="none", ms=4, ls="", label=name)
