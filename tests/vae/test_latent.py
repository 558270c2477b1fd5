import numpy as np
import pytest
import torch

from vaelib.vae import latent
from vaelib.vae.model import VAE


@pytest.fixture(scope="module")
def model():
    return VAE(2, generator=torch.Generator().manual_seed(0))


def test_encode_and_decode_are_the_networks(model, digits):
    images = digits.test_images[:3]
    mean, log_variance = model.encoder(images.reshape(3, 1, 28, 28) / 255)
    posterior = latent.encode(model, images)
    torch.testing.assert_close(posterior.mean, mean.detach())
    torch.testing.assert_close(posterior.log_variance, log_variance.detach())
    decoded = latent.decode(model, mean.detach())
    assert decoded.shape == (3, 28, 28)
    torch.testing.assert_close(decoded[:, None], model.decoder(mean).sigmoid().detach())


def test_latent_grid_reads_like_a_map():
    grid = latent.latent_grid(3, 2.0).reshape(3, 3, 2)
    assert grid[0, 0].tolist() == [-2, 2]
    assert grid[0, 2].tolist() == [2, 2]
    assert grid[2, 0].tolist() == [-2, -2]
    assert grid[1, 1].tolist() == [0, 0]


def test_the_plane_of_many_dimensions_is_that_of_numpys_principal_components():
    codes = torch.randn(500, 4).double() * torch.tensor([1.0, 5.0, 0.1, 3.0])
    points, names = latent.plane(codes)
    values, vectors = np.linalg.eigh(np.cov(codes.numpy().T))
    expected = (codes - codes.mean(0)).numpy() @ vectors[:, np.argsort(values)[::-1][:2]]
    np.testing.assert_allclose(np.abs(points.numpy()), np.abs(expected), atol=1e-9)
    assert "principal component" in names[0]


def test_the_plane_of_two_dimensions_is_the_codes():
    codes = torch.randn(5, 2)
    assert torch.equal(latent.plane(codes)[0], codes)


def test_the_plane_of_one_dimension_has_a_second_axis_that_says_so():
    codes = torch.randn(5, 1)
    points, names = latent.plane(codes)
    assert torch.equal(points[:, :1], codes)
    assert points.shape == (5, 2)
    assert "no meaning" in names[1]
