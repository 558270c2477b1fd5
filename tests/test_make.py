"""What make refuses, and what it does after an interrupted installation."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def make(tmp_path):
    """A copy of what an installation reads, with a Python that only says what it would do."""
    for name in ("Makefile", "install.py", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copy(ROOT / "requirements.hashes", tmp_path)
    python = tmp_path / "python"

    def call(*words, version="(3, 12)", fails=False):
        # Either it is asked for its version, or it makes an environment with itself inside.
        pretend = f"import sys; sys.version_info = {version}"
        python.write_text(
            "#!/bin/sh\n"
            f'if [ "$1" = -c ]; then exec python3 -c "{pretend}; $2"; fi\n'
            'echo "python $*"\n'
            'if [ "$2" = venv ]; then mkdir -p .venv/bin; cp "$0" .venv/bin/python; fi\n'
            f'if [ "$1" = install.py ]; then exit {int(fails)}; fi\n'
        )
        python.chmod(0o755)
        return subprocess.run(
            ["make", *words, f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True
        )

    return call


@pytest.mark.parametrize("version", ["(3, 10)", "(3, 15)", "(2, 7)"])
def test_another_python_is_refused_in_one_sentence(make, version):
    done = make("install", version=version)
    assert done.returncode != 0
    wrong = version.strip("()").replace(", ", ".")
    assert f"Python {wrong} was found; Python 3.11 to 3.14 is needed" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_installation_is_begun_anew(make):
    assert make("install", fails=True).returncode != 0
    again = make("install")
    assert again.returncode == 0
    assert "-m venv --clear .venv" in again.stdout
    assert "install.py book" in again.stdout
    assert "venv" not in make("install").stdout  # it is complete now


def test_a_checkout_that_was_copied_or_moved_gets_an_environment_of_its_own(make, tmp_path):
    assert make("install").returncode == 0
    file = tmp_path / ".venv" / ".made-of"
    place, _, sum_of_files = file.read_text().partition("\n")
    assert place == str(tmp_path.resolve())
    file.write_text(f"/somewhere/else\n{sum_of_files}")
    assert "-m venv --clear .venv" in make("install").stdout
    assert "venv" not in make("install").stdout


def test_a_lock_that_was_edited_gives_another_environment_whatever_its_date(make, tmp_path):
    """A clock may have been set back; a file that was only touched changes nothing."""
    assert make("install").returncode == 0
    lock = tmp_path / "requirements.lock"
    lock.touch()
    assert "venv" not in make("install").stdout
    lock.write_text(lock.read_text() + "more==1.0\n")
    os.utime(lock, (0, 0))
    assert "-m venv --clear .venv" in make("install").stdout


def test_settings_of_python_and_git_do_not_reach_what_make_starts(make, tmp_path):
    """Such as one that strips docstrings; and text is UTF-8 whatever the locale."""
    python = tmp_path / ".venv" / "bin" / "python"
    assert make("install").returncode == 0
    python.write_text("#!/bin/sh\nenv | sort\n")
    names = ("PYTHONHOME", "PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONSAFEPATH", "PYTHONSTARTUP")
    mine = os.environ | dict.fromkeys(names, "2") | {"PYTHONUTF8": "0", "LC_ALL": "POSIX"}
    done = subprocess.run(
        ["make", "readme"], cwd=tmp_path, env=mine, capture_output=True, text=True
    )
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert not set(names) & seen.keys()
    assert seen["PYTHONUTF8"] == "1"


@pytest.mark.parametrize("date", ["yesterday", "-5", "1e9", "1 2"])
@pytest.mark.parametrize("target", ["book", "pdf"])
def test_a_date_that_is_none_is_refused_first(date, target):
    """Sphinx would end with a traceback."""
    mine = os.environ | {"SOURCE_DATE_EPOCH": date}
    command = ["make", "--no-print-directory", target]
    done = subprocess.run(command, cwd=ROOT, env=mine, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stdout.splitlines()[0].startswith(f"SOURCE_DATE_EPOCH is {date}; expected whole")


def test_an_empty_date_is_none(make, tmp_path):
    python = tmp_path / ".venv" / "bin" / "python"
    assert make("install").returncode == 0
    python.write_text("#!/bin/sh\nenv\n")
    mine = os.environ | {"SOURCE_DATE_EPOCH": ""}
    done = subprocess.run(
        ["make", "readme"], cwd=tmp_path, env=mine, capture_output=True, text=True
    )
    assert "SOURCE_DATE_EPOCH" not in done.stdout


def test_make_alone_lists_what_there_is(make):
    listed = make().stdout
    makefile = (ROOT / "Makefile").read_text()
    for name in ("book", "pdf", "test", "test-hostile", "clean"):
        assert f"\n{name}:" in makefile
        assert f"\n{name} " in listed


@pytest.mark.parametrize("made", ["book/_build", "book/executed"])
def test_clean_removes_what_was_made(make, tmp_path, made):
    (tmp_path / made).mkdir(parents=True)
    assert make("clean").returncode == 0
    assert not (tmp_path / made).exists()


def test_the_recipe_of_the_environment_reaches_make():
    """And a recipe that is said to make itself counts more."""
    smoke = os.environ | {"VAELIB_RECIPE": "smoke"}

    def shown(*words):
        command = ["make", "--dry-run", "--assume-old=install", "book", *words]
        return subprocess.run(command, cwd=ROOT, env=smoke, capture_output=True, text=True).stdout

    assert "VAELIB_RECIPE=smoke" in shown()
    assert "VAELIB_RECIPE=original" in shown("RECIPE=original")
