import errno
import fcntl
import os
import subprocess
import sys

import pytest

from vaelib.build.alone import alone
from vaelib.plumbing.locks import try_lock

HOLD = """
import sys
from pathlib import Path
from vaelib.plumbing.locks import try_lock
lock = try_lock(Path(sys.argv[1]))
print(lock is not None, flush=True)
sys.stdin.read()
"""


def test_a_lock_is_anothers_until_its_process_ends(tmp_path):
    file = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, file]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"True\n"
        assert try_lock(file) is None
        holder.kill()
    assert try_lock(file)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_without_locks_is_refused_in_a_sentence(tmp_path, monkeypatch, number):
    def flock(*words):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(
        OSError, match=r"executed/\.lock cannot be locked \(.*a file system that has"
    ):
        alone(tmp_path)


def test_where_the_system_knows_no_locks_a_file_serves(tmp_path, monkeypatch):
    def flock(*words):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.warns(UserWarning, match="flock"):
        lock = try_lock(tmp_path / "lock")
    assert lock.is_locked
    lock.release()
