"""The three places that name a release agree."""

import re
import tomllib

import yaml

from .book.conftest import ROOT


def test_version_and_date_of_a_release_are_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    latest = re.search(
        r"^## (\S+), .* \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert latest.groups() == (version, str(citation["date-released"]))
    assert citation["version"] == version
