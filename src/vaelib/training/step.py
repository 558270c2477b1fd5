"""One optimiser step on a batch: Muon moves the weights between hidden layers, Adam all others."""

import torch
from torch import Tensor

from vaelib.data.dataset import to_unit
from vaelib.training.muon import Muon
from vaelib.training.recipes import Recipe
from vaelib.vae.model import HIDDEN, VAE
from vaelib.vae.objective import TOTAL, Objective

EPSILON = 1e-7  # of Adam, as in the original's framework


class Step:
    """Forward pass, losses, gradients and the update.

    All singular values of the matrix by which Muon moves a layer's weights are about 1. So no input
    moves the units of a layer together by more than about the rate times its length.

    Args:
        model: on its device; parameters that require no gradient stay as they are.
        objective: the losses, per image; their total is minimised.
        recipe: the learning rates. Without a rate for Muon, Adam moves all weights.
    """

    def __init__(self, model: VAE, objective: Objective, recipe: Recipe):
        self.model, self.objective = model, objective
        others = {name: own for name, own in model.named_parameters() if own.requires_grad}
        rate = recipe.muon_learning_rate
        hidden = [others.pop(name) for name in HIDDEN if name in others] if rate else []
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Adam(others.values(), lr=recipe.learning_rate, eps=EPSILON, fused=True)
        ]
        if rate:
            self.optimizers.append(Muon(hidden, rate))

    def __call__(self, images: Tensor, noise: Tensor) -> Tensor:
        """Take one step.

        Args:
            images: (B, 28, 28), uint8.
            noise: (B, d), drawn from N(0, I).

        Returns:
            (3,): means over the batch of total, reconstruction and KL loss before the step,
            without gradients, on the device.
        """
        x = to_unit(images)
        logits, mean, log_variance, _ = self.model(x, noise)
        losses = self.objective(logits, x, mean, log_variance, self.model.edges()).mean(1)
        self.model.zero_grad()
        losses[TOTAL].backward()
        for optimizer in self.optimizers:
            optimizer.step()
        return losses.detach()
