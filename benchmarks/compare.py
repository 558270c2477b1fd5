"""Time the same training step in vaelib and in its peers, and whole trainings; write the record.

All contestants run in one go and take turns, in an order drawn anew each time, so that a change in
the machine's speed, and what a contestant leaves in the caches, meets all of them. A peer lives in
an environment of its own (``make bench`` makes them); a contestant that waits uses no processor.

Usage: compare.py KERAS_PYTHON JAX_PYTHON PYTHAE_PYTHON RECORD
"""

import json
import random
import subprocess
import sys
from pathlib import Path
from statistics import mean, median, quantiles, stdev

import torch
from tqdm import tqdm

from vaelib.data import mnist
from vaelib.plumbing import machine
from vaelib.plumbing.files import write_json
from vaelib.study.original import original_losses
from vaelib.training.recipes import RECIPES

HERE = Path(__file__).parent
ROUNDS, STEPS = 24, 20  # 24 turns of twenty steps each
WARM_UP = 10  # steps before the first turn: compilation, first touch of the memory
SEEDS = range(5)
CHANGES = (
    "without keeping freed memory",
    "without channels-last",
    "with biases within the convolutions",
    "without fused Adam",
    "with bfloat16",
    "with Muon",
    "with Muon in bfloat16",
)
BATCHES = {"small": 32, "large": 128}  # 32 is what tutorials take, 128 the original
# The original's protocol; and the epochs of the recipe report, in its batches and in small ones.
KERAS = {
    name: {"batch_size": batch_size, "epochs": RECIPES[recipe].epochs}
    for name, recipe, batch_size in (
        ("original", "original", RECIPES["original"].batch_size),
        ("short", "report", RECIPES["report"].batch_size),
        ("short, small batches", "report", BATCHES["small"]),
    )
}
BATCH_SIZES = (16, 32, 64, 128, 256, 512)
LATENT_DIMENSIONS = (2, 4, 8, 16, 32, 64)
TRAINING_SIZES = (6_375, 12_750, 25_500, 51_000)


