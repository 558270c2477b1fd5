"""What codes learn of validation images, against direct sums and known distributions."""

import math

import pytest
import torch
from torch.distributions import Normal

from vaelib.measure import codes
from vaelib.vae.latent import encode
from vaelib.vae.losses import draw_noise
from vaelib.vae.model import VAE
from vaelib.vae.reconstruction import HALF, proportional_odds
from vaelib.vae.thresholds import LEVELS, Thresholds, mean_level

ALL = torch.arange(LEVELS).double() / 255


def outputs_of(model, images, noise):
    """What the decoder gives for one sampled z of each image, without the code under test."""
    q = encode(model, images)
    with torch.no_grad():
        return model.decoder(q.mean + torch.exp(q.log_variance / 2) * noise).squeeze(1)


def test_every_pixel_is_counted_where_it_belongs(model, digits):
    images, noise = digits.validation_images[:7], draw_noise(7, 2, 3)
    level, output, count = codes.joint_counts(model, images, noise)
    assert count.sum() == 7 * 784
    outputs = outputs_of(model, images, noise).double()
    for k in images.unique()[[0, 5, -1]]:
        mine, direct = output[level == k], outputs[images == k]
        mean = (mine * count[level == k]).sum() / len(direct)
        assert float(mean) == pytest.approx(float(direct.mean()), abs=codes.BIN / 4)
        assert len(direct) == count[level == k].sum()


def test_the_best_variance_is_the_mean_squared_error(model, digits):
    images = digits.training_images
    noise = draw_noise(len(images), 2, 3)
    decoded = torch.sigmoid(outputs_of(model, images, noise))
    expected = (decoded - images.float() / 255).double().square().mean()
    assert codes.best_variance(model, images, 3) == pytest.approx(float(expected), rel=1e-5)


def test_the_fitted_variance_is_best_for_the_masses_of_grey_levels(model, digits):
    images = digits.validation_images
    noise = draw_noise(len(images), 2, 3)
    means = torch.sigmoid(outputs_of(model, images, noise)).double()
    x = images.double() / 255

    def loss(variance):
        normal = Normal(means, math.sqrt(variance))
        upper = torch.where(images == 255, 1.0, normal.cdf(x + HALF))
        lower = torch.where(images == 0, 0.0, normal.cdf(x - HALF))
        return -float((upper - lower).log().sum())

    fitted = codes.fit_variance(codes.joint_counts(model, images, noise))
    assert loss(fitted) < min(loss(0.95 * fitted), loss(1.05 * fitted))


def test_thresholds_and_scale_are_found_again(generator):
    """Counts in the proportions of a known distribution, which is then the most likely one."""
    known = Thresholds(LEVELS - 2).double()
    with torch.no_grad():
        known.first.fill_(-1.0)
        known.gaps.copy_(torch.randn(LEVELS - 2, generator=generator).double() - 4)
    outputs = torch.linspace(-6, 6, 60, dtype=torch.float64)
    a = (1.7 * outputs)[:, None].expand(-1, LEVELS).reshape(-1, 1)
    masses = torch.exp(-proportional_odds(a, ALL.repeat(60)[:, None], known.edges())).detach()
    level, output = torch.arange(LEVELS).repeat(60), outputs.repeat_interleave(LEVELS)
    edges, scale = codes.fit_thresholds(codes.Counts(level, output, 1e6 * masses))
    assert scale == pytest.approx(1.7, rel=1e-3)
    torch.testing.assert_close(
        edges[:-1, 1].double(), known.edges()[:-1, 1].detach(), atol=5e-3, rtol=0
    )


def test_the_mean_of_thresholds_is_read_as_log_odds(generator):
    thresholds = Thresholds(LEVELS - 2)
    with torch.no_grad():
        thresholds.first.fill_(-3.0)
        thresholds.gaps.copy_(torch.randn(LEVELS - 2, generator=generator) - 4)
    outputs = 8 * torch.randn(2, 1, 28, 28, generator=generator)
    read = codes.mean_logits(thresholds)(outputs)
    assert read.shape == outputs.shape
    assert read.dtype == outputs.dtype
    with torch.no_grad():
        mean = mean_level(outputs.double(), thresholds().double())
    torch.testing.assert_close(torch.sigmoid(read).double(), mean, atol=2e-6, rtol=2e-5)
    plain = VAE(2, generator=generator)
    assert codes.mean_logits(plain.thresholds)(outputs) is outputs
