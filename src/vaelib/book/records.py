"""Check what was recorded once, before pages are made of it."""

import json
from pathlib import Path

from vaelib.plumbing import fingerprint
from vaelib.plumbing.files import DamagedError, read_json, write_json
from vaelib.plumbing.places import CLAIMS, QUESTIONS, RECORDED

CHECKED = "records-checked.json"  # in _build: the key of what was found right last


def check(book: Path) -> None:
    """Check the records of trainings, and the summary against them; at once if neither has changed.

    Raises:
        ValueError: the summary says something else than the records.
        vaelib.plumbing.files.DamagedError: a record is wrong.
    """
    checked, current = book / "_build" / CHECKED, {"key": key(book)}
    try:
        if read_json(checked) == current:
            return
    except (OSError, DamagedError):
        pass  # never checked
    from vaelib.study import agreement  # imports PyTorch, which takes seconds

    agreement.check(book)
    write_json(current, checked)


def key(book: Path) -> str:
    """Digest what the check depends on: the records, the claims and questions, and its code."""
    files = [*(book / RECORDED).rglob("*.json"), *(book / RECORDED).rglob("*.csv")]
    texts = {str(path.relative_to(book)): path.read_text("utf-8") for path in sorted(files)}
    texts |= {str(name): (book / name).read_text("utf-8") for name in (CLAIMS, QUESTIONS)}
    code = fingerprint.sources("from vaelib.study import agreement")
    return fingerprint.digest(json.dumps([texts, code]))
