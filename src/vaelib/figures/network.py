"""The network as a diagram."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from vaelib.figures.style import styled, subplots


@styled
def layer_diagram(layers: Sequence) -> Figure:
    """Draw the steps of a network from top to bottom: operation, output shape, parameters.

    Args:
        layers: records with ``operation``, ``shape`` and ``parameters``, such as
            :class:`vaelib.vae.architecture.Layer`; two heads at the end stand side by side.
    """
    heads = [layer for layer in layers if layer.operation.startswith("dense, ")]
    trunk = [layer for layer in layers if layer not in heads]
    figure, axes = _canvas(0.52 * (len(trunk) + bool(heads)) + 0.3)
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
    figure, axes = _canvas(2.9)
    shape = {name: " × ".join(map(str, size)) for name, size in shapes.items()}
    encoder = f"encoder\n{parameters['encoder']:,}\nparameters"
    decoder = f"decoder\n{parameters['decoder']:,}\nparameters"
    boxes = {  # centre, half width, text, filled
        "image": (0.07, 0.5, 0.08, f"image\n{shape['image']}", False),
        "encoder": (0.25, 0.5, 0.07, encoder, True),
        "mean": (0.42, 0.8, 0.06, f"mean μ\n{shape['mean']}", False),
        "log_variance": (0.42, 0.5, 0.06, f"log σ²\n{shape['log_variance']}", False),
        "noise": (0.42, 0.2, 0.06, f"noise ε\n{shape['noise']}", False),
        "z": (0.585, 0.5, 0.07, f"z = μ + σε\n{shape['z']}", True),
        "decoder": (0.755, 0.5, 0.07, decoder, True),
        "logits": (0.93, 0.5, 0.08, f"logits\n{shape['logits']}", False),
    }
    arrows = "image encoder, encoder mean, encoder log_variance, mean z, log_variance z, noise z"
    for pair in f"{arrows}, z decoder, decoder logits".split(", "):
        (x1, y1, half1, *_), (x2, y2, half2, *_) = (boxes[name] for name in pair.split())
        _arrow(axes, (x1 + half1, y1), (x2 - half2, y2))
    for x, y, _, text, filled in boxes.values():
        _box(axes, x, y, text, filled)
    return figure


def _canvas(height: float):
    figure, axes = subplots(height)
    axes.set(xlim=(-0.01, 1.01), ylim=(0, 1))
    axes.axis("off")
    return figure, axes


def _box(axes, x: float, y: float, text: str, filled: bool) -> None:
    style = {"boxstyle": "round,pad=0.4", "ec": "0.4", "fc": "#e3eefa" if filled else "white"}
    axes.text(x, y, text, ha="center", va="center", bbox=style, zorder=2)


def _arrow(axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "0.3"}, zorder=1)
