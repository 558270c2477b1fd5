import torch

from vaelib.vae import latent


def test_the_plane_of_two_dimensions_is_the_codes():
    codes = torch.randn(5, 2)
    assert torch.equal(latent.plane(codes)[0], codes)


def test_the_plane_of_one_dimension_has_a_second_axis_that_says_so():
    codes = torch.randn(5, 1)
    points, names = latent.plane(codes)
    assert torch.equal(points[:, :1], codes)
    assert points.shape == (5, 2)
    assert "no meaning" in names[1]
