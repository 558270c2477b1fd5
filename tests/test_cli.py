import json
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy
import pytest
import torch
from click.testing import CliRunner

from vaelib import cli
from vaelib.data.synthetic import synthetic_digits

from .signals import ENDING, heed


@pytest.fixture
def run():
    return lambda *words: CliRunner().invoke(cli.main, words)


@pytest.mark.parametrize("words", [(), ("data",), ("train",), ("explore",), ("build",), ("sweep",)])
def test_help(run, words):
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_train_leaves_a_run(run, tmp_path):
    result = run("train", "--recipe", "smoke", "--device", "cpu", "--output", str(tmp_path / "r"))
    assert result.exit_code == 0, result.output
    losses = json.loads((tmp_path / "r" / "losses.json").read_text())
    assert f"total {losses['test']['total']:.3f}" in result.output


def test_the_version_is_that_of_the_package(run):
    assert run("--version").output.split()[-1] == metadata.version("vaelib")
    done = subprocess.run(
        [sys.executable, "-m", "vaelib", "--version"], capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == metadata.version("vaelib")


@pytest.fixture(scope="module")
def shirts(tmp_path_factory):
    """Images of one's own without labels: the synthetic digits upside down."""
    file = tmp_path_factory.mktemp("own") / "shirts.npz"
    numpy.savez(file, images=synthetic_digits(300, 5)[0].flip(1).numpy())
    return file


def test_one_trains_on_images_of_ones_own_and_explores_the_run(run, shirts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("--recipe", "smoke", "--epochs", "1", "--beta", "1", "--data", str(shirts))
    result = run("train", *words)
    assert result.exit_code == 0, result.output
    (made,) = Path("by-hand").iterdir()
    assert made.name.startswith("shirts-smoke-epochs1-bce-beta1-d2-seed0-")
    assert result.output.count("epoch  1") == 1
    assert "epoch  2" not in result.output
    result = run("explore", str(made))
    assert result.exit_code == 1
    assert "the run was trained on 'shirts', and not on the images of 'synthetic'" in result.output
    result = run("explore", str(made), "--data", str(shirts))
    assert result.exit_code == 0, result.output
    assert f"shirts-{made.name[7:-23]}" in Path("explorer.html").read_text()
    result = run("explore", str(made), "--data", str(shirts))
    assert "explorer.html is there already: choose another name" in result.output


def test_build_refuses_an_unknown_notebook(run):
    result = run("build", "--list", "bcd")
    assert result.exit_code == 1
    assert "did you mean 'bce'" in result.output


def test_build_away_from_the_book_says_where_to_start(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("build", "--list")
    assert result.exit_code == 1
    assert "root of the repository" in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--loss", "bcee"),
            "--loss is 'bcee'; expected one of bce, cb, cb-levels, mse, gaussian, odds, logistic",
        ),
        (("--epochs", "0"), "epochs is 0; expected a whole number from 1"),
        (("--units", "0"), "units is 0; expected a whole number from 1"),
        (("--data", "nowhere.npz"), "there is no file or folder nowhere.npz"),
        (("--output", "/dev/null/run"), "Not a directory: /dev/null/run"),
        (("--recipe", "smok"), "did you mean 'smoke'"),
        (("--beta", "0"), "beta is 0.0; expected a weight above 0"),
        (("--beta", "nan"), "beta is nan; expected"),
        (("--beta", "inf"), "beta is inf; expected"),
        (("--beta", "half"), "'half' is not a valid float"),
        (("--seed", "-1"), "seed is -1; expected a whole number from 0"),
        (("--seed", str(2**64)), f"seed is {2**64}; expected a whole number from 0"),
        (("--seed", "1.5"), "'1.5' is not a valid integer"),
        (("--latent-dim", "0"), "latent_dim is 0; expected a whole number from 1 to 784"),
        (("--latent-dim", "1000000"), "latent_dim is 1000000; expected a whole number from 1"),
        (("--device", "gpu"), "expected one of auto, cpu, cuda"),
        (("--output", ""), "it is empty, or the current folder"),
        (("--output", __file__), "is a file"),
        (("--ouput", "x"), "Did you mean '--output'"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_refused_before_training(run, monkeypatch, words, message):
    monkeypatch.setattr("vaelib.training.run.train", lambda *_: pytest.fail("trained"))
    result = run("train", "--recipe", "smoke", *words)
    assert result.exit_code != 0
    assert message in result.output.replace("\n", " ")
    assert "Traceback" not in result.output


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_refused(run):
    result = run("train", "--recipe", "smoke", "--device", "cuda")
    assert result.exit_code == 1
    assert "device is 'cuda'; expected one that is here: auto, cpu" in result.output


def test_a_run_is_not_replaced(run, tmp_path):
    (tmp_path / "SHA256SUMS").write_text("0  weights.safetensors\n")
    result = run("train", "--recipe", "smoke", "--output", str(tmp_path))
    assert result.exit_code == 1
    assert "already holds a run, which is never replaced" in result.output


def test_a_data_folder_that_cannot_be_made_is_named(run, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAELIB_DATA", str(tmp_path / "file" / "below"))
    result = run("data")
    assert result.exit_code == 1
    assert "Not a directory: " in result.output
    assert "VAELIB_DATA" in result.output


def test_what_is_not_installed_is_named_with_what_installs_it(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    monkeypatch.delitem(sys.modules, "vaelib.build.by_hand", raising=False)
    result = run("notebook", "train", "--output", "x.ipynb")
    assert result.exit_code == 1
    assert "nbformat" in result.output
    assert "install the packages of the book with `python install.py book`" in result.output


def test_a_training_that_is_ended_leaves_no_run_and_says_so(tmp_path):
    program = Path(sys.executable).with_name("vaelib")
    words = ["train", "--recipe", "smoke", "--device", "cpu", "--output", "run"]
    words += ["--epochs", "10000"]  # it does not end by itself meanwhile
    process = subprocess.Popen(
        [program, *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed,
    )
    while not list(tmp_path.glob(".checkpoint-*.pt")):  # made after the first epoch
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert output.rstrip().endswith("Aborted!")
    assert not (tmp_path / "run" / "SHA256SUMS").exists()


def test_a_process_that_tests_start_heeds_signals_that_are_ignored_here():
    """As below ``nohup``: what this process is told to ignore, its children would ignore too."""
    program = "import signal; print(*(signal.getsignal(n) for n in map(int, sys.argv[1:])))"
    command = [sys.executable, "-c", f"import sys; {program}", *map(str, map(int, ENDING))]
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    try:
        ignored, heeded = (
            subprocess.run(command, capture_output=True, text=True, preexec_fn=prepare).stdout
            for prepare in (None, heed)
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert ignored.split() == [str(signal.SIG_IGN.value)] * 3
    assert str(signal.SIG_IGN.value) not in heeded.split()
