"""What of a user's environment reaches a build's processes."""

import os
import subprocess
import sys

import pytest

from vaelib.plumbing import environment

KEPT_OUT = (
    *("MATPLOTLIBRC", "MPLBACKEND", "MPLCONFIGDIR", "IPYTHONDIR", "PYTHONSTARTUP"),
    *("PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONHOME", "PYTHONINSPECT", "PYTHONBREAKPOINT"),
    *("JUPYTER_PATH", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_PLATFORM_DIRS"),
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "DOCUTILSCONFIG", "SPHINXOPTS"),
    *("TEXINPUTS", "TEXMFHOME", "LATEXMKRCSYS", "FONTCONFIG_FILE", "ATEN_CPU_CAPABILITY"),
    *("MKL_CBWR", "ONEDNN_MAX_CPU_ISA", "TORCH_LOGS", "LC_NUMERIC", "LANG", "LD_PRELOAD"),
)


@pytest.mark.parametrize("name", KEPT_OUT)
def test_settings_stay_out(monkeypatch, name):
    monkeypatch.setenv(name, "mine")
    assert environment.closed().get(name) in (None, environment.GIVEN.get(name))


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "TMPDIR", "PYTHONPATH", "OMP_NUM_THREADS", "LD_LIBRARY_PATH"),
        *("https_proxy", "NO_PROXY", "PIP_INDEX_URL", "VAELIB_RECIPE", "SOURCE_DATE_EPOCH"),
    ],
)
def test_what_is_needed_passes(monkeypatch, name):
    monkeypatch.setenv(name, "/mine")
    assert environment.closed()[name] == "/mine"


def test_folders_are_those_seen_from_here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAELIB_DATA", "data")
    assert environment.closed()["VAELIB_DATA"] == str(tmp_path / "data")
    monkeypatch.setenv("VAELIB_DATA", "~/data")
    monkeypatch.setenv("HOME", "/somewhere")
    assert environment.closed()["VAELIB_DATA"] == "/somewhere/data"


def test_without_a_home_what_begins_with_it_stays(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 123_456)  # a user without an entry, as in containers
    monkeypatch.setenv("VAELIB_DATA", "~/data")
    assert environment.closed()["VAELIB_DATA"] == str(tmp_path / "~" / "data")


def test_a_process_that_is_closed_has_no_more_left_itself():
    code = "import os; from vaelib.plumbing import environment; environment.close();"
    code += "print(*sorted(os.environ))"
    mine = {"MATPLOTLIBRC": "mine", "GIT_DIR": "mine", "LANG": "de_DE.ISO-8859-1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | mine, capture_output=True, text=True
    )
    assert not mine.keys() & set(done.stdout.split())
    assert {"PATH", *environment.GIVEN} <= set(done.stdout.split())
