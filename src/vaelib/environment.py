"""Where a run was made: machine, versions, commit, peak memory."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vaelib.fingerprint import PACKAGE, versions

if TYPE_CHECKING:
    import torch  # slow, and not needed to count cores


def usable_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe(device: "torch.device") -> dict:
    """Describe the machine, the software and the state of the source at this moment.

    Returns:
        A record with the date (UTC), the processor, its number of usable cores, the threads that
        PyTorch uses of them, the device, the operating system, versions, the commit (see
        :func:`commit`) and the peak resident memory of this process in MB (absent where the system
        does not tell).
    """
    import torch

    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": usable_cores(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions("torch", "torchvision", "numpy", "matplotlib"),
        "commit": commit(PACKAGE),
    }
    peak = _peak_memory()
    if peak is not None:
        record["peak_memory_mb"] = round(peak / 1e6)
    return record


def commit(folder: Path) -> str:
    """Return the commit a folder was checked out at, "modified …" if files differ from it.

    Records of earlier runs do not count: a sweep writes them one by one beside its own code.
    Without git, or outside a checkout, it is "unknown".
    """

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        head = git("rev-parse", "--short=12", "HEAD")
        differing = git("status", "--porcelain", "--", ":(top)", ":(top,exclude)book/recorded")
        return f"modified {head}" if differing else head
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _peak_memory() -> int | None:
    """Return this process's peak resident memory in bytes, None where the system does not tell."""
    try:
        # Not getrusage here: Linux hands its maximum down from the process that started this one.
        status = Path("/proc/self/status").read_text()
        return 1024 * int(re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)[1])
    except FileNotFoundError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else 1024 * peak


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
