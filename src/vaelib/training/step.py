"""One optimiser step on a batch, and the same step as a CUDA graph."""

import torch
from torch import Tensor

from vaelib.digits.dataset import to_unit
from vaelib.training.recipes import Recipe
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective


class Step:
    """Forward pass, losses, gradients and Adam's update.

    Args:
        model: on its device.
        objective: the losses, per image; their total is minimised.
        recipe: Adam's learning rates, betas and epsilon.
    """

    def __init__(self, model: VAE, objective: Objective, recipe: Recipe):
        self.model, self.objective = model, objective
        on_cuda = next(model.parameters()).device.type == "cuda"
        dense = "encoder.dense."
        groups = [
            {
                "params": [
                    p for name, p in model.named_parameters() if name.startswith(dense) is own
                ],
                "lr": recipe.learning_rate * factor,
            }
            for own, factor in ((False, 1.0), (True, recipe.dense_rate_factor))
        ]
        if on_cuda:  # a graph replays addresses: a rate that changes must lie on the device
            for group in groups:
                group["lr"] = torch.tensor(group["lr"], device="cuda")
        self.optimizer = torch.optim.Adam(
            groups, betas=recipe.betas, eps=recipe.epsilon, fused=True, capturable=on_cuda
        )

    def __call__(self, images: Tensor, noise: Tensor) -> Tensor:
        """Take one step.

        Args:
            images: (B, 28, 28), uint8.
            noise: (B, d), drawn from N(0, I).

        Returns:
            (3,): means over the batch of total, reconstruction and KL loss before the step,
            without gradients, on the device. The next step may write over them.
        """
        x = to_unit(images)
        logits, mean, log_variance, _ = self.model(x, noise)
        losses = torch.stack(self.objective(logits, x, mean, log_variance)).mean(1)
        self.optimizer.zero_grad()
        losses[0].backward()
        self.optimizer.step()
        return losses.detach()


class GraphedStep(Step):
    """The step recorded once as a CUDA graph and replayed: one launch instead of some 150.

    The first steps run as they are, on a stream of their own, as a capture requires; so does
    every batch of another size, such as an epoch's last.
    """

    EAGER_STEPS = 3

    def __init__(self, model: VAE, objective: Objective, recipe: Recipe):
        super().__init__(model, objective, recipe)
        self.batch_size = recipe.batch_size
        self.taken = 0
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, images: Tensor, noise: Tensor) -> Tensor:
        """Take one step; see :class:`Step`."""
        if len(images) != self.batch_size:
            return super().__call__(images, noise)
        if self.taken < self.EAGER_STEPS:
            self.taken += 1
            here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
            aside.wait_stream(here)
            with torch.cuda.stream(aside):
                losses = super().__call__(images, noise)
            here.wait_stream(aside)
            return losses
        if self.graph is None:
            self.images, self.noise = images.clone(), noise.clone()
            self.optimizer.zero_grad()
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):  # records, runs nothing
                self.losses = super().__call__(self.images, self.noise)
        self.images.copy_(images)
        self.noise.copy_(noise)
        self.graph.replay()
        return self.losses


def step_for(model: VAE, objective: Objective, recipe: Recipe) -> Step:
    """Choose the step for the device that a model is on."""
    on_cuda = next(model.parameters()).device.type == "cuda"
    return (GraphedStep if on_cuda else Step)(model, objective, recipe)
