import pytest

from vaelib.measure import gap
from vaelib.training.run import model_of
from vaelib.vae.objective import Objective


@pytest.fixture(scope="module")
def model(smoke_run):
    return model_of(smoke_run[0])


@pytest.fixture(scope="session")
def measured(smoke_run, digits):
    """A model, and the gaps of twelve images under it."""
    model = model_of(smoke_run[0])
    return model, gap.measure_gap(model, Objective("bce", 1.0), digits.test_images[:12])
