"""The original's claims against recorded runs: the quantity that decides each, and its verdict."""

from collections.abc import Callable
from dataclasses import dataclass, field
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
from vaelib.study.records import of_common_seeds, select, uses_all, votes
from vaelib.vae.model import VAE, count_parameters

WORDS = ("claim", "rule", "checked", "evidence")  # keys of every claim
KEYS = {
    "proved": (),
    "exact": ("numbers",),
    "numbers": ("loss",),
    "effects": ("words", "effects"),
}
"""Rule → the further keys of a claim that it decides."""

FREE = ("reconstruction", "kl")  # the losses whose sum the total is
FIRST_EPOCH = ("total", "val_total")  # columns of a history

Pair = dict[str, dict]  # the two records of one seed, by reconstruction loss


def high_frequencies(record: dict) -> float:
    """Return the share of high spatial frequencies in reconstructions over that in their inputs."""
    share = record["appearance"]["high_frequency_share"]
    return share["decoded"] / share["test"]


OF_A_RUN: dict[str, Callable[[dict], float]] = {
    "kl_share": lambda r: r["losses"]["test"]["kl"] / r["losses"]["test"]["total"],
    "recognised": lambda r: r["appearance"]["recognised"],
    "sharpness": lambda r: r["appearance"]["sharpness"],
    "high_frequencies": high_frequencies,
    "among_own_class": lambda r: appearance.accuracy(votes(r)),
    "four_and_nine_overlap": lambda r: appearance.overlap_shares(votes(r))[4, 9],
    "lead_of_four_and_nine": lambda r: appearance.lead_of_four_and_nine(votes(r)),
    "deviation": lambda r: r["appearance"]["dispersion"]["deviation"],
    "robust_deviation": lambda r: r["appearance"]["dispersion"]["robust"],
}
"""Name, without the loss → function of a record."""

COMPARED = ("sharpness", "high_frequencies", "deviation", "robust_deviation")


def _of_one(loss: str, quantity: Callable[[dict], float], pair: Pair) -> float:
    return quantity(pair[loss])


def _difference(quantity: Callable[[dict], float], pair: Pair) -> float:
    return quantity(pair["mse"]) - quantity(pair["bce"])


QUANTITIES: dict[str, Callable[[Pair], float]] = {
    **{
        f"{loss}_{name}": partial(_of_one, loss, of_run)
        for name, of_run in OF_A_RUN.items()
        for loss in BOTH
    },
    **{f"mse_minus_bce_{name}": partial(_difference, OF_A_RUN[name]) for name in COMPARED},
}
"""Name → function of a seed's two records."""

BESIDE = (
    *(f"mse_minus_bce_{name}" for name in COMPARED),
    *(f"{loss}_lead_of_four_and_nine" for loss in BOTH),
)
"""Quantities that stand beside the claims, with the recipe ``report`` too. They decide nothing."""

MSE_TOO = ("C7a", "C7b", "C7c", "C9a", "C9b")
"""What these ask of BCE is asked of MSE too. That was chosen after the runs and decides nothing."""


@dataclass(frozen=True)
class Part:
    """One number or effect of a claim, and the values of our seeds.

    The interval is the prediction interval of a number, and that of the median of an effect.
    A number is ``claimed``, and the original's number with the ``other`` loss stands beside it; an
    effect is claimed to be ``above`` a limit, or ``below`` one, and ``unused`` are the places of
    its values in which a run leaves a latent dimension unused.
    """

    name: str
    values: list[float]
    interval: tuple[float, float] | None = None
    verdict: str = ""
    claimed: float | None = None
    other: float | None = None
    above: float | None = None
    below: float | None = None
    unused: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """The verdict on a claim, and what it follows from.

    ``tests`` are p-values by name; ``left_out``, of a claim on numbers, names the seeds whose run
    leaves a latent dimension unused, which the original's does not.
    """

    claim: str
    verdict: str
    checked: str
    evidence: str
    parts: list[Part]
    words: str = ""
    tests: dict[str, float | None] = field(default_factory=dict)
    left_out: str = ""


def pair_up(records: list[dict], recipe: str) -> list[Pair]:
    """Pair by seed the runs with two latent dimensions and the original's weight β.

    Returns:
        For each seed of which both reconstruction losses are recorded, loss → record; the lowest
        seed first.
    """
    runs = select(records, recipe=recipe, beta=0.5, latent_dim=2)
    return of_common_seeds({loss: select(runs, reconstruction_loss=loss) for loss in BOTH})


def judge(claims: dict, pairs: list[Pair], original: dict, history: list[dict]) -> dict:
    """Judge every claim by its rule.

    Args:
        claims: of ``claims.yml``.
        pairs: from :func:`pair_up`.
        original: the original's losses: reconstruction loss → split → loss → number.
        history: of its BCE training.

    Returns:
        Identifier → :class:`Finding`.

    Raises:
        ValueError: an unknown quantity; the message names the nearest.
    """
    return {
        name: _judge(name, claim, pairs, original, history[0]) for name, claim in claims.items()
    }


