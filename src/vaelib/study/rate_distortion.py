"""What the weight β trades, rate for distortion: what decides, and what the records say."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import mean

from torch import Tensor

from vaelib.measure import appearance
from vaelib.plumbing.places import QUESTIONS
from vaelib.study.design import BETAS, BOTH, CODED, OBJECTIVES
from vaelib.study.questions import answer, read_questions
from vaelib.study.records import USED, select, used, votes
from vaelib.study.statistics import over_seeds

MERGED = 0.25  # share of two classes' codes that are voted into the other one, from which on


@dataclass(frozen=True)
class Seed:
    """The records of one seed, (loss, β, latent dimensions) → record."""

    records: dict[tuple[str, float, int], dict]

    def of(self, objective: str) -> dict:
        """Return the record of an objective that is coded."""
        return self.records[*CODED[objective], 2]

    def sharpness(self, objective: str) -> float:
        """Return the sharpness of an objective's reconstructions."""
        return self.of(objective)["appearance"]["sharpness"]

    @property
    def has_curves(self) -> bool:
        """Tell whether the seed is recorded at every weight β with two latent dimensions."""
        return all((loss, beta, 2) in self.records for loss in BOTH for beta in BETAS)

    def curve(self, loss: str) -> list[dict]:
        """Return the records of a loss with two latent dimensions, by rising β."""
        return [self.records[loss, beta, 2] for beta in BETAS]


def _distortion(record: dict) -> float:
    return record["losses"]["test"]["reconstruction"]


def _aggregate(seed: Seed, loss: str, beta: float) -> float:
    return seed.records[loss, beta, 2]["rate"]["aggregate"]["divergence"]


def first_merged(curve: list[dict]) -> tuple[dict, Tensor]:
    """Find where two classes merge first, as β rises.

    Args:
        curve: records by rising β.

    Returns:
        The first record in which a pair of classes has an overlap of ``MERGED`` or more, the last
        if there is none, and its table of votes, (10, 10).
    """
    for record in curve:
        table = votes(record)
        if max(appearance.overlap_shares(table).values()) >= MERGED:
            break
    return record, table


QUANTITIES: dict[str, Callable[[Seed], float]] = {
    "gaussian_sharper_than_mse_elbo": lambda s: s.sharpness("gaussian") - s.sharpness("mse-elbo"),
    "gaussian_sharper_than_bce_elbo": lambda s: s.sharpness("gaussian") - s.sharpness("bce-elbo"),
    "bce_leaves_the_prior": lambda s: _aggregate(s, "bce", 0.5) - _aggregate(s, "bce", 1.0),
    "mse_leaves_the_prior": lambda s: _aggregate(s, "mse", 0.5) - _aggregate(s, "mse", 1.0),
    "bce_leaves_dimensions_unused": lambda s: 15.5 - used(s.records["bce", 1.0, 16]),
    "mse_leaves_dimensions_unused": lambda s: 15.5 - used(s.records["mse", 1.0, 16]),
}
"""Name → function of a seed's records; positive where the answer is yes."""


STEPS = [f"{Fraction(low)}_to_{Fraction(high)}" for low, high in pairwise(BETAS)]


def _falls(loss: str, step: int, seed: Seed) -> float:
    before, after = seed.curve(loss)[step : step + 2]
    return before["rate"]["nats"] - after["rate"]["nats"]


def _rises(loss: str, step: int, seed: Seed) -> float:
    before, after = seed.curve(loss)[step : step + 2]
    return _distortion(after) - _distortion(before)


def _lead(loss: str, seed: Seed) -> float:
    return appearance.lead_of_four_and_nine(first_merged(seed.curve(loss))[1])


ALONG_CURVES: dict[str, Callable[[Seed], float]] = {
    **{
        f"{loss}_{name}_{steps}": partial(step_of, loss, step)
        for loss in BOTH
        for name, step_of in {"rate_falls": _falls, "distortion_rises": _rises}.items()
        for step, steps in enumerate(STEPS)
    },
    **{f"{loss}_four_and_nine_merge_first": partial(_lead, loss) for loss in BOTH},
}
"""The same for quantities that need a seed's records at every weight β."""


