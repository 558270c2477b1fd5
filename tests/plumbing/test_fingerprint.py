"""What a result depends on, on the library itself and on a copy of it that is edited."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from vaelib.book import stale
from vaelib.plumbing import fingerprint
from vaelib.training.run import Settings, inputs

BOOK = Path(__file__).parents[2] / "book"
TRAINING = "from vaelib.training.run import train"


def test_sources_follow_imports_downwards():
    found = fingerprint.sources(TRAINING)
    assert {"training.run", "training.fit", "vae.losses", "vae.model", "digits.mnist"} <= set(found)
    assert not {name for name in found if name.split(".")[0] in ("figures", "symbolic", "book")}


def test_a_training_depends_on_no_figure_and_on_nothing_of_its_own_room_that_it_does_not_use():
    modules = set(inputs(Settings())["modules"])
    assert {"training.run", "training.fit", "training.step", "vae.objective"} <= modules
    assert not {"vae.latent", "vae.architecture", "figures.images", "study.measures"} & modules


def test_a_docstring_and_a_comment_mean_nothing_and_a_number_does():
    code = '"""What."""\nX = 1\n"""X."""\n\n\ndef f(a):\n    """Return a."""\n    return a  # a\n'
    for same in (
        code.replace("What", "Which"),
        code.replace("# a", "# b"),
        code.replace('"""X."""', ""),
    ):
        assert fingerprint.meaning(same) == fingerprint.meaning(code)
    for other in (code.replace("X = 1", "X = 2"), code.replace("return a ", "return -a ")):
        assert fingerprint.meaning(other) != fingerprint.meaning(code)


@pytest.fixture
def edit(tmp_path, monkeypatch):
    """Edit a file of a copy of the library, and take the copy for the library."""
    package = shutil.copytree(fingerprint.PACKAGE, tmp_path / "vaelib")
    monkeypatch.setattr(fingerprint, "PACKAGE", package)

    def replace(file, old, new):
        text = (package / file).read_text()
        assert old in text
        (package / file).write_text(text.replace(old, new, 1))

    return replace


def notebook(name):
    """Hash the files that the cells of a template reach."""
    cells = json.loads((BOOK / "notebooks" / f"{name}.ipynb").read_text())["cells"]
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    return fingerprint.sources("\n".join("".join(source) for source in code))


EDITS = {
    # file, old, new → whether a training, its notebook and the chapters' cells depend on it
    "a plotting helper": ("figures/images.py", "s=2", "s=3", False, True, True),
    "the style of the figures": (
        "figures/style.py",
        '"grid.color": "0.9"',
        '"a": 1',
        False,
        True,
        True,
    ),
    "how codes are shown": ("vae/latent.py", "centred @", "2 * centred @", False, True, False),
    "a figure of a chapter": ("figures/cost.py", "lw=4", "lw=5", False, False, True),
    "a derivation": ("symbolic/bound.py", "(1 - beta)", "(2 - beta)", False, False, True),
    "the objective": (
        "vae/objective.py",
        "self.beta * kl_per",
        "2 * self.beta * kl_per",
        True,
        True,
        False,
    ),
    "a docstring": ("vae/objective.py", "What training minimises", "What", False, False, False),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_repeats_what_depends_on_it_and_nothing_else(edit, name):
    *change, training, drawing, chapters = EDITS[name]

    def state():
        return inputs(Settings()), notebook("train"), stale.chapters_key(BOOK)

    before = state()
    edit(*change)
    changed = [old != new for old, new in zip(before, state(), strict=True)]
    assert changed == [training, drawing, chapters]


def test_versions_are_the_installed_ones():
    assert fingerprint.versions("numpy")["numpy"] == version("numpy")


def test_changes_name_what_differs():
    old = {"a": 1, "b": {"c": 1, "d": 2}, "e": 0}
    new = {"a": 1, "b": {"c": 3, "d": 2}, "f": 0}
    assert fingerprint.changes(old, new) == ["b.c", "e", "f"]
    assert fingerprint.changes(old, old) == []
