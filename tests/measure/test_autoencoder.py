"""A plain autoencoder: no noise, no divergence, and a prior where its codes lie."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from vaelib.figures.codes import _rows
from vaelib.measure import autoencoder
from vaelib.measure.autoencoder import Autoencoder, measure_autoencoder
from vaelib.training.fit import fit
from vaelib.training.recipes import RECIPES
from vaelib.vae.latent import encode
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

from .conftest import ReadOff

NODES = 120  # in each direction
ELBO = Objective("bce", 1.0)


@pytest.fixture
def model(generator):
    return Autoencoder(2, generator=generator)


@pytest.fixture
def images(digits):
    return digits.test_images[:20, None].float() / 255


def test_noise_changes_nothing_and_the_loss_is_that_of_the_decoded_code(model, images):
    with torch.no_grad():
        quiet, loud = (model(images, noise) for noise in (torch.zeros(20, 2), torch.ones(20, 2)))
        for one, other in zip(quiet, loud, strict=True):
            assert torch.equal(one, other)
        logits, mean, log_variance, z = quiet
        assert torch.equal(z, model.encoder(images)[0])
        total, reconstruction, kl = ELBO(logits, images, mean, log_variance)
    assert not kl.any()
    assert torch.equal(total, reconstruction)
    torch.testing.assert_close(
        total,
        torch.nn.functional.binary_cross_entropy_with_logits(logits, images, reduction="none").sum(
            (1, 2, 3)
        ),
    )


def test_its_first_weights_are_those_of_the_vae():
    equal = [kind(2, generator=torch.Generator().manual_seed(1)) for kind in (VAE, Autoencoder)]
    for one, other in zip(*(model.state_dict().values() for model in equal), strict=True):
        assert torch.equal(one, other)


def test_the_evidence_is_a_sum_over_the_plane_with_either_prior(few, monkeypatch):
    kept = []
    monkeypatch.setitem(RECIPES, "report", RECIPES["smoke"])

    def fitted(model, *more):
        fit(model, *more)
        model.add_module("decoder", ReadOff(model.decoder))
        kept.append(model)

    monkeypatch.setattr(autoencoder, "fit", fitted)
    vae = VAE(2)
    found = measure_autoencoder(vae, ELBO, few, 0)
    codes = encode(kept[0], few.training_images).mean.double()
    prior = MultivariateNormal(codes.mean(0), codes.T.cov())
    images = few.test_images.flatten(1).float() / 255
    unit = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
    for name, each in {"log_evidence": unit, "fitted": prior}.items():
        assert found[name] == pytest.approx(over_a_grid(kept[0].decoder, images, each), abs=0.02)
    assert found["deviation"] == pytest.approx(float(prior.variance.sum().sqrt()))
    assert found["error"] <= 0.02
    assert len(_rows(found["samples"])) == 2
    for name, model in {"reconstruction": kept[0], "vae_at_mean": vae}.items():
        with torch.no_grad():
            logits = model.decoder(encode(model, few.test_images).mean).flatten(1).double()
        loss = torch.nn.functional.softplus(logits) - images * logits
        assert found[name] == pytest.approx(float(loss.sum(1).mean()))


def over_a_grid(decoder, images, prior):
    """Average log p(x) over images, from one grid in the directions of a prior."""
    lengths, directions = torch.linalg.eigh(prior.covariance_matrix)
    steps = torch.linspace(-9, 9, NODES, dtype=torch.float64)
    along = torch.cartesian_prod(steps, steps) * lengths.sqrt()  # each direction's deviations
    nodes = prior.mean + along @ directions.T
    cell = float((steps[1] - steps[0]) ** 2 * lengths.prod().sqrt())
    with torch.no_grad():
        logits = torch.cat([decoder(z).flatten(1) for z in nodes.float().split(1000)])
    losses = images @ logits.T - torch.nn.functional.softplus(logits).sum(1)
    height = losses.double() + prior.log_prob(nodes)
    return float(torch.logsumexp(height, 1).mean()) + math.log(cell)
