"""Processes that execute notebooks, and end with the one that started them, whatever ends that."""

import ctypes
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager

PR_SET_PDEATHSIG = 1  # of Linux's prctl
PRIVATE = {  # variable → folder of a program's settings, so that no user's own change a result
    "MPLCONFIGDIR": "matplotlib",
    "IPYTHONDIR": "ipython",
    "JUPYTER_RUNTIME_DIR": "jupyter",
}


@contextmanager
def pool(number: int, threads: int, settings: Path) -> Iterator[ProcessPoolExecutor]:
    """Make processes for notebooks; when an exception leaves the context, they are killed.

    Args:
        number: of processes.
        threads: that PyTorch may use in each, unless ``OMP_NUM_THREADS`` says otherwise. A step in
            small batches is too short to keep two cores busy: two trainings with one thread each
            take less time together than one after the other with two.
        settings: folder for what Jupyter, IPython and matplotlib keep.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy what Sphinx holds
    with ProcessPoolExecutor(number, context, _begin, (threads, settings)) as processes:
        try:
            yield processes
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()
            raise


def _begin(threads: int, settings: Path) -> None:
    """Prepare a process for notebooks."""
    os.setsid()  # Ctrl-C in a terminal is for the parent, which ends this process
    # Nor can it be sent to this process or a kernel, which might lose a request, and wait for ever.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    for variable, name in PRIVATE.items():
        os.environ[variable] = str(settings / name)
        (settings / name).mkdir(parents=True, exist_ok=True)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent  # this one was started by the pool
    wait([parent.sentinel])
    os._exit(1)


class Kernels(AsyncKernelManager):
    """Starts kernels that end with the process that started them.

    A kernel itself looks once a second whether its parent has become process 1. Linux can do
    better: it kills the kernel at once, also where another process adopts orphans.

    Kernels are spoken to through sockets that are files. The number of a network port could be
    taken between its choice and its use, by a kernel that starts at the same time.
    """

    async def start_kernel(self, **options) -> None:  # type: ignore[override]
        """Start a kernel as the base class does."""
        self.transport = "ipc"
        self.connection_file = str(Path(tempfile.gettempdir(), f"kernel-{uuid.uuid4().hex}.json"))
        if sys.platform == "linux":
            prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

            def end_with_parent() -> None:
                prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != parent:  # it has ended meanwhile
                    os._exit(1)

            options["preexec_fn"] = end_with_parent
        await super().start_kernel(**options)
