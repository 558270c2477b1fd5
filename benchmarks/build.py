"""Time cold and warm builds of the book, stage by stage, in a fresh clone with empty caches.

The record has the one cold build and, of five warm ones, the one whose total is the median.

Usage: build.py RECORD
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean

import torch

from vaelib.plumbing import machine
from vaelib.plumbing.files import write_json
from vaelib.plumbing.places import EXECUTED
from vaelib.training import folder

REPOSITORY = Path(__file__).resolve().parents[1]
DONE = re.compile(r"notebook (\S+): done in (\d+) s")
ALL_DONE = re.compile(r"notebooks: \d+ executed in (\d+) s")
WARM = 5
CHAPTERS = re.compile(r"chapters: \d+ executed in (\d+) s")


def timed(*command: str, folder: Path, caches: Path) -> tuple[float, str]:
    """Run a command; return its wall time in seconds and what it printed."""
    start = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"XDG_CACHE_HOME": str(caches), "VAELIB_DATA": str(caches / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")
    return seconds, done.stdout


def stages(clone: Path, caches: Path) -> tuple[dict[str, float], str]:
    """Build the book; return stage → seconds, and what was printed."""
    seconds, output = timed("make", "book", folder=clone, caches=caches)
    runs = sum(map(float, ALL_DONE.findall(output)))
    chapters = sum(map(float, CHAPTERS.findall(output)))
    return {
        "runs": runs,
        "cells of the chapters": chapters,
        "Sphinx": seconds - runs - chapters,
    }, output


def notebooks(clone: Path, output: str) -> dict[str, float]:
    """Average, over the notebooks that train, the seconds of the whole and of the training."""
    trained = {
        name: (float(seconds), folder.read(run, "outcome")["training_seconds"])
        for name, seconds in DONE.findall(output)
        if folder.holds_run(run := clone / "book" / EXECUTED / name)
    }
    whole, training = map(mean, zip(*trained.values(), strict=True))
    return {"number": len(trained), "seconds": whole, "training_seconds": training}


def total(build: dict[str, float]) -> float:
    """Return the wall time of a build in seconds."""
    return sum(build.values())


def main(record: str) -> None:
    """Clone the last commit, build it once cold and five times warm, and write the record."""
    with tempfile.TemporaryDirectory() as folder:
        clone, caches = Path(folder) / "a clone", Path(folder) / "caches"
        subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)
        installation, _ = timed("make", "install", folder=clone, caches=caches)
        build, output = stages(clone, caches)
        cold = {"installation": installation, **build}
        warm = sorted((stages(clone, caches)[0] for _ in range(WARM)), key=total)
        result = {
            "environment": machine.describe(torch.device("cpu")),
            "cold": cold,
            "notebooks": notebooks(clone, output),
            "warm": warm[WARM // 2],
            "cold_total": total(cold),
            "warm_total": total(warm[WARM // 2]),
            "warm_range": {"low": total(warm[0]), "high": total(warm[-1])},
        }
    write_json(result, Path(record))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
