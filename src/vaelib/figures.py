"""The figures of the book, drawn from plain arrays and records."""

import base64
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

STYLE = Path(__file__).with_name("book.mplstyle")
CLASS_COLOURS = ListedColormap(mpl.color_sequences["petroff10"])
FORMATS = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": None}  # no dates in files
LOSSES = ("total", "reconstruction", "kl")
HALO = [withStroke(linewidth=3, foreground="white")]


@dataclass(frozen=True)
class Drawing:
    """A figure as a notebook shows it and pages take it: SVG for the screen, PDF for print."""

    svg: str
    pdf: bytes

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        pdf = base64.b64encode(self.pdf).decode()
        return {"image/svg+xml": self.svg, "application/pdf": pdf}


def render(figure: Figure, format: str) -> bytes:
    """Render a figure as ``svg``, ``pdf`` or ``png``; equal figures give equal bytes."""
    buffer = io.BytesIO()
    with mpl.style.context(STYLE):
        figure.savefig(buffer, format=format, metadata=FORMATS[format])
    return buffer.getvalue()


def inline(figure: Figure) -> Drawing:
    """Render a figure for a notebook or a chapter, without writing files."""
    return Drawing(render(figure, "svg").decode(), render(figure, "pdf"))


def write(figure: Figure, stem: Path) -> Drawing:
    """Write a figure as SVG, PDF and PNG, and return it as a notebook shows it.

    Args:
        figure: drawn by a function of this module.
        stem: path of the files without the ending; its folder is made if need be.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    rendered = {format: render(figure, format) for format in FORMATS}
    for format, content in rendered.items():
        partial = stem.with_suffix(".partial")
        partial.write_bytes(content)
        os.replace(partial, stem.with_suffix(f".{format}"))
    return Drawing(rendered["svg"].decode(), rendered["pdf"])


def styled(draw):
    """Decorate a function that draws a figure: it draws in the book's style."""

    @wraps(draw)
    def drawn(*args, **kwargs) -> Figure:
        with mpl.style.context(STYLE):
            return draw(*args, **kwargs)

    return drawn


@styled
def curves(
    history: list[dict], trace: list[dict], unit: str, original: list[dict] | None = None
) -> Figure:
    """Draw total, reconstruction and KL loss against the epoch, in three panels.

    Args:
        history, trace: of a run; see :class:`vaelib.training.Fit`.
        unit: of the losses, for the axis label.
        original: the original's history, drawn behind on a logarithmic axis of epochs.
    """
    figure = Figure(figsize=(7.2, 3.1))
    panels = figure.subplots(1, 3)
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
        axes.set(title="KL" if loss == "kl" else loss, xlabel="epoch")
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


