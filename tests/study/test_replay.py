"""A little is repeated of what was recorded: with the recipe for tests, here and as elsewhere."""

import json
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner

from vaelib import cli
from vaelib.measure.model import MEASURES
from vaelib.study import design, freshness, grid, records, replay
from vaelib.training import run
from vaelib.training.recipes import RECIPES
from vaelib.training.run import train
from vaelib.training.settings import Settings

SETTINGS = [Settings("mse", 0.5, "smoke", seed, device="cpu") for seed in range(3)]
FIRST = SETTINGS[0]


@pytest.fixture(scope="module")
def once(few, tmp_path_factory):
    """Three records, and the weights that they were measured with."""
    place = tmp_path_factory.mktemp("replay")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAELIB_DATA", str(place / "data"))
        patch.setattr("vaelib.study.grid.load_data", lambda name: few)
        patch.setattr("vaelib.study.replay.load_data", lambda name: few)
        folder = place / "recorded" / "records"
        assert len(list(grid.record(SETTINGS, folder))) == 3
    return place


@pytest.fixture
def folder(once, few, tmp_path, monkeypatch, edit_modules):
    """A copy of the records, made by code that has changed since without changing anything."""
    for file in once.rglob("*.*"):
        copy = tmp_path / file.relative_to(once)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    monkeypatch.setenv("VAELIB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("vaelib.study.grid.load_data", lambda name: few)
    monkeypatch.setattr("vaelib.study.replay.load_data", lambda name: few)
    edit_modules("training.step", "vae.latent")
    return tmp_path / "recorded" / "records"


def read(folder, settings=FIRST):
    return json.loads(records.path_of(folder, settings).read_text())


def edit(folder, change, settings=SETTINGS):
    for each in settings:
        record = read(folder, each)
        change(record)
        records.path_of(folder, each).write_text(json.dumps(record))


def elsewhere(record):
    """Let a record have been made on another kind of processor."""
    record["environment"]["capability"] = "another"
    for made in record["made"].values():
        made["processor"] = "another"


def states(folder):
    found = freshness.states(SETTINGS, folder).values()
    return {part: {state[part] for state in found} for part in ("training", "appearance")}


def test_what_comes_out_the_same_has_its_stamp_renewed(folder):
    before = read(folder)
    assert states(folder) == {
        "training": {"changed: modules.training.step"},
        "appearance": {"changed: modules.vae.latent"},
    }
    assert list(replay.replay(folder)) == [
        f"training, 3 records like {FIRST.name}: 2 of 2 replayed agree",
        f"appearance, 3 records like {FIRST.name}: 1 of 1 replayed agree",
    ]
    assert states(folder) == {"training": {""}, "appearance": {""}}
    after = read(folder)
    for part, made in after["made"].items():
        again = made.pop("replayed")
        assert again["agrees"] is True
        assert {"date", "commit", "processor"} <= again.keys()
        assert made.pop("stamp") != before["made"][part].pop("stamp")
        assert made == before["made"][part]  # commit and date of what it was made by stay
    for name in ("losses", "history", "appearance", "weights"):
        assert after[name] == before[name]


def test_the_first_epoch_is_that_of_the_training_bit_for_bit(folder, few):
    assert replay.first_epoch(read(folder)) == train(FIRST, few).history[0]


def test_on_this_kind_of_processor_a_rounding_is_a_difference(folder):
    def nudge(record):
        record["history"][0]["total"] *= 1 + 1e-12

    edit(folder, nudge)
    *_, last = (line for line in replay.replay(folder) if line.startswith("training"))
    assert last.endswith("0 of 2 replayed agree")
    (reason,) = states(folder)["training"]
    assert reason.startswith("replayed on ")
    assert reason.endswith(", it came out otherwise")


@pytest.mark.parametrize(("share", "agrees"), [(0.09, True), (0.11, False)])
@pytest.mark.parametrize("name", replay.TOTALS)
def test_elsewhere_a_tenth_of_the_deviation_over_seeds_is_allowed(folder, name, share, agrees):
    values = [read(folder, each)["history"][0][name] for each in SETTINGS]
    mean = sum(values) / 3
    deviation = (sum((value - mean) ** 2 for value in values) / 2) ** 0.5

    def nudge(record):
        elsewhere(record)
        record["history"][0][name] += share * deviation  # all alike: the deviation stays

    edit(folder, nudge)
    first, *_ = replay.replay(folder)
    assert first.endswith(f"{2 if agrees else 0} of 2 replayed agree")
    assert (states(folder)["training"] == {""}) == agrees


def test_one_that_strays_is_outvoted(folder, monkeypatch):
    asked = iter([False, True, True])
    monkeypatch.setattr(replay, "_agrees", lambda *_: next(asked))
    first, *_ = replay.replay(folder)
    assert first.endswith("2 of 3 replayed agree")
    assert states(folder)["training"] == {""}


def test_a_measure_that_comes_out_otherwise_is_stale(folder, monkeypatch):
    monkeypatch.setitem(MEASURES, "appearance", lambda *words: {"sharpness": 1.0})
    *_, last = replay.replay(folder)
    assert last == f"appearance, 3 records like {FIRST.name}: 0 of 1 replayed agree"
    (reason,) = states(folder)["appearance"]
    assert reason.startswith("replayed on ")


@pytest.mark.parametrize("why", ["no weights", "another processor"])
def test_a_measure_that_cannot_be_compared_stays_as_it_is(folder, why):
    change = elsewhere if why == "another processor" else lambda record: record.pop("weights")
    edit(folder, change)
    before = read(folder)["made"]["appearance"]
    *_, last = replay.replay(folder)
    assert last.startswith(f"appearance, 3 records like {FIRST.name}: not replayed")
    assert read(folder)["made"]["appearance"] == before
    assert states(folder)["appearance"] == {"changed: modules.vae.latent"}


def test_what_is_fresh_is_not_replayed(folder):
    assert len(list(replay.replay(folder))) == 2
    assert list(replay.replay(folder)) == []


def test_a_change_that_no_first_epoch_shows_is_not_vouched_for(folder, monkeypatch):
    """With the same schedule, one epoch of ten is one of two."""
    other = replace(RECIPES["smoke"], patience=7)
    monkeypatch.setitem(RECIPES, "smoke", other)
    first, *_ = replay.replay(folder)
    assert first.endswith("not replayed, for recipe.patience changed")
    (reason,) = states(folder)["training"]
    assert reason.startswith("changed: ")


@pytest.mark.parametrize("threads", [1, 2])
def test_a_replay_has_the_threads_of_the_record(folder, monkeypatch, threads):
    """With another number of threads, sums are rounded otherwise."""
    used = []
    fit = run.fit
    monkeypatch.setattr(run, "fit", lambda *w: used.append(torch.get_num_threads()) or fit(*w))
    edit(folder, lambda record: record["environment"].update(threads=threads))
    before = torch.get_num_threads()
    next(replay.replay(folder))
    assert set(used) == {threads}
    assert torch.get_num_threads() == before


def test_a_training_on_a_gpu_is_not_compared(folder):
    edit(folder, lambda record: record["environment"].update(device="some GPU"))
    first, *_ = replay.replay(folder)
    assert first.endswith("not replayed, for there is nothing here to hold it against")


def test_one_record_alone_is_not_enough(folder):
    for settings in SETTINGS[1:]:
        records.path_of(folder, settings).unlink()
    first, *_ = replay.replay(folder)
    assert first.endswith("not replayed, for there is nothing here to hold it against")


def test_records_of_other_code_are_another_group(folder):
    def other(record):
        record["made"]["training"]["stamp"] = freshness.stamp({"modules": {"a": "b"}}, folder)

    edit(folder, other, SETTINGS[2:])
    said = [line for line in replay.replay(folder) if line.startswith("training")]
    assert sorted(line.split(":")[0] for line in said) == [
        f"training, 1 records like {SETTINGS[2].name}",
        f"training, 2 records like {FIRST.name}",
    ]


def test_the_command_replays(folder, monkeypatch):
    monkeypatch.setattr(cli, "find_book", lambda: folder.parents[1])
    monkeypatch.setattr(design, "trainings", lambda: SETTINGS)
    done = CliRunner().invoke(cli.main, ["sweep", "--replay"])
    assert done.exit_code == 0, done.output
    assert done.output.count("replayed agree") == 2
    again = CliRunner().invoke(cli.main, ["sweep", "--list"])
    assert again.output.splitlines()[-1] == "6 parts: 6 fresh, 0 to be made"


def test_another_seed_does_not_agree(folder):
    """What a replay must find: a training that is not the recorded one."""
    edit(folder, elsewhere)
    found = records.read(folder)
    rows = [replay.first_epoch(record) for record in found]
    for number, record in enumerate(found):
        agreeing = [replay._agrees(record, row, found) for row in rows]
        assert agreeing == [other == number for other in range(3)]
