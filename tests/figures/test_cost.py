"""The figures of the chapter on cost can be read over the times that machines have shown."""

from itertools import pairwise

import pytest

from vaelib.figures import cost


@pytest.mark.parametrize("slowest", [60, 100, 400, 1000])
def test_labels_on_the_axis_of_times_do_not_collide(slowest):
    rows = {
        name: {"milliseconds": {"low": 0.95 * ms, "median": ms, "high": 1.05 * ms}}
        for name, ms in (("quick", 12), ("slow", slowest))
    }
    figure = cost.step_times(
        {"peers": {"small": rows, "large": rows}, "batch_sizes": {"small": 32, "large": 128}}
    )
    figure.draw_without_rendering()
    for axes in figure.axes:
        low, high = axes.get_xlim()
        ticks = axes.xaxis.get_major_ticks() + axes.xaxis.get_minor_ticks()
        labels = [
            tick.label1
            for tick in ticks
            if tick.label1.get_text() and low <= tick.get_loc() <= high
        ]
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
        assert len(boxes) > 1
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
