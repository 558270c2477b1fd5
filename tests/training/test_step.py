"""One step against plain PyTorch: another network of the same weights, another Adam."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from vaelib.training.recipes import RECIPES
from vaelib.training.step import GraphedStep, Step, step_for
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

RECIPE = replace(RECIPES["smoke"], batch_size=8)
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU"),
    ),
]


def new_model():
    return VAE(2, generator=torch.Generator().manual_seed(0))


class Reference(nn.Module):
    """The original's network in stock layers, one after the other."""

    def __init__(self, weights):
        super().__init__()
        self.encoder = nn.ModuleDict(
            {
                "conv1": nn.Conv2d(1, 32, 3, 2, 1),
                "conv2": nn.Conv2d(32, 64, 3, 2, 1),
                "dense": nn.Linear(3136, 16),
                "mean": nn.Linear(16, 2),
                "log_variance": nn.Linear(16, 2),
            }
        )
        self.decoder = nn.ModuleDict(
            {
                "dense": nn.Linear(2, 3136),
                "deconv1": nn.ConvTranspose2d(64, 64, 3, 2, 1, 1),
                "deconv2": nn.ConvTranspose2d(64, 32, 3, 2, 1, 1),
                "deconv3": nn.ConvTranspose2d(32, 1, 3, 1, 1),
            }
        )
        self.load_state_dict(weights)

    def total(self, images, noise):
        x = images[:, None].float() / 255
        h = x
        for name in ("conv1", "conv2"):
            h = self.encoder[name](h).relu()
        h = self.encoder["dense"](h.permute(0, 2, 3, 1).flatten(1)).relu()
        mean, v = self.encoder["mean"](h), self.encoder["log_variance"](h)
        h = self.decoder["dense"](mean + (v / 2).exp() * noise).relu()
        h = h.view(-1, 7, 7, 64).permute(0, 3, 1, 2)
        for name in ("deconv1", "deconv2"):
            h = self.decoder[name](h).relu()
        p = self.decoder["deconv3"](h).sigmoid()
        reconstruction = nn.functional.binary_cross_entropy(p, x, reduction="sum") / len(x)
        return reconstruction + (mean**2 + v.exp() - v - 1).mean(1).mean() / 2


@pytest.mark.parametrize("device", DEVICES)
def test_steps_are_those_of_plain_pytorch(device, digits):
    """Eight steps, one of them on a smaller batch; a CUDA graph is replayed from the fifth on."""
    model = new_model().to(device)
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    reference = Reference(weights).to(device)
    adam = torch.optim.Adam(reference.parameters(), lr=4e-3, betas=RECIPE.betas, eps=1e-7)
    take_step = step_for(model, Objective("bce", "mean"), RECIPE)
    noise = torch.randn(8, 8, 2, generator=torch.Generator().manual_seed(0)).to(device)
    images = digits.training_images[:64].view(8, 8, 28, 28).to(device)
    for i in range(8):
        batch = slice(5 if i == 6 else 8)
        total = reference.total(images[i][batch], noise[i][batch])
        adam.zero_grad()
        total.backward()
        adam.step()
        losses = take_step(images[i][batch], noise[i][batch])
        assert losses[0].item() == pytest.approx(total.item(), rel=1e-4)
        assert losses[0].item() == pytest.approx((losses[1] + losses[2]).item(), rel=1e-6)
        # A schedule changes the rate between steps; a graph must see it.
        for optimizer in (adam, take_step.optimizer):
            for group in optimizer.param_groups:
                group["lr"] *= 0.7


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")
def test_a_cuda_gpu_replays_a_graph(digits):
    take_step = step_for(new_model().to("cuda"), Objective("bce", "mean"), RECIPE)
    assert isinstance(take_step, GraphedStep)
    images, noise = digits.training_images[:8].to("cuda"), torch.zeros(8, 2, device="cuda")
    for _ in range(GraphedStep.EAGER_STEPS + 2):
        take_step(images, noise)
    assert take_step.graph is not None


def test_a_cpu_takes_plain_steps():
    assert type(step_for(new_model(), Objective("bce", "mean"), RECIPE)) is Step


def test_the_dense_layer_has_a_rate_of_its_own(digits):
    """Adam's first step moves every weight with a gradient by its learning rate."""
    model = new_model()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    recipe = replace(RECIPE, learning_rate=1e-3, dense_rate_factor=0.1)
    step_for(model, Objective("bce", "mean"), recipe)(digits.training_images[:8], torch.zeros(8, 2))
    for name, weight in model.state_dict().items():
        rate = 1e-4 if name.startswith("encoder.dense.") else 1e-3
        assert (weight - before[name]).abs().max().item() == pytest.approx(rate, rel=0.01)
