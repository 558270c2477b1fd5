"""The test images that the explorer offers, and what it is told of them."""

import pytest
import torch

from vaelib.measure import explored, gap
from vaelib.training.run import model_of
from vaelib.vae.objective import Objective


@pytest.fixture(scope="module")
def measured(smoke_run, digits):
    """Under a Gaussian likelihood, whose variance the explorer is told."""
    model = model_of(smoke_run[0])
    return gap.measure_gap(model, Objective("mse", 1.0), digits.test_images[:12])


def test_images_are_ordinary_parted_or_bad(measured, digits):
    found = explored.offered(measured, digits.test_labels[:12])
    gaps = measured.gap.tolist()
    by_kind = {}
    for image in found["images"]:
        index = image["index"]
        by_kind.setdefault(image["why"], []).append(index)
        assert image["label"] == digits.test_labels[index]
        assert image["pixels"] == digits.test_images[index].flatten().tolist()
        assert image["log_evidence"] - image["bound"] == pytest.approx(gaps[index], abs=1e-9)
    assert by_kind["greatest gap"] == sorted(range(12), key=lambda i: -gaps[i])[:3]
    middle = sorted(gaps)[5]
    assert by_kind["ordinary gap"] == sorted(range(12), key=lambda i: abs(gaps[i] - middle))[:3]
    assert set(by_kind.get("two modes", ())) <= set(measured.modes)


def test_codes_and_likelihood_are_the_models(measured, digits):
    found = explored.offered(measured, digits.test_labels[:12])
    assert found["variance"] == 0.5
    assert found["labels"] == "".join(map(str, digits.test_labels[:12].tolist()))
    torch.testing.assert_close(torch.tensor(found["codes"]), measured.q.mean, rtol=0, atol=6e-4)
