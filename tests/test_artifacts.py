import shutil
from pathlib import Path

import pytest
import torch

from vaelib import artifacts


def test_a_run_comes_back_as_it_was(smoke_run, tmp_path):
    run, _ = smoke_run
    artifacts.save(run, tmp_path / "copy")
    back = artifacts.load(tmp_path / "copy")
    for name in ("settings", "losses", "environment", "fingerprint", "history", "trace"):
        assert getattr(back, name) == getattr(run, name)
    assert all(torch.equal(back.weights[name], run.weights[name]) for name in run.weights)


def test_a_run_is_never_replaced(smoke_run):
    run, folder = smoke_run
    before = artifacts.identity(folder)
    with pytest.raises(FileExistsError, match="already holds a run"):
        artifacts.save(run, folder)
    assert artifacts.identity(folder) == before


def test_a_run_that_is_cut_off_is_no_run(smoke_run, tmp_path, monkeypatch):
    run, _ = smoke_run
    full = lambda *_: (_ for _ in ()).throw(OSError(28))  # noqa: E731
    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="28"):
        artifacts.save(run, tmp_path / "cut")
    assert not artifacts.holds_run(tmp_path / "cut")
    assert list((tmp_path / "cut").iterdir()) == []


def test_a_record_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "losses.json"
    artifacts.write_json({"total": 1}, file)

    def cut(self, text, **_):
        with open(self, "w") as partial:
            partial.write(text[:5])
        raise OSError(28)

    monkeypatch.setattr(Path, "write_text", cut)
    with pytest.raises(OSError, match="28"):
        artifacts.write_json({"total": 2}, file)
    assert artifacts.read_json(file) == {"total": 1}


def test_a_run_that_is_not_there_says_what_makes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="`vaelib runs mse`"):
        artifacts.load(tmp_path / "mse")


def test_identity_is_that_of_the_weights(smoke_run, tmp_path):
    _, folder = smoke_run
    shutil.copytree(folder, tmp_path / "other")
    assert artifacts.identity(tmp_path / "other") == artifacts.identity(folder)
    (tmp_path / "other" / artifacts.WEIGHTS).write_bytes(b"other")
    assert artifacts.identity(tmp_path / "other") != artifacts.identity(folder)
    assert artifacts.identity(tmp_path / "none") == ""


def test_the_book_is_found_from_below_and_beside(tmp_path, monkeypatch):
    book = tmp_path / "book"
    (book / "notebooks").mkdir(parents=True)
    (book / "runs.yml").touch()
    for place in (tmp_path, book, book / "notebooks"):
        monkeypatch.chdir(place)
        assert artifacts.find_book() == book


def test_without_a_book_it_says_where_to_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="root of the repository"):
        artifacts.find_book()
