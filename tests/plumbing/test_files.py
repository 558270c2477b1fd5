from pathlib import Path

import pytest

from vaelib.plumbing import files


def test_a_table_comes_back_as_it_was(tmp_path):
    rows = [{"epoch": 1.0, "total": 0.1 + 0.2}, {"epoch": 2.0, "total": -1e-300}]
    files.write_table(rows, tmp_path / "table.csv")
    assert files.read_table(tmp_path / "table.csv") == rows


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
