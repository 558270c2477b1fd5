import numpy as np
import pytest
import torch

from vaelib import evaluation
from vaelib.model import VAE
from vaelib.objective import Objective


@pytest.fixture(scope="module")
def model():
    return VAE(2, generator=torch.Generator().manual_seed(0))


def test_losses_do_not_depend_on_the_batch_size(model, digits):
    noise = evaluation.draw_noise(len(digits.test_images), 2, seed=5)
    results = [
        evaluation.mean_losses(
            evaluation.image_losses(
                model, Objective("bce", "mean"), digits.test_images, noise, batch_size
            )
        )
        for batch_size in (7, 100, 1000)
    ]
    for other in results[1:]:
        assert other == pytest.approx(results[0], rel=1e-6)


def test_losses_are_those_of_the_whole_batch(model, digits):
    images, noise = digits.test_images[:9], evaluation.draw_noise(9, 2, seed=1)
    objective = Objective("mse", "sum")
    x = images.reshape(9, 1, 28, 28) / 255
    logits, mean, log_variance, _ = model(x, noise)
    expected = objective(logits, x, mean, log_variance)
    received = evaluation.image_losses(model, objective, images, noise)
    for column, other in zip(received, expected, strict=True):
        torch.testing.assert_close(column, other.detach())


def test_noise_comes_from_its_own_generator():
    torch.manual_seed(1)
    first = evaluation.draw_noise(10, 2, seed=3)
    torch.manual_seed(2)
    assert torch.equal(first, evaluation.draw_noise(10, 2, seed=3))
    assert not torch.equal(first, evaluation.draw_noise(10, 2, seed=4))


def test_noise_must_fit_the_images(model, digits):
    with pytest.raises(ValueError, match=r"noise has shape \(3, 2\); expected one row per image"):
        evaluation.image_losses(
            model, Objective("bce", "sum"), digits.test_images, torch.zeros(3, 2), 100
        )


def test_encode_and_decode_are_the_networks(model, digits):
    images = digits.test_images[:3]
    mean, log_variance = model.encoder(images.reshape(3, 1, 28, 28) / 255)
    posterior = evaluation.encode(model, images)
    torch.testing.assert_close(posterior.mean, mean.detach())
    torch.testing.assert_close(posterior.log_variance, log_variance.detach())
    decoded = evaluation.decode(model, mean.detach())
    assert decoded.shape == (3, 28, 28)
    torch.testing.assert_close(decoded[:, None], model.decoder(mean).sigmoid().detach())


def test_latent_grid_reads_like_a_map():
    grid = evaluation.latent_grid(3, 2.0).reshape(3, 3, 2)
    assert grid[0, 0].tolist() == [-2, 2]
    assert grid[0, 2].tolist() == [2, 2]
    assert grid[2, 0].tolist() == [-2, -2]
    assert grid[1, 1].tolist() == [0, 0]


def test_the_plane_of_many_dimensions_is_that_of_numpys_principal_components():
    codes = torch.randn(500, 4).double() * torch.tensor([1.0, 5.0, 0.1, 3.0])
    points, names = evaluation.plane(codes)
    values, vectors = np.linalg.eigh(np.cov(codes.numpy().T))
    expected = (codes - codes.mean(0)).numpy() @ vectors[:, np.argsort(values)[::-1][:2]]
    np.testing.assert_allclose(np.abs(points.numpy()), np.abs(expected), atol=1e-9)
    assert "principal component" in names[0]


def test_the_plane_of_two_dimensions_is_the_codes():
    codes = torch.randn(5, 2)
    assert torch.equal(evaluation.plane(codes)[0], codes)


def test_the_plane_of_one_dimension_has_a_second_axis_that_says_so():
    codes = torch.randn(5, 1)
    points, names = evaluation.plane(codes)
    assert torch.equal(points[:, :1], codes)
    assert points.shape == (5, 2)
    assert "no meaning" in names[1]


def test_entropy_floor_is_that_of_torchs_bernoulli(digits):
    from torch.distributions import Bernoulli

    images = digits.test_images
    pixels = Bernoulli(probs=images.double() / 255)
    expected = pixels.entropy().flatten(1).sum(1).mean().item()
    assert evaluation.entropy_floor(images) == pytest.approx(expected, rel=1e-6)
    assert evaluation.entropy_floor(images) > 1


def test_the_floor_is_reached_by_the_images_themselves(digits):
    from vaelib.objective import binary_cross_entropy

    x = digits.test_images.double() / 255
    perfect = binary_cross_entropy(x.clamp(1e-12, 1 - 1e-12).logit(), x).mean().item()
    assert evaluation.entropy_floor(digits.test_images) == pytest.approx(perfect, abs=1e-4)
