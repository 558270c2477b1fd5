"""The layers of a network, read off the network itself."""

from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp, TensorMetadata

from vaelib.vae.model import count_parameters


@dataclass(frozen=True)
class Layer:
    """One step of a network: its operation, the shape it gives (without the batch), parameters."""

    operation: str
    shape: tuple[int, ...]
    parameters: int


def layers(network: nn.Module, example: Tensor) -> list[Layer]:
    """Trace a network and run an example through it.

    Args:
        network: an encoder or a decoder.
        example: a batch that it takes.

    Returns:
        The steps in the order in which they run, the input first.
    """
    traced = fx.GraphModule(network, _Tracer().trace(network))
    ShapeProp(traced).propagate(example)
    return [
        Layer(
            _operation(node, traced),
            tuple(node.meta["tensor_meta"].shape[1:]),
            count_parameters(traced.get_submodule(node.target)) if node.op == "call_module" else 0,
        )
        for node in traced.graph.nodes
        if node.op != "output" and isinstance(node.meta.get("tensor_meta"), TensorMetadata)
    ]


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        """Take every layer as one step, our own too."""
        return True


def _operation(node: fx.Node, traced: fx.GraphModule) -> str:
    if node.op == "placeholder":
        return "input"
    if node.op != "call_module":
        name = getattr(node.target, "__name__", str(node.target))
        return "ReLU" if node.target is torch.relu_ else name
    target = str(node.target)
    module = traced.get_submodule(target)
    if isinstance(module, nn.Linear):
        return {"mean": "dense, mean", "log_variance": "dense, log-variance"}.get(target, "dense")
    assert isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    name = "transposed conv." if isinstance(module, nn.ConvTranspose2d) else "conv."
    (size, _), (stride, _) = module.kernel_size, module.stride
    return f"{name} {size}×{size}, stride {stride}"
