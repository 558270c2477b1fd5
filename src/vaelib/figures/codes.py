"""Every network under every code, thresholds, and what a likelihood of grey levels says.

What is drawn are entries of :func:`vaelib.study.codes.summarise_codes`.
"""

import base64
import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from vaelib.figures.images import image_rows
from vaelib.figures.style import legend_below, styled, subplots

NAMES = {
    "untailed": "Gaussian, variance ¼,\nwithin black and white",
    "bernoulli": "continuous Bernoulli",
    "quarter": "Gaussian, variance ¼,\nwith its tails",
    "fitted": "Gaussian, variance fitted",
    "odds": "proportional odds, fitted",
    "own": "proportional odds, trained",
}
"""Code → its name in the figure, from the longest to the shortest."""

LOOKS = {
    "bce": ("C0", "o"),
    "bce-elbo": ("C0", "D"),
    "mse": ("C1", "o"),
    "mse-elbo": ("C1", "D"),
    "gaussian": ("C2", "s"),
    "cb-levels": ("C3", "^"),
    "logistic": ("C4", "v"),
    "odds": ("C5", "*"),
}
REFERENCE = "bce-elbo"  # from which differences are drawn


@styled
def decomposition(bits: dict[str, dict[str, dict]]) -> Figure:
    """Draw every network under every code: bits per pixel, and differences from one network.

    Args:
        bits: network → code → summary over seeds.
    """
    figure, (whole, near) = subplots(4.6, 1, 2, sharey=True)
    for row, code in enumerate(NAMES):
        networks = ("odds",) if code == "own" else bits
        for name in networks:
            colour, marker = LOOKS[name]
            look = {"color": colour, "marker": marker, "ls": "", "ms": 5, "mfc": "none"}
            found = bits[name][code]
            whole.plot(found["mean"], -row, **look, label=name)
            if code != "own":
                differences = [
                    1000 * (value - other)
                    for value, other in zip(
                        found["values"], bits[REFERENCE][code]["values"], strict=True
                    )
                ]
                near.plot(differences, [-row] * len(differences), **look)
    whole.set(xscale="log", xlabel="bits per pixel")
    whole.set_xticks([1.5, 2, 3, 4, 6, 8], ["1.5", "2", "3", "4", "6", "8"], minor=False)
    whole.minorticks_off()
    whole.set_yticks([-row for row in range(len(NAMES))], list(NAMES.values()))
    near.set_xscale("symlog", linthresh=10)
    ticks = [-1000, -10, 0, 10, 100]
    near.set_xticks(ticks, [f"{tick:,}".replace("-", "−").replace(",", " ") for tick in ticks])
    near.set_xlim(-6000, 1500)
    near.set_title(f"above {REFERENCE}")
    near.set_xlabel("thousandths of a bit per pixel")
    near.margins(y=0.08)
    near.axvline(0, color="0.6", lw=1, zorder=0)
    legend_below(figure, whole)
    return figure


@styled
def thresholds(levels: dict[str, dict]) -> Figure:
    """Draw the thresholds of likelihoods against the grey level that they end.

    Args:
        levels: network → its ``thresholds``.
    """
    figure, axes = subplots(3.2)
    for name, found in levels.items():
        axes.plot(range(255), found["thresholds"], color=LOOKS[name][0], lw=1.5, label=name)
    axes.set(xlabel="grey level k", ylabel="threshold τₖ", xlim=(0, 254))
    legend_below(figure, axes)
    return figure


def samples(found: dict[str, str]) -> Figure:
    """Draw recorded samples, a row for each network.

    Args:
        found: network → a row of images, as PNG in Base64.
    """
    return image_rows({name: _rows(text)[0] for name, text in found.items()})


def priors(autoencoder: str, vae: str) -> Figure:
    """Draw recorded samples of an autoencoder, see :mod:`vaelib.measure.autoencoder`, and a VAE."""
    names = ("autoencoder", "prior fitted", "VAE")
    return image_rows(dict(zip(names, _rows(autoencoder) + _rows(vae), strict=True)))


def levels(images: str) -> Figure:
    """Draw means, quantiles and samples of grey levels, see :mod:`vaelib.measure.levels`."""
    names = ("mean", "5 %", "median", "95 %", "drawn")
    return image_rows(dict(zip(names, _rows(images), strict=True)))


def _rows(text: str) -> list[np.ndarray]:
    """Unpack rows of square images, (n, 28, 28) each, in [0, 1]."""
    whole = np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) / 255
    return [
        np.stack(np.split(row, row.shape[1] // SIDE, axis=1))
        for row in np.split(whole, len(whole) // SIDE)
    ]


SIDE = 28
