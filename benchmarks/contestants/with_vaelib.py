"""Our own step and training; a change undoes one trick of the step, or adds one that was tried.

Usage: with_vaelib.py DATA_FOLDER [CHANGE], CHANGE being a key of CHANGES.
"""

import os
import platform
import sys
import time
from dataclasses import replace
from functools import cache, partial
from statistics import median

import torch
from serve import endless, seconds, serve
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vaelib.data import dataset
from vaelib.data.load import load_data
from vaelib.plumbing.machine import keep_freed_memory
from vaelib.plumbing.stale import versions
from vaelib.training import muon, run
from vaelib.training.fit import fit
from vaelib.training.recipes import RECIPES
from vaelib.training.settings import Settings
from vaelib.training.step import Step
from vaelib.vae.losses import draw_noise
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

FOLDER, CHANGE = sys.argv[1], " ".join(sys.argv[2:])
OBJECTIVE = Objective("bce", 0.5)
os.environ["VAELIB_DATA"] = FOLDER
DIGITS = load_data()


def biases_within(step: Step) -> None:
    """Let oneDNN add the biases and compute their gradients."""
    model = step.model
    for layer in (model.encoder.conv1, model.encoder.conv2):
        layer.forward = partial(nn.Conv2d.forward, layer)
    for layer in (model.decoder.deconv1, model.decoder.deconv2):
        layer.forward = partial(nn.ConvTranspose2d.forward, layer)


def unfused_adam(step: Step) -> None:
    """Let Adam update its tensors one operation at a time."""
    (adam,) = step.optimizers
    for group in adam.param_groups:
        group["fused"] = False


def bfloat16(step: Step) -> None:
    """Compute in bfloat16 where PyTorch thinks fit."""
    forward = step.model.forward

    def autocast(*inputs):
        with torch.autocast("cpu", torch.bfloat16):
            outputs = forward(*inputs)
        return tuple(output.float() for output in outputs)

    step.model.forward = autocast


def with_muon(step: Step) -> None:
    """Let Muon move the weights between hidden layers, as in the recipe ``report``."""
    step.__init__(step.model, OBJECTIVE, RECIPES["report"])


def with_muon_in_bfloat16(step: Step) -> None:
    """Let Muon iterate in bfloat16, as PyTorch's own does."""
    with_muon(step)
    iterate = muon.nearly_orthogonal
    muon.nearly_orthogonal = lambda matrix: iterate(matrix.bfloat16()).float()


CHANGES = {
    "without keeping freed memory": lambda step: None,
    "without channels-last": lambda step: step.model.to(memory_format=torch.contiguous_format),
    "with biases within the convolutions": biases_within,
    "without fused Adam": unfused_adam,
    "with bfloat16": bfloat16,
    "with Muon": with_muon,
    "with Muon in bfloat16": with_muon_in_bfloat16,
}


def new_step(batch_size: int, latent_dim: int = 2) -> Step:
    """Make a step with the change that was asked for."""
    model = VAE(latent_dim, generator=torch.Generator().manual_seed(0))
    step = Step(model, OBJECTIVE, replace(RECIPES["original"], batch_size=batch_size))
    if CHANGE:
        CHANGES[CHANGE](step)
    return step


@cache
def steps(batch_size: int, latent_dim: int):
    """Step after step, as :func:`vaelib.training.fit.fit` takes them."""
    take_step = new_step(batch_size, latent_dim)
    generator = torch.Generator().manual_seed(0)
    images = DIGITS.training_images

    def step(indices):
        noise = torch.randn(batch_size, latent_dim, generator=generator)
        return take_step(images[indices], noise)

    return endless(
        lambda: map(
            step,
            torch.randperm(len(images), generator=generator)[
                : len(images) // batch_size * batch_size
            ].split(batch_size),
        )
    )


def time_steps(batch_size: int, number: int, latent_dim: int = 2) -> dict:
    """Time single steps."""
    return seconds(steps(batch_size, latent_dim), number)


def time_epoch(images: int) -> dict:
    """Time one epoch of the recipe ``report`` on the first images, validation included."""
    model = VAE(2, generator=torch.Generator().manual_seed(0))
    recipe = replace(RECIPES["report"], epochs=1)
    first = torch.cat([DIGITS.images[:images], DIGITS.validation_images])
    digits = replace(DIGITS, images=first, labels=None, training_number=images)
    noise = draw_noise(len(digits.images), 2, 0)
    start = time.perf_counter()
    fit(model, OBJECTIVE, recipe, digits, noise, 0)
    return {"seconds": time.perf_counter() - start}


def train(reconstruction_loss: str, seed: int) -> dict:
    """Train with the recipe ``report``."""
    settings = Settings(reconstruction_loss, 0.5, "report", seed, device="cpu")
    result = run.train(settings, DIGITS)
    return {
        "seconds": result.outcome["training_seconds"],
        "epochs": result.outcome["epochs"],
        "test": result.losses["test"],
        "peak_memory_mb": result.outcome["peak_memory_mb"],
    }


def machine() -> dict:
    """Measure what the machine can do: matrix products, and moving memory."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    product = _median(lambda: a @ b)
    block = torch.zeros(64 << 20)
    copy = torch.zeros_like(block)
    move = _median(lambda: copy.copy_(block))
    return {
        "gflop_per_second": 2 * 2048**3 / product / 1e9,
        "gbyte_per_second": 2 * block.nbytes / move / 1e9,  # read and written
    }


def layers(batch_size: int) -> dict:
    """Time each convolution alone, forward and backward, and count its operations and bytes.

    Bytes are the least that must move: inputs, outputs, weights and their gradients, once each.
    """
    model = new_step(batch_size).model
    rows = []

    def hook(name):
        def record(layer, inputs, output):
            x = inputs[0].detach().clone().requires_grad_(name != "conv1")
            gradient = torch.randn_like(output)

            def both():
                layer.forward(x).backward(gradient)

            with FlopCounterMode(display=False) as counter:
                both()
            tensors = [x, output, *layer.parameters()]
            rows.append(
                {
                    "layer": name,
                    "seconds": _median(both),
                    "gflop": counter.get_total_flops() / 1e9,
                    "gbyte": 2 * sum(t.nbytes for t in tensors) / 1e9,
                }
            )

        return record

    handles = [
        layer.register_forward_hook(hook(name.rpartition(".")[2]))
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    x = dataset.to_unit(DIGITS.images[:batch_size])
    model(x, torch.zeros(batch_size, 2))
    for handle in handles:
        handle.remove()
    step = new_step(batch_size)
    with FlopCounterMode(display=False) as counter:
        step(DIGITS.images[:batch_size], torch.zeros(batch_size, 2))
    return {"layers": rows, "step_gflop": counter.get_total_flops() / 1e9}


def _median(work, number: int = 15) -> float:
    times = []
    for _ in range(number):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times[3:])


if __name__ == "__main__":
    if CHANGE != "without keeping freed memory":
        keep_freed_memory()
    serve(
        {f.__name__: f for f in (time_steps, time_epoch, train, machine, layers)},
        {"python": platform.python_version()} | versions("torch"),
    )
