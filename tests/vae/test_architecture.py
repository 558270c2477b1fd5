import torch

from vaelib.vae.architecture import layers
from vaelib.vae.model import VAE, count_parameters


def test_encoder(generator):
    encoder = VAE(2, generator=generator).encoder
    steps = layers(encoder, torch.zeros(1, 1, 28, 28))
    assert sum(step.parameters for step in steps) == count_parameters(encoder)
    assert steps[0].shape == (1, 28, 28)
    assert [step.shape for step in steps if step.operation.startswith("conv")] == [
        (32, 14, 14),
        (64, 7, 7),
    ]
    assert [step.operation for step in steps[-2:]] == ["dense, mean", "dense, log-variance"]


def test_decoder_follows_the_latent_dimension(generator):
    steps = layers(VAE(7, generator=generator).decoder, torch.zeros(1, 7))
    assert steps[0].shape == (7,)
    assert steps[-1].shape == (1, 28, 28)
    assert sum("transposed" in step.operation for step in steps) == 3
