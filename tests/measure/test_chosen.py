"""The test images that the explorer offers, and what it is told of them."""

from dataclasses import replace

import pytest
import torch

from vaelib.evidence.likelihood import Gaussian
from vaelib.measure import explored

pytestmark = pytest.mark.xdist_group("measured")


@pytest.fixture
def gaussian(measured):
    """The gaps, as if under a Gaussian likelihood, whose variance the explorer is told."""
    return replace(measured[1], likelihood=Gaussian(0.5))


def test_images_are_ordinary_parted_or_bad(gaussian, digits):
    found = explored.offered(gaussian, digits.test_labels[:12])
    gaps = gaussian.gap.tolist()
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
    assert set(by_kind.get("two modes", ())) <= set(gaussian.modes)


def test_codes_and_likelihood_are_the_models(gaussian, digits):
    found = explored.offered(gaussian, digits.test_labels[:12])
    assert found["variance"] == 0.5
    assert found["labels"] == "".join(map(str, digits.test_labels[:12].tolist()))
    torch.testing.assert_close(torch.tensor(found["codes"]), gaussian.q.mean, rtol=0, atol=6e-4)
