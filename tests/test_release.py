"""What a release must be: named alike everywhere, and of records that its own code made."""

import os
import re
import tomllib

import pytest
import yaml

from vaelib.plumbing.places import RECORDS
from vaelib.study import design, records

from .book.conftest import ROOT


def test_version_and_date_of_a_release_are_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    latest = re.search(
        r"^## (\S+), .* \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert latest.groups() == (version, str(citation["date-released"]))
    assert citation["version"] == version


@pytest.mark.skipif(
    not os.environ.get("VAELIB_RELEASE"), reason="asked of a release: set VAELIB_RELEASE=1"
)
def test_no_part_of_a_record_is_stale():
    states = records.states(design.trainings(), ROOT / "book" / RECORDS)
    stale = {name: {k: v for k, v in parts.items() if v} for name, parts in states.items()}
    assert not {name: parts for name, parts in stale.items() if parts}
