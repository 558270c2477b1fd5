"""PyTorch's convolutions, formulated anew for a CPU: the same functions and gradients.

oneDNN, which computes them there, is slow in two places. Asked for the gradients of weights and
bias together it needs up to two thirds longer than for those of the weights, so the bias is added
apart. And it fills its vectors with output channels: with a single one, in the decoder's last
layer, most of the vector idles.
"""

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
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


class ConvTransposeToOneChannel(nn.ConvTranspose2d):
    """A 3×3 transposed convolution with stride 1 and padding 1 to one channel.

    A matrix product and nine shifted additions, with the parameters and gradients of
    ``nn.ConvTranspose2d``. On other devices than a CPU it is that layer.

    Args:
        in_channels: C.
    """

    def __init__(self, in_channels: int):
        super().__init__(in_channels, 1, kernel_size=3, stride=1, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, 1, H, W)."""
        if x.device.type != "cpu":
            return super().forward(x)
        return _ShiftedSum.apply(x, self.weight, self.bias)


class _ShiftedSum(torch.autograd.Function):
    """What a pixel adds to its nine neighbours, for all pixels at once, then moved there."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        batch, channels, height, width = x.shape
        pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)  # a view if x is channels-last
        taps = (weight.reshape(channels, 9).T @ pixels.T).view(9, batch, height, width)
        padded = bias.expand(batch, height + 2, width + 2).clone()
        for tap, values in enumerate(taps):
            row, column = divmod(tap, 3)
            padded[:, row : row + height, column : column + width] += values
        return padded[:, None, 1:-1, 1:-1]

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return torch.ops.aten.convolution_backward(
            gradient.contiguous(),
            x,
            weight,
            bias_sizes=[1],
            stride=[1, 1],
            padding=[1, 1],
            dilation=[1, 1],
            transposed=True,
            output_padding=[0, 0],
            groups=1,
            output_mask=list(ctx.needs_input_grad),
        )
