"""Renew the stamps of records without hours of computing: repeat a little, and compare.

Of all stale trainings that were made of the same inputs with the same loss, two are repeated for
one epoch, and a third if these two differ: two must come out as they are recorded. A stale measure
is taken again of the first record whose weights are at hand; it must come out the same, bit for
bit. Only changes of code and of versions can be vouched for so, and of those only what shows in a
first epoch: whoever edits what comes after it, such as early stopping, makes the records again.

On the kind of processor that made a record, with its PyTorch, bit for bit is asked of a training
too. Another one chooses other kernels, whose sums round otherwise, and a rounding grows: between
two recordings of ten trainings (the first edition's, in git's history, and today's) with the recipe
``original``, on two kinds, the totals of the first epoch moved by at most 0.03 of their standard
deviation over seeds in nine, and by more than one in the tenth. So a tenth of it is
allowed, of the training and of the validation total, and one training of three may stray. Of
another seed, one total is as near with a probability of 6 %, twice of three times with 1 %; and two
must be. With the recipe ``report``, no training that was tried agreed with one from another kind of
processor, unless it was made to choose the same kernels (``benchmarks/kernels.py``): such records
must be made again.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import groupby
from pathlib import Path
from statistics import stdev

import torch
from safetensors.torch import load as from_bytes

from vaelib.data.load import load_data
from vaelib.measure.model import MEASURES
from vaelib.plumbing.files import write_json
from vaelib.plumbing.stale import changes
from vaelib.study import freshness, records
from vaelib.study.freshness import TRAINING
from vaelib.study.grid import made_now
from vaelib.study.records import select
from vaelib.training import store
from vaelib.training.run import model_with, train

TOTALS = ("total", "val_total")  # of the first epoch, that are compared
TOLERANCE = 0.1  # in standard deviations over seeds
ENOUGH = 2  # records that agree, or that do not


def replay(folder: Path) -> Iterator[str]:
    """Replay what is stale of the records of a folder, and renew the stamps of what agrees.

    The record keeps commit and date of what it was made by; those of the replay come beside them.
    What does not agree is stale for that reason, until it is made or replayed again.

    Yields:
        A sentence for each group, when its records have been written.

    Raises:
        OSError: another process works on these records.
    """
    with records.alone(folder):
        found = records.read(folder)
        stamps = freshness.read_stamps(folder)
        current = cache(freshness.inputs_of)
        reasons = [freshness.why_stale(record, stamps, current) for record in found]
        for part in (TRAINING, *MEASURES):
            stale = [
                record
                for record, why in zip(found, reasons, strict=True)
                if why.get(part) and part in record["made"]
            ]
            for _, group in groupby(sorted(stale, key=_same(part)), _same(part)):
                yield _replay(part, list(group), found, folder)
        freshness.forget_stamps(folder)


def _same(part: str):
    """Return what is equal for records whose part was made of the same inputs in the same way."""
    loss = "reconstruction_loss"
    return lambda r: (r["settings"]["recipe"], r["settings"][loss], r["made"][part]["stamp"])


def _replay(part: str, group: list[dict], found: list[dict], folder: Path) -> str:
    first = records.settings_of(group[0])
    what = f"{part}, {len(group)} records like {first.name}"
    inputs = freshness.inputs_of(part, first.recipe)
    recorded = freshness.read_stamps(folder).get(group[0]["made"][part]["stamp"], {})
    others = [
        name for name in changes(recorded, inputs) if not name.startswith(("modules.", "versions."))
    ]
    if others:
        return f"{what}: not replayed, for {', '.join(others)} changed"
    outcomes = list(_trainings(group, found) if part == TRAINING else _measures(part, group))
    if not outcomes:
        return f"{what}: not replayed, for there is nothing here to hold it against"
    agrees = outcomes.count(True) > outcomes.count(False)
    again = made_now() | {"agrees": agrees}
    del again["threads"]  # they were those of each record
    for record in group:
        made = record["made"][part]
        made["replayed"] = again
        if agrees:
            made["stamp"] = freshness.stamp(inputs, folder)
        write_json(record, records.path_of(folder, records.settings_of(record)))
    return f"{what}: {outcomes.count(True)} of {len(outcomes)} replayed agree"


def _trainings(group: list[dict], found: list[dict]) -> Iterator[bool]:
    """Repeat the first epoch of some trainings; say of each whether it is what was recorded."""
    outcomes: list[bool] = []
    comparable = [record for record in group if record["environment"]["device"] == "cpu"]
    if len(comparable) < ENOUGH:
        return
    for record in sorted(comparable, key=lambda record: record["settings"]["seed"]):
        outcomes.append(_agrees(record, first_epoch(record), found))
        yield outcomes[-1]
        if max(outcomes.count(True), outcomes.count(False)) == ENOUGH:
            return


def first_epoch(record: dict) -> dict[str, float]:
    """Repeat the first epoch of a record's training on the CPU, with as many threads as it had."""
    settings = replace(records.settings_of(record), device="cpu")
    data = load_data(settings.recipe_settings.data)
    with _threads(record["environment"]):
        return train(settings, data, stop_after=1).history[0]


@contextmanager
def _threads(made: dict) -> Iterator[None]:
    """Compute with as many threads as something was made with."""
    before = torch.get_num_threads()
    torch.set_num_threads(made.get("threads", before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _here(made: dict) -> bool:
    """Tell whether something was made on this kind of processor."""
    here = made_now()
    return all(made.get(name) == here[name] for name in ("processor", "capability"))


def _agrees(record: dict, row: dict[str, float], found: Iterable[dict]) -> bool:
    """Tell whether the first row of a history is that of a record."""
    recorded, environment = record["history"][0], record["environment"]
    if _here(environment) and environment["versions"]["torch"] == torch.__version__:
        return recorded == row
    own = {k: v for k, v in record["settings"].items() if k not in ("seed", "recipe_settings")}
    alike = [other["history"][0] for other in select(list(found), **own)]
    return len(alike) > 1 and all(
        abs(row[name] - recorded[name]) <= TOLERANCE * stdev(other[name] for other in alike)
        for name in TOTALS
    )


def _measures(part: str, group: list[dict]) -> Iterator[bool]:
    """Take a measure again of the first record whose weights are here, made on such a processor."""
    for record in group:
        weights = store.find(record.get("weights"))
        if weights and _here(record["made"][part]):
            settings = records.settings_of(record)
            model = model_with(from_bytes(weights))
            data = load_data(settings.recipe_settings.data)
            with _threads(record["made"][part]):
                again = MEASURES[part](model, settings.objective, data, settings.seed)
            yield json.loads(json.dumps(again)) == record[part]
            return
