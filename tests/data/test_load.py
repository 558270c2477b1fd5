"""Images of the reader's own: read as they are, or refused in a sentence."""

import gzip
import pickle
import struct

import numpy as np
import pytest
import torch

from vaelib.data.dataset import ImageSet
from vaelib.data.load import IDX, fingerprints, load_data
from vaelib.data.torchvision_import import torchvision


@pytest.fixture
def arrays():
    """Seventy images with labels, and thirty to test with."""
    numbers = np.random.default_rng(0)
    images = numbers.integers(0, 256, (100, 28, 28), dtype=np.uint8)
    labels = numbers.integers(0, 10, 100).astype(np.uint8)
    return {
        "images": images[:70],
        "labels": labels[:70],
        "test_images": images[70:],
        "test_labels": labels[70:],
    }


def write_idx(values, path):
    """Write an IDX file as its format is described, by struct and not as it is read."""
    head = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(head + values.tobytes())


def write_folder(arrays, folder, pack=False):
    folder.mkdir(parents=True)
    for name, values in arrays.items():
        write_idx(values, folder / IDX[name])
        if pack:
            content = (folder / IDX[name]).read_bytes()
            (folder / f"{IDX[name]}.gz").write_bytes(gzip.compress(content))
            (folder / IDX[name]).unlink()


def same(data, arrays):
    return all(np.array_equal(getattr(data, name), values) for name, values in arrays.items())


def test_a_npz_file_is_read(arrays, tmp_path):
    np.savez(tmp_path / "shirts.npz", **arrays)
    data = load_data(tmp_path / "shirts.npz")
    assert same(data, arrays)
    assert (data.name, data.training_number) == ("shirts", 60)


@pytest.mark.parametrize("pack", [False, True], ids=["plain", "gzipped"])
def test_a_folder_of_idx_files_is_read(arrays, tmp_path, pack):
    write_folder(arrays, tmp_path / "shirts", pack)
    data = load_data(str(tmp_path / "shirts"))
    assert same(data, arrays)
    assert data.name == "shirts"


@pytest.mark.parametrize("kind", ["FashionMNIST", "KMNIST"])
def test_a_data_set_of_torchvision_is_taken(arrays, tmp_path, kind):
    """Made by torchvision itself, of local files in its layout; nothing is downloaded."""
    write_folder(arrays, tmp_path / kind / "raw")
    made = getattr(torchvision.datasets, kind)
    training, test = (made(tmp_path, train=train) for train in (True, False))
    data = load_data(training, test)
    assert same(data, arrays)
    assert data.name == kind.lower()
    assert data.labels.dtype == torch.uint8
    alone = load_data(training)
    assert (len(alone.images), len(alone.test_images)) == (60, 10)


def test_the_same_images_are_the_same_data_however_they_come(arrays, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    write_folder(arrays, tmp_path / "b")
    a, b = load_data(tmp_path / "a.npz"), load_data(tmp_path / "b")
    assert (a.fingerprint, a.label_fingerprint) == (b.fingerprint, b.label_fingerprint)


def test_without_test_images_the_last_seventh_are_these(arrays, tmp_path):
    np.savez(tmp_path / "a.npz", images=arrays["images"])
    data = load_data(tmp_path / "a.npz")
    assert np.array_equal(data.test_images, arrays["images"][60:])
    assert len(data.training_images) == 51
    assert data.labels is data.test_labels is None
    with pytest.raises(ValueError, match="the data set 'a' has no labels; a vote needs those"):
        data.require_labels("a vote")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((9, 32, 32), np.uint8)}, r"shape \(9, 32, 32\).*torchvision's resize"),
        ({"images": np.zeros((9, 28, 28, 3), np.uint8)}, r"shape \(9, 28, 28, 3\)"),
        ({"images": np.zeros((9, 28, 28), np.float32)}, "dtype torch.float32; expected"),
        ({"images": np.zeros((0, 28, 28), np.uint8)}, "expected"),
        ({"labels": np.zeros(7, np.uint8)}, r"labels has shape \(7,\)"),
        ({"labels": np.full(70, 300)}, "expected whole numbers from 0 to 255"),
        ({"labels": np.full(70, 0.5)}, "expected whole numbers from 0 to 255"),
        ({"test_images": np.zeros((9, 28, 27), np.uint8)}, r"shape \(9, 28, 27\)"),
        ({"images": np.zeros((3, 28, 28), np.uint8), "labels": np.zeros(3)}, "expected"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_with_the_file(arrays, tmp_path, change, message):
    np.savez(tmp_path / "a.npz", **arrays | change)
    with pytest.raises(ValueError, match=f"a.npz: .*{message}"):
        load_data(tmp_path / "a.npz")


def test_files_that_are_something_else_are_refused(arrays, tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"a\.npz is no \.npz file"):
        load_data(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", x_train=arrays["images"])
    with pytest.raises(ValueError, match="has x_train; expected the array images"):
        load_data(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", images=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"c\.npz is no \.npz file of arrays"):
        load_data(tmp_path / "c.npz")
    (tmp_path / "d.npz").write_bytes(pickle.dumps(1))
    with pytest.raises(ValueError, match=r"d\.npz is no \.npz file of arrays"):
        load_data(tmp_path / "d.npz")
    with pytest.raises(FileNotFoundError, match=r"there is no file or folder .*e\.npz"):
        load_data(tmp_path / "e.npz")
    with pytest.raises(FileNotFoundError, match="has no train-images-idx3-ubyte, gzipped"):
        load_data(tmp_path)
    with pytest.raises(ValueError, match="expected a name, a path, or a data set of torchvision"):
        load_data([1, 2])


@pytest.mark.parametrize("length", [0, 3, 4, 15, 16, 500, 70 * 784 + 15])
def test_an_idx_file_that_is_cut_off_is_refused_by_name(arrays, tmp_path, length):
    write_folder({"images": arrays["images"]}, tmp_path / "a")
    file = tmp_path / "a" / IDX["images"]
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(ValueError, match="train-images-idx3-ubyte is no whole IDX file"):
        load_data(tmp_path / "a")


def test_a_gzipped_file_that_is_damaged_is_refused_by_name(arrays, tmp_path):
    write_folder({"images": arrays["images"]}, tmp_path / "a", pack=True)
    file = tmp_path / "a" / f"{IDX['images']}.gz"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"ubyte\.gz cannot be unpacked"):
        load_data(tmp_path / "a")


def test_fingerprints_of_a_name_are_those_of_its_images(digits):
    assert fingerprints("synthetic") == (digits.fingerprint, digits.label_fingerprint)


def test_a_set_of_too_few_images_is_refused():
    with pytest.raises(ValueError, match="expected at least 4"):
        ImageSet.of(torch.zeros(4, 28, 28, dtype=torch.uint8))
