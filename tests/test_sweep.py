"""A grid of trainings with the recipe for tests: here, again, and on a real Dask cluster."""

import json
import os
import signal

import pytest
from distributed import LocalCluster

from vaelib import sweep
from vaelib.runs import Settings


def points(number):
    return [Settings("mse", "mean", "smoke", seed, device="cpu") for seed in range(number)]


def test_a_record_is_that_of_the_run_and_is_computed_once(tmp_path, monkeypatch):
    (point,) = points(1)
    assert list(sweep.record([point], tmp_path)) == ["smoke-mse-mean-d2-seed0"]
    (file,) = tmp_path.iterdir()
    written = json.loads(file.read_text())
    assert written["point"]["seed"] == 0
    assert len(written["history"]) == written["settings"]["epochs"] == 2
    assert set(written["losses"]) >= {"test", "original_validation"}
    assert sum(map(sum, written["measures"]["confusion"])) == 200
    again = sweep.compute(point)
    assert again["losses"] == written["losses"]  # the same machine, seed and settings
    assert again["measures"] == written["measures"]
    monkeypatch.setattr(sweep, "compute", pytest.fail)
    assert list(sweep.record([point], tmp_path)) == []


def test_nothing_is_left_of_a_point_that_fails(tmp_path, monkeypatch):
    def fail(point):
        if point.seed == 1:
            raise FloatingPointError("not finite")
        return {"losses": {}}

    monkeypatch.setattr(sweep, "compute", fail)
    with pytest.raises(FloatingPointError):
        list(sweep.record(points(3), tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["smoke-mse-mean-d2-seed0.json"]
    assert [point.seed for point in sweep.missing(points(3), tmp_path)] == [1, 2]


def test_the_books_points_are_distinct_and_enough():
    points = sweep.book_points()
    assert len({sweep.name_of(point) for point in points}) == len(points)
    original = [point for point in points if point.recipe == "original"]
    assert len(original) >= 6
    assert all(point.kl_reduction == "mean" for point in original)
    assert {point.latent_dim for point in points} == {2, 4, 8, 16}


def test_a_cluster_that_loses_a_worker_finishes_all_the_same(tmp_path):
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        written = sweep.record(points(4), tmp_path, cluster.scheduler_address)
        first = next(written)
        victim = next(iter(cluster.workers.values()))
        os.kill(victim.process.pid, signal.SIGKILL)  # its nanny starts another
        names = [first, *written]
    assert sorted(names) == [f"smoke-mse-mean-d2-seed{seed}" for seed in range(4)]
    for seed in range(4):
        file = tmp_path / f"smoke-mse-mean-d2-seed{seed}.json"
        assert json.loads(file.read_text())["point"]["seed"] == seed
