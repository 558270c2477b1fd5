import torch

from vaelib.data.dataset import check_images
from vaelib.data.synthetic import synthetic_digits


def test_digits_are_images_with_labels():
    images, labels = synthetic_digits(20, seed=0)
    check_images(images)
    assert labels.tolist() == [*range(10)] * 2


def test_digits_differ_between_classes_and_repeat_with_the_seed():
    images, labels = synthetic_digits(500, seed=3)
    means = torch.stack([images[labels == digit].float().mean(0) for digit in range(10)])
    assert (torch.pdist(means.flatten(1)) > 100).all()
    assert torch.equal(images, synthetic_digits(500, seed=3)[0])
    assert not torch.equal(images, synthetic_digits(500, seed=4)[0])
