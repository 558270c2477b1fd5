"""Controls of the encoders on a held decoder: what is trained by what, and images that move."""

import pytest
import torch

from vaelib.measure import encoder_controls, encoders, tabulated
from vaelib.measure.tabulated import Tabulated
from vaelib.training.recipes import RECIPES
from vaelib.vae.objective import Objective

from .test_encoders import SMOKE, require_measured, stand_in

ELBO = Objective("bce", 1.0)


def test_one_encoder_has_adam_and_the_other_images_that_are_moved(model, few, monkeypatch):
    for name, value in {"EXTENT": 4, "STEPS": 8, "NODES": 65}.items():
        monkeypatch.setattr(tabulated, name, value)
    with_muon = SMOKE.replace(learning_rate=0.02, muon_learning_rate=0.05)
    monkeypatch.setitem(RECIPES, "report", with_muon)
    monkeypatch.setattr(encoder_controls, "EPOCHS", (2,))
    monkeypatch.setattr(encoder_controls, "VARIANTS", 2)
    monkeypatch.setattr(encoders, "TRAINED_ON", 30)
    monkeypatch.setattr(encoders, "gaps_of", stand_in)
    found = encoder_controls.measure_encoder_controls(model, ELBO, few, 3)
    assert list(found) == ["adam", "moved"]
    rates = {"learning_rate": encoders.ADAM, "muon_learning_rate": None}
    table, moved = Tabulated(model.decoder), encoder_controls.moved(few, 3)
    for name, recipe, data in (
        ("adam", with_muon.replace(epochs=2, **rates), few),
        ("moved", with_muon.replace(epochs=1), moved),
    ):
        other = encoders.fit_encoder(model, table, ELBO, recipe, 256, data, 3)
        require_measured(found[name], other, few)


def test_variants_follow_the_images_and_come_before_those_to_validate_on(few):
    found, number = encoder_controls.moved(few, 0), len(few.training_images)
    assert found.training_images[:number].equal(few.training_images)
    assert found.validation_images.equal(few.validation_images)
    assert len(found.training_images) == encoder_controls.VARIANTS * number
    assert not found.training_images[number : 2 * number].equal(few.training_images)
    again, other = (encoder_controls.moved(few, seed).images for seed in (0, 1))
    assert found.images.equal(again)
    assert not found.images.equal(other)


@pytest.mark.parametrize("name", ["STRETCH", "SHIFT"])
def test_moves_are_as_large_as_they_say(monkeypatch, name):
    """A dot at the middle is shifted alone; one at a corner of a square is stretched too."""
    other = {"STRETCH": "SHIFT", "SHIFT": "STRETCH"}[name]
    monkeypatch.setattr(encoder_controls, other, 0.0)
    row, column = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    at = {"STRETCH": 21.5, "SHIFT": 13.5}[name]
    bump = torch.exp(-((row - at) ** 2 + (column - 13.5) ** 2) / 8)
    images = (255 * bump).round().to(torch.uint8).expand(2000, 28, 28)
    found = encoder_controls._move(images, torch.Generator().manual_seed(0)).double()
    places = (found * row).sum((1, 2)) / found.sum((1, 2))
    expected = {"STRETCH": encoder_controls.STRETCH * 8, "SHIFT": encoder_controls.SHIFT}[name]
    assert float(places.std()) == pytest.approx(expected, rel=0.1)
