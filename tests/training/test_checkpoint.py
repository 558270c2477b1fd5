"""A training that is interrupted goes on, and ends as one that was not, bit for bit."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from vaelib.training import checkpoint, fit, run
from vaelib.training.recipes import RECIPES
from vaelib.training.settings import Settings
from vaelib.vae.losses import draw_noise
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

SMOKE = RECIPES["smoke"]
# One rate for all epochs and Adam alone, and a stop before the last epoch.
STOPS = replace(
    SMOKE,
    epochs=30,
    schedule="constant",
    learning_rate=0.02,
    muon_learning_rate=None,
    patience=1,
)


class Killed(BaseException):
    pass


def fitted(recipe, digits, earlier=None, keep=lambda state: None):
    model = VAE(2, generator=torch.Generator().manual_seed(3))
    noise = draw_noise(len(digits.images), model.latent_dim, 3)
    result = fit.fit(model, Objective("bce", 0.5), recipe, digits, noise, 3, earlier, keep)
    return model, result


def interrupted(recipe, digits, file, epochs, earlier=None):
    """Train, and be killed as soon as the state after so many more epochs is kept."""
    left = [epochs]

    def keep(state):
        checkpoint.save(state, "this", file)
        left[0] -= 1
        if not left[0]:
            raise Killed

    with pytest.raises(Killed):
        fitted(recipe, digits, earlier, keep)
    return checkpoint.load("this", file)


@pytest.mark.parametrize("recipe", [replace(SMOKE, epochs=4), STOPS], ids=["muon", "stops"])
def test_a_training_that_was_killed_twice_is_equal_bit_for_bit(recipe, few, tmp_path):
    model, result = fitted(recipe, few)
    first = interrupted(recipe, few, tmp_path / "kept", 1)
    second = interrupted(recipe, few, tmp_path / "kept", 2, first)
    assert len(second["result"]["history"]) == 3
    again, resumed = fitted(recipe, few, second)
    assert resumed.history == result.history
    assert resumed.trace == result.trace
    assert (resumed.best_epoch, resumed.stopped_early) == (result.best_epoch, result.stopped_early)
    assert result.stopped_early == (recipe is STOPS)
    assert all(map(torch.equal, resumed.validation, result.validation))
    for name, weight in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight), name


def test_one_that_was_killed_after_its_last_epoch_only_ends(few, tmp_path):
    model, result = fitted(STOPS, few)
    state = interrupted(STOPS, few, tmp_path / "kept", len(result.history))
    again, resumed = fitted(STOPS, few, state, keep=lambda state: pytest.fail("trained"))
    assert resumed.history == result.history
    assert all(map(torch.equal, again.state_dict().values(), model.state_dict().values()))


def test_a_run_goes_on_and_says_so(few, tmp_path, monkeypatch, said):
    settings = Settings(recipe="smoke", device="cpu")
    whole = run.train(settings, few)
    save = checkpoint.save

    def killed(state, of, file):
        save(state, of, file)
        raise Killed

    monkeypatch.setattr(checkpoint, "save", killed)
    with pytest.raises(Killed), run.resumable(settings, few.fingerprint, tmp_path / "run") as kept:
        run.train(settings, few, kept)
    monkeypatch.setattr(checkpoint, "save", save)
    said()
    with run.resumable(settings, few.fingerprint, tmp_path / "run") as kept:
        assert kept.exists()
        again = run.train(settings, few, kept)
    assert "goes on after epoch 1" in said()
    assert (again.losses, again.history) == (whole.losses, whole.history)
    assert all(torch.equal(again.weights[name], whole.weights[name]) for name in whole.weights)
    assert list(tmp_path.iterdir()) == []  # the file is gone


def test_a_training_that_ends_takes_nothing_from_another_that_begins_to_write(
    tmp_path, monkeypatch
):
    settings = [Settings(recipe="smoke", device="cpu", seed=seed) for seed in (0, 1)]
    write = checkpoint.write_bytes

    def write_when_the_other_has_ended(content, file):
        ended.__exit__(None, None, None)
        write(content, file)

    monkeypatch.setattr(checkpoint, "write_bytes", write_when_the_other_has_ended)
    ended = run.resumable(settings[0], "of the images", tmp_path / "one")
    ended.__enter__()
    with run.resumable(settings[1], "of the images", tmp_path / "other") as kept:
        checkpoint.save({"epoch": 1}, "the other", kept)
        assert checkpoint.load("the other", kept) == {"epoch": 1}


@pytest.mark.parametrize("place", [0, 70, -1])
def test_a_damaged_state_is_not_used(tmp_path, said, place):
    checkpoint.save({"epoch": 1}, "this", tmp_path / "kept")
    assert checkpoint.load("this", tmp_path / "kept") == {"epoch": 1}
    content = bytearray((tmp_path / "kept").read_bytes())
    content[place] ^= 1
    (tmp_path / "kept").write_bytes(content)
    assert checkpoint.load("this", tmp_path / "kept") is None
    assert "the checkpoint kept is damaged: training begins anew" in said()


def test_a_state_cut_off_is_not_used(tmp_path, said):
    checkpoint.save({"epoch": 1}, "this", tmp_path / "kept")
    content = (tmp_path / "kept").read_bytes()
    for length in (0, 10, 64, len(content) - 1):
        (tmp_path / "kept").write_bytes(content[:length])
        assert checkpoint.load("this", tmp_path / "kept") is None
    assert said().count("is damaged") == 4


def test_the_state_of_another_training_is_not_used(tmp_path, said):
    checkpoint.save({"epoch": 1}, "another", tmp_path / "kept")
    assert checkpoint.load("this", tmp_path / "kept") is None
    assert "of another training" in said()


def test_what_training_depends_on_names_the_file(few, tmp_path, monkeypatch):
    def name(data=few, **settings):
        settings = Settings(recipe="smoke", device="cpu", **settings)
        with run.resumable(settings, data.fingerprint, tmp_path / "run") as kept:
            return kept.name

    names = {name(), name(seed=1), name(beta=1.0), name(latent_dim=3), name(units=17)}
    names.add(name(replace(few, images=255 - few.images)))
    monkeypatch.setattr(run.stale, "sources", lambda code: {"vae.model": "other"})
    names.add(name())
    monkeypatch.setattr(torch, "get_num_threads", partial(int, 77))
    names.add(name())
    assert len(names) == 8
