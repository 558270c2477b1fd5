"""Try schedules on validation data only, with seeds from 100 on; write the record.

Every training has a process of one thread; as many run at once as there are processors.

Usage: schedules.py RECORD
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path

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
BASE = replace(RECIPES["report"], name="tried")
VARIANTS = {
    "report": {},
    "one rate for all layers": {"dense_rate": 1.0},
}


def live_units(model: VAE, images: torch.Tensor) -> int:
    """Count the units of the encoder's dense layer that answer to more than 1 % of the images."""
    answers = []
    handle = model.encoder.dense.register_forward_hook(
        lambda layer, inputs, output: answers.append(output > 0)
    )
    with torch.no_grad():
        for batch in images.split(250):
            model.encoder(data.to_unit(batch))
    handle.remove()
    return int((torch.cat(answers).double().mean(0) > 0.01).sum())


def training(job: tuple[str, str, int]) -> dict:
    """Train once; return the validation totals by epoch and the number of live units."""
    variant, loss, seed = job
    torch.set_num_threads(1)
    keep_freed_memory()
    recipe = replace(BASE, **VARIANTS[variant])
    digits = data.load()
    model = VAE(2, generator=torch.Generator().manual_seed(seed))
    noise = draw_noise(len(digits.images), 2, seed)[digits.held_out :]
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
        "live_units": live_units(model, images[1]),
    }


def main(record: str) -> None:
    """Train all variants with all seeds, and write the record."""
    jobs = [(variant, "bce", seed) for seed in SEEDS for variant in VARIANTS]
    jobs += [("report", "mse", seed) for seed in SEEDS]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        trainings = list(tqdm(pool.map(training, jobs), total=len(jobs)))
    result = {"environment": environment.describe(torch.device("cpu")), "trainings": trainings}
    artifacts.write_json(result, Path(record))
    for row in trainings:
        print(row["variant"], row["loss"], row["seed"], row["validation"][-1], row["live_units"])


if __name__ == "__main__":
    main(*sys.argv[1:])
