"""The rate of a model: what the encoder says of an image beyond the prior."""

from vaelib.data.dataset import ImageSet
from vaelib.evidence.aggregate import aggregate
from vaelib.vae.latent import encode
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective, kl_per_dimension


def measure_rate(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Average the divergence of the encoder's q(z|x) from the prior over the test images.

    Args:
        model, data: on the CPU.
        objective, seed: of the training; nothing here depends on them.

    Returns:
        ``nats``, the rate, the mean of KL(q(z|x) ‖ p(z)); ``dimensions``, the same for each latent
        dimension, the greatest first; and, for two dimensions, ``aggregate``, the ``divergence`` of
        the aggregate posterior from the prior in nats and the share of the prior that is ``empty``.

    Source: Alemi et al. (2018), who set the rate against the distortion.
    """
    q = encode(model, data.test_images)
    dimensions = kl_per_dimension(q.mean.double(), q.log_variance.double()).mean(0)
    found = {
        "nats": float(dimensions.sum()),
        "dimensions": dimensions.sort(descending=True).values.tolist(),
    }
    if len(dimensions) == 2:
        whole = aggregate(q)
        found["aggregate"] = {"divergence": whole.divergence, "empty": whole.empty}
    return found
