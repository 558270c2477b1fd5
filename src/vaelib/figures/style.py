"""The style of every figure of the book, and how a figure becomes files."""

import base64
import io
import re
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path

import matplotlib as mpl
import matplotlib.style
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from vaelib.plumbing.files import write_bytes

STYLE = {  # text is as large as the caption's on the page
    "figure.figsize": (7.2, 3),
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.dpi": 160,  # of what is no line or letter; a page shows about 100
    "savefig.facecolor": "white",
    "font.size": 11,
    "axes.labelsize": 11,
    "axes.titlesize": 11,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.9",
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=["#3f90da", "#bd1f01", "#832db6", "#717581"]),
    "lines.linewidth": 1.6,
    "image.cmap": "gray_r",
    "image.interpolation": "nearest",
    "svg.hashsalt": "vaelib",
    "pdf.fonttype": 42,
}
COLOURS = 256  # of an image within an SVG
GREY_STEP = 8  # between its shades of grey, of 255; a smaller one cannot be told from this
EMBEDDED = re.compile(r"(?<=data:image/png;base64,)[^\"]+")
FORMATS = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": None}  # no dates in files


@dataclass(frozen=True)
class Drawing:
    """A figure as a notebook shows it and a page takes it: SVG for the screen, PDF for print."""

    svg: str = field(repr=False)
    pdf: bytes | None = field(default=None, repr=False)  # not needed where files are beside it

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        bundle = {"image/svg+xml": self.svg}
        if self.pdf:
            bundle["application/pdf"] = base64.b64encode(self.pdf).decode()
        return bundle


def render(figure: Figure, format: str) -> bytes:
    """Render a figure as ``svg``, ``pdf`` or ``png``; equal figures give equal bytes."""
    buffer = io.BytesIO()
    with mpl.style.context(STYLE):
        settle(figure)
        figure.savefig(buffer, format=format, metadata=FORMATS[format])
    if format == "svg":
        return EMBEDDED.sub(lambda found: lighter(found[0]), buffer.getvalue().decode()).encode()
    return buffer.getvalue()


def settle(figure: Figure) -> None:
    """Lay a figure out for good, to a billionth of its size.

    The layout's solver may return another last digit each time, and an SVG has identifiers that are
    made of all digits.
    """
    if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for axes in figure.axes:
            place = axes.get_position(original=True)
            left, bottom, width, height = (round(edge, 9) for edge in place.bounds)
            axes.set_position((left, bottom, width, height))


def lighter(png: str) -> str:
    """Return a PNG with fewer shades or a palette instead of four channels, both in Base64."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    red, green, blue, opaque = image.split()
    if opaque.getextrema() != (255, 255):
        light = image.quantize(COLOURS, Image.Quantize.FASTOCTREE)
    elif red.tobytes() == green.tobytes() == blue.tobytes():
        light = red.point([min(GREY_STEP * round(shade / GREY_STEP), 255) for shade in range(256)])
    else:
        light = image.convert("RGB").quantize(COLOURS)
    buffer = io.BytesIO()
    light.save(buffer, "png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def inline(figure: Figure) -> Drawing:
    """Render a figure for a notebook or a chapter, without writing files."""
    return Drawing(render(figure, "svg").decode(), render(figure, "pdf"))


def save(figure: Figure, folder: Path, name: str) -> Drawing:
    """Write a figure as SVG, PDF and PNG, and return it as a notebook shows it.

    Args:
        figure: drawn by a function of this package.
        folder: of a run; the files go to ``figures`` in it, which is made if need be.
        name: of the files, without the ending.
    """
    stem = Path(folder, "figures", name)
    stem.parent.mkdir(parents=True, exist_ok=True)
    rendered = {format: render(figure, format) for format in FORMATS}
    for format, content in rendered.items():
        write_bytes(content, stem.with_suffix(f".{format}"))
    return Drawing(rendered["svg"].decode())


def subplots(height: float, rows: int = 1, columns: int = 1, width: float = 7.2, **options):
    """Make a figure, in inches, and its axes, with the options of matplotlib's own ``subplots``."""
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots(rows, columns, **options)


def legend_below(figure: Figure, axes: Axes) -> None:
    """Explain below a figure what its panels have in common, by the labels of one of them."""
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    columns = len(unique) if len(unique) < 4 else 2
    figure.legend(unique.values(), unique, loc="outside lower center", ncols=columns)


def styled(draw):
    """Decorate a function that draws a figure: it draws in the book's style."""

    @wraps(draw)
    def drawn(*args, **kwargs) -> Figure:
        with mpl.style.context(STYLE):
            return draw(*args, **kwargs)

    return drawn
