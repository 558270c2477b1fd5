"""Locks that keep other processes out; they are free again when their process ends, however."""

from pathlib import Path

from filelock import FileLock, Timeout

from vaelib.plumbing.checks import in_words


def try_lock(file: Path) -> FileLock | None:
    """Lock a file, which is made if need be; return None while another process has it.

    Raises:
        OSError: it cannot be locked.
    """
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    except OSError as error:
        raise OSError(
            f"{file} cannot be locked ({in_words(error)}), and without a lock two processes would "
            "spoil each other's work: put its folder on a file system that has locks"
        ) from error
    return lock
