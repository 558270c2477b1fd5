"""What steps of optimisation for each image add to the encoder's answer: the price of a posterior.

Source: iterative refinement, Hjelm et al. (2016); semi-amortised inference, Kim et al. (2018).
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from vaelib.data.dataset import ImageSet, to_unit
from vaelib.evidence.likelihood import assumed
from vaelib.evidence.quadrature import integrate
from vaelib.vae.latent import encode
from vaelib.vae.losses import BATCH_SIZE
from vaelib.vae.model import VAE, Posterior
from vaelib.vae.objective import TOTAL, Objective, kl_per_dimension

STEPS = (0, 1, 2, 5, 10, 20, 50)  # after which the gap is measured
SAMPLES = 8  # of z for each image and step
RATE = 0.4  # Adam's, in deviations of the encoder's q; chosen on validation images
IMAGES = 1000  # of the test images, and of the training images, at random
ERROR = 0.01  # greatest error estimate of an integral, nats


def measure_refinement(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Measure the gap of images after steps of optimisation of q, image by image.

    Args:
        model: with two latent dimensions, on the CPU.
        objective: with which it was trained.
        data: on the CPU.
        seed: of the choice of images and of the samples.

    Returns:
        ``test`` and ``training``: for each, by number of steps, ``gap``, its mean in nats, and
        ``median``.
    """
    found, generator = {}, torch.Generator().manual_seed(seed)
    for name, images in (("test", data.test_images), ("training", data.training_images)):
        some = images[torch.randperm(len(images), generator=generator)[:IMAGES]]
        qs = dict(refine(model, objective, some, generator))
        found[name] = {
            str(steps): {"gap": float(gap.mean()), "median": float(gap.median())}
            for steps, gap in zip(qs, gaps_of(model, objective, some, qs.values()), strict=True)
        }
    return found


def refine(
    model: VAE, objective: Objective, images: Tensor, generator: torch.Generator
) -> Iterator[tuple[int, Posterior]]:
    """Optimise q of each image by itself, from the encoder's answer on, by Adam.

    Args:
        model: its weights stay as they are.
        objective: whose mean over ``SAMPLES`` samples of z is minimised in each step.
        images: (N, 28, 28), uint8.
        generator: of the samples.

    Yields:
        Each number of ``STEPS``, and q (N, d) after as many.
    """
    start, target = encode(model, images), to_unit(images)
    deviation = torch.exp(start.log_variance / 2)
    shift, stretch = (torch.zeros_like(deviation, requires_grad=True) for _ in range(2))
    adam = torch.optim.Adam([shift, stretch], RATE)
    for step in range(STEPS[-1] + 1):
        if step in STEPS:
            yield step, Posterior(*(part.detach() for part in _moved(start, shift, stretch)))
        for some in torch.arange(len(images)).split(BATCH_SIZE // SAMPLES):
            q = _moved(Posterior(*(part[some] for part in start)), shift[some], stretch[some])
            mean, log_variance = (part.repeat(SAMPLES, 1) for part in q)
            noise = torch.randn(mean.shape, generator=generator)
            logits = model.decoder(mean + torch.exp(log_variance / 2) * noise)
            pixels = target[some].repeat(SAMPLES, 1, 1, 1)
            losses = objective(logits, pixels, mean, log_variance, model.edges())
            (losses[TOTAL].sum() / SAMPLES).backward(inputs=[shift, stretch])
        adam.step()
        adam.zero_grad()


def _moved(start: Posterior, shift: Tensor, stretch: Tensor) -> Posterior:
    deviation = torch.exp(start.log_variance / 2)
    return Posterior(start.mean + deviation * shift, start.log_variance + 2 * stretch)


@torch.no_grad()
def gaps_of(
    model: VAE, objective: Objective, images: Tensor, qs: Iterable[Posterior]
) -> Iterator[Tensor]:
    """Compute KL(q ‖ p(z|x)) of images by quadrature, whatever gave q.

    Args:
        model: with two latent dimensions, on the CPU.
        objective: it says which likelihood is assumed.
        images: (N, 28, 28), uint8.
        qs: several, (N, 2) each.

    Yields:
        For each q (N,), float64, nats, with error estimates of at most ``ERROR`` for both of its
        integrals.

    Source: equation :eq:`elbo-decomposition`.
    """
    qs = list(qs)
    q = Posterior(*(torch.cat(parts) for parts in zip(*qs, strict=True)))
    pixels = images.flatten(1).float().repeat(len(qs), 1) / 255  # nodes are decoded once for all
    likelihood = assumed(objective, model.edges())
    evidence = integrate(model.decoder, likelihood, pixels, q, ERROR)
    divergence = kl_per_dimension(q.mean.double(), q.log_variance.double()).sum(1)
    yield from (evidence.log_evidence - evidence.expected + divergence).split(len(images))
