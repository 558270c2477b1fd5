"""Renew the stamps of records without hours of computing: repeat a little, and compare.

Of all trainings that were made of the same inputs with the same loss, two are repeated for one
epoch, and a third if these two differ: two must come out as they are recorded. A measure is taken
again of the first record whose weights are at hand; it must come out the same, bit for bit.

On the kind of processor that made a record, with its PyTorch, bit for bit is asked of a training
too. Another one rounds otherwise, and a rounding grows: between two recordings of ten trainings,
on two kinds, the total of the first epoch moved by at most 0.01 of its standard deviation over
seeds in nine, and by a whole one in the tenth. So a tenth of that deviation is allowed, of the
training and of the validation total, and one training of three may stray. Of another seed, one
total is as near with a probability of 6 %, twice of three times with 1 %; and two must be.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from statistics import stdev

import torch
from safetensors.torch import load as from_bytes

from vaelib.digits import dataset
from vaelib.measure.model import MEASURES
from vaelib.plumbing import machine
from vaelib.plumbing.files import write_json
from vaelib.study import records
from vaelib.study.grid import made_now
from vaelib.study.records import TRAINING, select
from vaelib.training import store
from vaelib.training.run import model_with, train

TOTALS = ("total", "val_total")  # of the first epoch, that are compared
TOLERANCE = 0.1  # in standard deviations over seeds
ENOUGH = 2  # records that agree, or that do not


def replay(folder: Path) -> Iterator[str]:
    """Replay the records of a folder, group by group; renew the stamps of those that agree.

    The record keeps commit and date of what it was made by; those of the replay come beside them.
    A group that does not agree is stale from then on.

    Yields:
        A sentence for each group, when its records have been written.
    """
    found = records.read(folder)
    for part in (TRAINING, *MEASURES):
        having = [record for record in found if part in record["made"]]
        for _, group in groupby(sorted(having, key=_same(part)), _same(part)):
            yield from _replay(part, list(group), found, folder)
    records.forget_stamps(folder)


def _same(part: str):
    """Return what is equal for records whose part was made of the same inputs in the same way."""
    loss = "reconstruction_loss"
    return lambda r: (r["settings"]["recipe"], r["settings"][loss], r["made"][part]["stamp"])


def _replay(part: str, group: list[dict], found: list[dict], folder: Path) -> Iterator[str]:
    inputs = records.inputs_of(part, records.settings_of(group[0]))
    compare = _trainings(group, found) if part == TRAINING else _measures(part, group)
    outcomes = list(compare)
    first = records.settings_of(group[0])
    what = f"{part}, {len(group)} records like {first.name}"
    if not outcomes:
        yield f"{what}: not replayed, no weights are here, or another kind of processor made them"
        return
    agrees = outcomes.count(True) > outcomes.count(False)
    for record in group:
        made = record["made"][part]
        made["replayed"] = made_now() | {"agrees": agrees}
        if agrees:
            made["stamp"] = records.stamp(inputs, folder)
        write_json(record, records.path_of(folder, records.settings_of(record)))
    yield f"{what}: {outcomes.count(True)} of {len(outcomes)} replayed agree"


def _trainings(group: list[dict], found: list[dict]) -> Iterator[bool]:
    """Repeat the first epoch of some trainings; say of each whether it is what was recorded."""
    outcomes: list[bool] = []
    for record in sorted(group, key=lambda record: record["settings"]["seed"]):
        outcomes.append(_agrees(record, first_epoch(record), found))
        yield outcomes[-1]
        if max(outcomes.count(True), outcomes.count(False)) == ENOUGH:
            return


def first_epoch(record: dict) -> dict[str, float]:
    """Repeat the first epoch of a record's training, with as many threads as it had."""
    settings = records.settings_of(record)
    digits = dataset.load(settings.recipe_settings.data)
    threads = torch.get_num_threads()
    torch.set_num_threads(record["environment"]["threads"])
    try:
        return train(settings, digits, epochs=1).history[0]
    finally:
        torch.set_num_threads(threads)


def _agrees(record: dict, row: dict[str, float], found: Iterable[dict]) -> bool:
    """Tell whether the first row of a history is that of a record."""
    recorded, environment = record["history"][0], record["environment"]
    here = machine.describe(records.settings_of(record).torch_device())
    same = all(environment[key] == here[key] for key in ("processor", "threads"))
    if same and environment["versions"]["torch"] == here["versions"]["torch"]:
        return recorded == row
    own = {k: v for k, v in record["settings"].items() if k not in ("seed", "recipe_settings")}
    alike = [other["history"][0] for other in select(list(found), **own)]
    return all(
        abs(row[name] - recorded[name]) <= TOLERANCE * stdev(other[name] for other in alike)
        for name in TOTALS
    )


def _measures(part: str, group: list[dict]) -> Iterator[bool]:
    """Take a measure again of the first record whose weights are here, made on such a processor."""
    for record in group:
        weights = store.find(record.get("weights"))
        if weights and record["made"][part].get("processor") == machine.processor():
            settings = records.settings_of(record)
            model = model_with(from_bytes(weights), settings.latent_dim)
            digits = dataset.load(settings.recipe_settings.data)
            again = MEASURES[part](model, settings.objective, digits, settings.seed)
            yield json.loads(json.dumps(again)) == record[part]
            return
