import json
import logging
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from vaelib.data.dataset import ImageSet
from vaelib.data.load import load_data
from vaelib.data.synthetic import synthetic_digits
from vaelib.plumbing import stale
from vaelib.study.summary import summarise
from vaelib.training import folder, run
from vaelib.training.settings import Settings

BOOK = Path(__file__).parents[1] / "book"

settings.register_profile("shared machine", deadline=None)  # its speed says nothing here
settings.load_profile("shared machine")


@pytest.hookimpl(tryfirst=True)  # before xdist's own, which reads the marks
def pytest_collection_modifyitems(items):
    """Let one process have all tests of a file, which share fixtures; begin with the whole book."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group").args != ("book",))


@pytest.fixture(scope="session")
def digits():
    return load_data("synthetic")


@pytest.fixture(scope="session")
def few():
    """A tenth of the synthetic digits, for trainings of which no quality is asked."""
    return ImageSet.of(*synthetic_digits(60, 0), *synthetic_digits(20, 1), name="few")


@pytest.fixture(scope="session")
def smoke_run(digits, tmp_path_factory):
    """A finished run of the recipe for tests, and its folder."""
    place = tmp_path_factory.mktemp("runs") / "bce"
    result = run.train(Settings(recipe="smoke", device="cpu"), digits)
    folder.save_run(result, place)
    return result, place


@pytest.fixture(scope="session")
def summary():
    """What the records of the book say together."""
    return json.loads(json.dumps(summarise(BOOK)))


@pytest.fixture
def said(caplog):
    """Return what the library has said since this was last asked."""
    caplog.set_level(logging.INFO, "vaelib")

    def ask():
        text = "\n".join(caplog.messages)
        caplog.clear()
        return text

    return ask


@pytest.fixture
def edit_modules(monkeypatch):
    """Return what lets modules of the library count as edited, where code reaches them."""

    def edited(*modules):
        monkeypatch.setattr(
            stale,
            "sources",
            lambda code: {n: "edited" if n in modules else v for n, v in sources(code).items()},
        )

    sources = stale.sources
    return edited


@pytest.fixture(autouse=True)
def own_numbers():
    """Seed PyTorch's own generator: no test draws what another one left to it."""
    torch.manual_seed(0)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)
