"""The state of a training after an epoch, in a file that is checked before it is used."""

import hashlib
import io
import logging
from pathlib import Path

import torch

from vaelib.plumbing.files import write_bytes

_log = logging.getLogger(__name__)

SUM = 64  # bytes of a SHA-256 in hexadecimal digits, with which the file begins


def save(state: dict, of: str, file: Path) -> None:
    """Write a state; the file is replaced whole.

    Args:
        state: numbers, texts, lists, dictionaries and tensors.
        of: what identifies the training.
        file: in a folder that is made if need be.
    """
    content = io.BytesIO()
    torch.save({"of": of, "state": state}, content)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(_sum(content.getvalue()) + content.getvalue(), file)


def load(of: str, file: Path) -> dict | None:
    """Read a state back.

    Returns:
        The state; nothing where there is no file, or where it is damaged or of another training,
        which is said in one line.
    """
    if not file.exists():
        return None
    content = file.read_bytes()
    if _sum(content[SUM:]) != content[:SUM]:
        _log.warning("the checkpoint %s is damaged: training begins anew", file.name)
        return None
    held = torch.load(io.BytesIO(content[SUM:]), weights_only=True)
    if held["of"] != of:
        _log.warning("the checkpoint %s is of another training: training begins anew", file.name)
        return None
    return held["state"]


def _sum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
