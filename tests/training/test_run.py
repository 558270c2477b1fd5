from dataclasses import replace

import numpy
import pytest
import torch

from vaelib.measure import model
from vaelib.training import folder, origin, run
from vaelib.training.recipes import RECIPES
from vaelib.training.settings import Settings
from vaelib.vae.losses import draw_noise, image_losses, mean_losses


def test_a_run_records_what_it_is(smoke_run, digits):
    result, _ = smoke_run
    assert result.settings.recipe_settings == RECIPES["smoke"]
    assert result.outcome["epochs"] == len(result.history) == 2
    assert result.outcome["stopped_early"] is False
    assert result.outcome["wall_seconds"] >= result.outcome["training_seconds"] > 0
    assert result.outcome["peak_memory_mb"] > 100
    assert result.environment["data"] == digits.fingerprint
    assert result.environment["data_name"] == "synthetic"


def test_losses_of_the_slices_are_those_of_their_images(smoke_run, digits):
    result, _ = smoke_run
    model, objective = run.model_of(result), Settings(recipe="smoke").objective
    noise = draw_noise(600, 2, seed=0)
    for name, part in {
        "training": slice(0, 510),
        "validation": slice(510, 600),
        "table_training": slice(90, 600),
        "table_validation": slice(0, 90),
    }.items():
        losses = image_losses(model, objective, digits.images[part], noise[part])
        assert result.losses[name] == pytest.approx(mean_losses(losses), rel=1e-6)
    test = image_losses(model, objective, digits.test_images, noise[:200])
    assert result.losses["test"] == pytest.approx(mean_losses(test), rel=1e-6)


def test_the_validation_loss_is_that_of_the_best_epoch(smoke_run):
    result, _ = smoke_run
    best = result.history[result.outcome["best_epoch"] - 1]
    assert result.losses["validation"]["total"] == best["val_total"]


def test_a_run_with_the_same_inputs_is_taken_not_trained(smoke_run, digits, said):
    trained, place = smoke_run
    taken = run.reuse(place, Settings(recipe="smoke", device="cpu"), digits.fingerprint)
    assert "earlier run taken" in said()
    assert taken.losses == trained.losses
    assert all(torch.equal(taken.weights[name], w) for name, w in trained.weights.items())


def test_a_run_with_other_inputs_is_not(smoke_run, digits, tmp_path, monkeypatch):
    _, place = smoke_run
    settings = Settings(recipe="smoke", device="cpu")
    assert run.reuse(place, replace(settings, seed=1), digits.fingerprint) is None
    assert run.reuse(place, replace(settings, units=17), digits.fingerprint) is None
    assert run.reuse(tmp_path, settings, digits.fingerprint) is None
    assert run.reuse("", settings, digits.fingerprint) is None
    monkeypatch.setattr(run.stale, "versions", lambda *names: {"torch": "0"})
    assert run.reuse(place, settings, digits.fingerprint) is None


def test_nothing_is_written_by_a_training(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run.train(Settings(recipe="smoke", device="cpu"), digits)
    assert result.outcome["epochs"] == 2
    assert list(tmp_path.iterdir()) == []


def test_auto_takes_the_gpu_that_is_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert Settings().torch_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Settings().torch_device().type == "cpu"


def test_a_training_has_one_name():
    assert Settings("bce", 0.5, "report", 7).name == "report-bce-beta0.5-d2-seed7"


def others(data):
    """A hundred data sets that differ from one, from each other, and in nothing but images."""
    generator = torch.Generator().manual_seed(0)
    number = len(data.images)
    yield replace(data, images=255 - data.images)
    yield replace(data, test_images=255 - data.test_images)
    yield replace(data, training_number=data.training_number - 1)
    for k in range(1, 40):
        yield replace(data, images=data.images[: number - k], labels=data.labels[: number - k])
    for _ in range(40):
        yield replace(data, images=data.images[torch.randperm(number, generator=generator)])
    for k in range(18):
        images = data.images.clone()
        images[k, k, k] ^= 1
        yield replace(data, images=images)


def test_no_run_of_other_images_is_taken_for_that_of_these(smoke_run, digits):
    _, place = smoke_run
    settings = Settings(recipe="smoke", device="cpu")
    found = list(others(digits))
    assert len({data.fingerprint for data in (digits, *found)}) == 101
    assert [run.reuse(place, settings, data.fingerprint) for data in found] == [None] * 100
    assert run.reuse(place, settings, replace(digits, name="another").fingerprint) is not None


def test_other_labels_are_other_data_for_measures_and_not_for_trainings(digits):
    other = replace(digits, labels=digits.labels.flip(0))
    assert other.fingerprint == digits.fingerprint
    inputs = {
        model.inputs_of("appearance", d.fingerprint, d.label_fingerprint)["labels"]
        for d in (digits, other, replace(digits, labels=None, test_labels=None))
    }
    assert len(inputs) == 3


def test_data_that_a_run_was_not_trained_on_are_refused(smoke_run, digits, tmp_path):
    result, _ = smoke_run
    assert origin.data_of(result).fingerprint == digits.fingerprint
    numpy.savez(tmp_path / "shirts.npz", images=255 - digits.images.numpy())
    with pytest.raises(ValueError, match="trained on 'synthetic', and not on the images of 'shirt"):
        origin.data_of(result, tmp_path / "shirts.npz")


def test_each_epoch_is_told(few):
    rows = []
    result = run.train(Settings(recipe="smoke", device="cpu"), few, callback=rows.append)
    assert rows == result.history


def test_a_recipe_of_ones_own_is_named_in_the_run_and_comes_back(few, tmp_path):
    recipe = RECIPES["smoke"].replace(epochs=1, learning_rate=1e-3)
    settings = Settings(recipe=recipe, units=20, device="cpu")
    result = run.train(settings, few)
    assert settings.name == "smoke-epochs1-learning_rate0.001-bce-beta0.5-d2-u20-seed0"
    folder.save_run(result, tmp_path / "run")
    back = folder.load_run(tmp_path / "run")
    assert back.settings == settings
    assert len(back.history) == 1
    assert run.model_of(back).encoder.dense.out_features == 20
    named = Settings(recipe="smoke").as_record()
    assert Settings.from_record(named) == Settings(recipe="smoke")
    named["recipe_settings"]["batch_size"] = 7  # what goes by this name has changed since
    assert Settings.from_record(named).recipe_settings.batch_size == 7
