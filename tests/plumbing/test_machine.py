import os
import platform
import subprocess
import sys

import pytest
import torch

from vaelib.plumbing import machine


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


@pytest.fixture
def package(tmp_path):
    """The folder of a library in a repository of its own, and the commit that it is at."""
    root = tmp_path / "checkout"
    (root / "src" / "vaelib").mkdir(parents=True)
    (root / "src" / "vaelib" / "file").write_text("a")
    git(root, "init")
    git(root, "add", ".")
    git(root, "commit", "-m", "first")
    head = (root / ".git" / "HEAD").read_text().split()[1]
    return root / "src" / "vaelib", (root / ".git" / head).read_text().strip()[:12]


def test_commit_is_named_and_modified_if_files_differ(package):
    folder, head = package
    root = folder.parents[1]
    (root / "book" / "recorded").mkdir(parents=True)
    (root / "book" / "recorded" / "run.json").write_text("{}")
    assert machine.commit(folder) == head
    (folder / "file").write_text("b")
    assert machine.commit(folder) == f"modified {head}"
    (folder / "file").write_text("a")
    (root / "another").touch()
    git(root, "config", "status.showUntrackedFiles", "no")
    assert machine.commit(folder) == f"modified {head}"


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_of_which_git_takes_no_notice_is_modified(package, flag):
    folder, head = package
    git(folder, "update-index", flag, "file")
    (folder / "file").write_text("b")
    assert machine.commit(folder) == f"modified {head}"


def test_a_shallow_clone_and_a_worktree_have_their_commit(package, tmp_path):
    folder, head = package
    git(tmp_path, "clone", "--depth", "1", folder.parents[1].as_uri(), "clone")
    assert machine.commit(tmp_path / "clone" / "src" / "vaelib") == head
    git(folder.parents[1], "worktree", "add", "--detach", tmp_path / "tree")
    assert machine.commit(tmp_path / "tree" / "src" / "vaelib") == head


@pytest.mark.parametrize("tracked", [False, True])
def test_of_another_repository_around_it_nothing_is_said(package, tmp_path, tracked):
    """An archive that was unpacked, or a package that was installed, within another project."""
    git(tmp_path, "init")
    outer = tmp_path / "src" / "another" / "src" / "vaelib"
    outer.mkdir(parents=True)
    (outer / "file").write_text("a")
    if tracked:
        git(tmp_path, "add", "src")
        git(tmp_path, "commit", "-m", "theirs")
    assert machine.commit(outer) == "unknown"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_a_checkout_of_another_user_has_its_commit(package):
    """As a folder that a container was given; git alone refuses to look into it."""
    folder, head = package
    for path in (folder.parents[1], *folder.parents[1].rglob("*")):
        os.chown(path, 123_456, 123_456)
    with pytest.raises(subprocess.CalledProcessError):
        git(folder, "status")
    assert machine.commit(folder) == head


def test_variables_that_name_another_repository_are_not_heeded(package, tmp_path, monkeypatch):
    folder, head = package
    git(tmp_path, "init", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    assert machine.commit(folder) == head


def test_without_git_the_commit_is_unknown(tmp_path, monkeypatch):
    assert machine.commit(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", "")
    assert machine.commit(tmp_path) == "unknown"


@pytest.mark.parametrize(
    ("group", "quotas", "cores"),
    [
        ("/", {"": "250000 100000"}, 2),
        ("/", {"": "50000 100000"}, 1),
        ("/a/b", {"a": "300000 100000", "a/b": "max 100000"}, 3),
        ("/a/b", {"": "200000 100000"}, 2),  # seen from within, the group has another name
        ("/", {"": "max 100000"}, 8),
        ("/", {"": "9900000 100000"}, 8),
        ("/", {}, 8),
    ],
)
def test_of_a_machines_cores_those_count_that_a_container_may_use(
    tmp_path, monkeypatch, group, quotas, cores
):
    for name, quota in quotas.items():
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "cpu.max").write_text(f"{quota}\n")
    (tmp_path / "cgroup").write_text(f"1:cpu:/other\n0::{group}\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    assert machine.usable_cores() == cores
    monkeypatch.setattr(machine, "CGROUP", tmp_path / "not there")
    assert machine.usable_cores() >= 1


def test_description_holds_no_name_of_the_machine():
    record = machine.describe(torch.device("cpu"))
    assert record["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert record["cores"] >= 1
    assert platform.node() not in str(record)


def test_peak_memory_counts_what_was_used():
    pytest.importorskip("resource")
    used = """
from vaelib.plumbing import machine
before = machine.peak_memory_mb()
big = b"x" * 300_000_000
print(machine.peak_memory_mb() - before)
"""
    out = subprocess.run([sys.executable, "-c", used], capture_output=True, text=True, check=True)
    assert 250 <= int(out.stdout) <= 350


PARENT = """
import subprocess, sys
big = b"x" * 900_000_000
child = "from vaelib.plumbing import machine; print(machine.peak_memory_mb())"
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux hands it down")
def test_peak_memory_is_not_that_of_the_process_that_started_this_one():
    out = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, check=True)
    assert 0 < int(out.stdout) < 800


COUNT = """
import resource, sys
from vaelib.plumbing.machine import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def use():
    return sum((b"x" * 40_000_000)[0] for _ in range(20))
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
