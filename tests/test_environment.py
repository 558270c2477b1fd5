import subprocess
import sys

import pytest
import torch

from vaelib import environment


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
    assert commit.startswith(environment.commit(tmp_path))
    assert commit.startswith(environment.commit(below))
    (tmp_path / "file").write_text("b")
    assert environment.commit(below) == f"modified {commit[:12]}"
    assert environment.commit(tmp_path) == f"modified {commit[:12]}"


def test_without_git_the_commit_is_unknown(tmp_path, monkeypatch):
    assert environment.commit(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", "")
    assert environment.commit(tmp_path) == "unknown"


def test_description_holds_no_name_of_the_machine():
    import platform

    record = environment.describe(torch.device("cpu"))
    assert record["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert record["cores"] >= 1
    assert platform.node() not in str(record)


def test_peak_memory_counts_what_was_used():
    pytest.importorskip("resource")
    before = environment.describe(torch.device("cpu"))["peak_memory_mb"]
    big = torch.ones(int(before + 300) * 250_000)  # 4 bytes each
    after = environment.describe(torch.device("cpu"))["peak_memory_mb"]
    assert after - before >= 250
    del big


PARENT = """
import subprocess, sys
big = b"x" * 900_000_000
child = "import torch; from vaelib import environment as e; "
child += "print(e.describe(torch.device('cpu'))['peak_memory_mb'])"
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux hands it down")
def test_peak_memory_is_not_that_of_the_process_that_started_this_one():
    out = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, check=True)
    assert 100 < int(out.stdout) < 800
