"""What a result depends on, on the library itself and on a copy of it that is edited."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

import vaelib
from vaelib.build.chapters import CODE_CELL
from vaelib.build.notebooks import TEMPLATES
from vaelib.measure.model import MEASURES
from vaelib.plumbing import stale
from vaelib.study import freshness
from vaelib.study.design import HELD
from vaelib.training.run import inputs
from vaelib.training.settings import Settings

BOOK = Path(__file__).parents[2] / "book"
TRAINING = "from vaelib.training.run import train"


def test_sources_follow_imports_downwards():
    found = stale.sources(TRAINING)
    assert {"training.run", "training.fit", "vae.losses", "vae.model", "data.dataset"} <= set(found)
    assert not {name for name in found if name.split(".")[0] in ("figures", "symbolic", "book")}


def test_a_training_depends_on_no_figure_and_on_nothing_of_its_own_room_that_it_does_not_use():
    modules = set(inputs(Settings(), "")["modules"])
    assert {"training.run", "training.fit", "training.step", "vae.objective"} <= modules
    others = {"vae.latent", "vae.architecture", "figures.images", "measure.appearance"}
    # Where images come from does not matter: their fingerprint is among the inputs.
    assert not (others | {"training.store", "data.load", "data.mnist"}) & modules


def test_what_vaelib_itself_offers_is_followed_to_where_it_lives():
    encode = set(stale.sources("from vaelib import encode"))
    assert "vae.latent" in encode
    assert not {"training.run", "measure.gap"} & encode
    assert {"vae.latent", "training.run", "measure.gap"} <= set(stale.sources("import vaelib"))
    assert stale.offered().keys() == set(vaelib.__all__)


TRAIN = {"encoder", *HELD, "encoder_controls", "full_covariance", "autoencoder"}


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_depends_on_no_training_and_no_other_measure_that_it_does_not_use(measure):
    modules = set(freshness.inputs_of(measure, "report")["modules"])
    assert "vae.model" in modules
    rooms = {name.split(".")[0] for name in modules}
    assert not rooms & {"study", "build"}
    assert ("training" in rooms) == (measure in TRAIN)
    assert ("measure.appearance" in modules) == (measure == "appearance")


@pytest.fixture
def forgotten(monkeypatch):
    """As a process that has read nothing of the library yet."""

    def forget():
        monkeypatch.setattr(stale, "_known", {})
        monkeypatch.setattr(stale, "_used", set())

    forget()
    return forget


@pytest.fixture
def remembered(forgotten, tmp_path):
    """A file of what reading the library found, and what the sources of a training are."""
    file = tmp_path / "library.json"
    with stale.remembered(file):
        found = stale.sources(TRAINING)
    forgotten()
    return file, found


def test_what_reading_the_library_found_is_not_found_again(remembered, monkeypatch):
    file, found = remembered
    monkeypatch.setattr(stale, "meaning", pytest.fail)
    with stale.remembered(file):
        assert stale.sources(TRAINING) == found


def test_another_text_is_read_whatever_is_remembered(remembered, tmp_path, monkeypatch):
    file, found = remembered
    monkeypatch.setattr(stale, "PACKAGE", shutil.copytree(stale.PACKAGE, tmp_path / "vaelib"))
    edited = stale.PACKAGE / "training" / "fit.py"
    edited.write_text(edited.read_text("utf-8") + "import vaelib.figures.style\n")
    with stale.remembered(file):
        again = stale.sources(TRAINING)
    assert {name for name in again if again[name] != found.get(name)} >= {
        "training.fit",
        "figures.style",
    }
    assert stale.digest(edited.read_text("utf-8")) in json.loads(file.read_text())["known"]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"by": "x"}', '{"by": "other", "known": {"a": ["b", []]}}']
)
def test_a_file_that_is_cut_off_or_of_another_program_is_not_believed(
    remembered, monkeypatch, content
):
    file, found = remembered
    file.write_text(content)
    with stale.remembered(file):
        assert stale.sources(TRAINING) == found
    assert "a" not in json.loads(file.read_text())["known"]


CODE = '"""What."""\nX = 1\n"""X."""\n\n\ndef f(a):\n    """Return a."""\n    return a  # a\n'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What", "Which"),
        ("# a", "# b"),
        ('"""X."""', ""),
        ('    """Return a."""\n', '    "Return " "a."\n'),
        ("return a ", "return    a "),
        ("    return", "\n    # so\n    return"),
    ],
)
def test_docstrings_comments_and_layout_mean_nothing(old, new):
    assert old in CODE
    assert stale.meaning(CODE.replace(old, new)) == stale.meaning(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [("X = 1", "X = 2"), ("return a", "return -a"), ("    return a", "    pass\nreturn a")],
)
def test_a_number_a_name_and_an_indent_mean_something(old, new):
    assert old in CODE
    assert stale.meaning(CODE.replace(old, new)) != stale.meaning(CODE)


FORMATTED = """def f(a, b):
    return f"{a} of {b:{len(b)}.2f} {f'{a}'!r}" + f'''x{
        a + b}
    y''' + rf"{{}}"
