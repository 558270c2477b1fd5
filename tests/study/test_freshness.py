"""Which parts of a record are fresh, and why the others are not."""

import json
import shutil
from dataclasses import replace

import pytest

from vaelib.data import mnist
from vaelib.study import freshness, records
from vaelib.training.recipes import RECIPES
from vaelib.training.settings import Settings

from .made_up import BOOK

SETTINGS = Settings("bce", 0.5, "report", 0)
NAME = f"{SETTINGS.name}.json"


@pytest.fixture
def folder(tmp_path):
    shutil.copy(BOOK / "recorded" / "records" / NAME, tmp_path)
    return tmp_path


@pytest.fixture
def fresh(folder):
    """A record of which every part was made by today's code, as its stamps say."""
    record = json.loads((folder / NAME).read_text())
    for part in freshness.parts_of(SETTINGS):
        inputs = freshness.inputs_of(part, SETTINGS.recipe)
        record["made"][part]["stamp"] = freshness.stamp(inputs, folder)
    return record


def reasons(record, folder):
    return freshness.why_stale(record, freshness.read_stamps(folder))


def test_a_record_has_its_training_and_what_the_design_measures_of_it():
    parts = ("training", "appearance", "rate", "evidence", "code", "samples")
    assert freshness.parts_of(SETTINGS) == parts
    assert freshness.parts_of(replace(SETTINGS, seed=1)) == parts[:-1]
    assert freshness.parts_of(replace(SETTINGS, seed=7)) == parts[:-2]
    assert freshness.parts_of(replace(SETTINGS, beta=4.0)) == parts[:3]
    assert freshness.parts_of(replace(SETTINGS, latent_dim=8)) == parts[:2]
    original = replace(SETTINGS, recipe="original")
    assert freshness.parts_of(original) == (*parts[:4], "encoder")
    assert freshness.parts_of(replace(original, reconstruction_loss="mse", seed=5)) == parts[:3]


def test_what_todays_code_made_is_fresh(fresh, folder):
    assert set(reasons(fresh, folder).values()) == {""}


def test_what_other_code_made_is_stale_and_says_which_part_and_file(fresh, folder, edit_modules):
    edit_modules("measure.gap")
    found = reasons(fresh, folder)
    assert found.pop("evidence") == "changed: modules.measure.gap"
    assert set(found.values()) == {""}


def test_another_recipe_makes_its_training_stale_and_no_measure(fresh, folder, monkeypatch):
    other = replace(RECIPES["report"], epochs=4)
    monkeypatch.setitem(RECIPES, "report", other)
    found = reasons(fresh, folder)
    assert found.pop("training") == "changed: recipe.epochs"
    assert set(found.values()) == {""}


def test_other_data_make_everything_stale(fresh, folder, monkeypatch):
    monkeypatch.setattr(freshness, "fingerprints", lambda name: ("other", mnist.LABEL_FINGERPRINT))
    assert set(reasons(fresh, folder).values()) == {"changed: data"}


def test_what_has_no_stamp_or_one_that_nobody_knows_is_not_fresh(fresh, folder):
    del fresh["made"]["rate"]
    del fresh["code"]
    fresh["made"]["samples"]["stamp"] = "0123"
    found = reasons(fresh, folder)
    assert (found["rate"], found["code"]) == ("not there", "not there")
    assert found["samples"] == "it is not known what it was made of"
    assert found["evidence"] == ""


def test_a_replay_that_came_out_otherwise_makes_stale(fresh, folder):
    again = {"date": "2026-02-03", "processor": "some"}
    fresh["made"]["training"]["replayed"] = again | {"agrees": False}
    fresh["made"]["rate"]["replayed"] = again | {"agrees": True}
    found = reasons(fresh, folder)
    assert found["training"] == "replayed on 2026-02-03 on some, it came out otherwise"
    assert found["rate"] == ""


def test_stamps_that_no_record_has_are_forgotten(folder):
    shutil.copytree(folder, folder.parent / "recorded" / "records")
    place = folder.parent / "recorded" / "records"
    used = json.loads((place / NAME).read_text())["made"]["rate"]["stamp"]
    (place.parent / "stamps.json").write_text(json.dumps({used: {"a": 1}, "0123": {"b": 2}}))
    freshness.forget_stamps(place)
    assert freshness.read_stamps(place) == {used: {"a": 1}}


def test_every_part_of_the_books_records_has_a_stamp_that_is_known():
    folder = BOOK / "recorded" / "records"
    stamps = freshness.read_stamps(folder)
    for record in records.read(folder):
        parts = freshness.parts_of(records.settings_of(record))
        assert set(record["made"]) == set(parts)
        for part in record["made"]:
            inputs = stamps[record["made"][part]["stamp"]]
            assert inputs["modules"]
            assert set(inputs["versions"]) >= {"torch", "numpy"}
            assert inputs["data"] == record["environment"]["data"]
            assert ("recipe" in inputs) == (part == "training") == ("labels" not in inputs)
