"""Compute what is not fresh of many trainings' records, in this process or on a Dask cluster."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load as from_bytes

from vaelib.data.load import fingerprints, load_data
from vaelib.measure.model import MEASURES
from vaelib.plumbing.files import read_json, sha256, write_json
from vaelib.plumbing.machine import commit, processor
from vaelib.plumbing.stale import PACKAGE
from vaelib.study import freshness, records
from vaelib.study.freshness import TRAINING
from vaelib.training import store
from vaelib.training.folder import weights_as_bytes
from vaelib.training.run import model_with, resumable, train
from vaelib.training.settings import Settings

RESULTS = ("losses", "history", "weights")  # of a training: equal ones are equal trainings
LONG = MEASURES.keys() - {"appearance", "rate", "samples", "levels", "explored"}
"""Measures that take minutes."""


@dataclass(frozen=True)
class Task:
    """What is to be computed of a training.

    ``earlier`` is its record, empty if there is none; ``parts`` are those to make; ``weights`` has
    its weights as a safetensors file, if they are at hand.
    """

    settings: Settings
    earlier: dict
    parts: tuple[str, ...]
    weights: bytes | None = None


class Made(NamedTuple):
    """A record, with ``inputs`` in the place of stamps for what was made; the weights; a remark."""

    record: dict
    weights: bytes
    remark: str = ""


def compute(task: Task, state: Path | None = None) -> Made:
    """Make the parts of a record that a task names; the data are found as ``VAELIB_DATA`` says.

    A training is repeated where its weights are not at hand. If its results then differ from the
    recorded ones, this is remarked, and nothing of the earlier record stays.

    Args:
        task: what to make.
        state: see ``kept`` of :func:`vaelib.training.run.train`.

    Raises:
        ValueError: the library's files were edited after this process had begun.
    """
    settings, parts, weights = task.settings, task.parts, task.weights
    inputs = {
        part: freshness.inputs_of(part, settings.recipe) for part in freshness.parts_of(settings)
    }
    record, remark = task.earlier | {"made": dict(task.earlier.get("made", {}))}, ""
    data = load_data(settings.recipe_settings.data)
    if weights is None or TRAINING in parts:
        run = train(settings, data, state)
        weights = weights_as_bytes(run.weights)
        own = {name: getattr(run, name) for name in ("losses", "outcome", "history", "environment")}
        own["weights"] = hashlib.sha256(weights).hexdigest()
        if record["made"] and any(record.get(name, own[name]) != own[name] for name in RESULTS):
            before, now = (each["losses"]["test"]["total"] for each in (record, own))
            remark = f"trained again, test total {before} before and {now} now"
            record, parts = {"made": {}}, tuple(inputs)
        elif record["made"] and TRAINING not in parts:
            own = {"weights": own["weights"]}  # it was repeated for these alone
        record |= {"settings": run.settings.as_record(), **own}
    model = model_with(from_bytes(weights))
    for part in parts:
        if part != TRAINING:
            record[part] = MEASURES[part](model, settings.objective, data, settings.seed)
        record["made"][part] = made_now() | {"inputs": inputs[part]}
    _require_unedited()
    return Made(record, weights, remark)


def _require_unedited() -> None:
    """Raise ValueError if files of the library are others than this process has read."""
    edited = [name for name, now in _code().items() if READ.get(name) != now]
    if edited:
        raise ValueError(
            f"{edited[0]} was edited after this process had begun, so what it has made cannot say "
            "by which code: start it again"
        )


def _code() -> dict[str, str]:
    return {str(path): sha256(path) for path in PACKAGE.rglob("*.py")}


READ = _code()  # not by their dates: the clock of a file system may run behind


def made_now() -> dict:
    """Return commit, date, processor and threads of what is made at this moment."""
    return {
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
    }


def tasks(trainings: Iterable[Settings], folder: Path) -> Iterator[Task]:
    """List what is not fresh of the records in a folder, the trainings in their order.

    A measure that takes minutes waits until its training is recorded, and is a task by itself then.
    """
    trainings = list(trainings)
    states = freshness.states(trainings, folder)
    for settings in trainings:
        parts = tuple(part for part, reason in states[settings.name].items() if reason)
        file = records.path_of(folder, settings)
        earlier = read_json(file) if file.exists() else {}
        weights = store.find(earlier.get("weights"))
        long = [part for part in parts if part in LONG]
        short = tuple(part for part in parts if part not in long)
        if TRAINING in parts:
            some = [short]
        elif weights is None:  # it is repeated once, for all of them
            some = [parts]
        else:
            some = [short, *((part,) for part in long)]
        for each in filter(None, some):
            yield Task(settings, earlier, each, weights)


def record(trainings: Iterable[Settings], folder: Path, scheduler: str = "") -> Iterator[str]:
    """Compute what is not fresh, and write each record whole as it is finished.

    Args:
        trainings: whose records are wanted.
        folder: of the records, one JSON file each.
        scheduler: address of a Dask scheduler whose workers compute; empty: this process does.

    Yields:
        The name of each record when it has been written, with the parts that were made.

    Raises:
        ImportError: a scheduler is given, and Dask is not installed.
        ConnectionError: a training whose worker was lost again and again, when all others are done.
        OSError: another process works on these records.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trainings = list(trainings)
    with records.alone(folder):
        while todo := list(tasks(trainings, folder)):
            finished = _on_cluster(todo, scheduler) if scheduler else _here(todo, folder)
            for task, (result, weights, remark) in finished:
                store.keep(weights)
                parts = _keep(result, records.path_of(folder, task.settings))
                said = "; ".join(filter(None, [", ".join(parts), remark]))
                yield f"{task.settings.name}: {said}"
        freshness.forget_stamps(folder)


def _keep(result: dict, file: Path) -> list[str]:
    """Write a record, together with what else has been made of the training; name what is new."""
    parts = [part for part, made in result["made"].items() if "inputs" in made]
    for part in parts:
        made = result["made"][part]
        made["stamp"] = freshness.stamp(made.pop("inputs"), file.parent)
    if TRAINING not in parts:
        since = read_json(file)
        new = {part: result[part] for part in parts}
        made = since["made"] | {part: result["made"][part] for part in parts}
        result = since | {"weights": result["weights"], "made": made} | new
    write_json(result, file)
    return parts


def _here(todo: list[Task], folder: Path) -> Iterator[tuple[Task, Made]]:
    for task in todo:
        images, _ = fingerprints(task.settings.recipe_settings.data)
        with resumable(task.settings, images, records.path_of(folder, task.settings)) as state:
            yield task, compute(task, state)


def _on_cluster(todo: list[Task], scheduler: str) -> Iterator[tuple[Task, Made]]:
    try:
        from distributed import Client, KilledWorker, as_completed
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{error}, which --scheduler needs; install it with: pip install --editable '.[sweep]'"
        ) from error
    with Client(scheduler) as client:
        # Not pure: equal settings may run again. A task whose worker is lost goes to another.
        futures = {client.submit(compute, task, pure=False): task for task in todo}
        failure: Exception | None = None
        for future in as_completed(futures):
            task = futures[future]
            try:
                yield task, future.result()
            except KilledWorker as error:
                failure = ConnectionError(f"{task.settings.name} was given up: {error}")
            except (ArithmeticError, ValueError) as error:
                failure = error
        if failure:
            raise failure
