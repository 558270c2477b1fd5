"""The same step in pythae's trainer, with the original's network given to its VAE.

Its VAE sums the KL divergence over the latent dimensions, which costs the same as the mean.

Usage: with_pythae.py DATA_FOLDER
"""

import logging
import sys
import tempfile
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from serve import serve
from torch import nn

logging.disable(logging.WARNING)
FOLDER = Path(sys.argv[1]) / "MNIST" / "raw"


class Encoder(BaseEncoder):
    """The original's encoder."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, 16),
            nn.ReLU(),
        )
        self.mean, self.log_variance = nn.Linear(16, 2), nn.Linear(16, 2)

    def forward(self, x):
        """Return what pythae expects of an encoder."""
        hidden = self.body(x)
        return ModelOutput(embedding=self.mean(hidden), log_covariance=self.log_variance(hidden))


class Decoder(BaseDecoder):
    """The original's decoder."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(2, 64 * 7 * 7),
            nn.ReLU(),
            nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 64, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 3, stride=1, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, z):
        """Return what pythae expects of a decoder."""
        return ModelOutput(reconstruction=self.body(z))


class StampingTrainer(BaseTrainer):
    """Pythae's trainer, with the time at which each step ended."""

    def _optimizers_step(self, model_output=None):
        super()._optimizers_step(model_output)
        self.stamps.append(time.perf_counter())


@cache
def training_images() -> torch.Tensor:
    """Read the training images: (51000, 1, 28, 28), float32 in [0, 1]."""
    content = (FOLDER / "train-images-idx3-ubyte").read_bytes()
    pixels = np.frombuffer(content, np.uint8, offset=16).reshape(-1, 1, 28, 28)[:51_000]
    return torch.tensor(pixels, dtype=torch.float32) / 255


@cache
def model() -> VAE:
    """Build the VAE."""
    torch.manual_seed(0)
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=2, reconstruction_loss="bce")
    return VAE(config, encoder=Encoder(), decoder=Decoder())


def time_steps(batch_size: int, number: int) -> dict:
    """Time the steps of an epoch of just so many batches, from the end of one to the next's."""
    images = training_images()[: (number + 1) * batch_size]
    with tempfile.TemporaryDirectory() as folder:
        trainer = StampingTrainer(
            model(),
            BaseDataset(images, torch.zeros(len(images))),
            training_config=BaseTrainerConfig(
                output_dir=folder,
                per_device_train_batch_size=batch_size,
                learning_rate=1e-3,
                no_cuda=True,
            ),
        )
        trainer.stamps = []
        trainer.prepare_training()
        trainer.train_step(epoch=1)
    return {"seconds": np.diff(trainer.stamps).tolist()}


if __name__ == "__main__":
    serve(
        {"time_steps": time_steps},
        {"pythae": version("pythae"), "torch": torch.__version__},
    )
