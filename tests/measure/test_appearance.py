"""Each quantity against a case that can be computed otherwise."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

from vaelib.measure import appearance


@pytest.fixture
def images(digits):
    return digits.test_images[:50].float() / 255


def blurred(images, sigma):
    return torch.tensor(np.stack([gaussian_filter(image, sigma) for image in images.numpy()]))


def test_gradient_energy_of_an_edge():
    image = torch.zeros(1, 28, 28)
    image[0, :, 14:] = 0.5
    assert appearance.gradient_energy(image).tolist() == [28 * 0.25]


def test_blur_lowers_sharpness(images):
    assert appearance.sharpness(images, images) == 1
    values = [appearance.sharpness(blurred(images, sigma), images) for sigma in (0.5, 1.0, 2.0)]
    assert 1 > values[0] > values[1] > values[2] > 0


def test_spectral_share_of_waves_and_of_blur(images):
    x = torch.arange(28)
    slow = torch.cos(2 * torch.pi * 2 * x / 28).expand(1, 28, 28)
    fast = torch.cos(2 * torch.pi * 10 * x / 28).expand(1, 28, 28)
    assert appearance.high_frequency_share(slow + 3) == pytest.approx(0, abs=1e-12)
    assert appearance.high_frequency_share(fast + 3) == pytest.approx(1)
    assert appearance.high_frequency_share(2 * slow + fast) == pytest.approx(1 / 5)
    assert appearance.high_frequency_share(2 * slow + fast.mT) == pytest.approx(1 / 5)
    share = appearance.high_frequency_share(images)
    assert appearance.high_frequency_share(blurred(images, 1.0)) < 0.5 * share


def test_images_are_recognised_by_the_nearest_reference(digits, images):
    references, labels = digits.images.float() / 255, digits.labels
    assert appearance.share_recognised(references[:300], labels[:300], references, labels) == 1
    own = digits.test_labels[:50]
    nearest = KDTree(references.flatten(1).numpy()).query(images.flatten(1).numpy())[1]
    expected = (labels.numpy()[nearest] == own.numpy()).mean()
    assert appearance.share_recognised(images, own, references, labels) == pytest.approx(expected)


def test_dispersion_of_a_gaussian():
    codes = torch.randn(200_000, 2, generator=torch.Generator().manual_seed(0)) * 3
    spread = appearance.dispersion(codes)
    assert spread["deviation"] == pytest.approx(3 * 2**0.5, rel=0.01)
    assert spread["robust"] == pytest.approx(3 * (2 * np.log(2)) ** 0.5, rel=0.01)  # Rayleigh
    codes[0] = 1e6
    assert appearance.dispersion(codes)["robust"] == pytest.approx(spread["robust"], rel=1e-3)
    assert appearance.dispersion(codes)["deviation"] > 100 * spread["deviation"]


def test_votes_of_the_neighbours_against_a_tree():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 10, (2500,), generator=generator)
    codes = torch.randn(2500, 3, generator=generator) + labels[:, None] / 2
    table = appearance.confusion(codes, labels, neighbours=5)
    nearest = KDTree(codes.numpy()).query(codes.numpy(), 6)[1][:, 1:]
    votes = np.stack([np.bincount(row, minlength=10) for row in labels.numpy()[nearest]])
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (labels.numpy(), votes.argmax(1)), 1)
    assert table.tolist() == expected.tolist()
    assert appearance.accuracy(table) == pytest.approx(np.trace(expected) / 2500)


def test_the_pair_that_shares_its_place_overlaps_most():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(10).repeat_interleave(100)
    places = torch.arange(10.0)
    places[9] = places[4]
    codes = places[labels][:, None] * 100 + torch.randn(1000, 2, generator=generator)
    shares = appearance.overlap_shares(appearance.confusion(codes, labels))
    assert len(shares) == 45
    assert 0.3 < shares.pop((4, 9)) < 0.7
    assert set(shares.values()) == {0}


def test_a_plane_is_read_off_ten_groups_of_which_two_share_a_place():
    generator = torch.Generator().manual_seed(0)
    places = torch.tensor([[digit, 0.0] for digit in range(10)]) / 2
    places[7] = places[2]
    places[9] = torch.tensor([30.0, 0.0])
    labels = torch.arange(10).repeat(50)
    codes = places[labels] + 0.01 * torch.randn(500, 2, generator=generator)
    found = appearance.grouping(codes, labels)
    assert (found["overlap"], found["farthest"]) == ("2 and 7", "0 and 9")
    table = appearance.confusion(codes, labels)
    both = table[[2, 7]].sum()
    assert found["share"] == pytest.approx(float((table[2, 7] + table[7, 2]) / both))
    assert 0.3 < found["share"] < 0.7
    assert found["accuracy"] == pytest.approx(float((500 - table[2, 7] - table[7, 2]) / 500))
    within = sum(x * x <= 4 and y * y <= 4 for x, y in codes.tolist()) / 500
    assert found["within"] == pytest.approx(within)
    assert found["within"] < 0.7


def test_a_gradual_change_is_smooth_and_a_shuffled_one_is_not(images):
    weights = torch.linspace(0, 1, 20)
    rows = torch.stack([torch.lerp(images[0], images[1], w) for w in weights])
    columns = torch.stack([torch.lerp(images[2], images[3], w) for w in weights])
    grid = (rows[:, None] + columns[None]) / 2
    smooth = appearance.roughness(grid)
    order = torch.randperm(400, generator=torch.Generator().manual_seed(0))
    rough = appearance.roughness(grid.flatten(0, 1)[order].view(20, 20, 28, 28))
    assert smooth["mean"] < 0.05
    assert smooth["greatest"] < 0.1
    assert rough["mean"] == pytest.approx(1, abs=0.15)
