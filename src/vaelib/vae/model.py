"""The convolutional variational autoencoder: encoder, decoder and the sampler between them."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaelib.plumbing.checks import require_whole
from vaelib.vae.layers import Conv2d, ConvTranspose2d, ToOneChannel
from vaelib.vae.thresholds import Thresholds, mean_level

IMAGE_SHAPE = (1, 28, 28)
MOST_DIMENSIONS = 28 * 28  # of a latent space: as many as an image has pixels
UNITS = 16  # of the encoder's dense layer, as the original's
MOST_UNITS = 2**14
HIDDEN = (
    "encoder.conv2.weight",
    "encoder.dense.weight",
    "decoder.deconv1.weight",
    "decoder.deconv2.weight",
)
"""Weights between hidden layers. Neither pixels nor the latent space are at one of their ends."""


class Posterior(NamedTuple):
    """The diagonal Gaussian q(z|x), one row per image."""

    mean: Tensor  # (B, d)
    log_variance: Tensor  # (B, d)


class Encoder(nn.Module):
    """Map images to the parameters of the approximate posterior q(z|x).

    Two 3×3 convolutions with stride 2 (32 and 64 filters), a dense layer and two linear heads.
    Padding is one pixel on each side; the original's framework pads a strided "same" convolution on
    the right and at the bottom only. Shapes and, with 16 units, parameters are equal.

    Args:
        latent_dim: number d of latent dimensions.
        units: of the dense layer.
    """

    def __init__(self, latent_dim: int, units: int = UNITS):
        super().__init__()
        self.conv1 = Conv2d(1, 32, kernel_size=3, stride=2, padding=1)
        self.conv2 = Conv2d(32, 64, kernel_size=3, stride=2, padding=1)
        self.dense = nn.Linear(64 * 7 * 7, units)
        self.mean = nn.Linear(units, latent_dim)
        self.log_variance = nn.Linear(units, latent_dim)

    def forward(self, images: Tensor) -> Posterior:
        """Encode images (B, 1, 28, 28), pixels in [0, 1]; return mean and log σ², each (B, d)."""
        h = torch.relu_(self.conv1(images))  # (B, 32, 14, 14)
        h = torch.relu_(self.conv2(h))  # (B, 64, 7, 7)
        h = torch.relu_(self.dense(h.permute(0, 2, 3, 1).flatten(1)))  # (B, units)
        return Posterior(self.mean(h), self.log_variance(h))


class Decoder(nn.Module):
    """Map latent vectors to the logits of p(x|z).

    A dense layer, two 3×3 transposed convolutions with stride 2 (64 and 32 filters) and one with
    stride 1. The sigmoid is left to the caller, so that losses can be computed from logits.

    Args:
        latent_dim: number d of latent dimensions.
    """

    def __init__(self, latent_dim: int):
        super().__init__()
        self.dense = nn.Linear(latent_dim, 64 * 7 * 7)
        self.deconv1 = ConvTranspose2d(64, 64, 3, stride=2, padding=1, output_padding=1)
        self.deconv2 = ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1)
        self.deconv3 = ToOneChannel(32)

    def forward(self, z: Tensor) -> Tensor:
        """Decode latent vectors (B, d); return logits (B, 1, 28, 28), before the sigmoid."""
        h = torch.relu_(self.dense(z)).unflatten(1, (7, 7, 64))  # (B, 7, 7, 64)
        h = h.permute(0, 3, 1, 2)  # (B, 64, 7, 7)
        h = torch.relu_(self.deconv1(h))  # (B, 64, 14, 14)
        h = torch.relu_(self.deconv2(h))  # (B, 32, 28, 28)
        return self.deconv3(h)


class VAE(nn.Module):
    """Encoder, reparameterised sampler and decoder.

    Weights are drawn Glorot-uniform and biases are zero, as in the original's framework
    (Glorot and Bengio, 2010).

    Args:
        latent_dim: number d of latent dimensions, at least 1.
        units: of the encoder's dense layer.
        generator: source of the initial weights; two models from equal generators are equal.
            PyTorch's own if not given.
        thresholds: between grey levels, if the likelihood learns some.

    Raises:
        ValueError: latent_dim is not a whole number from 1 to 784, or units none above 0.

    >>> import torch, vaelib
    >>> model = vaelib.VAE(latent_dim=2)
    >>> logits, mean, log_variance, z = model(torch.zeros(5, 1, 28, 28))
    >>> logits.shape, z.shape
    (torch.Size([5, 1, 28, 28]), torch.Size([5, 2]))
    """

    def __init__(
        self,
        latent_dim: int = 2,
        units: int = UNITS,
        generator: torch.Generator | None = None,
        thresholds: Thresholds | None = None,
    ):
        super().__init__()
        require_whole("latent_dim", latent_dim, 1, MOST_DIMENSIONS)
        require_whole("units", units, 1, MOST_UNITS)
        self.latent_dim = latent_dim
        self.encoder = Encoder(latent_dim, units)
        self.decoder = Decoder(latent_dim)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.xavier_uniform_(parameter, generator=generator)
        self.thresholds = thresholds
        # The faster layout of all five convolutions. PyTorch's stub does not know the argument.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(
        self, images: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Encode, sample z = mean + σ · noise, decode.

        Args:
            images: (B, 1, 28, 28), the dtype of the weights, pixels in [0, 1].
            noise: (B, d), drawn from N(0, I); by PyTorch's own generator if not given.

        Returns:
            logits (B, 1, 28, 28), mean (B, d), log-variance (B, d) and z (B, d).

        Raises:
            ValueError: images have another shape, dtype or range, or noise another shape.

        Source: equation :eq:`reparameterisation`.
        """
        self._check(images, noise)
        mean, log_variance = self.encoder(images)
        if noise is None:
            noise = torch.randn_like(mean)
        z = mean + torch.exp(log_variance / 2) * noise
        return self.decoder(z), mean, log_variance, z

    def edges(self) -> Tensor | None:
        """Return the edges (256, 3) of the thresholds that the likelihood has learnt, if it has."""
        return None if self.thresholds is None else self.thresholds.edges()

    def pixels(self, outputs: Tensor) -> Tensor:
        """Return the decoded image, the mean grey values of p(x|z), from a decoder's outputs."""
        if self.thresholds is None:
            return torch.sigmoid(outputs)
        return mean_level(outputs, self.thresholds())

    def _check(self, images: Tensor, noise: Tensor | None) -> None:
        expected = self.encoder.conv1.weight.dtype
        if images.ndim != 4 or images.shape[1:] != IMAGE_SHAPE:
            raise ValueError(
                f"images have shape {tuple(images.shape)}; expected (B, 1, 28, 28): "
                "vaelib.data.dataset.to_unit turns uint8 images (B, 28, 28) into such a batch"
            )
        if images.dtype != expected:
            raise ValueError(
                f"images have dtype {images.dtype}; expected {expected}, that of the weights: "
                "vaelib.data.dataset.to_unit turns uint8 images into float32"
            )
        if noise is not None and (
            noise.shape != (len(images), self.latent_dim) or noise.dtype != expected
        ):
            raise ValueError(
                f"noise has shape {tuple(noise.shape)} and dtype {noise.dtype}; expected one row "
                f"per image, ({len(images)}, {self.latent_dim}), and {expected}"
            )
        # On an accelerator the comparison would wait for the device in every step.
        if images.device.type == "cpu" and images.numel():
            if noise is not None and not noise.isfinite().all():
                raise ValueError("noise has values that are NaN or infinite; expected finite ones")
            low, high = torch.aminmax(images)
            if not (low >= 0 and high <= 1):
                raise ValueError(
                    f"pixels lie between {low:g} and {high:g}; expected [0, 1]: "
                    "divide grey values of 0 to 255 by 255"
                )


def count_parameters(module: nn.Module) -> int:
    """Count the trainable numbers of a module."""
    return sum(parameter.numel() for parameter in module.parameters())
