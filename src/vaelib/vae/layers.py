"""PyTorch's convolutions, computed in other ways: the same functions and gradients, sooner.

Asked for the gradients of weights and bias together, oneDNN, which computes convolutions on a CPU,
needs up to two thirds longer than for those of the weights alone; the bias's is a plain sum. Where
no gradient is asked for, PyTorch adds it on the way.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Conv2d(nn.Conv2d):
    """``nn.Conv2d``, with the bias added apart where gradients are asked for."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) as ``nn.Conv2d`` does."""
        if not torch.is_grad_enabled():
            return super().forward(x)
        assert self.bias is not None
        return self._conv_forward(x, self.weight, None).add_(self.bias[:, None, None])


class ConvTranspose2d(nn.ConvTranspose2d):
    """``nn.ConvTranspose2d``, with the bias added apart where gradients are asked for."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (B, C, H, W) as ``nn.ConvTranspose2d`` does."""
        if not torch.is_grad_enabled():
            return super().forward(x, output_size)
        assert self.bias is not None
        assert not isinstance(self.padding, str)
        y = F.conv_transpose2d(x, self.weight, None, self.stride, self.padding, self.output_padding)
        return y.add_(self.bias[:, None, None])


class ToOneChannel(ConvTranspose2d):
    """A 3×3 ``ConvTranspose2d`` with stride 1 and padding 1 to one channel.

    For one channel oneDNN is three times slower than a matrix product with the nine taps whose
    results are added up, shifted; but its gradients are not.
    """

    def __init__(self, channels: int):
        super().__init__(channels, 1, kernel_size=3, padding=1)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (B, C, H, W) to (B, 1, H, W)."""
        if torch.is_grad_enabled():
            return super().forward(x, output_size)
        assert self.bias is not None
        batch, channels, height, width = x.shape
        taps = self.weight.view(channels, 9).T @ x.permute(0, 2, 3, 1).reshape(-1, channels).T
        y = self.bias.repeat(batch, height + 2, width + 2)
        for tap, part in enumerate(taps.view(9, batch, height, width)):
            row, column = divmod(tap, 3)
            y[:, row : row + height, column : column + width] += part
        return y[:, None, 1:-1, 1:-1]
