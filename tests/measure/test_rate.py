from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaelib.measure import rate
from vaelib.vae.model import Posterior


def measured(monkeypatch, q):
    """Measure the rate of given codes."""
    monkeypatch.setattr(rate, "encode", lambda model, images: q)
    return rate.measure_rate(None, None, SimpleNamespace(test_images=None), 0)


@pytest.mark.parametrize("dimensions", [2, 5])
def test_the_rate_is_torchs_divergence_by_dimension(dimensions, generator, monkeypatch):
    mean = torch.randn(40, dimensions, generator=generator)
    log_variance = torch.randn(40, dimensions, generator=generator) - 2
    found = measured(monkeypatch, Posterior(mean, log_variance))
    q = Normal(mean.double(), torch.exp(log_variance.double() / 2))
    expected = kl_divergence(q, Normal(0.0, 1.0)).mean(0)
    assert found["nats"] == pytest.approx(float(expected.sum()))
    assert found["dimensions"] == pytest.approx(sorted(expected.tolist(), reverse=True))
    assert ("aggregate" in found) == (dimensions == 2)
