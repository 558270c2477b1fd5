"""Time a cold and a warm build of the book, stage by stage, in a fresh clone; write the record.

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

import torch

from vaelib import artifacts, environment

REPOSITORY = Path(__file__).resolve().parents[1]
DONE = re.compile(r"run \S+: done in (\d+) s")
EXECUTED = re.compile(r"Executed notebook in ([\d.]+) seconds")


def timed(*command: str, folder: Path, data: Path) -> tuple[float, str]:
    """Run a command; return its wall time in seconds and what it printed."""
    start = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"VAELIB_DATA": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")
    return seconds, done.stdout


def stages(clone: Path, data: Path) -> dict[str, float]:
    """Build the book; return stage → seconds."""
    total, output = timed("make", "book", folder=clone, data=data)
    runs = sum(map(float, DONE.findall(output)))
    chapters = sum(map(float, EXECUTED.findall(output)))
    training = 0.0
    if runs:
        for path in (clone / "book" / "runs").glob("*/environment.json"):
            training += json.loads(path.read_text())["training_seconds"]
    return {
        "four trainings": training,
        "data, evaluation, figures": runs - training,
        "cells of the chapters": chapters,
        "Sphinx": total - runs - chapters,
    }


def main(record: str) -> None:
    """Clone the last commit, build it twice, and write the record."""
    with tempfile.TemporaryDirectory() as folder:
        clone, data = Path(folder) / "a clone", Path(folder) / "data"
        subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)
        installation, _ = timed("make", "install", folder=clone, data=data)
        result = {
            "environment": environment.describe(torch.device("cpu")),
            "cold": {"installation": installation, **stages(clone, data)},
            "warm": stages(clone, data),
        }
        for build in ("cold", "warm"):
            result[f"{build}_total"] = sum(result[build].values())
    artifacts.write_json(result, Path(record))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