def turned(claims: dict, pairs: list[Pair], original: dict, history: list[dict]) -> dict:
    """Find the verdicts that turn when the seed of one pair is left out.

    Args:
        claims, pairs, original, history: as of :func:`judge`.

    Returns:
        Identifier → the seeds without which its verdict is another one; only where there are any.
    """
    whole = judge(claims, pairs, original, history)
    found: dict[str, list[int]] = {}
    for at, pair in enumerate(pairs):
        others = judge(claims, pairs[:at] + pairs[at + 1 :], original, history)
        for name, finding in others.items():
            if finding.verdict != whole[name].verdict:
                found.setdefault(name, []).append(pair["bce"]["settings"]["seed"])
    return found


def mse_too(claims: dict, pairs: list[Pair]) -> list[Part]:
    """Ask of MSE what the claims ``MSE_TOO`` ask of BCE."""
    return [
        _effect(name.replace("bce_", "mse_"), limit, pairs)
        for claim in MSE_TOO
        for name, limit in claims[claim]["effects"].items()
    ]


def read_claims(book: Path) -> dict:
    """Read ``claims.yml``; raise ValueError for a key that is missing, twice there or not known."""
    of_rules = dict.fromkeys(key for keys in KEYS.values() for key in keys)
    entries = read_entries(book / CLAIMS, WORDS, of_rules)
    for name, claim in entries.items():
        require(f"the rule of {name}", claim["rule"], KEYS)
        try:
            require_keys(name, claim, (*WORDS, *KEYS[claim["rule"]]))
            for quantity, limit in claim.get("effects", {}).items():
                require_keys(f"{quantity} of {name}", limit, (), ("above", "below"))
        except ValueError as error:
            raise ValueError(f"{book / CLAIMS}: {error}") from error
    return entries


def _judge(name: str, claim: dict, pairs: list[Pair], original: dict, first: dict) -> Finding:
    parts: list[Part] = []
    tests: dict[str, float | None] = {}
    left_out = ""
    if claim["rule"] == "proved":  # a chapter whose proof fails stops the build
        verdict = statistics.PROVED
    elif claim["rule"] == "exact":
        parts = _exact(claim["numbers"])
        verdict = statistics.together([part.verdict for part in parts])
    elif claim["rule"] == "effects":
        parts = [_effect(name, limit, pairs) for name, limit in claim["effects"].items()]
        verdict = statistics.together([part.verdict for part in parts])
    else:
        runs = [pair[claim["loss"]] for pair in pairs]
        left_out = ", ".join(str(r["settings"]["seed"]) for r in runs if not uses_all(r)) or "none"
        runs = [run for run in runs if uses_all(run)]
        parts = _numbers(claim["loss"], runs, original)
        tests = _tests(claim["loss"], runs, original[claim["loss"]], first)
        verdict = statistics.of_numbers(list(tests.values()), all(map(tells, parts)))
    texts = {key: claim[key] for key in ("claim", "checked", "evidence")}
    words = claim.get("words", "")
    return Finding(
        **texts, verdict=verdict, parts=parts, words=words, tests=tests, left_out=left_out
    )


def _exact(numbers: dict[str, int]) -> list[Part]:
    model = VAE(2, generator=torch.Generator())
    parts = []
    for name, claimed in numbers.items():
        ours = count_parameters(getattr(model, name))
        verdict = statistics.REPRODUCED if ours == claimed else statistics.NOT_REPRODUCED
        parts.append(Part(f"parameters of the {name}", [ours], None, verdict, claimed))
    return parts


def _effect(name: str, limit: dict[str, float], pairs: list[Pair]) -> Part:
    require("quantity", name, QUANTITIES)
    values = [QUANTITIES[name](pair) for pair in pairs]
    interval = statistics.median_interval(values)
    losses = [loss for loss in BOTH if loss in name.split("_")]
    unused = [
        at for at, pair in enumerate(pairs) if not all(uses_all(pair[loss]) for loss in losses)
    ]
    verdict = statistics.of_effect(interval, **limit)
    return Part(name, values, interval, verdict, **limit, unused=unused)


def _numbers(loss: str, runs: list[dict], original: dict) -> list[Part]:
    (other,) = (name for name in BOTH if name != loss)
    parts = []
    for split, ours in SPLITS.items():
        for name in LOSSES:
            values = [run["losses"][ours][name] for run in runs]
            claimed, theirs = (original[each][split][name] for each in (loss, other))
            interval = statistics.prediction_interval(values)
            parts.append(Part(f"{split}, {name}", values, interval, "", claimed, theirs))
    return parts


def tells(part: Part) -> bool:
    """Say whether the interval of a number is narrow enough to tell the losses apart."""
    assert part.interval
    assert part.other is not None
    return not part.interval[0] <= part.other <= part.interval[1]


def _tests(loss: str, runs: list[dict], original: dict, first: dict) -> dict[str, float | None]:
    """Test the numbers of the table together, and with BCE those after the first epoch."""
    found = {
        "table": statistics.joint_p_value(
            [original[split][name] for split in SPLITS for name in FREE],
            [
                [run["losses"][ours][name] for ours in SPLITS.values() for name in FREE]
                for run in runs
            ],
        )
    }
    if loss == "bce":  # of MSE the original gives no history
        found["first_epoch"] = statistics.joint_p_value(
            [first[name] for name in FIRST_EPOCH],
            [[run["history"][0][name] for name in FIRST_EPOCH] for run in runs],
        )
    return found
