"""Records with the recipe for tests: here, again, and on a real Dask cluster."""

import json
import os
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from distributed import LocalCluster

from vaelib import cli
from vaelib.measure.model import MEASURES
from vaelib.plumbing import stale
from vaelib.study import design, freshness, grid, records
from vaelib.study.design import BETAS, CODED, LONGER, LOOSE, WHOLE
from vaelib.training import store
from vaelib.training.settings import Settings

BOOK = Path(__file__).parents[2] / "book"
ONE = Settings("mse", 0.5, "smoke", 0, device="cpu")


@pytest.fixture(scope="module")
def once(few, tmp_path_factory):
    """A record, and its weights in a data folder."""
    place = tmp_path_factory.mktemp("grid")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAELIB_DATA", str(place / "data"))
        patch.setattr("vaelib.study.grid.load_data", lambda name: few)
        said = list(grid.record([ONE], place / "recorded" / "records"))
    assert said == [f"{ONE.name}: training, appearance"]
    return place


@pytest.fixture(autouse=True)
def data(few, tmp_path, monkeypatch):
    """Few digits, and a data folder of the test's own, in which weights are kept."""
    monkeypatch.setattr("vaelib.study.grid.load_data", lambda name: few)
    monkeypatch.setenv("VAELIB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "recorded" / "records"


def trainings(number, latent_dim=2):
    return [replace(ONE, seed=seed, latent_dim=latent_dim) for seed in range(number)]


def read(folder, settings=ONE):
    return json.loads(records.path_of(folder, settings).read_text())


def write(record, folder, settings=ONE):
    records.path_of(folder, settings).write_text(json.dumps(record))


@pytest.fixture
def recorded(once, folder, tmp_path):
    """A copy of the record and of its weights, for a test of its own."""
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    return read(folder)


@pytest.fixture
def trained(monkeypatch):
    """Count the trainings from here on."""
    done, train = [], grid.train
    monkeypatch.setattr(grid, "train", lambda *words: done.append(1) or train(*words))
    return done


def test_a_record_is_that_of_the_run_and_is_computed_once(recorded, folder, few, monkeypatch):
    assert recorded["settings"]["seed"] == 0
    assert len(recorded["history"]) == recorded["outcome"]["epochs"] == 2
    assert set(recorded["losses"]) >= {"test", "table_validation"}
    assert sum(map(sum, recorded["appearance"]["confusion"])) == len(few.test_labels)
    states = freshness.states([ONE], folder)[ONE.name]
    assert states == {"training": "", "appearance": ""}
    again = grid.compute(grid.Task(ONE, {}, ("training", "appearance"))).record
    assert again["losses"] == recorded["losses"]  # the same machine, seed and settings
    assert again["appearance"] == recorded["appearance"]
    monkeypatch.setattr(grid, "compute", pytest.fail)
    assert list(grid.record([ONE], folder)) == []


def test_weights_are_kept_under_their_digest(recorded, data):
    (file,) = (data / "weights").iterdir()
    assert file.name == f"{recorded['weights']}.safetensors"
    assert store.find(recorded["weights"]) == file.read_bytes()
    file.write_bytes(b"other")
    assert store.find(recorded["weights"]) is None
    assert store.find(None) is None


def test_weights_that_cannot_be_kept_are_no_fault(folder, data, said):
    data.write_text("a file in the place of the folder")
    assert list(grid.record([ONE], folder)) == [f"{ONE.name}: training, appearance"]
    assert "weights are not kept: " in said()


def test_a_measure_that_has_changed_is_taken_again_and_nothing_is_trained(
    recorded, folder, trained, edit_modules
):
    edit_modules("measure.appearance")
    states = freshness.states([ONE], folder)[ONE.name]
    assert states == {"training": "", "appearance": "changed: modules.measure.appearance"}
    assert list(grid.record([ONE], folder)) == [f"{ONE.name}: appearance"]
    assert not trained
    again = read(folder)
    assert again["appearance"] == recorded["appearance"]
    assert again["made"]["training"] == recorded["made"]["training"]
    assert again["made"]["appearance"]["stamp"] != recorded["made"]["appearance"]["stamp"]
    assert list(grid.record([ONE], folder)) == []


def test_a_training_that_has_changed_takes_its_measures_along(
    recorded, folder, trained, monkeypatch, edit_modules
):
    edit_modules("training.step")
    monkeypatch.setattr("vaelib.training.step.EPSILON", 1e-3)
    states = freshness.states([ONE], folder)[ONE.name]
    assert states == {"training": "changed: modules.training.step", "appearance": ""}
    (said,) = grid.record([ONE], folder)
    assert said.startswith(f"{ONE.name}: training, appearance; trained again, test total ")
    assert len(trained) == 1
    assert read(folder)["losses"] != recorded["losses"]


def test_where_weights_are_not_at_hand_the_training_is_repeated(
    recorded, folder, data, trained, edit_modules
):
    (data / "weights" / f"{recorded['weights']}.safetensors").unlink()
    edit_modules("measure.appearance")
    assert list(grid.record([ONE], folder)) == [f"{ONE.name}: appearance"]
    assert len(trained) == 1
    again = read(folder)
    assert again["made"]["training"] == recorded["made"]["training"]
    assert (again["environment"], again["outcome"]) == (
        recorded["environment"],
        recorded["outcome"],
    )
    assert store.find(recorded["weights"])


def test_a_repeated_training_that_differs_says_so_and_is_measured_again(
    recorded, folder, trained, edit_modules
):
    total = recorded["losses"]["test"]["total"]
    recorded["losses"]["test"]["total"] = 1.5
    recorded["weights"] = "0" * 64
    recorded["samples"] = "of other weights, and no longer in the design"
    write(recorded, folder)
    edit_modules("measure.appearance")
    remark = f"trained again, test total 1.5 before and {total} now"
    said = [f"{ONE.name}: training, appearance; {remark}"]
    assert list(grid.record([ONE], folder)) == said
    again = read(folder)
    assert again["losses"]["test"]["total"] == total
    assert "samples" not in again


def test_a_record_without_weights_gets_them(recorded, folder, trained, edit_modules):
    """As those of the second edition, which had none."""
    weights = recorded.pop("weights")
    write(recorded, folder)
    edit_modules("measure.appearance")
    assert list(grid.record([ONE], folder)) == [f"{ONE.name}: appearance"]
    assert len(trained) == 1
    assert read(folder)["weights"] == weights


def test_what_takes_minutes_waits_for_its_training_and_is_a_task_by_itself(
    folder, trained, monkeypatch
):
    monkeypatch.setattr(grid, "LONG", {"rate", "samples"})
    monkeypatch.setattr(
        freshness, "measures_of", lambda settings: ("appearance", "rate", "samples")
    )
    said = [line.removeprefix(f"{ONE.name}: ") for line in grid.record([ONE], folder)]
    assert said == ["training, appearance", "rate", "samples"]
    assert len(trained) == 1
    assert read(folder)["made"].keys() == {"training", "appearance", "rate", "samples"}
    assert set(freshness.states([ONE], folder)[ONE.name].values()) == {""}


def test_without_weights_a_training_is_repeated_once_for_all_that_is_missing(
    recorded, folder, data, trained, monkeypatch
):
    monkeypatch.setattr(grid, "LONG", {"rate", "samples"})
    monkeypatch.setattr(
        freshness, "measures_of", lambda settings: ("appearance", "rate", "samples")
    )
    shutil.rmtree(data / "weights")
    assert list(grid.record([ONE], folder)) == [f"{ONE.name}: rate, samples"]
    assert len(trained) == 1


def test_nothing_is_left_of_a_training_that_fails(folder, monkeypatch):
    made = grid.made_now()

    def fail(task, state):
        if task.settings.seed == 1:
            raise FloatingPointError("not finite")
        return grid.Made({"made": {"training": made | {"inputs": {}}}}, b"")

    monkeypatch.setattr(grid, "compute", fail)
    with pytest.raises(FloatingPointError):
        list(grid.record(trainings(3), folder))
    assert [path.name for path in folder.glob("*.json")] == [f"{ONE.name}.json"]


def test_a_measure_that_fails_leaves_the_training_to_go_on_from(folder, trained, monkeypatch):
    def fail(*words):
        raise ArithmeticError("it does not settle")

    with monkeypatch.context() as patch:
        patch.setitem(MEASURES, "appearance", fail)
        with pytest.raises(ArithmeticError):
            list(grid.record([ONE], folder))
    assert not list(folder.glob("*.json"))
    assert len(list(folder.glob(".checkpoint-*.pt"))) == 1
    assert list(grid.record([ONE], folder)) == [f"{ONE.name}: training, appearance"]
    assert not list(folder.glob(".checkpoint-*"))


def test_code_that_is_edited_while_it_computes_is_not_vouched_for(folder, tmp_path, monkeypatch):
    copy = shutil.copytree(stale.PACKAGE, tmp_path / "vaelib")
    monkeypatch.setattr(grid, "PACKAGE", copy)
    monkeypatch.setattr(grid, "READ", grid._code())
    file = copy / "vae" / "model.py"
    old = file.stat().st_mtime
    file.write_text(file.read_text() + "# edited\n")
    os.utime(file, (old, old))  # as where the clock of the file system runs behind
    with pytest.raises(ValueError, match=r"model\.py was edited after this process had begun"):
        list(grid.record([ONE], folder))
    assert not list(folder.glob("*.json"))


def test_two_at_once_do_not_work_on_the_same_records(recorded, folder):
    with (
        records.alone(folder),
        pytest.raises(OSError, match="another process works on the records"),
    ):
        list(grid.record([ONE], folder))
    assert list(grid.record([ONE], folder)) == []


def test_the_designs_trainings_are_distinct_and_enough():
    settings = design.trainings()
    assert len({each.name for each in settings}) == len(settings)
    wholes = Counter((each.units, each.recipe_settings.epochs) for each in settings)
    assert all(wholes[at] == len(LOOSE) for at in WHOLE if at[0] != "original" and at != (16, 3))
    seeds = Counter(
        (each.recipe_settings.name, each.reconstruction_loss, each.beta, each.latent_dim)
        for each in settings
        if each.units == 16
    )
    assert seeds == {
        **{("report", loss, beta, 2): 3 for loss in ("bce", "mse") for beta in BETAS},
        **{("report", *objective, 2): 5 for objective in CODED.values()},
        ("report", "cb", 1.0, 2): 3,
        **{("report", loss, 1.0, 2): 8 for loss in ("bce", "mse")},
        **{("report", loss, 0.5, 2): 50 for loss in ("bce", "mse")},
        **{("original", loss, 0.5, 2): 15 for loss in ("bce", "mse")},
        ("original", "bce", 1.0, 2): len(LOOSE),
        **{("report", "bce", 1.0, dimension): 3 for dimension in (4, 8)},
        **{("report", loss, 1.0, 16): 5 for loss in ("bce", "mse")},
        (LONGER.name, "bce", 1.0, 2): 3,
    }


def test_what_the_design_measures_can_be_measured():
    measured = {name for settings in design.trainings() for name in design.measures_of(settings)}
    assert measured == set(MEASURES)


# All but the first task wait in their workers, where each leaves a file, until they may go on.
HOLD = """
import os, time
from pathlib import Path
from vaelib.data.dataset import ImageSet
from vaelib.data.synthetic import synthetic_digits
from vaelib.study import grid
few = ImageSet.of(*synthetic_digits(60, 0), *synthetic_digits(20, 1), name="few")
grid.load_data = lambda name: few
grid.first = compute = getattr(grid, "first", grid.compute)  # this may be loaded twice
folder = Path({folder!r})

def held(task, *more):
    if task.settings.seed:
        (folder / f"{{os.getpid()}}").touch()
        while not (folder / "go on").exists():
            time.sleep(0.01)
    return compute(task, *more)

grid.compute = held
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    waiting = tmp_path_factory.mktemp("waiting")
    preload = HOLD.format(folder=str(waiting))
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50, preload=preload
    ) as cluster:
        cluster.waiting = waiting
        yield cluster


@pytest.fixture
def cluster(shared):
    """The cluster with both of its workers, which hold again what comes second."""
    for file in shared.waiting.iterdir():
        file.unlink()
    while len(shared.scheduler.workers) < 2:
        time.sleep(0.01)
    yield shared
    shared.scheduler.allowed_failures = 3


def kill_a_busy_worker(cluster):
    """Kill a worker that computes; return the tasks that it had."""
    while not (held := list(cluster.waiting.iterdir())):
        time.sleep(0.01)
    pid = int(held[0].name)
    (worker,) = (each for each in cluster.workers.values() if each.process.pid == pid)
    tasks = list(cluster.scheduler.workers[worker.worker_address].processing)
    os.kill(pid, signal.SIGKILL)  # its nanny starts another
    (cluster.waiting / "go on").touch()
    return tasks


def test_a_cluster_that_loses_a_worker_finishes_all_the_same(cluster, folder):
    written = grid.record(trainings(4, 3), folder, cluster.scheduler_address)
    first = next(written)
    lost = kill_a_busy_worker(cluster)
    names = [first, *written]
    assert any(task.suspicious for task in lost)  # Dask's mark of one whose worker died
    done = [f"smoke-mse-beta0.5-d3-seed{seed}: training, appearance" for seed in range(4)]
    assert sorted(names) == done
    for settings in trainings(4, 3):
        record = read(folder, settings)
        assert record["settings"]["seed"] == settings.seed
        assert store.find(record["weights"])
        assert freshness.states([settings], folder)[settings.name] == {
            "training": "",
            "appearance": "",
        }


def test_a_training_whose_workers_are_all_lost_is_named(cluster, folder):
    cluster.scheduler.allowed_failures = 0
    written = grid.record(trainings(3, 3), folder, cluster.scheduler_address)
    next(written)
    kill_a_busy_worker(cluster)
    with pytest.raises(ConnectionError, match=r"smoke-mse-beta0.5-d3-seed\d was given up"):
        list(written)


def sweep(*words):
    return CliRunner().invoke(cli.main, ["sweep", *words])


def test_the_command_says_of_every_part_whether_it_is_fresh(
    recorded, folder, monkeypatch, edit_modules
):
    monkeypatch.setattr(cli, "find_book", lambda: folder.parents[1])
    monkeypatch.setattr(design, "trainings", lambda: trainings(2))
    edit_modules("measure.appearance")
    done = sweep("--list")
    other = ONE.name.replace("seed0", "seed1")
    assert [line.split(maxsplit=2) for line in done.output.splitlines()] == [
        [ONE.name, "training", "fresh"],
        [ONE.name, "appearance", "changed: modules.measure.appearance"],
        [other, "training", "not there"],
        [other, "appearance", "not there"],
        ["4", "parts:", "1 fresh, 3 to be made"],
    ]
    done = sweep()
    assert done.output.splitlines()[-1] == f"{other}: training, appearance"
    assert sweep("--list").output.splitlines()[-1] == "4 parts: 4 fresh, 0 to be made"


def test_the_command_hands_on_the_scheduler_and_says_what_is_not_installed(monkeypatch):
    asked = []

    def record(trainings, folder, scheduler):
        asked.append(scheduler)
        return iter(["one"])

    monkeypatch.chdir(BOOK.parent)
    with monkeypatch.context() as patch:
        patch.setattr(grid, "record", record)
        done = sweep("--scheduler", "tcp://there:8786")
    assert (done.exit_code, done.output, asked) == (0, "one\n", ["tcp://there:8786"])
    monkeypatch.setattr(design, "trainings", lambda: [ONE])  # which no record has
    monkeypatch.setitem(sys.modules, "distributed", None)
    wrong = sweep("--scheduler", "tcp://there:8786")
    assert wrong.exit_code == 1
    assert "pip install --editable '.[sweep]'" in wrong.output
