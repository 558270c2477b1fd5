"""Every network under every code: what the loss decides, and what the code, seed by seed.

The questions are those of ``codes.yml``, written before the runs that answer them. A quantity there
is a comparison such as ``bce:quarter < mse:quarter``, the network trained with ``bce`` under the
code ``quarter`` against that trained with ``mse`` under the same; its value is the difference in
bits per pixel, positive where the left side is the shorter one.
"""

from pathlib import Path
from typing import Any

from vaelib.plumbing.checks import require
from vaelib.plumbing.files import read_json
from vaelib.plumbing.places import CODES, YARDSTICKS
from vaelib.study.design import BOTH, CODED
from vaelib.study.questions import answer, read_questions
from vaelib.study.records import of_common_seeds, select
from vaelib.study.statistics import over_seeds

BEST = "best"  # the shortest code of any network
OWN = "own"  # the code that a network was trained with, where that has parameters that it learnt
AFTERWARDS = ("bernoulli", "untailed", "quarter", "fitted", "odds")  # can be read into any network

Seed = dict[str, dict[str, float]]
"""Network → code, see :func:`vaelib.measure.code_length.measure_code_lengths` → bits per pixel."""


def summarise_codes(book: Path, records: list[dict]) -> dict:
    """Summarise the code lengths of every network under every code.

    Args:
        book: its folder, with ``codes.yml`` and the recorded yardsticks.
        records: from :func:`vaelib.study.records.read`.

    Returns:
        ``seeds``, how many; ``sharpness``, by network, of its reconstructions; ``samples``, by
        network, those that are recorded; ``levels``, of those with thresholds, see
        :func:`vaelib.measure.levels.measure_levels`; ``bits``, by network and code, summaries of
        bits per pixel; ``error``, the greatest estimate of an image's error in bits per pixel;
        ``variance``, by network, of the fitted Gaussian and of the one learnt; ``loss``, by code,
        the greatest difference that the loss makes among networks trained with BCE or squared
        error; ``pairs``, by code and weight β, the network of BCE minus that of squared error; and
        ``questions``, see :func:`vaelib.study.questions.answer`.
    """
    runs = coded(records)
    seeds = [bits_of(run) for run in runs]
    questions = read_questions(book / CODES)
    yardsticks = read_json(book / YARDSTICKS)["bits_per_pixel"]
    ours = [name for name, (loss, _) in CODED.items() if loss in BOTH]
    return {
        "seeds": len(seeds),
        "sharpness": {
            name: over_seeds(run[name]["appearance"]["sharpness"] for run in runs) for name in CODED
        },
        "samples": _drawn(records, "samples"),
        "levels": _drawn(records, "levels"),
        "bits": {
            name: {code: over_seeds(seed[name][code] for seed in seeds) for code in seeds[0][name]}
            for name in CODED
        },
        "error": max(
            kind["error"]
            for run in runs
            for record in run.values()
            for kind in record["code"].values()
        ),
        "variance": {
            code: {
                name: over_seeds(run[name]["code"][code]["variance"] for run in runs)
                for name in CODED
                if "variance" in runs[0][name]["code"].get(code, {})
            }
            for code in ("fitted", OWN)
        },
        "loss": {
            code: over_seeds(_range(seed, ours, code) for seed in seeds) for code in AFTERWARDS
        },
        "pairs": {
            code: {
                weight: over_seeds(seed[bce][code] - seed[mse][code] for seed in seeds)
                for weight, bce, mse in (("1/2", "bce", "mse"), ("1", "bce-elbo", "mse-elbo"))
            }
            for code in AFTERWARDS
        },
        "questions": answer(questions, values_of(questions, seeds, yardsticks)),
    }


def coded(records: list[dict]) -> list[dict[str, dict]]:
    """Gather the records of those seeds that have every network's code: network → record."""
    return of_common_seeds({name: _of(name, records, "code") for name in CODED})


def _of(name: str, records: list[dict], part: str) -> list[dict]:
    """Select the records of a network that have a part, in the order of their seeds."""
    loss, beta = CODED[name]
    every = select(records, recipe="report", reconstruction_loss=loss, beta=beta, latent_dim=2)
    return [record for record in every if part in record]


def _drawn(records: list[dict], part: str) -> dict[str, Any]:
    """Return a part by network, of the first seed that has it."""
    found = {name: _of(name, records, part) for name in CODED}
    return {name: those[0][part] for name, those in found.items() if those}


def bits_of(run: dict[str, dict]) -> Seed:
    """Return the bits per pixel of one seed's networks."""
    return {
        name: {code: kind["bits_per_pixel"] for code, kind in record["code"].items()}
        for name, record in run.items()
    }


def _range(seed: Seed, networks: list[str], code: str) -> float:
    bits = [seed[name][code] for name in networks]
    return max(bits) - min(bits)


def values_of(
    questions: dict, seeds: list[Seed], yardsticks: dict[str, float]
) -> dict[str, list[float]]:
    """Return the value of every quantity that is asked for, one per seed.

    Args:
        questions: of ``codes.yml``.
        seeds: bits per pixel.
        yardsticks: code without a network → bits per pixel.

    Raises:
        ValueError: an unknown network, code or yardstick; the message names the nearest.
    """
    asked = {quantity for entry in questions.values() for quantity in entry["quantities"]}
    return {
        quantity: [
            length(longer, seed, yardsticks) - length(shorter, seed, yardsticks) for seed in seeds
        ]
        for quantity in sorted(asked)
        for shorter, longer in [quantity.split(" < ")]
    }


def length(side: str, seed: Seed, yardsticks: dict[str, float]) -> float:
    """Return one side of a comparison in bits per pixel; raise ValueError for an unknown name."""
    if side == BEST:
        return min(bits for codes in seed.values() for bits in codes.values())
    network, colon, code = side.partition(":")
    if not colon:
        require("yardstick", side, yardsticks)
        return yardsticks[side]
    require("network", network, seed)
    require(f"code of {network}", code, seed[network])
    return seed[network][code]
