"""The benchmarks' arithmetic and their protocol."""

import json
import subprocess
import sys
from pathlib import Path

import compare
import pytest
import schedules
import torch

from vaelib.training.recipes import RECIPES
from vaelib.vae.model import VAE

ROOT = Path(__file__).parents[1]


class Fake:
    """A contestant whose every step takes the same time, slower from turn to turn."""

    def __init__(self, seconds):
        self.seconds, self.turns = seconds, 0

    def ask(self, what, number, batch_size):
        assert what == "time_steps"
        self.turns += 1
        return {"seconds": [self.seconds * self.turns * batch_size] * number}


def test_ratios_are_formed_within_a_round():
    """The machine of this test slows down twelvefold; the ratio stays."""
    contestants = {"ours": Fake(1e-3), "theirs": Fake(4e-3)}
    first, second = compare.take_turns(contestants, [{"batch_size": 1}, {"batch_size": 2}])
    assert first["theirs"]["ratio"]["median"] == pytest.approx(0.25)
    assert first["ours"]["ratio"]["median"] == 1
    number = compare.ROUNDS * compare.STEPS
    assert first["ours"]["milliseconds"]["number"] == number
    assert second["ours"]["milliseconds"]["high"] > first["ours"]["milliseconds"]["high"]


def test_quartiles():
    assert compare.quartiles([3, 1, 2, 5, 4]) == {"low": 2, "median": 3, "high": 4, "number": 5}


def test_a_contestant_answers_line_by_line_whatever_it_prints():
    code = (
        "import serve; print('noise'); "
        "serve.serve({'double': lambda x: {'twice': 2 * x}}, {'python': 'any'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "benchmarks" / "contestants",
        input='{"ask": "double", "x": 4}\n',
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"python": "any"},
        {"twice": 8},
    ]
    assert done.stderr == "noise\n"


def test_dead_units_are_not_counted(generator):
    model = VAE(2, generator=generator)
    live = schedules.LiveUnits(model)
    with torch.no_grad():
        model.encoder.dense.weight.zero_()
        model.encoder.dense.bias.fill_(1.0)
    images = torch.rand(4, 1, 28, 28)
    for step in range(2 * live.WINDOW + 7):  # the first 7 steps are in no window
        if step == live.WINDOW + 7:
            with torch.no_grad():
                model.encoder.dense.bias[:5] = -1.0
        model.encoder(images)
    with torch.no_grad():
        model.encoder(images)  # validation does not count
    assert live.by_window() == [16, 11]


def test_every_variant_is_another_schedule_and_one_is_the_recipe():
    tried = {
        name: schedules.replace(schedules.BASE, name="report", **change)
        for name, change in schedules.VARIANTS.items()
    }
    assert len(set(tried.values())) == len(tried)
    assert [name for name, recipe in tried.items() if recipe == RECIPES["report"]] == ["base"]
