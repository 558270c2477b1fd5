"""Which likelihood is better, and what the weight β does: the quantities that decide."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch

from vaelib.plumbing.entries import read_entries
from vaelib.plumbing.names import CODED, require
from vaelib.plumbing.places import QUESTIONS
from vaelib.study import measures, verdicts
from vaelib.study.records import select

LOSSES = ("bce", "mse")
BETAS = tuple(2.0**n for n in range(-4, 3))
"""The reconstruction losses and the weights β of the rate–distortion curves."""

MERGED = 0.25  # share of two classes' codes that are voted into the other one, from which on
USED = 0.1  # nats of divergence from which on a latent dimension counts as used

ANSWERS = {
    verdicts.REPRODUCED: "yes",
    verdicts.NOT_REPRODUCED: "no",
    verdicts.UNDECIDED: "undecided",
}


@dataclass(frozen=True)
class Seed:
    """The records of one seed, (loss, β, latent dimensions) → record, and bits of yardsticks."""

    records: dict[tuple[str, float, int], dict]
    yardsticks: dict[str, float]

    def bits(self, objective: str, variance: str = "assumed") -> float:
        """Return the code length of an objective in bits per pixel."""
        return self.records[*CODED[objective], 2]["code"][variance]["bits_per_pixel"]

    def best(self) -> float:
        """Return the shortest code length of all objectives in bits per pixel."""
        codes = (self.records[*objective, 2]["code"] for objective in CODED.values())
        return min(kind["bits_per_pixel"] for code in codes for kind in code.values())

    def sharpness(self, objective: str) -> float:
        """Return the sharpness of an objective's reconstructions."""
        return self.records[*CODED[objective], 2]["measures"]["sharpness"]

    @property
    def has_curves(self) -> bool:
        """Tell whether the seed is recorded at every weight β with two latent dimensions."""
        return all((loss, beta, 2) in self.records for loss in LOSSES for beta in BETAS)

    def curve(self, loss: str) -> list[dict]:
        """Return the records of a loss with two latent dimensions, by rising β."""
        return [self.records[loss, beta, 2] for beta in BETAS]


def _least_step(values: list[float]) -> float:
    return min(b - a for a, b in pairwise(values))


def _distortion(record: dict) -> float:
    return record["losses"]["test"]["reconstruction"]


def _aggregate(seed: Seed, loss: str, beta: float) -> float:
    return seed.records[loss, beta, 2]["rate"]["aggregate"]["divergence"]


def first_merged(curve: list[dict]) -> tuple[dict, dict[tuple[int, int], float]]:
    """Find where two classes merge first, as β rises.

    Args:
        curve: records by rising β.

    Returns:
        The first record in which a pair of classes has an overlap of ``MERGED`` or more, the last
        if there is none, and its overlaps by pair.
    """
    for record in curve:
        shares = measures.overlap_shares(torch.tensor(record["measures"]["confusion"]))
        if max(shares.values()) >= MERGED:
            break
    return record, shares


def _four_and_nine_first(curve: list[dict]) -> float:
    _, shares = first_merged(curve)
    return shares.pop((4, 9)) - max(shares.values())


def used(record: dict) -> int:
    """Count the latent dimensions whose mean divergence from the prior is ``USED`` or more."""
    return sum(nats >= USED for nats in record["rate"]["dimensions"])


