"""What the records say together: derived by the build, once, and kept under what it depends on."""

import json
from functools import cache
from pathlib import Path

from vaelib.plumbing import files, stale
from vaelib.plumbing.places import CLAIMS, CODES, LOOSENESS, QUESTIONS, RECORDED, SUMMARY


def derive(book: Path) -> dict:
    """Summarise the records of a book, or read their summary if nothing has changed.

    Returns:
        What :func:`vaelib.study.summary.summarise` returns.

    Raises:
        vaelib.plumbing.files.DamagedError: a record is wrong.
        ValueError: the claims or questions are.
    """
    current = key(book)
    try:
        known = files.read_derived(book / SUMMARY)
        if known.key == current:
            return known.content
    except (OSError, files.DamagedError):
        pass  # it was never derived, or was edited
    from vaelib.study.summary import summarise  # imports PyTorch, which takes seconds

    summary = summarise(book)
    files.write_derived(summary, current, book / SUMMARY)
    return summary


def read_summary(book: Path) -> dict:
    """Read the summary that the build has derived.

    Raises:
        vaelib.plumbing.files.DamagedError: it was edited.
        FileNotFoundError: there is none.
    """
    return _read(book / SUMMARY, (book / SUMMARY).stat().st_mtime_ns)


@cache  # pages ask for hundreds of its numbers
def _read(file: Path, changed: int) -> dict:
    return files.read_derived(file).content


def key(book: Path) -> str:
    """Digest what a summary depends on: what is recorded, how it is judged, and the code.

    That is also the code of a training and of its measures, for the summary tells what is stale.
    """
    rules = (CLAIMS, CODES, QUESTIONS, LOOSENESS)
    judged = {str(name): files.sha256(book / name) for name in rules}
    code = "from vaelib.study import grid, summary"
    inputs = stale.inputs(code, ("torch", "numpy", "scipy"), recorded=recorded(book), judged=judged)
    return stale.digest(json.dumps(inputs))


def recorded(book: Path) -> dict[str, str]:
    """Return the SHA-256 of all files in which something is recorded, by name."""
    paths = [*(book / RECORDED).rglob("*.json"), *(book / RECORDED).rglob("*.csv")]
    return {str(path.relative_to(book)): files.sha256(path) for path in sorted(paths)}
