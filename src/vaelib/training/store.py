"""Weights of recorded trainings, in the data folder under their SHA-256: a cache, and no more."""

import hashlib
import logging
from pathlib import Path

from vaelib.data.mnist import data_folder
from vaelib.plumbing.checks import in_words
from vaelib.plumbing.files import write_bytes

_log = logging.getLogger(__name__)


def keep(content: bytes) -> None:
    """Keep the content of a safetensors file; where that is not possible, say so and go on."""
    file = _file(hashlib.sha256(content).hexdigest())
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(content, file)
    except OSError as error:
        _log.warning("weights are not kept: %s", in_words(error))


def find(digest: str | None) -> bytes | None:
    """Return the content with a SHA-256, if it was kept here and is still what it was."""
    try:
        content = _file(digest or "none").read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None


def _file(digest: str) -> Path:
    return data_folder() / "weights" / f"{digest}.safetensors"
