import numpy as np
import pytest
import torch

from vaelib.vae.model import VAE, Decoder, Encoder, count_parameters


@pytest.fixture
def model(generator):
    return VAE(2, generator=generator)


def test_parameter_counts_are_those_of_the_original(model):
    assert count_parameters(model.encoder) == 69_076
    assert count_parameters(model.decoder) == 65_089
    assert count_parameters(model) == 134_165


def test_z_is_mean_plus_noise_times_deviation(model):
    images, noise = torch.rand(4, 1, 28, 28), torch.randn(4, 2)
    _, mean, log_variance, z = model(images, noise)
    np.testing.assert_allclose(
        z.detach().numpy(),
        mean.detach().numpy() + np.sqrt(np.exp(log_variance.detach().numpy())) * noise.numpy(),
        rtol=1e-5,
        atol=1e-7,
    )


def test_weights_are_glorot_uniform_and_biases_zero(model):
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any()
            continue
        receptive = parameter[0, 0].numel() if parameter.ndim == 4 else 1
        fans = receptive * (parameter.shape[0] + parameter.shape[1])
        limit = (6 / fans) ** 0.5
        assert parameter.abs().max() <= limit
        if parameter.numel() > 1000:  # a uniform variable has the variance limit² / 3
            assert parameter.var().item() == pytest.approx(limit**2 / 3, rel=0.1)


def test_equal_generators_give_equal_models():
    first, second, other = (
        VAE(2, generator=torch.Generator().manual_seed(seed)).state_dict() for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["encoder.conv1.weight"], other["encoder.conv1.weight"])


def test_transposed_convolution_is_the_adjoint_of_the_convolution():
    """The decoder's upsampling has the geometry of the encoder's downsampling."""
    torch.manual_seed(0)
    deconv = Decoder(2).double().deconv2
    encoded, image = torch.randn(1, 64, 14, 14).double(), torch.randn(1, 32, 28, 28).double()
    down = torch.nn.functional.conv2d(image, deconv.weight, stride=2, padding=1)
    up = deconv(encoded) - deconv.bias[:, None, None]
    assert (down * encoded).sum().item() == pytest.approx((image * up).sum().item())


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(3, 28, 28), r"shape \(3, 28, 28\); expected \(B, 1, 28, 28\)"),
        (torch.rand(3, 3, 28, 28), "expected"),
        (torch.zeros(3, 1, 28, 28, dtype=torch.uint8), "dtype torch.uint8; expected torch.float32"),
        (torch.rand(3, 1, 28, 28).double(), "dtype torch.float64"),
        (torch.full((3, 1, 28, 28), 255.0), "divide grey values"),
        (torch.full((3, 1, 28, 28), -0.1), "divide grey values"),
        (torch.full((3, 1, 28, 28), float("nan")), "divide grey values"),
    ],
)
def test_other_input_is_refused(model, images, message):
    with pytest.raises(ValueError, match=message):
        model(images, torch.randn(3, 2))


def test_latent_dimension_reaches_both_ends():
    assert Encoder(5)(torch.rand(2, 1, 28, 28)).mean.shape == (2, 5)
    assert Decoder(5)(torch.randn(2, 5)).shape == (2, 1, 28, 28)
