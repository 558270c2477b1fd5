"""Processes that execute notebooks, and end with the one that started them, whatever ends that."""

import ctypes
import fcntl
import multiprocessing
import os
import shutil
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
from typing import ClassVar

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from vaelib.plumbing import environment

PR_SET_PDEATHSIG = 1  # of Linux's prctl
KERNEL = [sys.executable, "-m", "vaelib.build.kernel", "-f", "{connection_file}"]
SHORT = 60  # bytes of a folder in which a socket's path has no more than the 107 that Linux allows
MARK = f"vaelib-{os.getuid()}-"  # begins the name of a folder of sockets
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
    with (
        sockets() as folder,
        ProcessPoolExecutor(number, context, _begin, (threads, settings, folder)) as processes,
    ):
        try:
            yield processes
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()
            raise


@contextmanager
def sockets() -> Iterator[Path]:
    """Make a folder for the sockets and keys of kernels; remove those that killed processes left.

    It is locked as long as its process lives, however that ends.
    """
    for left in _short_folder().glob(f"{MARK}*"):
        if lock := _lock(left):
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)
    folder = Path(tempfile.mkdtemp(prefix=MARK, dir=_short_folder()))
    lock = _lock(folder)
    folder.mkdir(mode=0o700, exist_ok=True)  # should another have removed it, in between
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock:
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """Lock a folder; return None if another process has, or where nothing can be locked."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _short_folder() -> Path:
    """Return a folder for temporary files in which the paths of sockets are not too long."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        if len(os.fsencode(place)) <= SHORT and os.access(place, os.W_OK | os.X_OK):
            return Path(place)
    raise OSError(
        f"the folder for temporary files, {tempfile.gettempdir()}, has a path of more than {SHORT} "
        "bytes, and /tmp cannot be written: set TMPDIR to a shorter one"
    )


def begin_kernels(settings: Path, folder: Path, **more: str) -> None:
    """Prepare this process to start kernels.

    Args:
        settings: folder for what Jupyter, IPython and matplotlib keep.
        folder: from :func:`sockets`.
        more: variables of the kernels.
    """
    Kernels.folder = folder
    for variable, name in PRIVATE.items():
        more[variable] = str((settings / name).absolute())
        (settings / name).mkdir(parents=True, exist_ok=True)
    Kernels.variables = environment.closed() | more


def _begin(threads: int, settings: Path, folder: Path) -> None:
    """Prepare a process for notebooks."""
    os.setsid()  # Ctrl-C in a terminal is for the parent, which ends this process
    # Nor can it be sent to this process or a kernel, which might lose a request, and wait for ever.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    begin_kernels(settings, folder, VAELIB_BOOK=str(settings.parents[1].absolute()))


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

    Their Python is this one, whatever goes by the name ``python3`` among the user's kernels.
    """

    folder: ClassVar[Path]  # of connection files and sockets
    variables: ClassVar[dict[str, str]]  # all that a kernel gets

    @property
    def kernel_spec(self) -> KernelSpec:
        """What is started."""
        return KernelSpec(argv=KERNEL, display_name="Python 3", language="python")

    async def start_kernel(self, **options) -> None:  # type: ignore[override]
        """Start a kernel as the base class does."""
        self.transport = "ipc"
        options["env"] = self.variables
        self.connection_file = str(self.folder / f"{uuid.uuid4().hex[:12]}.json")
        if sys.platform == "linux":
            prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

            def end_with_parent() -> None:
                prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != parent:  # it has ended meanwhile
                    os._exit(1)

            options["preexec_fn"] = end_with_parent
        await super().start_kernel(**options)
