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

from vaelib import artifacts, data, environment
from vaelib.allocator import keep_freed_memory
from vaelib.evaluation import draw_noise
from vaelib.model import VAE
from vaelib.objective import Objective
from vaelib.recipes import RECIPES
from vaelib.training import fit

SEEDS = range(100, 103)
BASE = replace(RECIPES["report"], name="tried", max_epochs=3, learning_rate=8e-3)
VARIANTS = {
    "base": {},
    "one rate for all layers": {"dense_rate": 1.0},
    "two epochs": {"max_epochs": 2},
    "half the rate": {"learning_rate": 4e-3},
    "twice the rate": {"learning_rate": 1.6e-2},
    "batches of 64": {"batch_size": 64},
    "warm-up of 10 %": {"warm_up": 0.1},
    "β₂ of 99 %": {"betas": (0.9, 0.99)},
    "four epochs": {"max_epochs": 4},
    "four epochs, twice the rate": {"max_epochs": 4, "learning_rate": 1.6e-2},
}
WITH_MSE = ("base", "twice the rate", "four epochs", "four epochs, twice the rate")
JOBS = [(variant, "mse", seed) for variant in WITH_MSE for seed in SEEDS]
JOBS += [(variant, "bce", seed) for variant in VARIANTS for seed in SEEDS]


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
    keep_freed_memory()
    recipe = replace(BASE, **VARIANTS[variant])
    digits = data.load()
    model = VAE(2, generator=torch.Generator().manual_seed(seed))
    noise = draw_noise(len(digits.images), 2, seed)[digits.held_out :]
    live = LiveUnits(model)
    objective = Objective(loss, "mean")
    images = digits.training_images, digits.validation_images
    result = fit(model, objective, recipe, *images, noise, seed)
    return {
        "variant": variant,
        "loss": loss,
        "seed": seed,
        "recipe": asdict(recipe),
        "steps": -(-len(images[0]) // recipe.batch_size) * recipe.max_epochs,
        "validation": [row["val_total"] for row in result.history],
        "live_units": live.by_window(),
    }


def summary(rows: list[dict]) -> dict:
    """Summarise the trainings of one variant over their seeds."""
    totals = [row["validation"][-1] for row in rows]
    return {
        "mean": mean(totals),
        "least": min(totals),
        "greatest": max(totals),
        "seeds": len(rows),
        "steps": rows[0]["steps"],
        "live_units": mean(row["live_units"][-1] for row in rows),
    }


def main(path: str) -> None:
    """Train what is not in the record, and write it after every training."""
    record = Path(path)
    trainings = artifacts.read_json(record)["trainings"] if record.exists() else []
    there = {(row["variant"], row["loss"], row["seed"]) for row in trainings}
    jobs = [job for job in JOBS if job not in there]
    surroundings = environment.describe(torch.device("cpu"))  # before the record changes
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for row in tqdm(pool.map(training, jobs), total=len(jobs)):
            trainings.append(row | {"commit": surroundings["commit"]})
            trainings.sort(key=lambda row: JOBS.index((row["variant"], row["loss"], row["seed"])))
            groups = dict.fromkeys((row["variant"], row["loss"]) for row in trainings)
            result = {
                "environment": surroundings,
                "recipe": asdict(BASE),
                "window": LiveUnits.WINDOW,
                "summary": {
                    f"{variant}, {loss}": summary(
                        [row for row in trainings if (row["variant"], row["loss"]) == group]
                    )
                    for group in groups
                    for variant, loss in [group]
                },
                "trainings": trainings,
            }
            artifacts.write_json(result, record)
            print(row["variant"], row["loss"], row["seed"], row["validation"][-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
