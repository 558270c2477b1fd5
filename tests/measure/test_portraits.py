"""Pictures of single posteriors: the right images, windows that hold them, the right densities."""

import numpy as np
import pytest
import torch

from vaelib.measure import portraits

pytestmark = pytest.mark.xdist_group("measured")


def test_the_worst_are_those_with_the_greatest_gaps(measured):
    model, result = measured
    found = portraits.worst(result, model, 3)
    order = np.argsort(-result.gap.numpy())[:3]
    for picture, image in zip(found, order, strict=True):
        np.testing.assert_array_equal(picture.image.ravel(), result.pixels[image].numpy())
        np.testing.assert_array_equal(picture.mean, result.q.mean[image].numpy())
        assert list(picture.decoded) == ["at q", "at p(z|x)"]
        with torch.no_grad():
            expected = torch.sigmoid(model.decoder(result.q.mean[image][None]))[0, 0]
        np.testing.assert_allclose(picture.decoded["at q"], expected.numpy(), atol=1e-5)


def test_posteriors_with_modes_of_equal_mass_come_first(measured):
    model, result = measured
    found = portraits.parted(result, model, 2)
    second = sorted((modes[1].mass for modes in result.modes.values()), reverse=True)
    assert len(found) == min(2, len(second))
    first = max(result.modes, key=lambda image: result.modes[image][1].mass)
    np.testing.assert_array_equal(found[0].image.ravel(), result.pixels[first].numpy())


def test_a_window_holds_the_posterior_with_its_mean_and_covariance(measured):
    model, result = measured
    image = 5
    picture = portraits.picture(result, model, image, {"at q": result.q.mean[image]})
    left, right, bottom, top = picture.window
    first = np.linspace(left, right, portraits.POINTS)
    second = np.linspace(bottom, top, portraits.POINTS)
    share = picture.density / picture.density.sum()
    mean = np.array([share.sum(1) @ first, share.sum(0) @ second])
    deviations = result.evidence.covariance[image].diagonal().sqrt().numpy()
    np.testing.assert_allclose(mean, result.evidence.mean[image].numpy(), atol=0.1 * deviations[0])
    spread = np.sqrt(share.sum(1) @ (first - mean[0]) ** 2)
    assert spread == pytest.approx(deviations[0], rel=0.1)


def test_samples_of_the_aggregate_posterior_lie_where_the_images_do(measured, generator):
    """Decoded, so compared as pixels: the mean of many is that of samples of q, image by image."""
    model, result = measured
    found = portraits.samples(result, model, 600, generator)
    assert found["prior"].shape == found["aggregate"].shape == (600, 28, 28)
    noise = torch.randn(50, *result.q.mean.shape, generator=generator)
    z = (result.q.mean + torch.exp(result.q.log_variance / 2) * noise).flatten(0, 1)
    with torch.no_grad():
        aggregated = torch.sigmoid(model.decoder(z)).mean((0, 1)).numpy()
        normal = torch.randn(600, 2, generator=generator)
        prior = torch.sigmoid(model.decoder(normal)).mean((0, 1)).numpy()
    apart = np.abs(aggregated - prior).max()
    for name, expected in (("aggregate", aggregated), ("prior", prior)):
        assert np.abs(found[name].mean(0) - expected).max() < 0.3 * apart
