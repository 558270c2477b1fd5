import platform
import subprocess
import sys

import pytest
import torch

from vaelib.plumbing import machine


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


def test_commit_is_named_and_modified_if_files_differ(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    head = (tmp_path / ".git" / "HEAD").read_text().split()[1]
    commit = (tmp_path / ".git" / head).read_text().strip()
    below = tmp_path / "book" / "recorded"
    below.mkdir(parents=True)
    (below / "run.json").write_text("{}")
    assert commit.startswith(machine.commit(tmp_path))
    assert commit.startswith(machine.commit(below))
    (tmp_path / "file").write_text("b")
    assert machine.commit(below) == f"modified {commit[:12]}"
    assert machine.commit(tmp_path) == f"modified {commit[:12]}"


def test_without_git_the_commit_is_unknown(tmp_path, monkeypatch):
    assert machine.commit(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", "")
    assert machine.commit(tmp_path) == "unknown"


def test_description_holds_no_name_of_the_machine():
    record = machine.describe(torch.device("cpu"))
    assert record["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert record["cores"] >= 1
    assert platform.node() not in str(record)


def test_peak_memory_counts_what_was_used():
    pytest.importorskip("resource")
    before = machine.peak_memory_mb()
    big = torch.ones(int(before + 300) * 250_000)  # 4 bytes each
    after = machine.peak_memory_mb()
    assert after - before >= 250
    del big


PARENT = """
import subprocess, sys
big = b"x" * 900_000_000
child = "import torch; from vaelib.plumbing import machine; print(machine.peak_memory_mb())"
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux hands it down")
def test_peak_memory_is_not_that_of_the_process_that_started_this_one():
    out = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, check=True)
    assert 100 < int(out.stdout) < 800


COUNT = """
import resource, sys, torch
from vaelib.plumbing.machine import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def use():
    return sum(float(torch.ones(10_000_000)[0]) for _ in range(20))  # 40 MB each
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(mode):
    command = [sys.executable, "-c", COUNT, mode]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")
def test_freed_memory_is_used_again():
    assert faults("keep") < faults("leave") / 4


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(machine.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(machine.ctypes, "CDLL", lambda name: pytest.fail("called"))
    assert machine.keep_freed_memory() is False
