"""The original's claims against recorded runs: the quantity that decides each, and its verdict."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from vaelib.measure import appearance
from vaelib.plumbing.checks import require
from vaelib.plumbing.entries import read_entries, require_keys
from vaelib.plumbing.places import CLAIMS
from vaelib.plumbing.words import LOSSES
from vaelib.study import statistics
from vaelib.study.design import BOTH
from vaelib.study.original import SPLITS
from vaelib.study.records import select, votes
from vaelib.vae.model import VAE, count_parameters

WORDS = ("claim", "rule", "checked", "evidence")  # keys of every claim
KEYS = {
    "proved": (),
    "exact": ("numbers",),
    "numbers": ("loss", "widest"),
    "effects": ("quantities",),
}
"""Rule → the further keys of a claim that it decides."""

Pair = dict[str, dict]  # the two records of one seed, by reconstruction loss


OF_A_RUN: dict[str, Callable[[dict], float]] = {
    "kl_below_a_tenth": lambda r: 0.1 - r["losses"]["test"]["kl"] / r["losses"]["test"]["total"],
    "reconstructions_recognised": lambda r: r["appearance"]["recognised"] - 0.5,
    "reconstructions_smoothed": lambda r: 1 - r["appearance"]["sharpness"],
    "classes_grouped": lambda r: appearance.accuracy(votes(r)) - 0.5,
    "four_and_nine_overlap_most": lambda r: appearance.lead_of_four_and_nine(votes(r)),
}
"""Name, without the loss → function of a record, positive where the claim holds of its loss."""


def _of_one(loss: str, quantity: Callable[[dict], float], pair: Pair) -> float:
    return quantity(pair[loss])


def _less_dispersed(pair: Pair, kind: str) -> float:
    bce, mse = (pair[loss]["appearance"]["dispersion"][kind] for loss in BOTH)
    return bce - mse


QUANTITIES: dict[str, Callable[[Pair], float]] = {
    **{
        f"{loss}_{name}": partial(_of_one, loss, of_run)
        for name, of_run in OF_A_RUN.items()
        for loss in BOTH
    },
    "mse_sharper_than_bce": lambda pair: (
        pair["mse"]["appearance"]["sharpness"] - pair["bce"]["appearance"]["sharpness"]
    ),
    "mse_less_dispersed_than_bce": lambda pair: _less_dispersed(pair, "deviation"),
    "mse_less_dispersed_than_bce_robustly": lambda pair: _less_dispersed(pair, "robust"),
}
"""Name → function of a seed's two records; positive where the claim holds."""

MSE_TOO = (
    "mse_reconstructions_recognised",
    "mse_reconstructions_smoothed",
    "mse_classes_grouped",
    "mse_four_and_nine_overlap_most",
)
"""They ask of MSE what C7 and C9 ask of BCE. Chosen after the runs, they decide no claim."""


@dataclass(frozen=True)
class Part:
    """One number or effect of a claim, the values of our seeds, their interval and its verdict."""

    name: str
    claimed: float | None  # None for an effect
    values: list[float]
    interval: tuple[float, float] | None
    verdict: str
    p_value: float | None = None  # of a number


@dataclass(frozen=True)
class Finding:
    """The verdict on a claim, what was checked, and the parts that the verdict follows from."""

    claim: str
    verdict: str
    checked: str
    evidence: str
    parts: list[Part]


def pair_up(records: list[dict], recipe: str) -> list[Pair]:
    """Pair by seed the runs with two latent dimensions and the original's weight β.

    Returns:
        For each seed of which both reconstruction losses are recorded, loss → record.
    """
    seeds: dict[int, Pair] = {}
    for record in select(records, recipe=recipe, beta=0.5, latent_dim=2):
        settings = record["settings"]
        seeds.setdefault(settings["seed"], {})[settings["reconstruction_loss"]] = record
    return [pair for pair in seeds.values() if set(pair) == {"bce", "mse"}]


def judge(claims: dict, pairs: list[Pair], original: dict) -> dict[str, Finding]:
    """Judge every claim by its rule.

    Args:
        claims: of ``claims.yml``.
        pairs: from :func:`pair_up`.
        original: the original's losses: reconstruction loss → split → loss → number.

    Returns:
        Identifier → finding.

    Raises:
        ValueError: an unknown rule or quantity; the message names the nearest.
    """
    rules = {"proved": _proved, "exact": _exact, "numbers": _numbers, "effects": _effects}
    findings = {}
    for identifier, claim in claims.items():
        require(f"the rule of {identifier}", claim["rule"], rules)
        parts = rules[claim["rule"]](claim, pairs, original)
        verdict = statistics.together([part.verdict for part in parts])
        findings[identifier] = Finding(
            claim["claim"], verdict, claim["checked"], claim["evidence"], parts
        )
    return findings


def read_claims(book: Path) -> dict:
    """Read ``claims.yml``; raise ValueError for a key that is missing, twice there or not known."""
    of_rules = dict.fromkeys(key for keys in KEYS.values() for key in keys)
    entries = read_entries(book / CLAIMS, WORDS, of_rules)
    for name, claim in entries.items():
        require(f"the rule of {name}", claim["rule"], KEYS)
        try:
            require_keys(name, claim, (*WORDS, *KEYS[claim["rule"]]))
        except ValueError as error:
            raise ValueError(f"{book / CLAIMS}: {error}") from error
    return entries


def _proved(claim: dict, pairs: list[Pair], original: dict) -> list[Part]:
    # A chapter whose proof fails stops the build, so a book that can be read has proved it.
    return [Part("checked by sympy", None, [], None, statistics.PROVED)]


def _exact(claim: dict, pairs: list[Pair], original: dict) -> list[Part]:
    model = VAE(2, generator=torch.Generator())
    return [
        Part(
            f"parameters of the {name}",
            claimed,
            [ours := count_parameters(getattr(model, name))],
            None,
            statistics.REPRODUCED if ours == claimed else statistics.NOT_REPRODUCED,
        )
        for name, claimed in claim["numbers"].items()
    ]


def _numbers(claim: dict, pairs: list[Pair], original: dict) -> list[Part]:
    parts = []
    for split, ours in SPLITS.items():
        for loss in LOSSES:
            claimed = original[claim["loss"]][split][loss]
            values = [pair[claim["loss"]]["losses"][ours][loss] for pair in pairs]
            interval = statistics.prediction_interval(values)
            verdict = statistics.of_number(claimed, values, claim["widest"])
            chance = statistics.p_value(claimed, values)
            parts.append(Part(f"{split}, {loss}", claimed, values, interval, verdict, chance))
    return parts


def _effects(claim: dict, pairs: list[Pair], original: dict) -> list[Part]:
    return ask(claim["quantities"], pairs)


def ask(quantities: Iterable[str], pairs: list[Pair]) -> list[Part]:
    """Judge quantities one by one, each an effect; raise ValueError for one that is not known."""
    parts = []
    for name in quantities:
        require("quantity", name, QUANTITIES)
        values = [QUANTITIES[name](pair) for pair in pairs]
        interval = statistics.confidence_interval(values)
        parts.append(Part(name, None, values, interval, statistics.of_effect(values)))
    return parts