def by_seed(records: list[dict]) -> list[Seed]:
    """Gather the records of the recipe ``report`` by seed, where all that is asked is recorded."""
    found: dict[int, dict] = {}
    for record in select(records, recipe="report"):
        settings = record["settings"]
        at = settings["reconstruction_loss"], settings["beta"], settings["latent_dim"]
        if "rate" in record:
            found.setdefault(settings["seed"], {})[at] = record
    needed = {(*objective, 2) for objective in (*OBJECTIVES.values(), CODED["gaussian"])}
    needed |= {(loss, 1.0, 16) for loss in BOTH}
    return [Seed(runs) for _, runs in sorted(found.items()) if needed <= runs.keys()]


def values_of(seeds: list[Seed]) -> dict[str, list[float]]:
    """Return every quantity, one value per seed."""
    with_curves = [seed for seed in seeds if seed.has_curves]
    return {
        **{name: [of(seed) for seed in seeds] for name, of in QUANTITIES.items()},
        **{name: [of(seed) for seed in with_curves] for name, of in ALONG_CURVES.items()},
    }


def summarise_rate_distortion(book: Path, records: list[dict]) -> dict:
    """Summarise what the weight β does, and what a loss does that has no minimum.

    Args:
        book: its folder, with ``questions.yml``.
        records: from :func:`vaelib.study.records.read`.

    Returns:
        ``unbounded``, summaries of the losses of ``cb``, whose loss has no minimum; ``curves``, by
        loss and β, over the seeds that have every β, summaries of ``rate``, ``distortion``,
        ``aggregate`` (its divergence from the prior) and ``accuracy``; ``rate_of_gaussian``, a
        summary; ``merged``, by loss, which two ``digits`` merge first with some seed, and by seed
        at which of the ``betas``; ``dimensions``, by loss, the mean divergence of each of 16 latent
        dimensions, the greatest first, and a summary of how many are ``used``, from ``least_used``
        nats on; and ``questions``, see :func:`vaelib.study.questions.answer`.
    """
    seeds = by_seed(records)
    with_curves = [seed for seed in seeds if seed.has_curves]
    return {
        "unbounded": _unbounded(select(records, recipe="report", reconstruction_loss="cb")),
        "curves": {
            loss: {str(Fraction(beta)): _point(with_curves, loss, beta) for beta in BETAS}
            for loss in BOTH
        },
        "rate_of_gaussian": over_seeds(seed.of("gaussian")["rate"]["nats"] for seed in seeds),
        "least_used": USED,
        "merged": {loss: _merged(with_curves, loss) for loss in BOTH},
        "dimensions": {loss: _dimensions(seeds, loss) for loss in BOTH},
        "questions": answer(read_questions(book / QUESTIONS), values_of(seeds)),
    }


def _unbounded(records: list[dict]) -> dict:
    """Summarise the test losses of runs whose loss has no minimum."""
    tests = [record["losses"]["test"] for record in records]
    return {loss: over_seeds(test[loss] for test in tests) for loss in ("reconstruction", "kl")}


def _point(seeds: list[Seed], loss: str, beta: float) -> dict:
    records = [seed.records[loss, beta, 2] for seed in seeds]
    return {
        "rate": over_seeds(record["rate"]["nats"] for record in records),
        "distortion": over_seeds(map(_distortion, records)),
        "aggregate": over_seeds(record["rate"]["aggregate"]["divergence"] for record in records),
        "accuracy": over_seeds(appearance.accuracy(votes(record)) for record in records),
    }


def _merged(seeds: list[Seed], loss: str) -> dict:
    """Return which two classes merge first with some seed, and by seed at which weight."""
    found = []
    for seed in seeds:
        record, table = first_merged(seed.curve(loss))
        shares = appearance.overlap_shares(table)
        a, b = max(shares, key=shares.__getitem__)
        found.append((f"{a} and {b}", str(Fraction(record["settings"]["beta"]))))
    return {
        "digits": ", or ".join(dict.fromkeys(digits for digits, _ in found)),
        "betas": ", ".join(beta for _, beta in found),
    }


def _dimensions(seeds: list[Seed], loss: str) -> dict:
    records = [seed.records[loss, 1.0, 16] for seed in seeds]
    by_rank = zip(*(record["rate"]["dimensions"] for record in records), strict=True)
    return {
        "nats": [mean(values) for values in by_rank],
        "used": over_seeds(used(record) for record in records),
    }
