"""What of a gap encoders of other widths and lengths leave, and steps for each image.

What is drawn are entries of :func:`vaelib.study.looseness.summarise_looseness`.
"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelib.figures.style import styled, subplots

HELD = {
    "16": ("C1", "s", "16 units, anew"),
    "64": ("C2", "v", "64 units, anew"),
    "256": ("0.1", "P", "256 units, anew"),
    "1024": ("#e76300", "X", "1,024 units, anew"),
    "again": ("C0", "o", "the model's own, trained on"),
}
SPLITS = {"test": ("#a96b59", "D", "test images"), "training": ("C3", "^", "training images")}
LINES = {"gap": "--", "family": ":"}  # of the model's own encoder, of the nearest Gaussians


@styled
def gaps(found: dict) -> Figure:
    """Draw gaps of encoders on held decoders, and after steps for each image.

    Args:
        found: the summary.
    """
    figure, (held, steps) = subplots(3.8, 1, 2, sharey=True)
    for name, look in HELD.items():
        _line(held, {at: part["gap"] for at, part in found["held"][name].items()}, *look)
    held.set(xscale="log", xlabel="epochs of the encoder", ylabel="gap (nats)")
    for name, look in SPLITS.items():
        _line(steps, found["steps"][name], *look)
    steps.set_xscale("symlog", linthresh=1)
    steps.set_xlabel("steps for each image")
    for axes, numbers in ((held, found["held"]["again"]), (steps, found["steps"]["test"])):
        axes.set_xticks([int(at) for at in numbers], numbers)
        axes.minorticks_off()
        for name, dash in LINES.items():
            axes.axhline(found["own"][name]["mean"], color="0.5", lw=1, ls=dash, zorder=0)
        axes.legend(fontsize=9, loc="upper right")
    held.set_ylim(0, 1.4 * held.get_ylim()[1])  # with room for the legends
    return figure


def _line(axes: Axes, parts: dict[str, dict], colour: str, marker: str, name: str) -> None:
    """Draw a line of symbols for each seed."""
    at = [int(number) for number in parts]
    for values in zip(*(part["values"] for part in parts.values()), strict=True):
        (line,) = axes.plot(at, values, f"{marker}-", color=colour, mfc="none", ms=4, lw=0.8)
    line.set_label(name)
