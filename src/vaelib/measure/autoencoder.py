"""A plain autoencoder, trained like a recorded model: what the divergence and the noise buy."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaelib.data.dataset import ImageSet
from vaelib.evidence.likelihood import assumed
from vaelib.evidence.quadrature import integrate
from vaelib.measure.samples import png, prior_samples
from vaelib.training.fit import fit
from vaelib.training.recipes import RECIPES
from vaelib.vae.latent import encode
from vaelib.vae.losses import draw_noise, image_losses
from vaelib.vae.model import VAE
from vaelib.vae.objective import RECONSTRUCTION, Objective


class Autoencoder(VAE):
    """The network of a VAE with z = μ: no noise, and a divergence of 0 whatever the code.

    The encoder's head of the variance is there and learns nothing, so that the first weights are
    those of the VAE with an equal generator.
    """

    def forward(
        self, images: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Encode, decode.

        Args:
            images: (B, 1, 28, 28).
            noise: not used.

        Returns:
            logits (B, 1, 28, 28), twice a tensor of zeros (B, d), and the code z (B, d).
        """
        self._check(images, noise)
        z, _ = self.encoder(images)
        zero = torch.zeros_like(z)
        return self.decoder(z), zero, zero, z


def measure_autoencoder(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Train an autoencoder in the place of a recorded model, and make a model of images of it.

    Nothing draws its codes to the prior N(0, I). So its evidence is computed with that prior, and
    with one that is chosen afterwards: the Gaussian with the mean and the covariance of the
    training images' codes.

    Args:
        model: the recorded one, with two latent dimensions.
        objective: without parameters of its own.
        data: on the CPU.
        seed: as the recorded model's.

    Returns:
        ``reconstruction``, the mean loss of the test images, nats; ``vae_at_mean``, that of the
        recorded model if it decodes the mean of q(z|x) and not a sample; ``deviation``, the root
        of the summed variance of the training images' codes; ``log_evidence`` with the prior
        N(0, I) and ``fitted`` with the fitted one, means over the test images in nats, by
        quadrature; ``error``, the greatest error estimate of an image's; and ``samples``, a row of
        each of the two priors, as :func:`vaelib.measure.samples.measure_samples` has them.

    Source: a prior that is fitted after training, Ghosh et al. (2020).
    """
    start = torch.Generator().manual_seed(seed)
    other = Autoencoder(model.latent_dim, model.encoder.dense.out_features, start)
    noise = draw_noise(len(data.images), model.latent_dim, seed)
    fit(other, objective, RECIPES["report"], data, noise, seed)
    codes = encode(other, data.training_images).mean.double()
    middle, covariance = codes.mean(0), codes.T.cov()
    factor = torch.linalg.cholesky(covariance)

    def placed(z: Tensor) -> Tensor:
        """Decode z of N(0, I) where the codes lie."""
        return other.decoder((middle + z.double() @ factor.T).float())

    pixels = data.test_images.flatten(1).float() / 255
    decoders: dict[str, Callable[[Tensor], Tensor]] = {
        "log_evidence": other.decoder,
        "fitted": placed,
    }
    found = {
        name: integrate(decoder, assumed(objective), pixels, None)
        for name, decoder in decoders.items()
    }
    no_noise = torch.zeros(len(pixels), 2)
    losses = [image_losses(one, objective, data.test_images, no_noise) for one in (other, model)]
    reconstruction, at_mean = (float(each[RECONSTRUCTION].double().mean()) for each in losses)
    z = prior_samples(other, seed)
    with torch.no_grad():
        rows = [255 * torch.sigmoid(decoder(z))[:, 0] for decoder in decoders.values()]
    return {
        "reconstruction": reconstruction,
        "vae_at_mean": at_mean,
        "deviation": float(covariance.trace().sqrt()),
        **{name: float(evidence.log_evidence.mean()) for name, evidence in found.items()},
        "error": max(float(evidence.error.max()) for evidence in found.values()),
        "samples": png(*(row.round() for row in rows)),
    }
