import pytest
import torch

from vaelib.data import dataset, mnist, sources
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


def test_to_unit_divides_by_255():
    levels = torch.arange(784) % 256
    unit = dataset.to_unit(levels.byte().view(1, 28, 28))
    assert unit.shape == (1, 1, 28, 28)
    assert unit.dtype == torch.float32
    expected = levels.double() / 255
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
        dataset.check_images(images)


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
