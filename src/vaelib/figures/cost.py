"""The figures of the chapter on cost, drawn from its records.

:func:`living_units` and :func:`schedules` take that of ``benchmarks/schedules.py``,
:func:`build_stages` that of ``benchmarks/build.py``, the others that of ``benchmarks/compare.py``.
"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from vaelib.figures.style import styled, subplots


@styled
def step_times(record: dict) -> Figure:
    """Draw the time of a step of each contestant: median and quartiles, a panel per batch size."""
    figure, panels = subplots(2.4, 1, len(record["peers"]), sharey=True)
    for axes, (size, rows) in zip(panels, record["peers"].items(), strict=True):
        for y, row in enumerate(reversed(rows.values())):
            ms = row["milliseconds"]
            axes.plot([ms["low"], ms["high"]], [y, y], color="C0", lw=4, alpha=0.4)
            axes.plot(ms["median"], y, "o", color="C0")
        axes.set(
            title=f"batches of {record['batch_sizes'][size]}",
            xlabel="time of a step (ms)",
            yticks=range(len(rows)),
            yticklabels=list(rows)[::-1],
            ylim=(-0.6, len(rows) - 0.4),
            xscale="log",
        )
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    return figure


@styled
def roofline(record: dict) -> Figure:
    """Draw the rate of each convolution, and of the whole step, below what the machine can do."""
    peak, bandwidth = (record["machine"][name] for name in ("gflop_per_second", "gbyte_per_second"))
    figure, axes = subplots(3.6)
    intensity = np.geomspace(0.5, 300, 200)
    axes.plot(intensity, np.minimum(peak, bandwidth * intensity), color="0.3")
    heights = (-4, -12, 4)  # layers of one kind lie close together
    for number, row in enumerate(record["layers"]):
        x, y = row["gflop"] / row["gbyte"], row["gflop"] / row["seconds"]
        axes.plot(x, y, "o", color="C0")
        place = (6, heights[number % 3])
        axes.annotate(row["layer"], (x, y), place, textcoords="offset points")
    rate = record["step_gflop_per_second"]
    axes.axhline(rate, color="C1", ls="--")
    axes.text(0.55, rate * 1.1, "the whole step", color="C1")
    axes.set(xscale="log", yscale="log", ylabel="rate (GFLOP/s)")
    axes.set_xlabel("operations per byte that must move (FLOP/byte)")
    return figure


@styled
def living_units(record: dict) -> Figure:
    """Draw how units of the encoder die in the first epoch, and what that costs in the end."""
    figure, (left, right) = subplots(3, 1, 2)
    trainings = [row for row in record["trainings"] if row["loss"] == "bce"]
    names = {"base": ("Muon and Adam", "-"), "Adam alone": ("Adam alone", "--")}
    for colour, (variant, (label, dashes)) in enumerate(names.items()):
        for row in trainings:
            if row["variant"] == variant:
                live = row["live_units"][: len(row["live_units"]) // row["recipe"]["epochs"]]
                steps = record["window"] * (np.arange(len(live)) + 1)
                left.plot(steps, live, dashes, color=f"C{colour}", label=label)
                label = "_"  # of one line each, and none for the others
    left.set(xlabel="step (first epoch)", ylabel="living units of 16", ylim=(0, 16.5))
    left.set_yticks(range(0, 17, 4))
    left.legend(loc="center right")
    for row in trainings:
        look = "oC0" if row["recipe"]["muon_learning_rate"] else "xC1"
        right.plot(row["live_units"][-1], row["validation"][-1], look)
    right.set(xlabel="living units at the end", ylabel="validation total (nats)", xlim=(0, 16.5))
    right.set_xticks(range(0, 17, 4))
    return figure


@styled
def schedules(record: dict) -> Figure:
    """Draw the validation total against the number of steps for the schedules that were tried."""
    figure, axes = subplots(4)
    rows = [row for row in record["trainings"] if row["loss"] == "bce"]
    dashes = ["-", "--", ":", "-."]
    for number, variant in enumerate(dict.fromkeys(row["variant"] for row in rows)):
        chosen = [row for row in rows if row["variant"] == variant]
        totals = np.array([row["validation"] for row in chosen])
        epochs = np.arange(1, totals.shape[1] + 1)
        steps = epochs * chosen[0]["steps"] / chosen[0]["recipe"]["epochs"]
        style = {"color": f"C{number % 4}", "ls": dashes[number // 4], "marker": "o", "ms": 4}
        axes.plot(steps, totals.mean(0), label=variant, **style)
        axes.vlines(steps[-1], totals[:, -1].min(), totals[:, -1].max(), color=style["color"])
    axes.set(xlabel="step", ylabel="validation total (nats)")
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


@styled
def scaling(record: dict) -> Figure:
    """Draw how cost grows with batch size, training-set size and latent dimension."""
    figure, (batch, images, latent) = subplots(2.7, 1, 3)
    own = record["batch_sizes"]["small"]
    rows = record["scaling"]
    for axes, key, chosen in (
        (batch, "batch_size", [row for row in rows if row["latent_dim"] == 2]),
        (latent, "latent_dim", [row for row in rows if row["batch_size"] == own]),
    ):
        by_value = {row[key]: row for row in chosen}
        for value, row in by_value.items():
            low, high = ((row[name] / row["batch_size"]) for name in ("low", "high"))
            axes.plot([value, value], [low, high], color="C0", lw=4, alpha=0.4)
        medians = [row["median"] / row["batch_size"] for row in by_value.values()]
        axes.plot([*by_value], medians, "-o", color="C0", markersize=4)
        axes.set_xscale("log", base=2)
        axes.set_xticks([*by_value], [*map(str, by_value)])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
    batch.set(xlabel="batch size", ylabel="time per image (ms)")
    latent.set(xlabel="latent dimensions", ylabel="time per image (ms)")
    sizes = [row["images"] / 1000 for row in record["epochs"]]
    images.plot(sizes, [row["seconds"] for row in record["epochs"]], "-o", markersize=4)
    images.set(xlabel="training images (1000s)", ylabel="time of an epoch (s)")
    images.set_xlim(left=0)
    images.set_ylim(bottom=0)
    return figure


@styled
def build_stages(record: dict) -> Figure:
    """Draw where the wall time of a cold and of a warm build goes: build → stage → seconds."""
    stages = list(record["cold"])
    figure, axes = subplots(2.2)
    greys = ["0.8", "C0", "C1", "C2", "C3", "0.5"]
    for y, build in enumerate(("warm", "cold")):
        left = 0.0
        for stage, colour in zip(stages, greys, strict=False):
            width = record[build].get(stage, 0.0)
            axes.barh(y, width, left=left, color=colour, label=stage if y else None)
            left += width
        axes.text(left, y, f" {left:.0f} s", va="center")
    axes.set(yticks=[0, 1], yticklabels=["warm", "cold"], xlabel="wall time (s)")
    axes.grid(axis="y", visible=False)
    figure.legend(loc="outside lower center", ncols=3)
    return figure
