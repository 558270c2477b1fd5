"""Fit a VAE: Adam, a learning-rate schedule, early stopping and the record of the losses."""

import copy
import sys
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm import tqdm

from vaelib.data import check_images
from vaelib.evaluation import image_losses, mean_losses
from vaelib.model import VAE
from vaelib.objective import Losses, Objective
from vaelib.recipes import Recipe
from vaelib.step import step_for

TRACE_POINTS = 20  # points per epoch of the finer record of the training losses


class EarlyStopping:
    """Remember the best validation total, and say when to stop.

    As in the original's framework: an epoch counts as better only if its total is strictly lower,
    and training stops after ``patience`` epochs in a row that are not.
    """

    def __init__(self, patience: int):
        self.patience = patience
        self.best = float("inf")
        self.best_epoch = 0
        self.weights: dict[str, Tensor] = {}

    def update(self, epoch: int, total: float, model: torch.nn.Module) -> bool:
        """Take in an epoch's validation total; return whether training must stop."""
        if total < self.best:
            self.best, self.best_epoch = total, epoch
            self.weights = copy.deepcopy(model.state_dict())
        return epoch - self.best_epoch >= self.patience


@dataclass
class Fit:
    """What a training leaves beside the weights. All losses are means per image.

    ``history`` has a row per epoch: ``epoch``; ``total``, ``reconstruction``, ``kl`` (running
    means over the epoch, while the weights change, as the original's framework reports them);
    the same with the prefix ``val_`` (validation, at the end of the epoch).
    ``trace`` has about twenty rows per epoch: ``epoch`` as a fraction, and the three training
    losses, each averaged over the steps since the row before.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    trace: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    stopped_early: bool = False


def fit(
    model: VAE,
    objective: Objective,
    recipe: Recipe,
    training_images: Tensor,
    validation_images: Tensor,
    validation_noise: Tensor,
    seed: int,
) -> Fit:
    """Train a model in place; its best weights by validation total are restored at the end.

    Args:
        model: on the device of the images.
        objective: the losses, per image.
        recipe: batch size, schedule and stopping rule.
        training_images: (N, 28, 28), uint8.
        validation_images: (M, 28, 28), uint8, on the same device.
        validation_noise: (M, d), one draw per image, used after every epoch.
        seed: of the order of the images and of the noise of z. The same seed on the same
            CPU, with as many threads, gives the same weights, bit for bit.

    Returns:
        The history; see :class:`Fit`.

    Raises:
        ValueError: images of the wrong shape or dtype.
        FloatingPointError: a loss that is not finite, at the end of its epoch.
    """
    check_images(training_images)
    check_images(validation_images)
    device = training_images.device
    order = torch.Generator().manual_seed(seed)
    noise = torch.Generator(device).manual_seed(seed)
    batches = -(-len(training_images) // recipe.batch_size)
    take_step = step_for(model, objective, recipe)
    scheduler = _scheduler(take_step.optimizer, recipe, batches)
    stopping = EarlyStopping(recipe.patience)
    result = Fit()
    for epoch in range(1, recipe.max_epochs + 1):
        losses = torch.empty(batches, 3, device=device)  # no loss leaves the device before the end
        sizes = torch.empty(batches, dtype=torch.float64)
        permutation = torch.randperm(len(training_images), generator=order).to(device)
        progress = tqdm(
            permutation.split(recipe.batch_size),
            desc=f"epoch {epoch}",
            leave=False,
            disable=not sys.stderr.isatty(),
        )
        for step, indices in enumerate(progress):
            epsilon = torch.randn(len(indices), model.latent_dim, generator=noise, device=device)
            losses[step] = take_step(training_images[indices], epsilon)
            scheduler.step()
            sizes[step] = len(indices)
        losses = losses.cpu().double()
        if not losses.isfinite().all():
            raise FloatingPointError(
                f"the training loss is not finite in epoch {epoch}, with {objective} and "
                f"{recipe}: lower the learning rate; no run was kept"
            )
        validation = mean_losses(
            image_losses(model, objective, validation_images, validation_noise)
        )
        row = {
            "epoch": epoch,
            **_named(_mean(losses, sizes)),
            **{f"val_{name}": value for name, value in validation.items()},
        }
        result.history.append(row)
        result.trace += _trace(epoch, losses, sizes)
        tqdm.write(
            "epoch {epoch:2d}  training {total:.2f} = {reconstruction:.2f} + {kl:.2f}  "
            "validation {val_total:.2f} = {val_reconstruction:.2f} + {val_kl:.2f}".format(**row)
        )
        if stopping.update(epoch, row["val_total"], model):
            result.stopped_early = True
            break
    model.load_state_dict(stopping.weights)
    result.best_epoch = stopping.best_epoch
    return result


def _scheduler(optimizer, recipe: Recipe, batches: int):
    if recipe.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=[float(group["lr"]) for group in optimizer.param_groups],
        total_steps=recipe.max_epochs * batches,
        pct_start=recipe.warm_up,
        cycle_momentum=False,  # Adam's betas stay those of the recipe
    )


def _mean(losses: Tensor, sizes: Tensor) -> Tensor:
    """Average batch means (K, 3) with the batches' sizes (K,) as weights; return (3,)."""
    return sizes @ losses / sizes.sum()


def _named(values: Tensor) -> dict[str, float]:
    return dict(zip(Losses._fields, values.tolist(), strict=True))


def _trace(epoch: int, losses: Tensor, sizes: Tensor) -> list[dict[str, float]]:
    edges = torch.linspace(0, len(losses), min(TRACE_POINTS, len(losses)) + 1).round().int()
    return [
        {
            "epoch": epoch - 1 + end / len(losses),
            **_named(_mean(losses[start:end], sizes[start:end])),
        }
        for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
