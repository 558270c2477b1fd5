"""The figures drawn from records, on those of the book."""

from vaelib.figures import recorded


def test_every_run_is_a_point_of_its_figure(summary):
    parts = summary["claims"]["C10"]["parts"]
    figure = recorded.losses(parts)
    circles = [line for line in figure.axes[0].lines if line.get_label() == "one run"]
    drawn = [list(map(float, line.get_ydata())) for line in circles]
    assert drawn == [part["values"] for part in parts if part["name"].endswith("total")]


def test_runs_that_leave_a_dimension_unused_are_crossed():
    part = {"values": [1.0, 2.0, 4.0], "interval": [1.0, 4.0], "above": 0.5, "unused": [2]}
    figure = recorded.effects({"C7a: recognised": part})
    (crosses,) = (line for line in figure.axes[0].lines if line.get_marker() == "x")
    assert list(crosses.get_ydata()) == [4.0]
