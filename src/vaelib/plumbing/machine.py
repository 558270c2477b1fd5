"""The machine that a training runs on: its description, and what its memory is told."""

import ctypes
import math
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from vaelib.plumbing.stale import PACKAGE

if TYPE_CHECKING:
    import torch  # slow, and not needed to count cores


CGROUP = Path("/proc/self/cgroup")  # names the control groups of this process
CGROUPS = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Count the cores that this process may use: a container may be given a share of the machine's.

    At least one, and parts of a core are not counted.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, int(min(cores, *_quotas())))


def _quotas() -> list[float]:
    """Return the cores that each control group (version 2) around this process allows."""
    try:
        own = re.search("^0::/(.*)$", CGROUP.read_text(), re.MULTILINE)
    except OSError:
        own = None
    found, group = [math.inf], CGROUPS / (own[1] if own else "")
    for folder in (group, *group.parents):
        try:
            quota, period = (folder / "cpu.max").read_text().split()
        except OSError:
            continue
        if quota != "max":
            found.append(int(quota) / int(period))
    return found


def describe(device: "torch.device") -> dict:
    """Describe the machine, the software and the state of the source at this moment.

    Returns:
        A record with the date (UTC), the processor, the vector instructions that PyTorch uses of it
        (``capability``), its number of usable cores, the threads that
        PyTorch uses of them, the device, the operating system, versions and the commit (see
        :func:`commit`).
    """
    import torch

    packages = ("torch", "torchvision", "numpy", "matplotlib")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cores": usable_cores(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in packages},
        "commit": commit(),
    }


def commit(package: Path = PACKAGE) -> str:
    """Return the commit that the library was checked out at, "modified …" if files differ from it.

    Records of earlier runs do not count: a sweep writes them one by one beside its own code. Files
    of which git was told to take no notice do. Without git, or where the repository is not that of
    the library, as when it is installed within another project, it is "unknown".

    Args:
        package: the folder of the library, ``src/vaelib`` in its repository.
    """
    # A hook or a user may have named another repository, index or folder of work.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}

    # In a container it may belong to another user: no danger, for its code runs already.
    trusted = f"safe.directory={package.resolve().parents[1]}"

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", package, "-c", "core.fsmonitor=false", "-c", trusted, *words],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel"), "src", "vaelib") != package.resolve():
            return "unknown"
        head = git("rev-parse", "--short=12", "HEAD")
        every = "--untracked-files=all", "--ignore-submodules=none"
        ours = "--", ":(top)", ":(top,exclude)book/recorded"
        differing = git("status", "--porcelain", *every, *ours)
        files = git("ls-files", "-v", "--full-name", ":(top)").splitlines()
        unnoticed = any(not line.startswith("H ") for line in files)
        return f"modified {head}" if differing or unnoticed else head
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def processor() -> str:
    """Return the name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def peak_memory_mb() -> int:
    """Return this process's peak resident memory in MB, 0 where the system does not tell."""
    try:
        # Not getrusage here: Linux hands its maximum down from the process that started this one.
        status = Path("/proc/self/status").read_text()
        if found := re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE):
            return round(int(found[1]) * 1024 / 1e6)
    except FileNotFoundError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if platform.system() == "Darwin" else 1024) / 1e6)


# The options' numbers in glibc's malloc.h, and values that no step of ours exceeds.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEEP = {M_MMAP_THRESHOLD: 1 << 30, M_TRIM_THRESHOLD: 1 << 30, M_TOP_PAD: 64 << 20}


def keep_freed_memory() -> bool:
    """Tell glibc to keep the memory that this process frees; nothing with another C library.

    glibc hands large blocks back to the kernel as soon as they are freed. A training step frees and
    asks for the same tens of megabytes again, and the page faults cost as much as the arithmetic.

    Returns:
        Whether glibc took the settings.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    taken = [mallopt(option, value) for option, value in KEEP.items()]
    return all(taken)
