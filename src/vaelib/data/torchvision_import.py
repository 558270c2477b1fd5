"""Import torchvision, also where its compiled part was built for another PyTorch.

A CPU build of PyTorch beside the CUDA build of torchvision that package indexes serve leaves
torchvision without its compiled operators, and ``import torchvision`` then fails because two of
their schemas are unknown. The data sets, which are all that we use, are plain Python: declaring
the two schemas is enough.
"""

import importlib
from types import ModuleType

import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


_kept: list[torch.library.Library] = []


def import_torchvision() -> ModuleType:
    """Import torchvision; declare its missing operators first if its compiled part won't load."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
    declare_operators()
    return importlib.import_module("torchvision")


def declare_operators() -> None:
    """Declare the schemas of the operators that ``import torchvision`` looks up."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in SCHEMAS:
        library.define(schema)
    _kept.append(library)  # the declarations last as long as this object


torchvision = import_torchvision()
