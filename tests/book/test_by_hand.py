"""The notebooks, executed by hand with papermill."""

import subprocess
import sys
from pathlib import Path

from .conftest import ROOT


def test_a_notebook_by_hand_writes_to_a_folder_of_its_own(tmp_path):
    program = Path(sys.executable).with_name("papermill")
    template = ROOT / "book" / "notebooks" / "train.ipynb"
    parameters = {"recipe": "smoke", "latent_dim": 5, "reconstruction_loss": "mse"}
    options = [word for pair in parameters.items() for word in ("-p", *map(str, pair))]
    command = [program, template, "out.ipynb", *options, "--kernel", "python3"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "by-hand").iterdir()
    assert (run / "weights.safetensors").exists()
    assert {path.stem for path in (run / "figures").glob("*.svg")} == {
        "curves",
        "reconstructions",
        "decoded",
        "latent",
    }


def test_a_notebook_without_the_runs_it_needs_says_what_makes_them(tmp_path):
    program = Path(sys.executable).with_name("papermill")
    template = ROOT / "book" / "notebooks" / "compare.ipynb"
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "runs.yml").touch()
    done = subprocess.run(
        [program, template, "out.ipynb", "--kernel", "python3"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "`vaelib runs bce`" in done.stderr
