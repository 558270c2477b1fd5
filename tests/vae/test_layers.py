"""The reformulated layers against torch.nn.functional, in float64: values and gradients."""

import copy

import pytest
import torch
from torch.nn import functional as F

from vaelib.vae.layers import Conv2d, ConvTranspose2d, ToOneChannel

LAYERS = {
    "conv": (
        Conv2d(3, 5, 3, stride=2, padding=1),
        lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1),
    ),
    "transposed": (
        ConvTranspose2d(3, 5, 3, stride=2, padding=1, output_padding=1),
        lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1),
    ),
    "one channel": (
        ToOneChannel(3),
        lambda x, w, b: F.conv_transpose2d(x, w, b, padding=1),
    ),
}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(1, 3, 28, 28), (5, 3, 4, 7), (2, 3, 1, 1)])
@pytest.mark.parametrize("name", LAYERS)
def test_values_and_gradients_are_those_of_pytorch(name, shape, layout):
    torch.manual_seed(0)
    layer, function = copy.deepcopy(LAYERS[name])
    layer.double()
    ours = torch.randn(shape, dtype=torch.float64).contiguous(memory_format=layout)
    theirs = ours.clone().requires_grad_()
    ours.requires_grad_()
    values = layer(ours)
    weight, bias = (p.detach().clone().requires_grad_() for p in layer.parameters())
    expected = function(theirs, weight, bias)
    torch.testing.assert_close(values, expected, rtol=1e-12, atol=1e-12)
    with torch.no_grad():
        torch.testing.assert_close(layer(ours), expected, rtol=1e-12, atol=1e-12)
    gradient = torch.randn_like(expected)
    values.backward(gradient)
    expected.backward(gradient)
    for ours_, theirs_ in ((ours, theirs), (layer.weight, weight), (layer.bias, bias)):
        torch.testing.assert_close(ours_.grad, theirs_.grad, rtol=1e-12, atol=1e-12)
