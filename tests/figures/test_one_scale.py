"""The figures of the chapter on the one scale, on the book's record and on a model's samples."""

import pytest

from vaelib.figures import one_scale


@pytest.fixture(scope="module")
def found(summary):
    return summary["one_scale"]


def test_every_run_is_a_point_of_the_curves(found):
    figure = one_scale.rate_distortion(found["curves"])
    for axes, curve in zip(figure.axes, found["curves"].values(), strict=True):
        _, *points = axes.lines
        drawn = [(list(line.get_xdata()), list(line.get_ydata())) for line in points]
        assert drawn == [
            (part["rate"]["values"], part["distortion"]["values"]) for part in curve.values()
        ]
