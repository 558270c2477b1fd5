import json

import pytest
from click.testing import CliRunner

from vaelib import cli
from vaelib.digits import mnist


@pytest.fixture
def run():
    return lambda *words: CliRunner().invoke(cli.main, words)


@pytest.mark.parametrize("words", [(), ("data",), ("train",), ("runs",), ("sweep",)])
def test_help(run, words):
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_train_leaves_a_run(run, tmp_path):
    result = run("train", "--recipe", "smoke", "--device", "cpu", "--output", str(tmp_path / "r"))
    assert result.exit_code == 0, result.output
    losses = json.loads((tmp_path / "r" / "losses.json").read_text())
    assert f"total {losses['test']['total']:.3f}" in result.output


def test_train_refuses_an_unknown_name_in_one_sentence(run):
    result = run("train", "--loss", "bcee")
    assert result.exit_code == 1
    assert "did you mean 'bce'" in result.output
    assert "Traceback" not in result.output


def test_data_says_what_is_wrong(run, monkeypatch):
    def fail(folder):
        raise mnist.DataError("no source has the files")

    monkeypatch.setattr(cli, "obtain", fail)
    result = run("data")
    assert result.exit_code == 1
    assert "no source has the files" in result.output


def test_runs_refuses_an_unknown_run(run):
    result = run("runs", "--list", "bcd")
    assert result.exit_code == 1
    assert "did you mean 'bce'" in result.output


def test_runs_away_from_the_book_says_where_to_start(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("runs", "--list")
    assert result.exit_code == 1
    assert "root of the repository" in result.output
