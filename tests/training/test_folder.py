import os
import shutil

import pytest
import torch

from vaelib.plumbing.files import DamagedError
from vaelib.training import folder


def test_a_run_comes_back_as_it_was(smoke_run, tmp_path):
    run, _ = smoke_run
    folder.save_run(run, tmp_path / "copy")
    back = folder.load_run(tmp_path / "copy")
    for name in ("settings", "losses", "outcome", "environment", "fingerprint", "history", "trace"):
        assert getattr(back, name) == getattr(run, name)
    assert all(torch.equal(back.weights[name], run.weights[name]) for name in run.weights)


def test_a_run_is_never_replaced(smoke_run):
    run, place = smoke_run
    before = folder.identity(place)
    with pytest.raises(FileExistsError, match="already holds a run"):
        folder.save_run(run, place)
    assert folder.identity(place) == before


def test_a_run_that_is_cut_off_is_no_run(smoke_run, tmp_path, monkeypatch):
    run, _ = smoke_run
    full = lambda *_: (_ for _ in ()).throw(OSError(28))  # noqa: E731
    monkeypatch.setattr("safetensors.torch.save", full)
    with pytest.raises(OSError, match="28"):
        folder.save_run(run, tmp_path / "cut")
    assert not folder.holds_run(tmp_path / "cut")
    assert list((tmp_path / "cut").iterdir()) == []


@pytest.mark.parametrize("part", sorted(folder.FILES))
def test_a_file_that_is_not_what_was_saved_is_refused_by_name(smoke_run, tmp_path, part):
    file = shutil.copytree(smoke_run[1], tmp_path / "copy") / folder.FILES[part]
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(DamagedError, match=f"copy: {file.name} is gone, or not what was saved"):
        folder.load_run(tmp_path / "copy")
    file.unlink()
    with pytest.raises(DamagedError, match=file.name):
        folder.load_run(tmp_path / "copy")


def test_all_may_read_a_run(smoke_run):
    umask = os.umask(0)
    os.umask(umask)
    for file in smoke_run[1].iterdir():
        assert file.stat().st_mode & 0o777 == 0o666 & ~umask, file.name


def test_a_run_that_is_not_there_says_what_makes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="`vaelib build mse`"):
        folder.load_run(tmp_path / "mse")


def test_identity_is_that_of_the_weights(smoke_run, tmp_path):
    _, place = smoke_run
    shutil.copytree(place, tmp_path / "other")
    assert folder.identity(tmp_path / "other") == folder.identity(place)
    (tmp_path / "other" / folder.FILES["weights"]).write_bytes(b"other")
    assert folder.identity(tmp_path / "other") != folder.identity(place)
    assert folder.identity(tmp_path / "none") == ""
