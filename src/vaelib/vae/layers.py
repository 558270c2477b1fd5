"""PyTorch's convolutions with the bias added apart: the same functions and gradients, sooner.

Asked for the gradients of weights and bias together, oneDNN, which computes convolutions on a CPU,
needs up to two thirds longer than for those of the weights alone; the bias's is a plain sum.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class Conv2d(nn.Conv2d):
    """``nn.Conv2d``, with the bias added apart."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) as ``nn.Conv2d`` does."""
        return self._conv_forward(x, self.weight, None).add_(self.bias[:, None, None])


class ConvTranspose2d(nn.ConvTranspose2d):
    """``nn.ConvTranspose2d``, with the bias added apart."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) as ``nn.ConvTranspose2d`` does."""
        y = F.conv_transpose2d(x, self.weight, None, self.stride, self.padding, self.output_padding)
        return y.add_(self.bias[:, None, None])
