"""Check what was recorded once, before pages are made of it."""

import json
from pathlib import Path

from vaelib.plumbing import fingerprint
from vaelib.plumbing.files import read_json, write_json
from vaelib.plumbing.places import CLAIMS, QUESTIONS, RECORDED

CHECKED = "records-checked.json"  # in _build: what was checked last, and found right


def check(book: Path) -> None:
    """Check the records of trainings, and the summary against them; at once if neither has changed.

    Raises:
        ValueError: a record is wrong, or the summary says something else than the records.
    """
    files = [*(book / RECORDED).rglob("*.json"), *(book / RECORDED).rglob("*.csv")]
    texts = {str(path.relative_to(book)): path.read_text("utf-8") for path in sorted(files)}
    texts |= {str(name): (book / name).read_text("utf-8") for name in (CLAIMS, QUESTIONS)}
    code = fingerprint.sources("from vaelib.study import summary")
    key = {"key": fingerprint.digest(json.dumps([texts, code]))}
    checked = book / "_build" / CHECKED
    if checked.exists() and read_json(checked) == key:
        return
    from vaelib.study import summary  # imports PyTorch, which takes seconds

    summary.check(book)
    write_json(key, checked)
