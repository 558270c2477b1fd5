import pytest
import torch

from vaelib.data import mnist, sources
from vaelib.data.load import load_data
from vaelib.data.slices import table_start, training_number


def test_splits_are_first_and_last_part(digits):
    assert len(digits.training_images) == 510
    assert len(digits.validation_images) == 90
    joined = torch.cat([digits.training_images, digits.validation_images])
    assert torch.equal(joined, digits.images)


def test_the_split_of_mnist_is_the_original_one():
    assert training_number(60_000) == 51_000
    assert table_start(60_000) == 9_000


def test_an_unknown_data_set_is_refused():
    with pytest.raises(ValueError, match="did you mean 'mnist'"):
        load_data("mnits")


def test_mnist_is_loaded_from_its_files(monkeypatch, tmp_path):
    import numpy as np

    images = np.arange(4 * 784).reshape(4, 784) % 256
    labels = np.array([3, 1, 4, 1])
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    sources.write_idx([(images[:2] / 256, labels[:2])] + [(images[2:] / 256, labels[2:])] * 2, raw)
    monkeypatch.setattr(mnist, "obtain", lambda: tmp_path)
    digits = load_data("mnist")
    assert digits.images.flatten(1).tolist() == images.tolist()
    assert digits.labels.tolist() == labels.tolist()
    assert digits.test_labels.tolist() == labels[2:].tolist()
    assert digits.labels.dtype == torch.uint8
