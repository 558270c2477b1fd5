"""One step against plain PyTorch: another network of the same weights, another Adam."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from vaelib.training.recipes import RECIPES
from vaelib.training.step import Step
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


class ExactMuon:
    """Muon by singular value decompositions in float64: PyTorch's own computes in bfloat16."""

    def __init__(self, matrices, lr):
        self.param_groups = [{"lr": lr, "params": list(matrices)}]
        self.momentum = [torch.zeros_like(matrix) for matrix in self.param_groups[0]["params"]]

    def step(self):
        (group,) = self.param_groups
        for matrix, momentum in zip(group["params"], self.momentum, strict=True):
            momentum += 0.05 * (matrix.grad - momentum)
            ahead = (0.05 * matrix.grad + 0.95 * momentum).double()
            u, values, v = torch.linalg.svd(ahead, full_matrices=False)
            values /= values.norm()
            for _ in range(5):
                values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
            matrix -= group["lr"] * (u * values @ v).float()


def reference_step(reference, optimizers, matrices, images, noise):
    """Take a step in plain PyTorch; Muon moves copies, written as (outputs or inputs, rest)."""
    total = reference.total(images, noise)
    reference.zero_grad()
    total.backward()
    for name, matrix in matrices.items():
        matrix.grad = rows(reference.get_parameter(name).grad).clone()
    for optimizer in optimizers:
        optimizer.step()
    with torch.no_grad():
        for name, matrix in matrices.items():
            rows(reference.get_parameter(name)).copy_(matrix)
    return total


def rows(weight):
    """Flatten all but the first dimension; the order of the columns does not matter to Muon."""
    return weight.flatten(1) if weight.ndim == 4 else weight


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("muon_rate", [None, 0.02])
def test_steps_are_those_of_plain_pytorch(device, muon_rate, digits):
    """Eight steps, one of them on a smaller batch, with a rate that falls."""
    model = new_model().to(device)
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    reference = Reference(weights).to(device)
    hidden = ("encoder.conv2", "encoder.dense", "decoder.deconv1", "decoder.deconv2")
    names = [f"{layer}.weight" for layer in hidden if muon_rate]
    matrices = {name: rows(reference.get_parameter(name)).detach().clone() for name in names}
    others = [p for name, p in reference.named_parameters() if name not in names]
    optimizers = [torch.optim.Adam(others, lr=4e-3, betas=(0.9, 0.999), eps=1e-7)]
    if muon_rate:
        optimizers += [ExactMuon(matrices.values(), muon_rate)]
    recipe = replace(RECIPE, muon_learning_rate=muon_rate)
    take_step = Step(model, Objective("bce", 0.5), recipe)
    noise = torch.randn(8, 8, 2, generator=torch.Generator().manual_seed(0)).to(device)
    images = digits.training_images[:64].view(8, 8, 28, 28).to(device)
    for i in range(8):
        batch = slice(5 if i == 6 else 8)
        total = reference_step(reference, optimizers, matrices, images[i][batch], noise[i][batch])
        losses = take_step(images[i][batch], noise[i][batch])
        assert losses[0].item() == pytest.approx(total.item(), rel=1e-3 if muon_rate else 1e-4)
        assert losses[0].item() == pytest.approx((losses[1] + losses[2]).item(), rel=1e-6)
        if i == 0:  # later, losses alone are compared: the weights drift apart in the last digits
            for name, weight in reference.named_parameters():
                expected = weight - weights[name]
                difference = (model.get_parameter(name) - weight).norm()
                assert difference < 0.01 * expected.norm(), name
        for optimizer in (*optimizers, *take_step.optimizers):
            for group in optimizer.param_groups:
                group["lr"] *= 0.7


def test_a_held_decoder_stays_and_its_encoder_moves_as_with_a_free_one(digits):
    images, noise = digits.training_images[:8], torch.ones(8, 2)
    free, held = new_model(), new_model()
    before = {name: weight.clone() for name, weight in held.decoder.state_dict().items()}
    held.decoder.requires_grad_(False)
    for model in (free, held):
        Step(model, Objective("bce", 1.0), RECIPE)(images, noise)
    torch.testing.assert_close(held.decoder.state_dict(), before, rtol=0, atol=0)
    torch.testing.assert_close(held.encoder.state_dict(), free.encoder.state_dict())
    assert not torch.equal(free.decoder.dense.weight, before["dense.weight"])
