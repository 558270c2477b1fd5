"""A grid of trainings with the recipe for tests: here, again, and on a real Dask cluster."""

import json
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner
from distributed import LocalCluster

from vaelib import cli
from vaelib.plumbing.names import CODED, OBJECTIVES
from vaelib.study import grid, records
from vaelib.study.questions import BETAS
from vaelib.training.recipes import RECIPES
from vaelib.training.run import Settings

BOOK = Path(__file__).parents[2] / "book"


def points(number, latent_dim=2):
    return [Settings("mse", 0.5, "smoke", seed, latent_dim, device="cpu") for seed in range(number)]


def test_a_record_is_that_of_the_run_and_is_computed_once(tmp_path, monkeypatch):
    (point,) = points(1)
    assert list(grid.record([point], tmp_path)) == ["smoke-mse-beta0.5-d2-seed0"]
    (file,) = tmp_path.iterdir()
    written = json.loads(file.read_text())
    assert written["settings"]["seed"] == 0
    assert len(written["history"]) == written["outcome"]["epochs"] == 2
    assert set(written["losses"]) >= {"test", "table_validation"}
    assert sum(map(sum, written["measures"]["confusion"])) == 200
    again = grid.compute(point)
    assert again["losses"] == written["losses"]  # the same machine, seed and settings
    assert again["measures"] == written["measures"]
    monkeypatch.setattr(grid, "compute", pytest.fail)
    assert list(grid.record([point], tmp_path)) == []


def test_nothing_is_left_of_a_point_that_fails(tmp_path, monkeypatch):
    def fail(point, kept):
        if point.seed == 1:
            raise FloatingPointError("not finite")
        return {"losses": {}}

    monkeypatch.setattr(grid, "compute", fail)
    with pytest.raises(FloatingPointError):
        list(grid.record(points(3), tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["smoke-mse-beta0.5-d2-seed0.json"]
    assert [point.seed for point in grid.missing(points(3), tmp_path)] == [1, 2]


def test_the_books_points_are_distinct_and_enough():
    points = grid.book_points()
    assert len({point.name for point in points}) == len(points)
    seeds = Counter(
        (point.recipe, point.reconstruction_loss, point.beta, point.latent_dim) for point in points
    )
    assert seeds == {
        **{("report", loss, beta, 2): 3 for loss in ("bce", "mse") for beta in BETAS},
        **{("report", *objective, 2): 5 for objective in CODED.values()},
        ("report", "cb", 1.0, 2): 3,
        **{("report", *objective, 2): 8 for objective in OBJECTIVES.values()},
        **{("original", loss, 0.5, 2): 5 for loss in ("bce", "mse")},
        **{("report", "bce", 1.0, dimension): 3 for dimension in (4, 8)},
        **{("report", loss, 1.0, 16): 5 for loss in ("bce", "mse")},
    }


def test_the_books_records_are_complete_and_of_todays_recipes():
    folder = BOOK / "recorded" / "runs"
    points = grid.book_points()
    assert grid.missing(points, folder) == []
    assert {path.stem for path in folder.iterdir()} == {point.name for point in points}
    for record in records.read(folder):
        recipe = asdict(RECIPES[record["settings"]["recipe"]])
        assert record["settings"]["recipe_settings"] == json.loads(json.dumps(recipe))


@pytest.fixture
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster


def kill_a_busy_worker(cluster):
    """Kill a worker that computes; return the points that it had."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for worker in cluster.workers.values():
            state = cluster.scheduler.workers.get(worker.worker_address)
            if state and state.processing:
                tasks = list(state.processing)
                os.kill(worker.process.pid, signal.SIGKILL)  # its nanny starts another
                return tasks
        time.sleep(0.01)
    pytest.fail("no worker had anything to do within a minute")


def test_a_cluster_that_loses_a_worker_finishes_all_the_same(cluster, tmp_path):
    written = grid.record(points(4, 3), tmp_path, cluster.scheduler_address)
    first = next(written)
    lost = kill_a_busy_worker(cluster)
    names = [first, *written]
    assert any(task.suspicious for task in lost)  # Dask's mark of one whose worker died
    assert sorted(names) == [f"smoke-mse-beta0.5-d3-seed{seed}" for seed in range(4)]
    for seed in range(4):
        file = tmp_path / f"smoke-mse-beta0.5-d3-seed{seed}.json"
        assert json.loads(file.read_text())["settings"]["seed"] == seed


def test_a_point_whose_workers_are_all_lost_is_named(cluster, tmp_path):
    cluster.scheduler.allowed_failures = 0
    written = grid.record(points(3, 3), tmp_path, cluster.scheduler_address)
    next(written)
    kill_a_busy_worker(cluster)
    with pytest.raises(ConnectionError, match=r"smoke-mse-beta0.5-d3-seed\d was given up"):
        list(written)


def test_the_command_hands_on_the_scheduler_and_says_what_is_not_installed(monkeypatch):
    asked = []

    def record(points, folder, scheduler):
        asked.append(scheduler)
        return iter(["one"])

    monkeypatch.chdir(BOOK.parent)
    monkeypatch.setattr("vaelib.cli.write_json", lambda content, path: None)
    with monkeypatch.context() as patch:
        patch.setattr(grid, "record", record)
        done = CliRunner().invoke(cli.main, ["sweep", "--scheduler", "tcp://there:8786"])
    assert (done.exit_code, asked) == (0, ["tcp://there:8786"])
    monkeypatch.setitem(sys.modules, "distributed", None)
    wrong = CliRunner().invoke(cli.main, ["sweep", "--scheduler", "tcp://there:8786"])
    assert wrong.exit_code == 1
    assert "pip install --editable '.[sweep]'" in wrong.output
