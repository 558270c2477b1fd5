"""Fit a VAE: the epochs, a learning-rate schedule, early stopping and the record of the losses."""

import copy
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm import tqdm

from vaelib.data.dataset import ImageSet
from vaelib.plumbing.words import LOSSES
from vaelib.training.recipes import Recipe
from vaelib.training.step import Step
from vaelib.vae.losses import image_losses, mean_losses
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

_log = logging.getLogger(__name__)

TRACE_POINTS = 20  # points per epoch of the finer record of the training losses
ROW = (
    "epoch {epoch:2.0f}  training {total:.2f} = {reconstruction:.2f} + {kl:.2f}  "
    "validation {val_total:.2f} = {val_reconstruction:.2f} + {val_kl:.2f}"
)


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
    ``validation`` has the losses of the validation images, (3, M), after the best epoch.
    ``seconds`` is the time that the epochs took, those before an interruption included.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    trace: list[dict[str, float]] = field(default_factory=list)
    validation: Tensor | None = None
    best_epoch: int = 0
    stopped_early: bool = False
    seconds: float = 0.0


def fit(
    model: VAE,
    objective: Objective,
    recipe: Recipe,
    data: ImageSet,
    noise: Tensor,
    seed: int,
    earlier: dict | None = None,
    keep: Callable[[dict], None] = lambda state: None,
    stop_after: int | None = None,
    callback: Callable[[dict[str, float]], None] = lambda row: None,
) -> Fit:
    """Train a model in place; its best weights by validation total are restored at the end.

    Args:
        model: on the device of the images.
        objective: the losses, per image.
        recipe: batch size, schedule and stopping rule.
        data: N images to train on and M to validate on.
        noise: (N + M, d), of one sampled z for each image when it is measured, not trained on:
            see :func:`vaelib.vae.losses.draw_noise`.
        seed: of the order of the images and of the noise in training. The same seed on the same
            CPU, with as many threads, gives the same weights, bit for bit.
        earlier: the state of this training after an epoch, from which it goes on; the result is
            that of a training without interruption, bit for bit.
        keep: called with the state after every epoch.
        stop_after: epochs after which to end; they stand under the recipe's schedule whatever
            their number.
        callback: called with each epoch's row of the history at its end.

    Returns:
        The history; see :class:`Fit`.

    Raises:
        ValueError: images of the wrong shape or dtype.
        FloatingPointError: a loss that is not finite, at the end of its epoch.
    """
    noise = noise[data.training_number :]
    loop = _Epochs(model, objective, recipe, data.training_images, seed)
    stopping = EarlyStopping(recipe.patience)
    result = Fit()
    if earlier:
        loop.restore(earlier["epochs"])
        vars(stopping).update(earlier["stopping"])
        vars(result).update(earlier["result"])
        _log.info("training goes on after epoch %d, from its checkpoint", len(result.history))
    before, start = result.seconds, time.perf_counter()
    while len(result.history) < (stop_after or recipe.epochs) and not result.stopped_early:
        epoch = len(result.history) + 1
        losses, sizes = loop.next(epoch)
        if not losses.isfinite().all():
            raise FloatingPointError(
                f"the training loss is not finite in epoch {epoch}, with {objective} and "
                f"{recipe}: lower the learning rate; no run was kept"
            )
        validation = image_losses(model, objective, data.validation_images, noise)
        row = {"epoch": epoch, **_named(_mean(losses, sizes))}
        row |= {f"val_{name}": value for name, value in mean_losses(validation).items()}
        result.history.append(row)
        result.trace += _trace(epoch, losses, sizes)
        _log.info(ROW.format(**row))
        callback(row)
        result.stopped_early = stopping.update(epoch, row["val_total"], model)
        if stopping.best_epoch == epoch:
            result.validation = validation
        result.seconds = before + time.perf_counter() - start
        keep({"epochs": loop.state(), "stopping": vars(stopping), "result": vars(result)})
    model.load_state_dict(stopping.weights)
    result.best_epoch = stopping.best_epoch
    return result


class _Epochs:
    """A training's epochs: what moves the weights, and what is drawn at random."""

    def __init__(self, model: VAE, objective: Objective, recipe: Recipe, images: Tensor, seed: int):
        self.model, self.images, self.batch_size = model, images, recipe.batch_size
        self.batches = -(-len(images) // recipe.batch_size)
        self.order = torch.Generator().manual_seed(seed)
        self.noise = torch.Generator(images.device).manual_seed(seed)
        self.step = Step(model, objective, recipe)
        self.schedulers = [
            _scheduler(optimizer, recipe, self.batches) for optimizer in self.step.optimizers
        ]

    def next(self, epoch: int) -> tuple[Tensor, Tensor]:
        """Train one epoch.

        Returns:
            The losses of each batch (K, 3), float64, and the sizes of the batches (K,), float64.
        """
        device, latent_dim = self.images.device, self.model.latent_dim
        # No loss leaves the device before the end of the epoch.
        losses = torch.empty(self.batches, 3, device=device)
        sizes = torch.empty(self.batches, dtype=torch.float64)
        permutation = torch.randperm(len(self.images), generator=self.order).to(device)
        progress = tqdm(
            permutation.split(self.batch_size),
            desc=f"epoch {epoch}",
            leave=False,
            disable=not sys.stderr.isatty(),
        )
        for number, indices in enumerate(progress):
            epsilon = torch.randn(len(indices), latent_dim, generator=self.noise, device=device)
            losses[number] = self.step(self.images[indices], epsilon)
            for scheduler in self.schedulers:
                scheduler.step()
            sizes[number] = len(indices)
        return losses.cpu().double(), sizes

    def state(self) -> dict:
        """Return all that the next epoch depends on."""
        movers = [*self.step.optimizers, *self.schedulers]
        return {
            "model": self.model.state_dict(),
            "movers": [mover.state_dict() for mover in movers],
            "generators": [self.order.get_state(), self.noise.get_state()],
        }

    def restore(self, state: dict) -> None:
        """Go back to a state."""
        self.model.load_state_dict(state["model"])
        movers = [*self.step.optimizers, *self.schedulers]
        for mover, held in zip(movers, state["movers"], strict=True):
            mover.load_state_dict(held)
        for generator, held in zip((self.order, self.noise), state["generators"], strict=True):
            generator.set_state(held)


def _scheduler(optimizer, recipe: Recipe, batches: int):
    if recipe.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=[float(group["lr"]) for group in optimizer.param_groups],
        total_steps=recipe.epochs * batches,
        pct_start=recipe.warm_up,
        anneal_strategy="linear",
        cycle_momentum=False,  # Adam's betas stay as they are
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
