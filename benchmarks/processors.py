"""Make trainings again that were recorded on another kind of processor: what does a rounding do?

Only records count that today's code has made, and no earlier one. The seeds are those from 0 on.

Usage: processors.py SEEDS RECORD
"""

import sys
from pathlib import Path

from tqdm import tqdm

from vaelib.data.load import load_data
from vaelib.plumbing.files import write_json
from vaelib.plumbing.machine import processor
from vaelib.study import freshness, records
from vaelib.study.design import OBJECTIVES
from vaelib.training.run import train
from vaelib.training.settings import Settings

FOLDER = Path(__file__).resolve().parents[1] / "book" / "recorded" / "records"
FIRST = ("bce", "mse")  # of the objectives: those of the original


def totals(history: list[dict], losses: dict) -> list[float]:
    """List the validation totals after each epoch, and the test total, nats per image."""
    return [*(row["val_total"] for row in history), losses["test"]["total"]]


def main(seeds: str, record: str) -> None:
    """Train with the recipe ``report``, and write the totals of both beside each other."""
    wanted = [Settings(*OBJECTIVES[name], seed=n) for n in range(int(seeds)) for name in FIRST]
    states = freshness.states(wanted, FOLDER)
    stale = [each.name for each in wanted if states[each.name][freshness.TRAINING]]
    if stale:
        raise SystemExit(f"{', '.join(stale)} were made by other code: run make record there first")
    known = {records.settings_of(found): found for found in records.read(FOLDER)}
    here = processor()
    if any(known[settings]["environment"]["processor"] == here for settings in wanted):
        raise SystemExit(f"records were made on a processor {here!r} too; expected another kind")
    data, environments, trainings = load_data("mnist"), [], []
    for settings in tqdm(wanted):
        run, found = train(settings, data), known[settings]
        environments = [found["environment"], run.environment]
        trainings.append(
            {
                "loss": settings.reconstruction_loss,
                "seed": settings.seed,
                "totals": [
                    totals(found["history"], found["losses"]),
                    totals(run.history, run.losses),
                ],
            }
        )
    write_json({"environments": environments, "trainings": trainings}, Path(record))


if __name__ == "__main__":
    main(*sys.argv[1:])
