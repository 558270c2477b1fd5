"""What of a gap encoders of other widths and lengths leave, and steps for each image.

What is drawn are entries of :func:`vaelib.study.looseness.summarise_looseness`.
"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelib.figures.style import styled, subplots

LOOKS = {"16": ("C0", "o"), "64": ("C1", "s"), "256": ("C2", "D"), "1024": ("C3", "^")}
AGAIN = ("0.4", "v")  # the model's own encoder, trained on
SPLITS = {"test": ("C0", "o"), "training": ("C1", "s")}


@styled
def gaps(found: dict) -> Figure:
    """Draw gaps on test images: of encoders on a held decoder, and after steps for each image.

    Args:
        found: the summary.
    """
    figure, (held, steps) = subplots(3.6, 1, 2, sharey=True)
    for units, by_epochs in found["held"].items():
        own = units == "again"
        name = "the model's own, trained on" if own else f"{units} units, anew"
        parts = {int(epochs): part["gap"] for epochs, part in by_epochs.items()}
        _line(held, parts, *(AGAIN if own else LOOKS[units]), name)
    held.set(xscale="log", xlabel="epochs of the encoder", ylabel="gap (nats)")
    held.set_xticks(sorted(parts), [str(epochs) for epochs in sorted(parts)], minor=False)
    held.minorticks_off()
    for split, by_steps in found["steps"].items():
        parts = {int(number): part for number, part in by_steps.items()}
        _line(steps, parts, *SPLITS[split], f"{split} images")
    steps.set_xscale("symlog", linthresh=1)
    steps.set_xticks(sorted(parts), [str(number) for number in sorted(parts)], minor=False)
    steps.minorticks_off()
    steps.set_xlabel("steps for each image")
    for axes in (held, steps):
        for name, dash in (("gap", "--"), ("family", ":")):
            axes.axhline(found["own"][name]["mean"], color="0.5", lw=1, ls=dash, zorder=0)
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=8)
    return figure


def _line(axes: Axes, parts: dict[int, dict], colour: str, marker: str, name: str) -> None:
    """Draw means with their intervals, joined by a line."""
    at = sorted(parts)
    means = [parts[x]["mean"] for x in at]
    low, high = ([parts[x]["confidence"][end] for x in at] for end in ("low", "high"))
    axes.plot(at, means, color=colour, marker=marker, ms=4, lw=1.2, label=name)
    axes.vlines(at, low, high, color=colour, lw=1)
