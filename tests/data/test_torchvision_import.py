"""Both situations: builds that match, and builds that do not.

Each needs a fresh interpreter, and the one that this environment does not have is imitated.
"""

import subprocess
import sys

import pytest

PREPARE_MATCHING = """
import torch
library = torch.library.Library("torchvision", "DEF")
library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""
PREPARE_MISMATCH = """
import torch
load = torch.ops.load_library
def refuse(path):
    raise OSError("built for another PyTorch")
torch.ops.load_library = refuse
"""
USE = """
from vaelib.data import torchvision_import
assert torchvision_import.torchvision.datasets.MNIST.mirrors
print("declared" if torchvision_import._kept else "untouched")
"""


@pytest.mark.parametrize(
    ("prepare", "outcome"), [(PREPARE_MATCHING, "untouched"), (PREPARE_MISMATCH, "declared")]
)
def test_operators_are_declared_only_where_they_are_missing(prepare, outcome):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", prepare + USE], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == outcome


def test_other_errors_of_torchvision_are_not_hidden(monkeypatch):
    from vaelib.data import torchvision_import

    def broken(name):
        raise RuntimeError("something else")

    monkeypatch.setattr(torchvision_import.importlib, "import_module", broken)
    with pytest.raises(RuntimeError, match="something else"):
        torchvision_import.import_torchvision()
