"""One optimiser step on a batch: Muon moves the weights between hidden layers, Adam all others."""

import torch
from torch import Tensor

from vaelib.digits.dataset import to_unit
from vaelib.training.recipes import Recipe
from vaelib.vae.model import HIDDEN, VAE
from vaelib.vae.objective import TOTAL, Objective

EPSILON = 1e-7  # of Adam, as in the original's framework


class Step:
    """Forward pass, losses, gradients and the update.

    Muon (Jordan et al., 2024) replaces the momentum of a matrix of weights by a nearly orthogonal
    matrix: all its singular values become about 1. So no input moves the units of a layer together
    by more than about the rate times its length. A convolution's weights count as one matrix.

    Args:
        model: on its device.
        objective: the losses, per image; their total is minimised.
        recipe: the learning rates. Without a rate for Muon, Adam moves all weights.
    """

    def __init__(self, model: VAE, objective: Objective, recipe: Recipe):
        self.model, self.objective = model, objective
        muon = recipe.muon_learning_rate is not None
        self.hidden = [model.get_parameter(name) for name in HIDDEN if muon]
        others = [p for p in model.parameters() if all(p is not hidden for hidden in self.hidden)]
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Adam(others, lr=recipe.learning_rate, eps=EPSILON, fused=True)
        ]
        self.matrices = [as_matrix(weight.detach()) for weight in self.hidden]
        if muon:
            self.optimizers.append(
                torch.optim.Muon(self.matrices, lr=recipe.muon_learning_rate, weight_decay=0.0)
            )

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
        losses = self.objective(logits, x, mean, log_variance).mean(1)
        self.model.zero_grad()
        losses[TOTAL].backward()
        for weight, matrix in zip(self.hidden, self.matrices, strict=True):
            matrix.grad = as_matrix(weight.grad)
        for optimizer in self.optimizers:
            optimizer.step()
        return losses.detach()


def as_matrix(weight: Tensor) -> Tensor:
    """View a layer's weights as a matrix of shape (first dimension, all others).

    Args:
        weight: (A, B), or (A, B, k, k) in the memory format channels-last.

    Returns:
        (A, B) or (A, k · k · B), in the same memory.

    Raises:
        RuntimeError: weights (A, B, k, k) that lie otherwise in memory.
    """
    return weight if weight.ndim == 2 else weight.permute(0, 2, 3, 1).view(len(weight), -1)
