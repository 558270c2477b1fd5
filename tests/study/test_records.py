"""Records that are not what they should be, each refused with its file and key."""

import json
import shutil

import pytest

from vaelib.plumbing.files import DamagedError
from vaelib.study import records

from .made_up import BOOK

NAME = "report-bce-beta0.5-d2-seed{}.json"


@pytest.fixture
def folder(tmp_path):
    for seed in (0, 1):
        shutil.copy(BOOK / "recorded" / "runs" / NAME.format(seed), tmp_path)
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


def test_the_books_own_are_right():
    assert len(records.read(BOOK / "recorded" / "runs")) == 101
    assert len(records.read(BOOK / "recorded" / "runs-first-edition")) == 10


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
        ("measures", "confusion"),
        ("measures", "roughness"),
        ("measures", "dispersion", "robust"),
        ("rate",),
        ("rate", "aggregate"),
        ("evidence",),
        ("evidence", "gap"),
        ("code",),
        ("samples",),
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
        (("settings", "seed"), 7, "are those of report-bce-beta0.5-d2-seed7; expected the name"),
        (("settings", "beta"), 1.0, "are those of report-bce-beta1-d2-seed0; expected the name"),
        (("settings", "recipe"), "original", "are those of original-bce-beta0.5-d2-seed0"),
        (("history",), [], r"history is wrong: \[\] should be non-empty"),
        (("measures", "confusion"), [[1]], "measures.confusion is wrong: .* is too short"),
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
    with pytest.raises(DamagedError, match=r"measures\.sharpness is inf; expected a finite number"):
        records.read(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "7", '"text"'])
def test_what_is_no_record_is_refused_by_file(folder, content):
    (folder / NAME.format(0)).write_text(content)
    with pytest.raises(DamagedError, match=NAME.format(0)):
        records.read(folder)


def test_one_that_is_cut_off_is_refused(folder):
    file = folder / NAME.format(0)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DamagedError, match=f"{NAME.format(0)} is no JSON"):
        records.read(folder)


def test_a_copy_under_another_name_is_no_seed_more(folder):
    shutil.copy(folder / NAME.format(0), folder / NAME.format(9))
    with pytest.raises(DamagedError, match=f"{NAME.format(9)}.*expected the name of the file"):
        records.read(folder)


def test_a_copy_that_says_another_seed_is_no_seed_more(folder):
    content = json.loads((folder / NAME.format(0)).read_text())
    content["settings"]["seed"] = 9
    (folder / NAME.format(9)).write_text(json.dumps(content))
    with pytest.raises(DamagedError, match=f"{NAME.format(9)}.*are those of {NAME.format(0)}"):
        records.read(folder)
