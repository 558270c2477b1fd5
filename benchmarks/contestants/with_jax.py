"""The same step in JAX with Optax: one jitted function, the data resident, weights donated.

Usage: with_jax.py DATA_FOLDER
"""

import sys
from functools import cache, partial
from pathlib import Path

import jax
import numpy as np
import optax
from jax import numpy as jnp
from serve import endless, seconds, serve

FILE = Path(sys.argv[1]) / "MNIST" / "raw" / "train-images-idx3-ubyte"
LAYOUT = ("NHWC", "HWIO", "NHWC")
CONVOLUTIONS = {"conv1": (1, 32), "conv2": (32, 64)}
TRANSPOSED = {"deconv1": (64, 64, 2), "deconv2": (64, 32, 2), "deconv3": (32, 1, 1)}
DENSE = {"dense": (3136, 16), "mean": (16, 2), "log_variance": (16, 2), "decoded": (2, 3136)}


@cache
def images() -> jax.Array:
    """Read the training images: (51000, 28, 28, 1), uint8."""
    return jnp.array(
        np.frombuffer(FILE.read_bytes(), np.uint8, offset=16).reshape(-1, 28, 28, 1)[:51_000]
    )


def new_weights() -> dict:
    """Draw Glorot-uniform weights and zero biases."""
    shapes = {name: (3, 3, *sides) for name, sides in CONVOLUTIONS.items()}
    shapes |= {name: (3, 3, *sides[:2]) for name, sides in TRANSPOSED.items()} | DENSE
    keys = jax.random.split(jax.random.key(0), len(shapes))
    draw = jax.nn.initializers.glorot_uniform()
    return {
        name: (draw(key, shape), jnp.zeros(shape[-1]))
        for key, (name, shape) in zip(keys, shapes.items(), strict=True)
    }


def total(weights: dict, x: jax.Array, noise: jax.Array) -> jax.Array:
    """The mean over the batch of binary cross-entropy and KL loss."""

    def dense(name, h):
        return h @ weights[name][0] + weights[name][1]

    h = x
    for name in CONVOLUTIONS:
        filters, bias = weights[name]
        h = jax.lax.conv_general_dilated(h, filters, (2, 2), "SAME", dimension_numbers=LAYOUT)
        h = jax.nn.relu(h + bias)
    h = jax.nn.relu(dense("dense", h.reshape(len(x), -1)))
    mean, log_variance = dense("mean", h), dense("log_variance", h)
    z = mean + jnp.exp(log_variance / 2) * noise
    h = jax.nn.relu(dense("decoded", z)).reshape(-1, 7, 7, 64)
    for name, (_, _, stride) in TRANSPOSED.items():
        filters, bias = weights[name]
        h = jax.lax.conv_transpose(h, filters, (stride, stride), "SAME", dimension_numbers=LAYOUT)
        h = h + bias
        h = h if name == "deconv3" else jax.nn.relu(h)
    pixels = optax.sigmoid_binary_cross_entropy(h, x)
    kl = (mean**2 + jnp.exp(log_variance) - log_variance - 1).mean(1) / 2
    return (pixels.sum((1, 2, 3)) + kl).mean()


ADAM = optax.adam(1e-3, eps=1e-7)


@partial(jax.jit, donate_argnums=(0, 1))
def step(weights, state, data, indices, key):
    """Take one step; the batch is gathered and the noise drawn within it."""
    x = data[indices].astype(jnp.float32) / 255
    loss, gradients = jax.value_and_grad(total)(
        weights, x, jax.random.normal(key, (len(indices), 2))
    )
    updates, state = ADAM.update(gradients, state, weights)
    return optax.apply_updates(weights, updates), state, loss


@cache
def steps(batch_size: int):
    """Step after step through the training images."""
    order, keys = np.random.default_rng(0), iter(jax.random.split(jax.random.key(1), 100_000))
    now = [new_weights()]
    now.append(ADAM.init(now[0]))

    def epoch():
        whole = order.permutation(51_000)[: 51_000 // batch_size * batch_size]
        for indices in whole.reshape(-1, batch_size).astype(np.int32):
            *now[:], loss = step(*now, images(), indices, next(keys))
            yield float(loss)

    return endless(epoch)


def time_steps(batch_size: int, number: int) -> dict:
    """Time single steps."""
    return seconds(steps(batch_size), number)


if __name__ == "__main__":
    serve({"time_steps": time_steps}, {"jax": jax.__version__, "optax": optax.__version__})
