"""The same step in Keras 3 on TensorFlow, in graph mode, and whole trainings with ``fit``.

Usage: with_keras.py DATA_FOLDER
"""

import os
import sys
import time
from functools import cache
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from serve import endless, seconds, serve

FOLDER = Path(sys.argv[1]) / "MNIST" / "raw"


@cache
def images(part: str) -> np.ndarray:
    """Read a file of images: (N, 28, 28, 1), uint8."""
    content = (FOLDER / f"{part}-images-idx3-ubyte").read_bytes()
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28, 1)


class VAE(keras.Model):
    """The original's network and objective; ``fit`` runs ``train_step`` in graph mode."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
                layers.Flatten(),
                layers.Dense(16, activation="relu"),
            ]
        )
        self.mean, self.log_variance = layers.Dense(2), layers.Dense(2)
        self.decoder = keras.Sequential(
            [
                keras.Input((2,)),
                layers.Dense(7 * 7 * 64, activation="relu"),
                layers.Reshape((7, 7, 64)),
                layers.Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
            ]
        )
        self.mean.build((None, 16))
        self.log_variance.build((None, 16))
        self.averages = [
            keras.metrics.Mean(name=name) for name in ("total", "reconstruction", "kl")
        ]
        self.built = True

    @property
    def metrics(self):
        """The three running means, which Keras resets at every epoch."""
        return self.averages

    def losses_of(self, x):
        """Means over the batch of total, reconstruction and KL loss."""
        hidden = self.encoder(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        z = mean + tf.exp(log_variance / 2) * tf.random.normal(tf.shape(mean))
        pixels = keras.losses.binary_crossentropy(x, self.decoder(z))
        reconstruction = tf.reduce_mean(tf.reduce_sum(pixels, axis=(1, 2)))
        kl = tf.reduce_mean(tf.square(mean) + tf.exp(log_variance) - log_variance - 1) / 2
        return reconstruction + kl, reconstruction, kl

    def train_step(self, x):
        """One step of the optimiser."""
        with tf.GradientTape() as tape:
            losses = self.losses_of(x)
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(losses[0], weights), weights, strict=True))
        return self._averaged(losses)

    def test_step(self, x):
        """The losses, without a step."""
        return self._averaged(self.losses_of(x))

    def _averaged(self, losses):
        for average, loss in zip(self.averages, losses, strict=True):
            average.update_state(loss)
        return {average.name: average.result() for average in self.averages}


def new_model(seed: int) -> VAE:
    """Compile a model, with Keras' own defaults for Adam, as the original has them."""
    keras.utils.set_random_seed(seed)
    model = VAE()
    model.compile(optimizer=keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)
    return model


@cache
def steps(batch_size: int):
    """Step after step, the batch gathered from uint8 data within the graph."""
    model = new_model(0)
    training = tf.constant(images("train")[:51_000])

    @tf.function
    def step(indices):
        x = tf.cast(tf.gather(training, indices), tf.float32) / 255
        with tf.GradientTape() as tape:
            losses = model.losses_of(x)
        weights = model.trainable_variables
        model.optimizer.apply_gradients(
            zip(tape.gradient(losses[0], weights), weights, strict=True)
        )
        return losses[0]

    order = np.random.default_rng(0)

    def epoch():
        whole = order.permutation(51_000)[: 51_000 // batch_size * batch_size]
        for indices in whole.reshape(-1, batch_size).astype(np.int32):
            yield step(tf.constant(indices)).numpy()

    return endless(epoch)


def time_steps(batch_size: int, number: int) -> dict:
    """Time single steps."""
    return seconds(steps(batch_size), number)


def train(seed: int, batch_size: int, epochs: int) -> dict:
    """Train as the original did; test losses with one sampled z per image."""
    model = new_model(seed)
    x = images("train").astype(np.float32) / 255
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_total", mode="min", patience=3, restore_best_weights=True
    )
    start = time.perf_counter()
    history = model.fit(
        x,
        batch_size=batch_size,
        epochs=epochs,
        validation_split=0.15,
        callbacks=[stopping],
        verbose=0,
    )
    taken = time.perf_counter() - start
    test = images("t10k").astype(np.float32) / 255
    losses = model.evaluate(test, batch_size=128, verbose=0, return_dict=True)
    return {
        "seconds": taken,
        "epochs": len(history.epoch),
        "first_epoch": {name: float(values[0]) for name, values in history.history.items()},
        "test": {name: float(value) for name, value in losses.items() if name != "loss"},
    }


if __name__ == "__main__":
    serve(
        {"time_steps": time_steps, "train": train},
        {"keras": keras.__version__, "tensorflow": tf.__version__},
    )
