import pytest
import torch
from hypothesis import settings

from vaelib import data, runs

settings.register_profile("shared machine", deadline=None)  # its speed says nothing here
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def digits():
    return data.load("synthetic")


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory):
    """A finished run of the recipe for tests, and its folder."""
    folder = tmp_path_factory.mktemp("runs") / "bce"
    return runs.train_run(runs.Settings(recipe="smoke", device="cpu"), folder), folder


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)
