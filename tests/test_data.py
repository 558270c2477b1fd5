import pytest
import torch

from vaelib import data


def test_splits_are_first_and_last_part(digits):
    assert len(digits.training_images) == 510
    assert len(digits.validation_images) == 90
    joined = torch.cat([digits.training_images, digits.validation_images])
    assert torch.equal(joined, digits.images)


def test_the_split_of_mnist_is_the_original_one():
    images = torch.zeros(60000, 1, 1, dtype=torch.uint8)
    digits = data.Digits(images, images, images, images)
    assert len(digits.training_images) == 51000
    assert len(digits.validation_images) == 9000


def test_to_unit_divides_by_255():
    images = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16)
    unit = data.to_unit(images)
    assert unit.shape == (1, 1, 16, 16)
    assert unit.dtype == torch.float32
    expected = torch.arange(256, dtype=torch.float64) / 255
    torch.testing.assert_close(unit.flatten().double(), expected, rtol=1e-7, atol=0)


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(3, 28, 28),
        torch.zeros(3, 784, dtype=torch.uint8),
        torch.zeros(3, 1, 28, 28, dtype=torch.uint8),
        torch.zeros(0, 28, 28, dtype=torch.uint8),
    ],
)
def test_other_images_are_refused(images):
    with pytest.raises(ValueError, match=r"expected \(N, 28, 28\)"):
        data.check_images(images)


def test_an_unknown_data_set_is_refused():
    with pytest.raises(ValueError, match="did you mean 'mnist'"):
        data.load("mnits")


def test_mnist_is_loaded_from_its_files(monkeypatch, tmp_path):
    import numpy as np

    from vaelib import mnist

    images = np.arange(4 * 784).reshape(4, 784) % 256
    labels = np.array([3, 1, 4, 1])
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    mnist.write_idx([(images[:2] / 256, labels[:2])] + [(images[2:] / 256, labels[2:])] * 2, raw)
    monkeypatch.setattr(mnist, "obtain", lambda folder: tmp_path)
    digits = data.load("mnist")
    assert digits.images.flatten(1).tolist() == images.tolist()
    assert digits.labels.tolist() == labels.tolist()
    assert digits.test_labels.tolist() == labels[2:].tolist()
    assert digits.labels.dtype == torch.uint8