@styled
def image_rows(rows: dict[str, np.ndarray]) -> Figure:
    """Draw rows of images, each row with its name at the left.

    Args:
        rows: name → images (n, 28, 28) in [0, 1], the same n in each row.
    """
    number = len(next(iter(rows.values())))
    figure = Figure(figsize=(7.2, 0.3 + 0.6 * len(rows)))
    panels = figure.subplots(len(rows), number, squeeze=False)
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
    """
    rows = images.reshape(number, number, *images.shape[1:])
    canvas = rows.transpose(0, 2, 1, 3).reshape(number * images.shape[1], -1)
    figure = Figure(figsize=(6, 6))
    axes = figure.subplots()
    axes.grid(False)
    if limit is None:
        axes.imshow(canvas, vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        return figure
    edge = limit * number / (number - 1)  # the outermost codes are at the centres of their images
    axes.imshow(canvas, vmin=0, vmax=1, extent=(-edge, edge, -edge, edge))
    ticks = np.linspace(-limit, limit, 5)
    axes.set(xlabel="$z_1$", ylabel="$z_2$", xticks=ticks, yticks=ticks)
    return figure


@styled
def latent_scatter(
    panels: dict[str, np.ndarray], labels: np.ndarray, axes_names: Sequence[str]
) -> Figure:
    """Scatter points of a plane, one colour per digit, the digit written at its class's median.

    Args:
        panels: title → points (N, 2); panels share their axes; an empty title is left out.
        labels: (N,), digits.
        axes_names: of the two axes.
    """
    figure = Figure(figsize=(7.2, 4.1) if len(panels) > 1 else (6, 5))
    every = figure.subplots(1, len(panels), squeeze=False, sharex=True, sharey=True)[0]
    for axes, (title, points) in zip(every, panels.items(), strict=True):
        dots = axes.scatter(
            *points.T, c=labels, cmap=CLASS_COLOURS, vmin=-0.5, vmax=9.5, s=2, lw=0, rasterized=True
        )
        for digit in np.unique(labels):
            x, y = np.median(points[labels == digit], axis=0)
            axes.text(x, y, digit, ha="center", va="center", weight="bold", path_effects=HALO)
        axes.set(title=title, xlabel=axes_names[0], aspect="equal")
    every[0].set_ylabel(axes_names[1])
    figure.colorbar(dots, ax=every, ticks=range(10), label="digit", shrink=0.8)
    return figure


@styled
def layer_diagram(layers: Sequence) -> Figure:
    """Draw the steps of a network from top to bottom: operation, output shape, parameters.

    Args:
        layers: records with ``operation``, ``shape`` and ``parameters``, such as
            :class:`vaelib.architecture.Layer`; two heads at the end stand side by side.
    """
    heads = [layer for layer in layers if layer.operation.startswith("dense, ")]
    trunk = [layer for layer in layers if layer not in heads]
    figure = Figure(figsize=(7.2, 0.52 * (len(trunk) + bool(heads)) + 0.3))
    axes = _canvas(figure)
    rows = [[(0.5, layer)] for layer in trunk]
    if heads:
        rows.append(list(zip((0.24, 0.76), heads, strict=True)))
    step = 1 / len(rows)
    for index, row in enumerate(rows):
        y = 1 - (index + 0.5) * step
        for x, layer in row:
            shape = " × ".join(map(str, layer.shape))
            text = f"{layer.operation}  →  {shape}"
            if layer.parameters:
                text += f"   ({layer.parameters:,} parameters)"
            _box(axes, x, y, text, filled=bool(layer.parameters))
            if index:
                _arrow(axes, (0.5, y + 0.7 * step), (x, y + 0.3 * step))
    return figure


@styled
def vae_diagram(shapes: dict[str, tuple[int, ...]], parameters: dict[str, int]) -> Figure:
    """Draw encoder, sampler and decoder from left to right.

    Args:
        shapes: of ``image``, ``mean``, ``log_variance``, ``noise``, ``z`` and ``logits``.
        parameters: of ``encoder`` and ``decoder``.
    """
    figure = Figure(figsize=(7.2, 2.9))
    axes = _canvas(figure)
    shape = {name: " × ".join(map(str, size)) for name, size in shapes.items()}
    encoder = f"encoder\n{parameters['encoder']:,}\nparameters"
    decoder = f"decoder\n{parameters['decoder']:,}\nparameters"
    boxes = {  # centre, half width, text, filled
        "image": (0.07, 0.5, 0.08, f"image\n{shape['image']}", False),
        "encoder": (0.25, 0.5, 0.07, encoder, True),
        "mean": (0.42, 0.8, 0.06, f"mean μ\n{shape['mean']}", False),
        "spread": (0.42, 0.5, 0.06, f"log σ²\n{shape['log_variance']}", False),
        "noise": (0.42, 0.2, 0.06, f"noise ε\n{shape['noise']}", False),
        "z": (0.585, 0.5, 0.07, f"z = μ + σε\n{shape['z']}", True),
        "decoder": (0.755, 0.5, 0.07, decoder, True),
        "logits": (0.93, 0.5, 0.08, f"logits\n{shape['logits']}", False),
    }
    arrows = ["image encoder", "encoder mean", "encoder spread", "mean z", "spread z", "noise z"]
    arrows += ["z decoder", "decoder logits"]
    for pair in arrows:
        (x1, y1, half1, *_), (x2, y2, half2, *_) = (boxes[name] for name in pair.split())
        _arrow(axes, (x1 + half1, y1), (x2 - half2, y2))
    for x, y, _, text, filled in boxes.values():
        _box(axes, x, y, text, filled)
    return figure


def _canvas(figure: Figure):
    axes = figure.subplots()
    axes.set(xlim=(-0.01, 1.01), ylim=(0, 1))
    axes.axis("off")
    return axes


def _box(axes, x: float, y: float, text: str, filled: bool) -> None:
    style = {"boxstyle": "round,pad=0.4", "ec": "0.4", "fc": "#e3eefa" if filled else "white"}
    axes.text(x, y, text, ha="center", va="center", bbox=style, zorder=2)


def _arrow(axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "0.3"}, zorder=1)
