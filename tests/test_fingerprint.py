from importlib.metadata import version

from vaelib import fingerprint


def test_sources_follow_imports_downwards():
    found = fingerprint.sources("from vaelib import training")
    assert {"training", "evaluation", "model", "objective", "data", "mnist"} <= set(found)
    assert not {"figures", "symbolic", "cli", "notebooks"} & set(found)


def test_a_figure_is_no_part_of_a_training():
    from vaelib.runs import Settings, training_inputs

    modules = training_inputs(Settings())["modules"]
    assert {"runs", "training", "objective"} <= set(modules)
    assert not {"figures", "artifacts", "architecture", "environment"} & set(modules)


def test_sources_change_with_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path)
    (tmp_path / "a.py").write_text("from vaelib.b import c")
    (tmp_path / "b.py").write_text("x = 1")
    before = fingerprint.sources("from vaelib import a")
    (tmp_path / "b.py").write_text("x = 2")
    after = fingerprint.sources("from vaelib import a")
    assert fingerprint.changes(before, after) == ["b"]


def test_versions_are_the_installed_ones():
    assert fingerprint.versions("numpy")["numpy"] == version("numpy")


def test_changes_name_what_differs():
    old = {"a": 1, "b": {"c": 1, "d": 2}, "e": 0}
    new = {"a": 1, "b": {"c": 3, "d": 2}, "f": 0}
    assert fingerprint.changes(old, new) == ["b.c", "e", "f"]
    assert fingerprint.changes(old, old) == []
