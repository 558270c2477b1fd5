"""Try schedules on validation data only, with seeds from 100 on; add what the record lacks.

Every training has a process of one thread; as many run at once as there are processors.

Usage: schedules.py RECORD
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import mean

import torch
from tqdm import tqdm

from vaelib.data.load import load_data
from vaelib.plumbing import machine
from vaelib.plumbing.files import read_json, write_json
from vaelib.plumbing.words import printed
from vaelib.study import statistics
from vaelib.training.fit import fit
from vaelib.training.recipes import RECIPES
from vaelib.vae.losses import draw_noise
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective
from vaelib.vae.thresholds import GAPS, Thresholds

SEEDS = range(100, 105)
BASE = replace(RECIPES["report"], name="tried")


def _rates(factor: float) -> dict[str, float]:
    names = ("learning_rate", "muon_learning_rate")
    return {name: factor * getattr(BASE, name) for name in names}


ADAM = {"muon_learning_rate": None, "learning_rate": 8e-3}
VARIANTS = {
    "base": {},
    "Adam alone": ADAM,
    "two epochs": {"epochs": 2},
    "batches of 256": {"batch_size": 256},
    "half of both rates": _rates(0.5),
    "twice both rates": _rates(2),
}
RATES = ("base", "half of both rates", "twice both rates")
TRIED = {
    "mse": (*RATES, "Adam alone", "two epochs"),
    "bce": tuple(VARIANTS),
    "gaussian": RATES,
    "odds": RATES,
    "logistic": RATES,
    "cb-levels": RATES,
}
"""Reconstruction loss → the variants that are tried with it."""
JOBS = [
    (variant, loss, seed) for loss, tried in TRIED.items() for variant in tried for seed in SEEDS
]
WEIGHTS = {"bce": 0.5, "mse": 0.5}  # of the divergence, the original's; of the others it is 1


class LiveUnits:
    """Count, while a model is trained, the units of the encoder's dense layer that are alive.

    A unit is alive in a window of steps if it is positive for more than 1 % of their images.
    """

    WINDOW = 50

    def __init__(self, model: VAE):
        self.positive = []
        model.encoder.dense.register_forward_hook(self._look)

    def _look(self, layer, inputs, output: torch.Tensor) -> None:
        if torch.is_grad_enabled():  # training, not validation
            self.positive.append((output > 0).double().mean(0))

    def by_window(self) -> list[int]:
        """Return the number of living units in each window; the last ends at the last step."""
        shares = torch.stack(self.positive)
        start = len(shares) % self.WINDOW
        windows = shares[start:].view(-1, self.WINDOW, shares.shape[1]).mean(1)
        return (windows > 0.01).sum(1).tolist()


def training(job: tuple[str, str, int]) -> dict:
    """Train once; return the validation totals by epoch and the number of live units."""
    variant, loss, seed = job
    torch.set_num_threads(1)
    machine.keep_freed_memory()
    recipe = replace(BASE, **VARIANTS[variant])
    data = load_data()
    thresholds = Thresholds.of(data.training_images, GAPS[loss]) if loss in GAPS else None
    model = VAE(2, generator=torch.Generator().manual_seed(seed), thresholds=thresholds)
    live = LiveUnits(model)
    noise = draw_noise(len(data.images), 2, seed)
    result = fit(model, Objective(loss, WEIGHTS.get(loss, 1.0)), recipe, data, noise, seed)
    return {
        "variant": variant,
        "loss": loss,
        "seed": seed,
        "recipe": asdict(recipe),
        "steps": -(-data.training_number // recipe.batch_size) * recipe.epochs,
        "validation": [row["val_total"] for row in result.history],
        "live_units": live.by_window(),
    }


def summaries(trainings: list[dict]) -> dict[str, dict]:
    """Summarise each variant over its seeds, and hold it against the base, seed by seed.

    Args:
        trainings: of :func:`training`, as many as there are yet.

    Returns:
        "variant, LOSS" → summary; ``above_base`` where at least two seeds have both.
    """
    by_group: dict[tuple[str, str], dict[int, dict]] = {}
    for row in trainings:
        by_group.setdefault((row["variant"], row["loss"]), {})[row["seed"]] = row
    result = {}
    for (variant, loss), rows in by_group.items():
        base = by_group.get(("base", loss), {})
        totals = [row["validation"][-1] for row in rows.values()]
        above = [rows[s]["validation"][-1] - base[s]["validation"][-1] for s in rows if s in base]
        result[f"{variant}, {printed(loss)}"] = {
            "mean": mean(totals),
            "least": min(totals),
            "greatest": max(totals),
            "seeds": len(rows),
            "steps": next(iter(rows.values()))["steps"],
            "live_units": mean(row["live_units"][-1] for row in rows.values()),
        }
        if len(above) > 1:
            bounds = dict(zip(("low", "high"), statistics.confidence_interval(above), strict=True))
            result[f"{variant}, {printed(loss)}"]["above_base"] = {
                "mean": mean(above),
                "confidence": bounds,
            }
    return result


def main(path: str) -> None:
    """Train what is not in the record, and write it after every training."""
    record = Path(path)
    trainings = read_json(record)["trainings"] if record.exists() else []
    there = {(row["variant"], row["loss"], row["seed"]) for row in trainings}
    jobs = [job for job in JOBS if job not in there]
    surroundings = machine.describe(torch.device("cpu"))  # before the record changes
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for row in tqdm(pool.map(training, jobs), total=len(jobs)):
            trainings.append(row | {"commit": surroundings["commit"]})
            trainings.sort(key=lambda row: JOBS.index((row["variant"], row["loss"], row["seed"])))
            result = {
                "environment": surroundings,
                "recipe": asdict(BASE),
                "window": LiveUnits.WINDOW,
                "summary": summaries(trainings),
                "trainings": trainings,
            }
            write_json(result, record)
            print(row["variant"], row["loss"], row["seed"], row["validation"][-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
