import shutil

import pytest
import torch

from vaelib.training import folder


def test_a_run_comes_back_as_it_was(smoke_run, tmp_path):
    run, _ = smoke_run
    folder.save(run, tmp_path / "copy")
    back = folder.load(tmp_path / "copy")
    for name in ("settings", "losses", "outcome", "environment", "fingerprint", "history", "trace"):
        assert getattr(back, name) == getattr(run, name)
    assert all(torch.equal(back.weights[name], run.weights[name]) for name in run.weights)


def test_a_run_is_never_replaced(smoke_run):
    run, place = smoke_run
    before = folder.identity(place)
    with pytest.raises(FileExistsError, match="already holds a run"):
        folder.save(run, place)
    assert folder.identity(place) == before


def test_a_run_that_is_cut_off_is_no_run(smoke_run, tmp_path, monkeypatch):
    run, _ = smoke_run
    full = lambda *_: (_ for _ in ()).throw(OSError(28))  # noqa: E731
    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="28"):
        folder.save(run, tmp_path / "cut")
    assert not folder.holds_run(tmp_path / "cut")
    assert list((tmp_path / "cut").iterdir()) == []


def test_a_run_that_is_not_there_says_what_makes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="`vaelib runs mse`"):
        folder.load(tmp_path / "mse")


def test_identity_is_that_of_the_weights(smoke_run, tmp_path):
    _, place = smoke_run
    shutil.copytree(place, tmp_path / "other")
    assert folder.identity(tmp_path / "other") == folder.identity(place)
    (tmp_path / "other" / folder.FILES["weights"]).write_bytes(b"other")
    assert folder.identity(tmp_path / "other") != folder.identity(place)
    assert folder.identity(tmp_path / "none") == ""
