import pytest

from vaelib.plumbing import places


def test_the_book_is_found_from_below_and_beside(tmp_path, monkeypatch):
    book = tmp_path / "book"
    (book / "notebooks").mkdir(parents=True)
    (book / "notebooks.yml").touch()
    for place in (tmp_path, book, book / "notebooks"):
        monkeypatch.chdir(place)
        assert places.find_book() == book


def test_without_a_book_it_says_where_to_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="root of the repository"):
        places.find_book()
