"""Encoders for a decoder that is held: what stays, what moves, and what is measured."""

import copy

import pytest
import torch

from vaelib.measure import encoders, tabulated
from vaelib.measure.tabulated import Tabulated
from vaelib.training.recipes import RECIPES
from vaelib.vae.latent import encode
from vaelib.vae.losses import draw_noise, image_losses
from vaelib.vae.model import VAE
from vaelib.vae.objective import TOTAL, Objective
from vaelib.vae.thresholds import GAPS, Thresholds

SMOKE = RECIPES["smoke"]
ELBO = Objective("bce", 1.0)


@pytest.fixture(scope="module", autouse=True)
def small_grid():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"EXTENT": 4, "STEPS": 8, "NODES": 65}.items():
            patch.setattr(tabulated, name, value)
        yield


@pytest.fixture(scope="module")
def table(model, small_grid):
    return Tabulated(model.decoder)


def bound(model, images):
    """A mean bound of images, with 16 samples of z for each."""
    noise = draw_noise(16 * len(images), 2, seed=9)
    return -float(image_losses(model, ELBO, images.repeat(16, 1, 1), noise)[TOTAL].mean())


def test_the_decoder_stays_and_the_bound_rises(model, table, digits):
    before = copy.deepcopy(model.state_dict())
    other = encoders.fit_encoder(model, table, ELBO, SMOKE, 32, digits, seed=5)
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    torch.testing.assert_close(other.decoder.state_dict(), model.decoder.state_dict())
    assert other.encoder.dense.out_features == 32
    start = VAE(2, 32, torch.Generator().manual_seed(5))
    start.decoder.load_state_dict(model.decoder.state_dict())
    untrained, trained = (bound(one, digits.test_images) for one in (start, other))
    assert trained > untrained + 1


def test_an_own_encoder_goes_on_from_where_it_was(model, table, digits):
    own = encoders.fit_encoder(model, table, ELBO, SMOKE, None, digits, seed=5)
    before, after = (bound(one, digits.validation_images) for one in (model, own))
    assert after > before
    assert own.encoder.dense.out_features == model.encoder.dense.out_features


def test_thresholds_are_held_too_and_learn_again_afterwards(digits, generator):
    thresholds = Thresholds.of(digits.training_images, GAPS["odds"])
    model = VAE(2, generator=generator, thresholds=thresholds)
    before = model.edges().detach().clone()
    table = Tabulated(model.decoder)
    other = encoders.fit_encoder(model, table, Objective("odds", 1.0), SMOKE, 16, digits, seed=0)
    torch.testing.assert_close(other.edges(), before, rtol=0, atol=0)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_off_the_grid_an_encoder_is_trained_as_for_the_decoder_itself(model, table, digits):
    held, read_off = (
        bound(encoders.fit_encoder(model, one, ELBO, SMOKE, 16, digits, seed=5), digits.test_images)
        for one in (copy.deepcopy(model.decoder), table)
    )
    assert read_off == pytest.approx(held, abs=0.2)


def test_living_units_are_those_that_any_image_moves(model, digits):
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.encoder.dense.bias[:5] = -1000.0
        other.encoder.dense.bias[5:] = 1000.0
    assert encoders.living_units(other, digits.test_images) == 11


def stand_in(model, objective, images, qs):
    """What stands for the gaps of images, without the quadrature."""
    return [q.mean.double().square().sum(1) for q in qs]


def require_measured(found, other, digits):
    """Hold what was found of an encoder against its codes themselves."""
    test, training = (
        encode(other, images).mean.double().square().sum(1)
        for images in (digits.test_images, digits.training_images[: encoders.TRAINED_ON])
    )
    by_class = [float(test[digits.test_labels == digit].mean()) for digit in range(10)]
    assert len(set(by_class)) == 10
    assert found.pop("by_class") == pytest.approx(by_class)
    assert found == pytest.approx(
        {
            "gap": float(test.mean()),
            "median": float(test.median()),
            "training_gap": float(training.mean()),
            "living": encoders.living_units(other, digits.test_images),
        }
    )


@pytest.mark.parametrize(
    ("units", "rates"),
    [(16, {}), (encoders.WIDE, {"learning_rate": encoders.ADAM, "muon_learning_rate": None})],
)
def test_each_length_is_a_training_of_its_own_and_a_wide_encoder_has_adam(
    model, table, few, monkeypatch, units, rates
):
    with_muon = SMOKE.replace(learning_rate=0.02, muon_learning_rate=0.05)
    monkeypatch.setattr(encoders, "EPOCHS", (1, 2))
    monkeypatch.setattr(encoders, "TRAINED_ON", 30)
    monkeypatch.setattr(encoders, "gaps_of", stand_in)
    monkeypatch.setitem(RECIPES, "report", with_muon)
    found = encoders.measure_encoders(units)(model, ELBO, few, 0)
    assert list(found) == ["1", "2"]
    for epochs in (1, 2):
        recipe = with_muon.replace(epochs=epochs, **rates)
        other = encoders.fit_encoder(model, table, ELBO, recipe, units, few, 0)
        require_measured(found[str(epochs)], other, few)
    assert found["1"] != found["2"]


def test_a_whole_models_encoder_is_measured_alike(model, digits, monkeypatch):
    monkeypatch.setattr(encoders, "TRAINED_ON", 100)
    monkeypatch.setattr(encoders, "gaps_of", stand_in)
    require_measured(encoders.measure_encoder(model, ELBO, digits, 0), model, digits)
