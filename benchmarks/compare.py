"""Time the same training step in vaelib and in its peers, and whole trainings; write the record.

All contestants run in one go and take turns, in an order that rotates, so that a change in the
machine's speed meets all of them. A peer lives in an environment of its own (``make bench`` makes
them); a contestant that waits uses no processor.

Usage: compare.py KERAS_PYTHON PYTHAE_PYTHON RECORD
"""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

import torch
from tqdm import tqdm

from vaelib import artifacts, environment, mnist
from vaelib.recipes import RECIPES

HERE = Path(__file__).parent
ROUNDS, STEPS = 12, 20  # twelve turns of twenty steps each
WARM_UP = 10  # steps before the first turn: compilation, first touch of the memory
SEEDS = range(5)
CHANGES = (
    "without keeping freed memory",
    "without channels-last",
    "with the stock last layer",
    "without fused Adam",
    "with bfloat16",
    "with torch.compile",
)
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


def spread(values: list[float]) -> dict:
    """Summarise values by median and quartiles."""
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high, "number": len(values)}


def take_turns(contestants: dict[str, Contestant], requests: list[dict]) -> list[dict]:
    """Time the steps of all contestants for all requests in turn.

    Returns:
        For each request, name → spread of its steps in seconds, and the spread over the rounds
        of the ratio (median step of the first contestant) / (its own median step).
    """
    for request in requests:
        for contestant in contestants.values():
            contestant.ask("time_steps", number=WARM_UP, **request)
    names = list(contestants)
    times = [{name: [] for name in names} for _ in requests]
    for turn in tqdm(range(ROUNDS), desc="steps"):
        for request, record in zip(requests, times, strict=True):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                answer = contestants[name].ask("time_steps", number=STEPS, **request)
                record[name].append(answer["seconds"])
    ours = names[0]
    return [
        {
            name: {
                "seconds": spread([s for turn in turns for s in turn]),
                "ratio": spread(
                    [median(a) / median(b) for a, b in zip(record[ours], turns, strict=True)]
                ),
            }
            for name, turns in record.items()
        }
        for record in times
    ]


def main(keras_python: str, pythae_python: str, record: str) -> None:
    """Run everything and write the record, whole or not at all."""
    folder = str(mnist.obtain())
    report = RECIPES["report"].batch_size
    ours = Contestant(sys.executable, "with_vaelib.py", folder)
    keras = Contestant(keras_python, "with_keras.py", folder)
    peers = {
        "vaelib": ours,
        "Keras": keras,
        "plain PyTorch": Contestant(sys.executable, "with_plain_pytorch.py", folder),
        "pythae": Contestant(pythae_python, "with_pythae.py", folder),
    }
    result = {
        "environment": environment.describe(torch.device("cpu")),
        "versions": {name: peer.versions for name, peer in peers.items()},
        "rounds": ROUNDS,
        "steps": STEPS,
    }
    sizes = [{"batch_size": size} for size in (report, 128)]
    timed = take_turns(peers, sizes)
    result["peers"] = {str(s["batch_size"]): t for s, t in zip(sizes, timed, strict=True)}
    for name in ("plain PyTorch", "pythae"):
        peers[name].close()

    changed = {"vaelib": ours} | {
        change: Contestant(sys.executable, "with_vaelib.py", folder, change) for change in CHANGES
    }
    timed = take_turns(changed, sizes)
    result["changes"] = {str(s["batch_size"]): t for s, t in zip(sizes, timed, strict=True)}
    for change in CHANGES:
        changed[change].close()

    requests = [{"batch_size": size} for size in BATCH_SIZES]
    requests += [{"batch_size": report, "latent_dim": d} for d in LATENT_DIMENSIONS]
    timed = take_turns({"vaelib": ours}, requests)
    result["scaling"] = [
        request | {"seconds": times["vaelib"]["seconds"]}
        for request, times in zip(requests, timed, strict=True)
    ]
    result["epochs"] = [
        {"images": size, **ours.ask("time_epoch", images=size)} for size in TRAINING_SIZES
    ]
    result["machine"] = ours.ask("machine")
    result["layers"] = ours.ask("layers", batch_size=128)

    trainings = []
    # The peer's long training stands in the middle of ours.
    for number, seed in enumerate(tqdm(SEEDS, desc="trainings, BCE")):
        if number == len(SEEDS) // 2:
            result["keras_training"] = keras.ask("train", seed=0)
        trainings.append({"loss": "bce", "seed": seed, **_train(folder, "bce", seed)})
    for seed in tqdm(SEEDS, desc="trainings, MSE"):
        trainings.append({"loss": "mse", "seed": seed, **_train(folder, "mse", seed)})
    result["trainings"] = trainings
    result["date"] = datetime.now(UTC).date().isoformat()
    for contestant in (ours, keras):
        contestant.close()
    artifacts.write_json(result, Path(record))
    show(result)


def _train(folder: str, loss: str, seed: int) -> dict:
    """Train in a process of its own, so that its peak memory is that of one training."""
    contestant = Contestant(sys.executable, "with_vaelib.py", folder)
    answer = contestant.ask("train", reconstruction_loss=loss, seed=seed)
    contestant.close()
    return answer


def show(result: dict) -> None:
    """Print what was measured."""
    for title in ("peers", "changes"):
        for size, rows in result[title].items():
            print(f"\none step at batch {size}: median (quartiles) in ms; ours / theirs")
            for name, row in rows.items():
                s, r = row["seconds"], row["ratio"]
                print(
                    f"  {name:30} {s['median'] * 1e3:6.1f} ({s['low'] * 1e3:.1f} to "
                    f"{s['high'] * 1e3:.1f})   {r['median']:.2f} ({r['low']:.2f} to {r['high']:.2f})"
                )
    print("\nwhole trainings: seconds, epochs, test total")
    rows = [("Keras, original's protocol", result["keras_training"])]
    rows += [(f"vaelib, {t['loss']}, seed {t['seed']}", t) for t in result["trainings"]]
    for name, row in rows:
        print(f"  {name:30} {row['seconds']:6.1f} {row['epochs']:3d} {row['test']['total']:9.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
