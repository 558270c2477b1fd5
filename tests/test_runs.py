import pytest
import torch

from vaelib import artifacts, evaluation, runs
from vaelib.recipes import RECIPES


def test_a_run_records_what_it_is(smoke_run):
    run, _ = smoke_run
    assert run.settings["recipe_settings"]["batch_size"] == RECIPES["smoke"].batch_size
    assert run.settings["epochs"] == len(run.history) == 2
    assert run.settings["stopped_early"] is False
    assert run.environment["data"] == "synthetic"
    assert run.environment["wall_seconds"] >= run.environment["training_seconds"] > 0


def test_losses_of_the_slices_are_those_of_their_images(smoke_run, digits):
    run, _ = smoke_run
    model, objective = runs.model_of(run), runs.Settings(recipe="smoke").objective
    noise = evaluation.draw_noise(600, 2, seed=0)
    for name, part in {
        "training": slice(0, 510),
        "validation": slice(510, 600),
        "original_training": slice(90, 600),
        "original_validation": slice(0, 90),
    }.items():
        losses = evaluation.image_losses(model, objective, digits.images[part], noise[part])
        assert run.losses[name] == pytest.approx(evaluation.mean_losses(losses), rel=1e-6)
    test = evaluation.image_losses(model, objective, digits.test_images, noise[:200])
    assert run.losses["test"] == pytest.approx(evaluation.mean_losses(test), rel=1e-6)


def test_the_validation_loss_is_that_of_the_best_epoch(smoke_run):
    run, _ = smoke_run
    best = run.history[int(run.settings["best_epoch"]) - 1]
    assert run.losses["validation"]["total"] == pytest.approx(best["val_total"], rel=1e-6)


def test_a_run_with_the_same_inputs_is_copied_not_trained(smoke_run, tmp_path, capsys):
    _, folder = smoke_run
    settings = runs.Settings(recipe="smoke", device="cpu")
    runs.train_run(settings, tmp_path / "again", earlier=folder)
    assert "copied" in capsys.readouterr().out
    assert artifacts.identity(tmp_path / "again") == artifacts.identity(folder)


def test_a_run_with_other_inputs_is_trained(smoke_run, tmp_path, capsys):
    _, folder = smoke_run
    settings = runs.Settings(recipe="smoke", device="cpu", seed=1)
    runs.train_run(settings, tmp_path / "other", earlier=folder)
    assert "epoch  1" in capsys.readouterr().out
    assert artifacts.identity(tmp_path / "other") != artifacts.identity(folder)


def test_a_folder_with_a_run_is_refused_before_training(smoke_run):
    _, folder = smoke_run
    with pytest.raises(FileExistsError, match="choose another"):
        runs.train_run(runs.Settings(recipe="smoke"), folder)


def test_a_training_that_diverges_leaves_no_run(tmp_path, monkeypatch):
    def diverge(*args):
        raise FloatingPointError("not finite")

    monkeypatch.setattr(runs, "fit", diverge)
    with pytest.raises(FloatingPointError):
        runs.train_run(runs.Settings(recipe="smoke"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reconstruction_loss": "bcee"}, "did you mean 'bce'"),
        ({"kl_reduction": "men"}, "did you mean 'mean'"),
        ({"recipe": "reprot"}, "did you mean 'report'"),
        ({"device": "cdua"}, "did you mean 'cuda'"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"latent_dim": 0}, "latent_dim is 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        runs.Settings(**settings)


def test_auto_takes_the_gpu_that_is_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert runs.Settings().torch_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert runs.Settings().torch_device().type == "cpu"


def test_a_run_by_hand_has_a_folder_that_names_it():
    folder = runs.folder_by_hand(runs.Settings("mse", "sum", "smoke", 3, 5))
    assert folder.parts[0] == "by-hand"
    assert folder.name.startswith("mse-sum-smoke-seed3-d5-")
