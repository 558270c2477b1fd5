"""Code lengths against sums over all images, samples, and torch's own distributions."""

import math
from types import SimpleNamespace

import pytest
import torch

from vaelib.evidence import sampling
from vaelib.evidence.levels import ContinuousBernoulliLevels, GaussianLevels
from vaelib.evidence.odds import ProportionalOdds
from vaelib.evidence.quadrature import integrate
from vaelib.evidence.tiles import nodes_of
from vaelib.measure import code_length, codes
from vaelib.vae.losses import draw_noise
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective
from vaelib.vae.thresholds import GAPS, Thresholds

KINDS = [
    ContinuousBernoulliLevels(),
    GaussianLevels(0.04),
    GaussianLevels(0.25, censored=False),
    ProportionalOdds(Thresholds(GAPS["odds"]).double().edges().detach()),
]


@pytest.mark.parametrize("levels", KINDS)
def test_the_codes_of_all_images_are_those_of_a_probability(levels):
    """Images of one pixel: all 256 of them. Kraft's sum of 2^−length is 1."""
    small = SimpleNamespace(decoder=lambda z: 2 * torch.relu(z[:, :1]) - z[:, 1:])
    images = torch.arange(256, dtype=torch.uint8).view(256, 1, 1)
    bits, error = code_length.bits_per_pixel(small, levels, images)
    assert float(torch.exp2(-bits).sum()) == pytest.approx(1, abs=float(error.max()))
    assert float(error.max()) <= code_length.TOLERANCE / math.log(2)
    assert float(bits.min()) > 0


@pytest.mark.parametrize("levels", KINDS)
def test_the_code_length_is_that_of_importance_sampling(levels, generator):
    """Images of nine pixels, black and white among them, and a decoder with kinks."""
    first, second = torch.randn(2, 20, generator=generator), torch.randn(20, 9, generator=generator)

    def decoder(z):
        return torch.relu(z @ first) @ second

    images = torch.randint(-40, 300, (6, 3, 3), generator=generator).clamp(0, 255).byte()
    bits, error = code_length.bits_per_pixel(SimpleNamespace(decoder=decoder), levels, images)
    rows = levels.rows(images.flatten(1).float() / 255)
    posterior = integrate(decoder, levels, rows, None)
    estimate, spread = sampling.importance_sampling(
        decoder, levels, rows, posterior.mean, posterior.covariance, 2000, generator
    )
    nats = 9 * math.log(2)
    assert ((bits * nats + estimate).abs() < 5 * spread + error * nats).all()


def test_every_model_is_put_to_every_code(model, digits, monkeypatch):
    """The code lengths are made up; each says which levels it is of."""
    seen = []

    def made_up(decoder, levels, images):
        seen.append(levels)
        assert images is digits.test_images
        assert decoder(torch.zeros(64, 2)).shape == (64, 1, 28, 28)
        return torch.tensor([1.0, 2.0, 6.0]) + len(seen), torch.tensor([0.01, 0.03, 0.02])

    monkeypatch.setattr(code_length, "_bits", made_up)
    found = code_length.measure_code_lengths(model, Objective("bce", 0.5), digits, 0)
    assert list(found) == ["quarter", "untailed", "fitted", "bernoulli", "odds"]
    assert found["quarter"] == pytest.approx(
        {"bits_per_pixel": 4, "deviation": 7**0.5, "error": 0.03}
    )
    assert [type(levels).__name__ for levels in seen[3:]] == [
        "ContinuousBernoulliLevels",
        "ProportionalOdds",
    ]
    noise = draw_noise(len(digits.validation_images), 2, 0)
    fitted = codes.fit_variance(codes.joint_counts(model, digits.validation_images, noise))
    assert seen[:3] == [
        GaussianLevels(0.25),
        GaussianLevels(0.25, censored=False),
        GaussianLevels(fitted),
    ]
    assert found["fitted"]["variance"] == fitted
    own = code_length.measure_code_lengths(model, Objective("gaussian", 1.0), digits, 0)["own"]
    assert own["variance"] == codes.best_variance(model, digits.training_images, 0)
    assert seen[-1] == GaussianLevels(own["variance"])


def test_learnt_thresholds_are_a_code_of_their_own(digits, generator, monkeypatch):
    thresholds = Thresholds.of(digits.training_images, GAPS["odds"])
    model = VAE(2, generator=generator, thresholds=thresholds)
    lengths = {}

    def made_up(decoder, levels, images):
        lengths[len(lengths)] = decoder(torch.ones(64, 2))
        return torch.ones(3), torch.zeros(3)

    monkeypatch.setattr(code_length, "_bits", made_up)
    found = code_length.measure_code_lengths(model, Objective("odds", 1.0), digits, 0)
    assert list(found)[-1] == "own"
    outputs = model.decoder(torch.ones(64, 2))
    torch.testing.assert_close(lengths[5], outputs)
    torch.testing.assert_close(lengths[4], found["odds"]["scale"] * outputs)
    mean = model.pixels(outputs)
    torch.testing.assert_close(torch.sigmoid(lengths[0]), mean, atol=1e-5, rtol=1e-5)


def test_what_was_decoded_once_is_kept(monkeypatch):
    seen = []

    def decoder(nodes):
        seen.append(nodes)
        return nodes.sum(1)

    monkeypatch.setattr(code_length, "KEPT", 2)
    kept = code_length._kept(decoder)
    for step in (1.0, 0.5, 0.25, 1.0, 0.5, 0.25):
        nodes = nodes_of(torch.tensor([[1, -2]]), step)[0]
        torch.testing.assert_close(kept(nodes), nodes.sum(1))
    assert len(seen) == 4
