import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from vaelib.study import comparison
from vaelib.training.run import model_of
from vaelib.vae.latent import encode


def test_the_divergence_is_that_of_the_encoded_images(smoke_run, digits):
    """Of a run with the weight ½: the divergence without it, by torch's own formula."""
    run, _ = smoke_run
    mean, log_variance = encode(model_of(run), digits.test_images)
    q = Independent(Normal(mean, torch.exp(log_variance / 2)), 1)
    prior = Independent(Normal(torch.zeros(2), torch.ones(2)), 1)
    expected = kl_divergence(q, prior).mean().item()
    received = comparison.kl_divergence(run.settings, run.losses["test"])
    assert received == pytest.approx(expected, rel=1e-5)
    summed = run.settings | {"beta": 1.0}
    assert comparison.kl_divergence(summed, {"kl": expected}) == expected


def test_runs_side_by_side(smoke_run):
    run, _ = smoke_run
    found = comparison.compare({"a": run, "b": run})
    assert set(found["kl_divergence"]) == {"a", "b"}
    assert found["best_variance"] == {}
    assert comparison.times({"a": run, "b": run}) == {
        "training_seconds": pytest.approx(run.outcome["training_seconds"]),
        "peak_memory_mb": run.outcome["peak_memory_mb"],
    }
