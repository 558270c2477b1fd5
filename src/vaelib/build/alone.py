"""One build at a time in a book."""

from pathlib import Path

from filelock import FileLock, Timeout

from vaelib.plumbing.files import require_writable
from vaelib.plumbing.places import EXECUTED


def alone(book: Path) -> FileLock:
    """Keep other builds out of a book; wait for the one that is there.

    Returns:
        The lock, held. It is free again when it is released, or the process ends, however that is.

    Raises:
        OSError: nothing can be written there.
    """
    require_writable(book / EXECUTED)
    lock = FileLock(book / EXECUTED / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting for another build, which works in {book}", flush=True)
        lock.acquire()
    return lock
