import pytest
import torch
from hypothesis import settings

from vaelib.digits import dataset
from vaelib.training import folder, run

settings.register_profile("shared machine", deadline=None)  # its speed says nothing here
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def digits():
    return dataset.load("synthetic")


@pytest.fixture(scope="session")
def smoke_run(digits, tmp_path_factory):
    """A finished run of the recipe for tests, and its folder."""
    place = tmp_path_factory.mktemp("runs") / "bce"
    result = run.train(run.Settings(recipe="smoke", device="cpu"), digits)
    folder.save(result, place)
    return result, place


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)
