"""Records that are not what they should be, each refused with its file and key."""

import json
import shutil
from dataclasses import asdict, replace

import pytest

from vaelib.plumbing.files import DamagedError
from vaelib.study import design, records
from vaelib.study.design import LONGER
from vaelib.training.recipes import RECIPES
from vaelib.training.settings import Settings

from .made_up import BOOK

SETTINGS = Settings("bce", 0.5, "report", 0)
NAME = "report-bce-beta0.5-d2-seed{}.json"


@pytest.fixture
def folder(tmp_path):
    for seed in (0, 1):
        shutil.copy(BOOK / "recorded" / "records" / NAME.format(seed), tmp_path)
    return tmp_path


def edit(folder, *keys, value=None):
    file = folder / NAME.format(0)
    place = content = json.loads(file.read_text())
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    file.write_text(json.dumps(content))


def test_the_books_own_are_those_of_the_design_and_of_todays_recipes():
    found = records.read(BOOK / "recorded" / "records")
    assert {records.settings_of(record) for record in found} == set(design.trainings())
    for record in found:
        recipe = asdict({**RECIPES, LONGER.name: LONGER}[record["settings"]["recipe"]])
        assert record["settings"]["recipe_settings"] == json.loads(json.dumps(recipe))


@pytest.mark.parametrize(
    "keys",
    [
        ("settings",),
        ("settings", "seed"),
        ("losses", "test"),
        ("losses", "table_training", "kl"),
        ("history",),
        ("history", 1, "val_total"),
        ("outcome", "training_seconds"),
        ("environment", "commit"),
        ("environment", "versions", "torch"),
        ("appearance", "confusion"),
        ("appearance", "roughness"),
        ("appearance", "dispersion", "robust"),
        ("rate",),
        ("rate", "aggregate"),
        ("evidence",),
        ("evidence", "gap"),
        ("code",),
        ("samples",),
        ("made",),
        ("made", "training", "stamp"),
        ("made", "evidence", "commit"),
    ],
    ids=lambda keys: ".".join(map(str, keys)),
)
def test_one_that_is_not_complete_is_refused(folder, keys):
    records.read(folder)
    edit(folder, *keys)
    with pytest.raises(DamagedError, match=f"{NAME.format(0)}.* {keys[-1]!r} is a required"):
        records.read(folder)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("losses", "test", "kl"), float("nan"), "is no JSON: it has the number NaN"),
        (("evidence", "gap"), float("inf"), "is no JSON: it has the number Infinity"),
        (("losses", "test", "kl"), "3", "losses.test.kl is wrong: '3' is not of type 'number'"),
        (("losses", "test", "kl"), True, "losses.test.kl is wrong: True is not of type"),
        (("settings", "seed"), -1, "settings.seed is wrong: -1 is less than the minimum"),
        (("settings", "seed"), 0.5, "settings.seed is wrong: 0.5 is not of type 'integer'"),
        (("settings", "seed"), 7, "are those of report-bce-beta0.5-d2-seed7; expected the file's"),
        (("settings", "beta"), 1.0, "are those of report-bce-beta1-d2-seed0; expected the file's"),
        (("settings", "recipe"), "original", "are those of original-bce-beta0.5-d2-seed0"),
        (("history",), [], r"history is wrong: \[\] should be non-empty"),
        (("appearance", "confusion"), [[1]], "appearance.confusion is wrong: .* is too short"),
    ],
)
def test_a_wrong_value_is_refused_by_key(folder, keys, value, message):
    edit(folder, *keys, value=value)
    with pytest.raises(DamagedError, match=f"{NAME.format(0)}.*{message}"):
        records.read(folder)


def test_a_number_beyond_all_is_refused(folder):
    file = folder / NAME.format(0)
    text = file.read_text()
    (folder / NAME.format(0)).write_text(
        text.replace('"sharpness": 0.', '"sharpness": 1e999, "x": 0.')
    )
    with pytest.raises(DamagedError, match=r"appearance\.sharpness is inf; expected a finite"):
        records.read(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "7", '"text"'])
def test_what_is_no_record_is_refused_by_file(folder, content):
    (folder / NAME.format(0)).write_text(content)
    with pytest.raises(DamagedError, match=NAME.format(0)):
        records.read(folder)


def test_a_copy_under_another_name_is_no_seed_more(folder):
    shutil.copy(folder / NAME.format(0), folder / NAME.format(9))
    with pytest.raises(DamagedError, match=f"{NAME.format(9)}.*expected the file's name"):
        records.read(folder)


def test_a_copy_that_says_another_seed_is_no_seed_more(folder):
    content = json.loads((folder / NAME.format(0)).read_text())
    content["settings"]["seed"] = 9
    (folder / NAME.format(9)).write_text(json.dumps(content))
    with pytest.raises(DamagedError, match=f"{NAME.format(9)}.*are those of {NAME.format(0)}"):
        records.read(folder)


def test_a_named_recipe_is_todays_and_another_is_the_records_own():
    longer = replace(SETTINGS, recipe=RECIPES["report"].replace(epochs=12), units=256)
    changed = SETTINGS.as_record()
    changed["recipe_settings"]["epochs"] = 99
    assert records.settings_of({"settings": changed}) == SETTINGS
    assert records.settings_of({"settings": longer.as_record()}) == longer


def test_records_are_chosen_with_the_usual_encoder_if_nothing_else_is_said():
    several = [{"settings": replace(SETTINGS, units=n).as_record()} for n in (16, 256)]
    old = {"settings": {k: v for k, v in SETTINGS.as_record().items() if k != "units"}}
    assert records.select([*several, old], recipe="report") == [several[0], old]
    assert records.select([*several, old], units=256) == [several[1]]
