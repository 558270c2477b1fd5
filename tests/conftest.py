import json
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from vaelib.digits import dataset
from vaelib.study.summary import summarise
from vaelib.training import folder, run
from vaelib.training.settings import Settings

BOOK = Path(__file__).parents[1] / "book"

settings.register_profile("shared machine", deadline=None)  # its speed says nothing here
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def digits():
    return dataset.load("synthetic")


@pytest.fixture(scope="session")
def smoke_run(digits, tmp_path_factory):
    """A finished run of the recipe for tests, and its folder."""
    place = tmp_path_factory.mktemp("runs") / "bce"
    result = run.train(Settings(recipe="smoke", device="cpu"), digits)
    folder.save(result, place)
    return result, place


@pytest.fixture(scope="session")
def summary():
    """What the records of the book say together."""
    return json.loads(json.dumps(summarise(BOOK)))


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)
