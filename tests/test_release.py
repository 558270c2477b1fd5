"""What a release must be: named alike everywhere, and of records that its own code made."""

import os
import re
import subprocess
import tomllib

import pytest
import yaml

from vaelib.plumbing.places import RECORDS
from vaelib.study import design, freshness

from .book.conftest import ROOT


def test_version_and_date_of_a_release_are_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    latest = re.search(
        r"^## (\S+), .* \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert latest.groups() == (version, str(citation["date-released"]))
    assert citation["version"] == version


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no repository")
def test_names_of_files_are_such_that_every_system_takes_them():
    """Also one that folds upper and lower case, or refuses some letters and names."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = listed.stdout.decode().rstrip("\0").split("\0")
    assert len({name.casefold() for name in names}) == len(names) > 200
    refused = re.compile(
        r'[<>:"|?*\\\x00-\x1f]|[. ](/|$)|(^|/)(con|prn|aux|nul|com\d|lpt\d)(\.|/|$)', re.I
    )
    assert not [name for name in names if refused.search(name) or not name.isascii()]


OF_A_RELEASE = pytest.mark.skipif(
    not os.environ.get("VAELIB_RELEASE"), reason="asked of a release: set VAELIB_RELEASE to its tag"
)


@OF_A_RELEASE
def test_the_tag_is_that_of_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert os.environ["VAELIB_RELEASE"] == f"v{version}"


@OF_A_RELEASE
def test_no_part_of_a_record_is_stale():
    states = freshness.states(design.trainings(), ROOT / "book" / RECORDS)
    stale = {name: {k: v for k, v in parts.items() if v} for name, parts in states.items()}
    assert not {name: parts for name, parts in stale.items() if parts}
