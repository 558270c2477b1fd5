"""One build at a time in a book."""

from pathlib import Path

from filelock import FileLock

from vaelib.plumbing.files import require_writable
from vaelib.plumbing.locks import try_lock
from vaelib.plumbing.places import EXECUTED


def alone(book: Path) -> FileLock:
    """Keep other builds out of a book; wait for the one that is there.

    Returns:
        The lock, held. It is free again when it is released, or the process ends, however that is.

    Raises:
        OSError: nothing can be written there, or there are no locks.
    """
    require_writable(book / EXECUTED)
    file = book / EXECUTED / ".lock"
    if lock := try_lock(file):
        return lock
    print(f"waiting for another build, which works in {book}", flush=True)
    lock = FileLock(file)
    lock.acquire()
    return lock
