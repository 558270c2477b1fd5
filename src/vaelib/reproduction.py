"""The original's claims against recorded runs: which quantity decides each, and its verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from vaelib import artifacts, measures, verdicts
from vaelib.names import require

# The original's splits → the slices on which ours are measured.
SLICES = {"train": "original_training", "validation": "original_validation", "test": "test"}
LOSSES = ("reconstruction", "kl", "total")
Pair = dict[str, dict]  # the two records of one seed, by reconstruction loss


def _four_and_nine(record: dict) -> float:
    """By how much the overlap of 4 and 9 exceeds the greatest of all other pairs."""
    pairs = measures.overlaps(torch.tensor(record["measures"]["confusion"]))
    share = {(a, b): value for a, b, value in pairs}
    return share.pop((4, 9)) - max(share.values())


def _kl_below_a_tenth(record: dict) -> float:
    test = record["losses"]["test"]
    return 0.1 - test["kl"] / test["total"]


QUANTITIES: dict[str, Callable[[Pair], float]] = {
    "bce_kl_below_a_tenth": lambda pair: _kl_below_a_tenth(pair["bce"]),
    "mse_kl_below_a_tenth": lambda pair: _kl_below_a_tenth(pair["mse"]),
    "bce_reconstructions_recognised": lambda pair: pair["bce"]["measures"]["recognised"] - 0.5,
    "bce_reconstructions_smoothed": lambda pair: 1 - pair["bce"]["measures"]["sharpness"],
    "bce_plane_smooth": lambda pair: 0.1 - pair["bce"]["measures"]["roughness"]["mean"],
    "mse_plane_smooth": lambda pair: 0.1 - pair["mse"]["measures"]["roughness"]["mean"],
    "bce_classes_grouped": lambda pair: (
        measures.accuracy(torch.tensor(pair["bce"]["measures"]["confusion"])) - 0.5
    ),
    "bce_four_and_nine_overlap_most": lambda pair: _four_and_nine(pair["bce"]),
    "mse_sharper_than_bce": lambda pair: (
        pair["mse"]["measures"]["sharpness"] - pair["bce"]["measures"]["sharpness"]
    ),
    "mse_less_dispersed_than_bce": lambda pair: (
        pair["bce"]["measures"]["dispersion"]["deviation"]
        - pair["mse"]["measures"]["dispersion"]["deviation"]
    ),
    "mse_less_dispersed_than_bce_robustly": lambda pair: (
        pair["bce"]["measures"]["dispersion"]["robust"]
        - pair["mse"]["measures"]["dispersion"]["robust"]
    ),
}
"""Name → function of a seed's two records; positive where the claim holds."""
