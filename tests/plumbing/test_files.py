import subprocess
from pathlib import Path

import pytest

from vaelib.plumbing import files


def test_a_table_comes_back_as_it_was(tmp_path):
    rows = [{"epoch": 1.0, "total": 0.1 + 0.2}, {"epoch": 2.0, "total": -1e-300}]
    files.write_table(rows, tmp_path / "table.csv")
    assert files.read_table(tmp_path / "table.csv") == rows


@pytest.mark.parametrize("made", ["dangling", "loop", "file"])
def test_what_is_no_folder_is_refused_in_a_sentence(tmp_path, made):
    """Such as a link to a scratch disk that is not there at the moment."""
    folder = tmp_path / "executed"
    if made == "file":
        folder.touch()
    else:
        folder.symlink_to({"dangling": tmp_path / "not there", "loop": folder}[made])
    with pytest.raises(OSError, match="neither a folder nor a link to one that is there: make"):
        files.require_writable(folder)


def test_a_record_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "losses.json"
    files.write_json({"total": 1}, file)

    def cut(self, content):
        with open(self, "wb") as partial:
            partial.write(content[:5])
        raise OSError(28)

    monkeypatch.setattr(Path, "write_bytes", cut)
    with pytest.raises(OSError, match="28"):
        files.write_json({"total": 2}, file)
    assert files.read_json(file) == {"total": 1}


def test_a_sealed_folder_knows_its_files(tmp_path):
    (tmp_path / "below").mkdir()
    for name in ("one.json", "below/two"):
        (tmp_path / name).write_text("{}")
    files.seal(tmp_path)
    assert files.damaged(tmp_path) == []
    assert files.read_sealed(tmp_path / "one.json") == {}
    done = subprocess.run(["sha256sum", "--check", "--quiet", files.SUMS], cwd=tmp_path)
    assert done.returncode == 0
    (tmp_path / "new").touch()  # it was not there
    (tmp_path / "one.json").write_text('{"a": 1}')
    (tmp_path / "below" / "two").unlink()
    assert files.damaged(tmp_path) == ["below/two", "one.json"]
    assert files.damaged(tmp_path, ["new"]) == ["new"]
    with pytest.raises(files.DamagedError, match=r"one\.json is gone, or not what was saved"):
        files.read_sealed(tmp_path / "one.json")


@pytest.mark.parametrize("content", [None, "", "no sums", "0" * 64 + "  gone\n"])
def test_a_folder_that_is_not_sealed_is_damaged(tmp_path, content):
    (tmp_path / "one.json").write_text("{}")
    if content is not None:
        (tmp_path / files.SUMS).write_text(content)
    assert files.damaged(tmp_path)
    with pytest.raises(files.DamagedError):
        files.read_sealed(tmp_path / "one.json")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        files.read_sealed(tmp_path / "elsewhere" / "one.json")


def test_what_was_derived_is_read_back_or_refused(tmp_path):
    file = tmp_path / "derived.json"
    files.write_derived({"a": (1.0, 1e-17), 2: None}, "of this", file)
    assert files.read_derived(file) == ("of this", {"a": [1.0, 1e-17], "2": None})
    text = file.read_text()
    for wrong in (text.replace("1e-17", "2e-17"), text[:-5], "{}", text.replace('"key"', '"kye"')):
        assert wrong != text
        file.write_text(wrong)
        with pytest.raises(files.DamagedError):
            files.read_derived(file)
