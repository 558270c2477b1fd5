"""The same step as tutorials write it: stock layers, a DataLoader over files, loss.item().

Usage: with_plain_pytorch.py DATA_FOLDER
"""

import sys
from functools import cache

import torch
from serve import endless, seconds, serve
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset

from vaelib.data.torchvision_import import torchvision  # torchvision itself, nothing of ours

FOLDER = sys.argv[1]


class VAE(nn.Module):
    """The original's network."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, 16),
            nn.ReLU(),
        )
        self.mean = nn.Linear(16, 2)
        self.log_variance = nn.Linear(16, 2)
        self.decoder = nn.Sequential(
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

    def forward(self, x):
        """Encode, sample, decode."""
        hidden = self.encoder(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(z), mean, log_variance


@cache
def steps(batch_size: int):
    """Step after step through the training images."""
    torch.manual_seed(0)
    digits = torchvision.datasets.MNIST(
        FOLDER, train=True, transform=torchvision.transforms.ToTensor()
    )
    training = Subset(digits, range(51_000))
    loader = DataLoader(training, batch_size=batch_size, shuffle=True, drop_last=True)
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)

    def epoch():
        for x, _ in loader:
            reconstruction, mean, log_variance = model(x)
            error = F.binary_cross_entropy(reconstruction, x, reduction="sum") / len(x)
            kl = -0.5 * torch.mean(1 + log_variance - mean.pow(2) - log_variance.exp())
            loss = error + kl
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield loss.item()

    return endless(epoch)


def time_steps(batch_size: int, number: int) -> dict:
    """Time single steps, the loading of their batch included."""
    return seconds(steps(batch_size), number)


if __name__ == "__main__":
    serve(
        {"time_steps": time_steps},
        {"torch": torch.__version__, "torchvision": torchvision.__version__},
    )