class Contestant:
    """A process that answers requests; see contestants/serve.py."""

    def __init__(self, python: str, script: str, *arguments: str):
        self.process = subprocess.Popen(
            [python, HERE / "contestants" / script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions = self._answer()

    def ask(self, what: str, **values) -> dict:
        """Ask and wait for the answer."""
        print(json.dumps({"ask": what, **values}), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[1].name} ended early: see its error above")
        return json.loads(line)

    def close(self) -> None:
        """Let the process end."""
        self.process.stdin.close()
        self.process.wait()


def quartiles(values: list[float]) -> dict:
    """Summarise values by median and quartiles."""
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return {"low": low, "median": middle, "high": high, "number": len(values)}


def take_turns(contestants: dict[str, Contestant], requests: list[dict]) -> list[dict]:
    """Time the steps of all contestants for all requests in turn.

    Returns:
        For each request, name → quartiles of its steps in milliseconds, and those over the
        rounds of the ratio (median step of the first contestant) / (its own median step).
    """
    for request in requests:
        for contestant in contestants.values():
            contestant.ask("time_steps", number=WARM_UP, **request)
    names = list(contestants)
    order = random.Random(0)  # drawn anew for every turn: nobody always follows the same one
    times = [{name: [] for name in names} for _ in requests]
    for _ in tqdm(range(ROUNDS), desc="steps"):
        for request, record in zip(requests, times, strict=True):
            for name in order.sample(names, len(names)):
                answer = contestants[name].ask("time_steps", number=STEPS, **request)
                record[name].append(answer["seconds"])
    ours = names[0]
    return [
        {
            name: {
                "milliseconds": quartiles([1e3 * s for turn in turns for s in turn]),
                "ratio": quartiles(
                    [median(a) / median(b) for a, b in zip(record[ours], turns, strict=True)]
                ),
            }
            for name, turns in record.items()
        }
        for record in times
    ]


def main(keras_python: str, jax_python: str, pythae_python: str, record: str) -> None:
    """Run everything and write the record, whole or not at all."""
    folder = str(mnist.obtain())
    ours = Contestant(sys.executable, "with_vaelib.py", folder)
    keras = Contestant(keras_python, "with_keras.py", folder)
    peers = {
        "vaelib": ours,
        "Keras": keras,
        "JAX": Contestant(jax_python, "with_jax.py", folder),
        "plain PyTorch": Contestant(sys.executable, "with_plain_pytorch.py", folder),
        "pythae": Contestant(pythae_python, "with_pythae.py", folder),
    }
    result = {
        "environment": machine.describe(torch.device("cpu")),
        "versions": {name: peer.versions for name, peer in peers.items()},
        "rounds": ROUNDS,
        "steps": STEPS,
    }
    result["batch_sizes"] = BATCHES
    sizes = {name: {"batch_size": size} for name, size in BATCHES.items()}
    result["peers"] = dict(zip(sizes, take_turns(peers, [*sizes.values()]), strict=True))
    for name in ("JAX", "plain PyTorch", "pythae"):
        peers[name].close()

    changed = {"vaelib": ours} | {
        change: Contestant(sys.executable, "with_vaelib.py", folder, change) for change in CHANGES
    }
    result["changes"] = dict(zip(sizes, take_turns(changed, [*sizes.values()]), strict=True))
    for change in CHANGES:
        changed[change].close()

    requests = [{"batch_size": size, "latent_dim": 2} for size in BATCH_SIZES]
    requests += [sizes["small"] | {"latent_dim": d} for d in LATENT_DIMENSIONS]
    result["scaling"] = [
        request | times["vaelib"]["milliseconds"]
        for request, times in zip(requests, take_turns({"vaelib": ours}, requests), strict=True)
    ]
    result["epochs"] = [
        {"images": size, **ours.ask("time_epoch", images=size)} for size in TRAINING_SIZES
    ]
    result["machine"] = ours.ask("machine")
    result |= ours.ask("layers", **sizes["large"])
    step = result["peers"]["large"]["vaelib"]["milliseconds"]["median"] / 1e3
    result["step_gflop_per_second"] = result["step_gflop"] / step
    result["share_of_peak"] = (
        result["step_gflop_per_second"] / result["machine"]["gflop_per_second"]
    )

    trainings = []
    # The peer's trainings stand in the middle of ours.
    for number, seed in enumerate(tqdm(SEEDS, desc="trainings, BCE")):
        if number == len(SEEDS) // 2:
            result["keras"] = {
                name: keras.ask("train", seed=0, **settings) for name, settings in KERAS.items()
            }
        trainings.append({"loss": "bce", "seed": seed, **_train(folder, "bce", seed)})
    for seed in tqdm(SEEDS, desc="trainings, MSE"):
        trainings.append({"loss": "mse", "seed": seed, **_train(folder, "mse", seed)})
    result["trainings"] = trainings
    result["summary"] = {loss: summary(trainings, loss) for loss in ("bce", "mse")}
    result["summary"]["share_of_keras"] = (
        result["summary"]["bce"]["seconds"]["median"] / result["keras"]["original"]["seconds"]
    )
    for contestant in (ours, keras):
        contestant.close()
    write_json(result, Path(record))
    show(result)


def _train(folder: str, loss: str, seed: int) -> dict:
    """Train in a process of its own, so that its peak memory is that of one training."""
    contestant = Contestant(sys.executable, "with_vaelib.py", folder)
    answer = contestant.ask("train", reconstruction_loss=loss, seed=seed)
    contestant.close()
    return answer


def summary(trainings: list[dict], loss: str) -> dict:
    """Summarise the trainings with one reconstruction loss over their seeds."""
    original = original_losses(HERE.parent / "book")
    rows = [row for row in trainings if row["loss"] == loss]
    totals = [row["test"]["total"] for row in rows]
    return {
        "seconds": quartiles([row["seconds"] for row in rows]),
        "test": {
            "mean": mean(totals),
            "sd": stdev(totals),
            "least": min(totals),
            "greatest": max(totals),
        },
        "reached": sum(total <= original[loss]["test"]["total"] for total in totals),
        "seeds": len(totals),
        "peak_memory_mb": max(row["peak_memory_mb"] for row in rows),
    }


def show(result: dict) -> None:
    """Print what was measured."""
    for title in ("peers", "changes"):
        for size, rows in result[title].items():
            batch = result["batch_sizes"][size]
            print(f"\none step at batch {batch}: quartiles in ms; quartiles of ours / theirs")
            for name, row in rows.items():
                ms, ratio = (
                    "{low:.2f} {median:.2f} {high:.2f}".format(**row[key])
                    for key in ("milliseconds", "ratio")
                )
                print(f"  {name:30} {ms:>20}   {ratio}")
    print("\nwhole trainings: seconds, epochs, test total")
    rows = [(f"Keras, {name}", training) for name, training in result["keras"].items()]
    rows += [(f"vaelib, {t['loss']}, seed {t['seed']}", t) for t in result["trainings"]]
    for name, row in rows:
        print(f"  {name:30} {row['seconds']:6.1f} {row['epochs']:3d} {row['test']['total']:9.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
