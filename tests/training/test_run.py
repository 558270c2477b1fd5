from dataclasses import replace

import pytest
import torch

from vaelib.training import run
from vaelib.training.recipes import RECIPES
from vaelib.training.settings import Settings
from vaelib.vae.losses import draw_noise, image_losses, mean_losses


def test_a_run_records_what_it_is(smoke_run):
    result, _ = smoke_run
    assert result.recipe.batch_size == RECIPES["smoke"].batch_size
    assert result.outcome["epochs"] == len(result.history) == 2
    assert result.outcome["stopped_early"] is False
    assert result.outcome["wall_seconds"] >= result.outcome["training_seconds"] > 0
    assert result.outcome["peak_memory_mb"] > 100
    assert result.environment["data"] == "synthetic"


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


def test_a_run_with_the_same_inputs_is_taken_not_trained(smoke_run, capsys):
    trained, place = smoke_run
    taken = run.reuse(place, Settings(recipe="smoke", device="cpu"))
    assert "earlier run taken" in capsys.readouterr().out
    assert taken.losses == trained.losses
    assert all(torch.equal(taken.weights[name], w) for name, w in trained.weights.items())


def test_a_run_with_other_inputs_is_not(smoke_run, tmp_path, monkeypatch):
    _, place = smoke_run
    settings = Settings(recipe="smoke", device="cpu")
    assert run.reuse(place, replace(settings, seed=1)) is None
    assert run.reuse(tmp_path, settings) is None
    assert run.reuse("", settings) is None
    monkeypatch.setattr(run.stale, "versions", lambda *names: {"torch": "0"})
    assert run.reuse(place, settings) is None


def test_nothing_is_written_by_a_training(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run.train(Settings(recipe="smoke", device="cpu"), digits)
    assert result.outcome["epochs"] == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reconstruction_loss": "bcee"}, "did you mean 'bce'"),
        ({"beta": -1.0}, "beta is -1.0; expected a weight above 0"),
        ({"recipe": "reprot"}, "did you mean 'report'"),
        ({"device": "cdua"}, "did you mean 'cuda'"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"latent_dim": 0}, "latent_dim is 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)


def test_auto_takes_the_gpu_that_is_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert Settings().torch_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Settings().torch_device().type == "cpu"


def test_a_training_has_one_name():
    assert Settings("bce", 0.5, "report", 7).name == "report-bce-beta0.5-d2-seed7"


def test_a_run_by_hand_has_a_folder_that_names_it():
    folder = Settings("mse", 1.0, "smoke", 3, 5).folder_by_hand()
    assert folder.parts[0] == "by-hand"
    assert folder.name.startswith("smoke-mse-beta1-d5-seed3-")
