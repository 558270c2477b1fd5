"""The figures of the chapter on the one scale, on the book's record and on a model's samples."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vaelib.figures import one_scale
from vaelib.figures.style import render
from vaelib.measure.samples import NUMBER, measure_samples
from vaelib.training.run import model_of
from vaelib.vae.latent import decode

BOOK = Path(__file__).parents[2] / "book"


@pytest.fixture(scope="module")
def found(summary):
    return summary["one_scale"]


def test_every_figure_can_be_drawn(found):
    for figure in (
        one_scale.samples(found["samples"]),
        one_scale.rate_distortion(found["curves"]),
        one_scale.weights(found["curves"]),
        one_scale.dimensions(found["dimensions"], found["least_used"]),
    ):
        assert b"<svg" in render(figure, "svg")


def test_every_run_is_a_point_of_the_curves(found):
    figure = one_scale.rate_distortion(found["curves"])
    for axes, curve in zip(figure.axes, found["curves"].values(), strict=True):
        _, *points = axes.lines
        drawn = [(list(line.get_xdata()), list(line.get_ydata())) for line in points]
        assert drawn == [
            (part["rate"]["values"], part["distortion"]["values"]) for part in curve.values()
        ]


def test_recorded_samples_are_those_of_the_model(smoke_run):
    model = model_of(smoke_run[0])
    text = measure_samples(model, None, None, 3)
    figure = one_scale.samples({"one": text, "two": measure_samples(model, None, None, 4)})
    shown = np.stack([axes.images[0].get_array() for axes in figure.axes[:NUMBER]])
    z = torch.randn(NUMBER, 2, generator=torch.Generator().manual_seed(3))
    np.testing.assert_allclose(shown, decode(model, z).numpy(), atol=0.5 / 255 + 1e-6)
    assert measure_samples(model, None, None, 4) != text
