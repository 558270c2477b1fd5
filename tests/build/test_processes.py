"""Kernels: where their sockets lie, what they get of a user's settings, which Python they are."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.hostile import kills
from vaelib.build import processes

LOOK = """
import json, os, sys
import matplotlib
found = {
    "python": sys.executable,
    "optimised": sys.flags.optimize,
    "mine": "MINE" in globals(),
    "colour": matplotlib.rcParams["savefig.facecolor"],
    "data": os.environ.get("VAELIB_DATA"),
}
print(json.dumps(found))
"""


def looking(folder):
    """A book of one notebook, which says what it sees."""
    kills.template(folder / "book" / "notebooks" / "say.ipynb", 'word = "one"', LOOK)
    kills.write(folder / "book", {"first": {"word": "one"}}, "say")
    return folder


def built(folder, **variables):
    program = Path(sys.executable).with_name("vaelib")
    done = subprocess.run(
        [program, "build", "--recipe", "smoke"],
        cwd=folder,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def seen(folder):
    page = json.loads((folder / "book" / "executed" / "first" / "notebook.ipynb").read_text())
    (output,) = (o for cell in page["cells"] for o in cell.get("outputs", []))
    return json.loads("".join(output["text"]))


def test_no_setting_of_the_user_reaches_a_notebook(tmp_path):
    """A start-up file, settings of matplotlib, another kernel of that name, a relative folder."""
    folder = looking(tmp_path / "book")
    (tmp_path / "start.py").write_text("MINE = 1")
    (tmp_path / "matplotlibrc").write_text("savefig.facecolor: red\n")
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["/bin/false"], "display_name": "mine", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    startup = tmp_path / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "mine.py").write_text("MINE = 1")
    built(
        folder,
        PYTHONSTARTUP=str(tmp_path / "start.py"),
        MATPLOTLIBRC=str(tmp_path / "matplotlibrc"),
        JUPYTER_PATH=str(tmp_path / "jupyter"),
        PYTHONOPTIMIZE="1",
        HOME=str(tmp_path),
        VAELIB_DATA="data",
    )
    assert seen(folder) == {
        "python": sys.executable,
        "optimised": 0,
        "mine": False,
        "colour": "auto",
        "data": str(folder / "data"),
    }


def test_start_up_files_of_the_machine_are_not_run(tmp_path):
    """As those in /etc/ipython, which a test may not write."""
    (tmp_path / "startup").mkdir()
    (tmp_path / "startup" / "mine.py").write_text("print('MINE')")
    code = """
import sys
from IPython.core import application
from IPython.core.interactiveshell import InteractiveShell
from ipykernel.kernelapp import IPKernelApp
from vaelib.build import kernel
application.SYSTEM_CONFIG_DIRS.append(sys.argv.pop())
app = IPKernelApp(shell=InteractiveShell())
if len(sys.argv) > 1:
    IPKernelApp.launch_instance = lambda: None
    kernel.main()
app.init_profile_dir()
app._run_startup_files()
"""

    def said(*words):
        command = [sys.executable, "-c", code, *words, str(tmp_path)]
        mine = os.environ | {"IPYTHONDIR": str(tmp_path / "ipython")}
        return subprocess.run(command, env=mine, capture_output=True, text=True, check=True).stdout

    assert "MINE" in said()
    assert "MINE" not in said("our kernel")


@pytest.mark.parametrize("name", ["{cookie} {} {word}", "a" * 120], ids=["braces", "long"])
def test_a_path_with_braces_or_a_long_one_works(tmp_path, name):
    folder = looking(tmp_path / name)
    built(folder)
    assert seen(folder)["python"] == sys.executable


def test_a_long_folder_for_temporary_files_works_and_nothing_is_left_in_it(tmp_path):
    folder = looking(tmp_path / "book")
    temporary = tmp_path / ("t" * 100)
    temporary.mkdir()
    built(folder, TMPDIR=str(temporary))
    assert list(temporary.iterdir()) == []


def test_a_link_to_a_scratch_disk_works(tmp_path):
    folder = looking(tmp_path / "book")
    (tmp_path / "scratch").mkdir()
    (folder / "book" / "executed").symlink_to(tmp_path / "scratch")
    built(folder)
    assert (tmp_path / "scratch" / "first" / "notebook.ipynb").exists()


def test_sockets_that_a_killed_process_left_are_cleared_by_the_next(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(processes, "SHORT", 200)
    left = tmp_path / f"{processes.MARK}left"
    left.mkdir()
    (left / "key.json").touch()
    with processes.sockets() as first:
        assert not left.exists()
        (first / "key.json").touch()
        with processes.sockets() as second:
            assert first.exists()  # it is in use
        assert not second.exists()
    assert list(tmp_path.iterdir()) == []


def test_where_no_folder_is_short_enough_it_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "SHORT", 3)
    with pytest.raises(OSError, match="set TMPDIR to a shorter one"), processes.sockets():
        pass
