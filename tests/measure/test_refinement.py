"""Steps of optimisation for each image: where they begin, where they lead, what stays."""

import copy

import pytest
import torch

from vaelib.data.dataset import to_unit
from vaelib.evidence import fits
from vaelib.measure import refinement
from vaelib.vae.latent import encode
from vaelib.vae.objective import TOTAL, Objective

pytestmark = pytest.mark.xdist_group("measured")
ELBO = Objective("bce", 1.0)


@pytest.fixture(scope="module")
def gaps(measured, digits):
    """Gap (N,) of the encoder's q, of that after the last step, and of the nearest Gaussian."""
    model, result = measured
    images, generator = digits.test_images[:3], torch.Generator().manual_seed(0)
    qs = dict(refinement.refine(model, ELBO, images, generator))
    assert tuple(qs) == refinement.STEPS
    first, last = refinement.gaps_of(model, ELBO, images, [qs[0], qs[50]])
    torch.testing.assert_close(first, result.gap[:3], rtol=0, atol=0.03)
    nearest = fits.nearest_gaussian(result.evidence, torch.arange(3), result.q, diagonal=True)
    return first, last, nearest.gap


def test_steps_lead_from_the_encoders_q_towards_the_nearest_gaussian(gaps):
    first, last, nearest = gaps
    assert (last - nearest).min() > -0.03
    assert (last - nearest).mean() < (first - nearest).mean() / 4


def test_images_are_refined_each_by_itself_and_the_model_stays(model, digits, monkeypatch):
    before = copy.deepcopy(model.state_dict())
    images = digits.test_images[:5]
    monkeypatch.setattr(refinement, "STEPS", (0, 3))
    monkeypatch.setattr(torch, "randn", lambda shape, generator: torch.ones(shape))

    def last(some):
        return list(refinement.refine(model, ELBO, some, None))[-1][1]

    together, alone = last(images), last(images[2:3])
    torch.testing.assert_close(together.mean[2:3], alone.mean)
    torch.testing.assert_close(together.log_variance[2:3], alone.log_variance)
    assert not torch.equal(together.mean, encode(model, images).mean)
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    assert all(parameter.grad is None for parameter in model.decoder.parameters())


def sampled(model, objective, images, qs):
    """The negative bound, from samples, in the place of the gap."""
    for mean, log_variance in qs:
        noise = torch.randn(64, *mean.shape, generator=torch.Generator().manual_seed(1))
        x = to_unit(images)
        with torch.no_grad():
            decoded = [
                model.decoder(mean + torch.exp(log_variance / 2) * epsilon) for epsilon in noise
            ]
            losses = [objective(logits, x, mean, log_variance)[TOTAL] for logits in decoded]
        yield torch.stack(losses).double().mean(0)


def test_test_and_training_images_are_measured_apart(model, digits, monkeypatch):
    monkeypatch.setattr(refinement, "STEPS", (0, 1))
    monkeypatch.setattr(refinement, "IMAGES", 10)
    monkeypatch.setattr(refinement, "gaps_of", sampled)
    found = refinement.measure_refinement(model, ELBO, digits, seed=0)
    assert found.keys() == {"test", "training"}
    for part in found.values():
        assert list(part) == ["0", "1"]
        assert part["1"]["gap"] < part["0"]["gap"]