"""


def test_formatted_texts_are_one_token_on_every_python():
    """Until Python 3.11 they were, later ones take them to pieces."""
    expected = (
        """def f ( a , b ) : \n INDENT return f"{a} of {b:{len(b)}.2f} {f'{a}'!r}" + f\'\'\'x{\n"""
        """        a + b}\n    y''' + rf"{{}}" \n DEDENT"""
    )
    assert stale.meaning(FORMATTED) == expected
    assert stale.meaning(FORMATTED.replace(".2f", ".3f")) != expected


def test_the_meaning_of_a_file_is_the_same_on_every_python():
    """A digest that was computed once, on Python 3.11."""
    text = (Path(__file__).parent / "every_token.py.txt").read_text(encoding="utf-8")
    assert stale.digest(stale.meaning(text)) == (
        "8de1047de346eec16f6ed864a9495f36d1917c3c273093812e593a2844909fe6"
    )


@pytest.fixture
def edit(tmp_path, monkeypatch):
    """Edit a file of a copy of the library, and take the copy for the library."""
    package = shutil.copytree(stale.PACKAGE, tmp_path / "vaelib")
    monkeypatch.setattr(stale, "PACKAGE", package)

    def replace(file, old, new):
        text = (package / file).read_text()
        assert old in text
        (package / file).write_text(text.replace(old, new, 1))

    return replace


def notebook(name):
    """Hash the files that the cells of a template reach."""
    cells = json.loads((TEMPLATES / f"{name}.ipynb").read_text())["cells"]
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    return stale.sources("\n".join("".join(source) for source in code))


def state():
    """Collect what a run, three notebooks, the chapters' cells and a record's parts depend on."""
    settings = Settings()
    # The chapter on using the library is left out: it uses all of it.
    files = {*BOOK.glob("*.md"), *BOOK.glob("*/*.md")} - {BOOK / "use.md"}
    pages = [path.read_text("utf-8") for path in sorted(files)]
    cells = [cell for page in pages for cell in CODE_CELL.findall(page)]
    return {
        "run": inputs(settings, ""),
        **{f"notebook {name}": notebook(name) for name in ("train", "compare", "evidence")},
        "cells": stale.sources("\n".join(cells)),
        **{part: freshness.inputs_of(part, settings.recipe) for part in ("training", *MEASURES)},
    }


@pytest.fixture(scope="module")
def before():
    return state()


NOTEBOOKS = {"notebook train", "notebook compare", "notebook evidence"}
GAPS = {"evidence", "explored", "notebook evidence"}
EDITS = {
    # file, old, new → what depends on it
    "a plotting helper": ("figures/images.py", "30_000 /", "40_000 /", {*NOTEBOOKS, "cells"}),
    "the style of the figures": (
        "figures/style.py",
        '"grid.color": "0.9"',
        '"a": 1',
        {*NOTEBOOKS, "cells"},
    ),
    "how codes are shown": (
        "vae/latent.py",
        "centred @",
        "2 * centred @",
        {*NOTEBOOKS, *MEASURES} - {"code"},
    ),
    "a figure of a chapter": ("figures/cost.py", "lw=4", "lw=5", {"cells"}),
    "a derivation": ("symbolic/bound.py", "(1 - beta)", "(2 - beta)", {"cells"}),
    "the objective": (
        "vae/objective.py",
        "self.beta * kl_per",
        "2 * self.beta * kl_per",
        {"run", "training", *NOTEBOOKS, *MEASURES},
    ),
    "a measure": (
        "measure/appearance.py",
        "NEIGHBOURS = 10",
        "NEIGHBOURS = 11",
        {"appearance", "notebook compare"},
    ),
    "another measure": ("measure/gap.py", "= 0.05", "= 0.06", GAPS),
    "a recipe": (
        "training/recipes.py",
        "epochs=3",
        "epochs=4",
        {"run", "training", *NOTEBOOKS, *TRAIN},
    ),
    "a verdict": ("study/statistics.py", "LEVEL = 0.95", "LEVEL = 0.9", {"cells"}),
    "a docstring": ("vae/objective.py", "What training minimises", "What", set()),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_makes_stale_what_depends_on_it_and_nothing_else(before, edit, name):
    *change, expected = EDITS[name]
    edit(*change)
    assert {key for key, value in state().items() if value != before[key]} == expected


def test_versions_are_the_installed_releases():
    assert stale.versions("numpy") == {"numpy": version("numpy")}
    assert stale.versions("torch") == {"torch": version("torch").split("+")[0]}
    assert "python" not in stale.inputs("", ("numpy",))["versions"]


def test_changes_name_what_differs():
    old = {"a": 1, "b": {"c": 1, "d": 2}, "e": 0}
    new = {"a": 1, "b": {"c": 3, "d": 2}, "f": 0}
    assert stale.changes(old, new) == ["b.c", "e", "f"]
    assert stale.changes(old, old) == []
    assert stale.why_stale(old, new) == "changed: b.c, e, f"
    assert stale.why_stale(old, new, most=1) == "changed: b.c and 2 more"
    assert stale.why_stale(old, old) == ""
