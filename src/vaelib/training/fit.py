"""Fit a VAE: the epochs, a learning-rate schedule, early stopping and the record of the losses."""

import copy
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm import tqdm

from vaelib.digits.dataset import Digits, check_images
from vaelib.plumbing.names import LOSSES
from vaelib.training.recipes import Recipe
from vaelib.training.step import Step
from vaelib.vae.losses import draw_noise, image_losses, mean_losses
from vaelib.vae.model import VAE
from vaelib.vae.objective import Losses, Objective

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
    ``validation`` has the losses of the validation images, each (M,), after the best epoch.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    trace: list[dict[str, float]] = field(default_factory=list)
    validation: Losses | None = None
    best_epoch: int = 0
    stopped_early: bool = False


def fit(model: VAE, objective: Objective, recipe: Recipe, digits: Digits, seed: int) -> Fit:
    """Train a model in place; its best weights by validation total are restored at the end.

    Args:
        model: on the device of the images.
        objective: the losses, per image.
        recipe: batch size, schedule and stopping rule.
        digits: N images to train on and M to validate on, one draw of noise each.
        seed: of the order of the images and of all noise. The same seed on the same CPU, with as
            many threads, gives the same weights, bit for bit.

    Returns:
        The history; see :class:`Fit`.

    Raises:
        ValueError: images of the wrong shape or dtype.
        FloatingPointError: a loss that is not finite, at the end of its epoch.
    """
    check_images(digits.training_images)
    check_images(digits.validation_images)
    of_file = draw_noise(len(digits.images), model.latent_dim, seed)
    validation_noise = of_file[digits.training_number :]
    epochs = _epochs(model, objective, recipe, digits.training_images, seed)
    stopping = EarlyStopping(recipe.patience)
    result = Fit()
    for epoch, (losses, sizes) in enumerate(epochs, start=1):
        if not losses.isfinite().all():
            raise FloatingPointError(
                f"the training loss is not finite in epoch {epoch}, with {objective} and "
                f"{recipe}: lower the learning rate; no run was kept"
            )
        validation = image_losses(model, objective, digits.validation_images, validation_noise)
        row = {"epoch": epoch, **_named(_mean(losses, sizes))}
        row |= {f"val_{name}": value for name, value in mean_losses(validation).items()}
        result.history.append(row)
        result.trace += _trace(epoch, losses, sizes)
        _say(row)
        stop = stopping.update(epoch, row["val_total"], model)
        if stopping.best_epoch == epoch:
            result.validation = validation
        if stop:
            result.stopped_early = True
            break
    model.load_state_dict(stopping.weights)
    result.best_epoch = stopping.best_epoch
    return result


def _epochs(
    model: VAE, objective: Objective, recipe: Recipe, images: Tensor, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Train epoch after epoch.

    Yields:
        The losses of each batch (K, 3), float64, and the sizes of the batches (K,), float64.
    """
    device = images.device
    order = torch.Generator().manual_seed(seed)
    noise = torch.Generator(device).manual_seed(seed)
    batches = -(-len(images) // recipe.batch_size)
    take_step = Step(model, objective, recipe)
    schedulers = [_scheduler(optimizer, recipe, batches) for optimizer in take_step.optimizers]
    for epoch in range(1, recipe.max_epochs + 1):
        losses = torch.empty(batches, 3, device=device)  # no loss leaves the device before the end
        sizes = torch.empty(batches, dtype=torch.float64)
        permutation = torch.randperm(len(images), generator=order).to(device)
        progress = tqdm(
            permutation.split(recipe.batch_size),
            desc=f"epoch {epoch}",
            leave=False,
            disable=not sys.stderr.isatty(),
        )
        for step, indices in enumerate(progress):
            epsilon = torch.randn(len(indices), model.latent_dim, generator=noise, device=device)
            losses[step] = take_step(images[indices], epsilon)
            for scheduler in schedulers:
                scheduler.step()
            sizes[step] = len(indices)
        yield losses.cpu().double(), sizes


def _say(row: dict[str, float]) -> None:
    tqdm.write(
        "epoch {epoch:2d}  training {total:.2f} = {reconstruction:.2f} + {kl:.2f}  "
        "validation {val_total:.2f} = {val_reconstruction:.2f} + {val_kl:.2f}".format(**row)
    )


def _scheduler(optimizer, recipe: Recipe, batches: int):
    if recipe.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=[float(group["lr"]) for group in optimizer.param_groups],
        total_steps=recipe.max_epochs * batches,
        pct_start=recipe.warm_up,
        anneal_strategy="linear",
        cycle_momentum=False,  # Adam's betas stay those of the recipe
    )


def _mean(losses: Tensor, sizes: Tensor) -> Tensor:
    """Average batch means (K, 3) with the batches' sizes (K,) as weights; return (3,)."""
    return sizes @ losses / sizes.sum()


def _named(values: Tensor) -> dict[str, float]:
    return dict(zip(LOSSES, values.tolist(), strict=True))


def _trace(epoch: int, losses: Tensor, sizes: Tensor) -> list[dict[str, float]]:
    edges = torch.linspace(0, len(losses), min(TRACE_POINTS, len(losses)) + 1).round().int()
    return [
        {
            "epoch": epoch - 1 + end / len(losses),
            **_named(_mean(losses[start:end], sizes[start:end])),
        }
        for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
