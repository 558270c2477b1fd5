"""The losses of one training against the epoch."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelib.figures.style import styled, subplots
from vaelib.plumbing.words import LOSSES, printed


@styled
def curves(
    history: list[dict], trace: list[dict], unit: str, original: list[dict] | None = None
) -> Figure:
    """Draw total, reconstruction and KL loss against the epoch, in three panels.

    Args:
        history, trace: of a run; see :class:`vaelib.training.fit.Fit`.
        unit: of the losses, for the axis label.
        original: the original's history, drawn behind on a logarithmic axis of epochs.
    """
    figure, panels = subplots(3.1, 1, 3)
    epochs = [row["epoch"] for row in history]
    for axes, loss in zip(panels, LOSSES, strict=True):
        if original:
            past = [row["epoch"] for row in original]
            for column, dashes in ((loss, "-"), (f"val_{loss}", ":")):
                axes.plot(past, [row[column] for row in original], dashes, color="0.55")
        fine = [row["epoch"] for row in trace], [row[loss] for row in trace]
        axes.plot(*fine, color="C0", lw=1)
        validation = [row[f"val_{loss}"] for row in history]
        axes.plot(epochs, validation, "--o", color="C1", markersize=4)
        axes.set(title=printed(loss), xlabel="epoch")
        axes.set_ylim(*_limits(trace, history, original or [], loss))
        if original:
            axes.set_xscale("log")
            axes.set_xticks([1, 3, 10, 30], ["1", "3", "10", "30"])
            axes.minorticks_off()
        else:
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    panels[0].set_ylabel(f"loss ({unit})")
    names = ["training", "validation"]
    lines = panels[0].lines
    if original:
        names = ["original, training", "original, validation", *names]
    figure.legend(lines, names, loc="outside lower center", ncols=len(names))
    return figure


def _limits(trace, history, original, loss) -> tuple[float, float]:
    """Show everything but the first fall of the training loss."""
    later = [row[loss] for row in trace if row["epoch"] > 0.5]
    values = later + [row[f"val_{loss}"] for row in history]
    values += [row[f"val_{loss}"] for row in original]
    margin = 0.05 * (max(values) - min(values))
    return min(values) - margin, max(values) + margin
