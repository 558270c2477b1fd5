"""Make recorded trainings again on another processor: does it round otherwise, or choose otherwise?

PyTorch's libraries choose their kernels by the processor's instructions, and MKL also by its maker.
Here they are made to choose as they do elsewhere: ``intel``, a function answers for MKL's that the
maker is Intel; ``avx2``, newer instructions are not used; ``own``, all is left as it is.

Usage: kernels.py own|intel|avx2 RECORD TRAINING...
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from vaelib.data.load import load_data
from vaelib.plumbing.checks import require
from vaelib.plumbing.files import read_json, write_json
from vaelib.study import records
from vaelib.study.grid import RESULTS, made_now
from vaelib.training import store
from vaelib.training.folder import weights_as_bytes
from vaelib.training.run import train

FOLDER = Path(__file__).resolve().parents[1] / "book" / "recorded" / "records"
MAKER = "int mkl_serv_intel_cpu_true(void) { return 1; }"  # instead of MKL's own function
LIBRARY = Path(tempfile.gettempdir()) / "maker.so"
KERNELS = {
    "own": {},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "intel": {"LD_PRELOAD": str(LIBRARY)},
}
"""Name → the environment variables by which the libraries choose these kernels."""


def repeat(kernels: str, record: Path, name: str) -> bool:
    """Make a training again, keep its weights, and add to the record whether it is the same."""
    recorded = read_json(FOLDER / f"{name}.json")
    settings = records.settings_of(recorded)
    torch.set_num_threads(recorded["environment"]["threads"])
    run = train(settings, load_data(settings.recipe_settings.data))
    weights = weights_as_bytes(run.weights)
    store.keep(weights)
    own = {"losses": run.losses, "history": run.history}
    own["weights"] = hashlib.sha256(weights).hexdigest()
    same = all(own[part] == recorded[part] for part in RESULTS)
    made = {part: recorded["environment"].get(part) for part in ("processor", "capability")}
    row = {"training": name, "made": made, "kernels": kernels, "again": made_now(), "same": same}
    write_json([*(read_json(record) if record.exists() else []), row], record)
    return same


def main(kernels: str, record: str, *names: str) -> None:
    """Repeat trainings with the kernels asked for, in a process that chooses so from its start."""
    require("kernels", kernels, KERNELS)
    if not KERNELS[kernels].items() <= os.environ.items():
        if kernels == "intel":
            command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", LIBRARY]
            subprocess.run(command, input=MAKER, text=True, check=True)
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | KERNELS[kernels])
    for name in names:
        print(name, repeat(kernels, Path(record), name), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