QUANTITIES: dict[str, Callable[[Seed], float]] = {
    "cb_levels_shorter_than_bce_elbo": lambda s: s.bits("bce-elbo") - s.bits("cb-levels"),
    "cb_levels_shorter_than_bce": lambda s: s.bits("bce") - s.bits("cb-levels"),
    "gaussian_shorter_than_mse_elbo": lambda s: s.bits("mse-elbo") - s.bits("gaussian"),
    "gaussian_shorter_than_mse": lambda s: s.bits("mse") - s.bits("gaussian"),
    "fitted_gaussian_shorter": lambda s: s.bits("gaussian") - s.bits("gaussian", "fitted"),
    "fitted_gaussian_shorter_than_fitted_mse_elbo": lambda s: (
        s.bits("mse-elbo", "fitted") - s.bits("gaussian", "fitted")
    ),
    "fitted_gaussian_shorter_than_fitted_mse": lambda s: (
        s.bits("mse", "fitted") - s.bits("gaussian", "fitted")
    ),
    "fitted_gaussian_shorter_than_cb_levels": lambda s: (
        s.bits("cb-levels") - s.bits("gaussian", "fitted")
    ),
    "best_shorter_than_independent_pixels": lambda s: s.yardsticks["independent_pixels"] - s.best(),
    "best_shorter_than_png": lambda s: s.yardsticks["png"] - s.best(),
    "gaussian_sharper_than_mse_elbo": lambda s: s.sharpness("gaussian") - s.sharpness("mse-elbo"),
    "gaussian_sharper_than_bce_elbo": lambda s: s.sharpness("gaussian") - s.sharpness("bce-elbo"),
    "bce_leaves_the_prior": lambda s: _aggregate(s, "bce", 0.5) - _aggregate(s, "bce", 1.0),
    "mse_leaves_the_prior": lambda s: _aggregate(s, "mse", 0.5) - _aggregate(s, "mse", 1.0),
    "bce_leaves_dimensions_unused": lambda s: 15.5 - used(s.records["bce", 1.0, 16]),
    "mse_leaves_dimensions_unused": lambda s: 15.5 - used(s.records["mse", 1.0, 16]),
}
"""Name → function of a seed's records; positive where the answer is yes."""

ALONG_CURVES: dict[str, Callable[[Seed], float]] = {
    "bce_rate_falls": lambda s: _least_step([-r["rate"]["nats"] for r in s.curve("bce")]),
    "bce_distortion_rises": lambda s: _least_step([_distortion(r) for r in s.curve("bce")]),
    "mse_rate_falls": lambda s: _least_step([-r["rate"]["nats"] for r in s.curve("mse")]),
    "mse_distortion_rises": lambda s: _least_step([_distortion(r) for r in s.curve("mse")]),
    "bce_four_and_nine_merge_first": lambda s: _four_and_nine_first(s.curve("bce")),
    "mse_four_and_nine_merge_first": lambda s: _four_and_nine_first(s.curve("mse")),
}
"""The same for quantities that need a seed's records at every weight β."""


def read_questions(book: Path) -> dict:
    """Read ``questions.yml``; raise ValueError for a key that is missing, twice or not known."""
    return read_entries(book / QUESTIONS, ("question", "quantities"))


def by_seed(records: list[dict], yardsticks: dict[str, float]) -> list[Seed]:
    """Gather the records of the recipe ``report`` by seed, where code lengths are recorded."""
    found: dict[int, dict] = {}
    for record in select(records, recipe="report"):
        settings = record["settings"]
        at = settings["reconstruction_loss"], settings["beta"], settings["latent_dim"]
        found.setdefault(settings["seed"], {})[at] = record
    coded = (*CODED["gaussian"], 2)
    return [Seed(runs, yardsticks) for _, runs in sorted(found.items()) if coded in runs]


def answer(questions: dict, seeds: list[Seed]) -> dict:
    """Answer every question by its quantities.

    Args:
        questions: of ``questions.yml``.
        seeds: from :func:`by_seed`, at least two.

    Returns:
        Name → ``question``, ``answer`` (yes, no or undecided) and ``parts``, by quantity what
        :func:`vaelib.study.verdicts.over_seeds` says.

    Raises:
        ValueError: an unknown quantity; the message names the nearest.
    """
    known = QUANTITIES | ALONG_CURVES
    found = {}
    for name, question in questions.items():
        parts = {}
        for quantity in question["quantities"]:
            require("quantity", quantity, known)
            enough = seeds if quantity in QUANTITIES else [s for s in seeds if s.has_curves]
            parts[quantity] = verdicts.over_seeds(known[quantity](seed) for seed in enough)
        verdict = verdicts.together([verdicts.of_effect(part["values"]) for part in parts.values()])
        found[name] = {
            "question": question["question"],
            "answer": ANSWERS[verdict],
            "parts": parts,
        }
    return found
