"""The benchmarks' arithmetic and their protocol."""

import ast
import hashlib
import importlib
import io
import json
import math
import subprocess
import sys
from pathlib import Path

import compare
import compressors
import kernels
import numpy as np
import pytest
import schedules
import torch
from PIL import Image

from vaelib.plumbing.files import read_json, write_json
from vaelib.training import store
from vaelib.training.folder import weights_as_bytes
from vaelib.training.recipes import RECIPES
from vaelib.training.run import train
from vaelib.training.settings import Settings
from vaelib.vae.model import VAE

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"


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


def test_our_contestant_does_what_it_is_asked():
    """With synthetic digits in the place of MNIST."""
    code = (
        "import runpy, sys, vaelib.data.load as load; digits = load.load_data('synthetic'); "
        "load.load_data = lambda: digits; sys.argv = ['with_vaelib.py', 'no folder']; "
        "runpy.run_path('with_vaelib.py', run_name='__main__')"
    )
    requests = [
        {"ask": "time_steps", "batch_size": 8, "number": 2},
        {"ask": "time_epoch", "images": 100},
        {"ask": "train", "reconstruction_loss": "bce", "seed": 0},
        {"ask": "layers", "batch_size": 8},
    ]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "benchmarks" / "contestants",
        input="".join(f"{json.dumps(request)}\n" for request in requests),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    _, steps, epoch, training, layers = map(json.loads, done.stdout.splitlines())
    assert len(steps["seconds"]) == 2
    assert epoch["seconds"] > 0
    assert training["epochs"] == RECIPES["report"].epochs
    assert layers["step_gflop"] > 0


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


def test_independent_pixels_are_coded_with_the_shares_of_their_levels(generator):
    seen = torch.randint(0, 4, (50, 28, 28), generator=generator).byte()
    coded = torch.randint(0, 4, (6, 28, 28), generator=generator).byte()
    received = compressors.independent_pixels(compressors.histograms(seen), 0.25, coded)
    bits = 0.0
    for row in range(28):
        for column in range(28):
            levels = seen[:, row, column].tolist()
            for level in coded[:, row, column].tolist():
                bits -= np.log2((levels.count(level) + 0.25) / (50 + 256 * 0.25))
    assert received == pytest.approx(bits / coded.numel())


def test_a_png_is_as_long_as_its_file_and_holds_the_image(generator):
    images = torch.randint(0, 256, (3, 28, 28), generator=generator).byte().numpy()
    files = [compressors.png(image) for image in images]
    for file, image in zip(files, images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(file))), image)
    size = 8 * sum(map(len, files)) / (3 * 784)
    assert compressors.bits_per_pixel(compressors.png, images) == size


def test_images_lie_together_row_by_row():
    images = np.arange(10_000, dtype=np.int32)[:, None, None].repeat(2, 1).repeat(3, 2)
    (whole,) = compressors.together(images)
    assert whole.shape == (200, 300)
    for number in (0, 99, 100, 9999):
        row, column = divmod(number, 100)
        np.testing.assert_array_equal(
            whole[2 * row : 2 * row + 2, 3 * column : 3 * column + 3], images[number]
        )


def test_a_repeated_training_is_the_same_to_the_last_bit_or_it_is_not(few, tmp_path, monkeypatch):
    monkeypatch.setenv("VAELIB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(kernels, "FOLDER", tmp_path)
    monkeypatch.setattr(kernels, "load_data", lambda name: few)
    settings, report = Settings(recipe="smoke", device="cpu"), tmp_path / "kernels.json"
    made = train(settings, few)
    weights = weights_as_bytes(made.weights)
    record = {
        "settings": settings.as_record(),
        "losses": made.losses,
        "history": made.history,
        "environment": made.environment,
        "weights": hashlib.sha256(weights).hexdigest(),
    }
    write_json(record, tmp_path / f"{settings.name}.json")
    assert kernels.repeat("own", report, settings.name)
    assert store.find(record["weights"]) == weights
    last = record["history"][-1]
    last["val_kl"] = math.nextafter(last["val_kl"], 0)
    write_json(record, tmp_path / f"{settings.name}.json")
    assert not kernels.repeat("avx2", report, settings.name)
    found = [(row["training"], row["kernels"], row["same"]) for row in read_json(report)]
    assert found == [(settings.name, "own", True), (settings.name, "avx2", False)]


@pytest.mark.parametrize("file", sorted(BENCHMARKS.rglob("*.py")), ids=lambda file: file.name)
def test_what_a_benchmark_takes_from_the_library_is_there(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("vaelib"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")


def test_neighbours_are_those_that_are_coded_before(generator):
    images = torch.randint(0, 256, (2, 28, 28), generator=generator).byte()
    before = compressors.neighbours(images)
    later = images.clone()
    later[:, 10, 12:] = 255 - later[:, 10, 12:]
    later[:, 11:] = 255 - later[:, 11:]
    changed = (compressors.neighbours(later) != before).any(2)
    assert not changed[:, : 10 * 28 + 13].any()  # the pixel itself does not describe itself
    assert changed[:, 10 * 28 + 13].all()
    left, above = before[:, 10 * 28 + 12, [23, 17]].T
    torch.testing.assert_close(left, images[:, 10, 11].float() / 255)
    torch.testing.assert_close(above, images[:, 9, 12].float() / 255)


def test_the_regression_learns_what_neighbours_tell(generator):
    """Columns of one level, black or white: the pixel above tells all but the first row's."""
    row = 255 * torch.randint(0, 2, (64, 1, 28), generator=generator).byte()
    images = row.expand(64, 28, 28).contiguous()
    counts = compressors.histograms(images) + 1
    alone = compressors.independent_pixels(compressors.histograms(images), 1, images)
    regression = compressors.Regression(counts, 0.05, 10)
    assert regression.bits_per_pixel(images) == pytest.approx(alone, rel=1e-4)
    assert alone > 1
    assert 1 / 28 < regression.fit(images).bits_per_pixel(images) < 0.2
