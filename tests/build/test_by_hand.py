"""The notebooks, executed by hand with parameters of one's own."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from vaelib import cli
from vaelib.plumbing.places import new_folder


@pytest.fixture
def by_hand(tmp_path, monkeypatch):
    """Call ``vaelib notebook`` in an empty folder, away from the repository."""
    monkeypatch.chdir(tmp_path)

    def call(*words, output="out.ipynb"):
        return CliRunner().invoke(cli.main, ["notebook", *words, "--output", output])

    return call


def test_a_notebook_by_hand_writes_to_a_folder_of_its_own(by_hand):
    given = {"recipe": "smoke", "latent_dim": "5", "reconstruction_loss": "mse"}
    words = [word for pair in given.items() for word in ("-p", *pair)]
    done = by_hand("train", *words, output="new/out.ipynb")
    assert done.exit_code == 0, done.output
    assert "saved in new/out.ipynb" in done.output
    assert "epoch  2" in Path("new/out.ipynb").read_text()
    (run,) = Path("by-hand").iterdir()
    assert "smoke-mse-beta0.5-d5" in run.name
    assert (run / "weights.safetensors").exists()
    assert {path.stem for path in (run / "figures").glob("*.svg")} == {
        "curves",
        "reconstructions",
        "decoded",
        "latent",
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("trian",), "template is 'trian'; expected one of compare, evidence, model, train"),
        (("train", "-p", "reconstruction_los", "mse"), "did you mean 'reconstruction_loss'"),
        (("model", "-p", "seed", "1"), "a parameter of model is 'seed'"),
        (("train", "-p", "seed", "one"), "seed is 'one'; expected a whole number, such as 0"),
        (("train", "-p", "seed", "1.5"), "seed is '1.5'; expected a whole number"),
        (("train", "-p", "beta", "half"), "beta is 'half'; expected a number, such as 0.5"),
    ],
    ids=" ".join,
)
def test_what_the_template_does_not_have_is_refused(by_hand, monkeypatch, words, message):
    monkeypatch.setattr(
        "vaelib.build.by_hand.execute_template", lambda *_: pytest.fail("execute_template")
    )
    done = by_hand(*words)
    assert done.exit_code != 0
    assert message in done.output
    assert not list(Path().iterdir())


def test_what_a_second_notebook_measures_never_replaces_the_first(by_hand):
    done = by_hand("model", "-p", "recipe", "smoke")
    assert done.exit_code == 0, done.output
    (first,) = Path("by-hand").iterdir()
    assert (first / "numbers.json").exists()
    assert new_folder("", "model") != first
    words = ("-p", "recipe", "smoke", "-p", "output_folder", str(first))
    done = by_hand("model", *words, output="again.ipynb")
    assert done.exit_code == 1
    assert "is not empty, and nothing is replaced: choose another one" in done.output


def test_a_notebook_that_is_there_is_not_replaced(by_hand):
    Path("out.ipynb").write_text("mine")
    done = by_hand("model")
    assert done.exit_code == 1
    assert "out.ipynb is there already: choose another output" in done.output
    assert Path("out.ipynb").read_text() == "mine"


def test_a_setting_that_cannot_be_meant_is_one_sentence(by_hand):
    done = by_hand("train", "-p", "beta", "-1")
    assert done.exit_code == 1
    last = done.output.rstrip().splitlines()[-1]
    assert last.startswith(
        "Error: notebook train failed in cell 3 of train.ipynb: ValueError: beta"
    )
    assert not list(Path().iterdir())


def test_a_notebook_without_the_runs_it_needs_says_what_makes_them(by_hand):
    Path("book").mkdir()
    Path("book/notebooks.yml").touch()
    done = by_hand("compare")
    assert done.exit_code == 1
    assert "`vaelib build bce`" in done.output
