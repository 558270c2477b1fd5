import pytest
import torch

from vaelib.vae import losses
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective


@pytest.fixture(scope="module")
def model():
    return VAE(2, generator=torch.Generator().manual_seed(0))


def test_losses_do_not_depend_on_the_batch_size(model, digits):
    noise = losses.draw_noise(len(digits.test_images), 2, seed=5)
    results = [
        losses.mean_losses(
            losses.image_losses(model, Objective("bce", 0.5), digits.test_images, noise, batch_size)
        )
        for batch_size in (7, 100, 1000)
    ]
    for other in results[1:]:
        assert other == pytest.approx(results[0], rel=1e-6)


def test_noise_comes_from_its_own_generator():
    torch.manual_seed(1)
    first = losses.draw_noise(10, 2, seed=3)
    torch.manual_seed(2)
    assert torch.equal(first, losses.draw_noise(10, 2, seed=3))
    assert not torch.equal(first, losses.draw_noise(10, 2, seed=4))


def test_noise_must_fit_the_images(model, digits):
    with pytest.raises(ValueError, match=r"noise has shape \(3, 2\) .* one row per image"):
        losses.image_losses(
            model, Objective("bce", 1.0), digits.test_images, torch.zeros(3, 2), 100
        )


def test_the_floor_is_reached_by_the_images_themselves(digits):
    from vaelib.vae.reconstruction import binary_cross_entropy

    x = digits.test_images.double() / 255
    perfect = binary_cross_entropy(x.clamp(1e-12, 1 - 1e-12).logit(), x).mean().item()
    assert losses.entropy_floor(digits.test_images) == pytest.approx(perfect, abs=1e-4)
