"""The table of faults names tests that are there."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
ROW = re.compile(r"^\| (\d+) \| .+ \| .+ \| `(\S+)::(test_\w+)` \|$", re.MULTILINE)


def test_every_row_names_a_test_that_is_there():
    text = (TESTS / "hostile" / "FAULTS.md").read_text()
    rows = ROW.findall(text)
    assert [int(number) for number, _, _ in rows] == list(range(1, len(rows) + 1))
    assert len(rows) == len(re.findall(r"^\| \d", text, re.MULTILINE)) >= 60
    for _, file, name in rows:
        assert f"def {name}(" in (TESTS / file).read_text(), name
