"""The figures drawn from records, on those of the book."""

from pathlib import Path

import pytest

from vaelib.figures import cost, recorded
from vaelib.figures.style import render
from vaelib.plumbing.files import read_json
from vaelib.plumbing.places import RECORDED, RECORDS
from vaelib.study.records import read, select

BOOK = Path(__file__).parents[2] / "book"


@pytest.fixture(scope="module")
def content(summary):
    return summary


def test_every_figure_of_recorded_runs_can_be_drawn(content):
    claims = content["claims"]
    runs = select(read(BOOK / RECORDS), recipe="original", reconstruction_loss="bce")
    for figure in (
        recorded.losses(claims["C5"]["parts"]),
        recorded.effects({part["name"]: part for part in claims["C12"]["parts"]}),
        recorded.curves(runs),
        recorded.curves(runs, runs[0]["history"]),
        recorded.weights(content["objectives"]["report"]),
        recorded.confusion(content["overlap"]["bce"]["confusion"]),
        recorded.slices(content["slices"]),
        recorded.latent_dimensions(content["latent_dimensions"]),
    ):
        assert b"<svg" in render(figure, "svg")


def test_every_run_is_a_point_of_its_figure(content):
    parts = content["claims"]["C10"]["parts"]
    figure = recorded.losses(parts)
    circles = [line for line in figure.axes[0].lines if line.get_label() == "one run"]
    drawn = [list(map(float, line.get_ydata())) for line in circles]
    assert drawn == [part["values"] for part in parts if part["name"].endswith("total")]


def test_runs_that_leave_a_dimension_unused_are_crossed():
    part = {"values": [1.0, 2.0, 4.0], "interval": [1.0, 4.0], "above": 0.5, "unused": [2]}
    figure = recorded.effects({"C7a: recognised": part})
    (crosses,) = (line for line in figure.axes[0].lines if line.get_marker() == "x")
    assert list(crosses.get_ydata()) == [4.0]


@pytest.mark.parametrize(
    ("draw", "record"),
    [
        (cost.step_times, "cost"),
        (cost.roofline, "cost"),
        (cost.scaling, "cost"),
        (cost.living_units, "schedules"),
        (cost.schedules, "schedules"),
        (cost.build_stages, "build"),
    ],
)
def test_every_figure_of_the_chapter_on_cost_can_be_drawn(draw, record):
    assert b"<svg" in render(draw(read_json(BOOK / RECORDED / f"{record}.json")), "svg")
