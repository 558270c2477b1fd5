"""What the recorded runs say of likelihoods on one scale, and of rate and distortion."""

from fractions import Fraction
from pathlib import Path
from statistics import mean

import torch

from vaelib.plumbing.files import read_json
from vaelib.plumbing.names import CODED
from vaelib.plumbing.places import YARDSTICKS
from vaelib.study import measures, questions
from vaelib.study.questions import BETAS, LOSSES, Seed
from vaelib.study.records import select
from vaelib.study.verdicts import over_seeds


def summarise(book: Path, records: list[dict]) -> dict:
    """Summarise the runs that the chapter on the one scale needs.

    Args:
        book: its folder, with ``questions.yml`` and the recorded yardsticks.
        records: from :func:`vaelib.study.grid.compute`.

    Returns:
        ``seeds``, how many; ``code``, by objective and kind of likelihood (see
        :func:`vaelib.study.code_length.measure`), summaries of ``bits_per_pixel``, of its
        ``above`` the code of independent pixels, and, for a Gaussian, of its ``variance``;
        ``error``, the greatest estimate of an image's error in bits per pixel; ``unbounded``,
        summaries of the losses of ``cb``, whose loss has no minimum; ``sharpness``, by objective;
        ``samples``, by objective those of the first seed; ``curves``, by loss and β, summaries of
        ``rate``, ``distortion``, ``aggregate`` (its divergence from the prior) and
        ``accuracy``; ``rate_of_gaussian``, a summary; ``merged``, by loss, seed
        by seed, which two ``digits`` merge first and at which of the ``betas``; ``dimensions``, by
        loss, the mean divergence of each of 16 latent dimensions, the greatest first, and a summary
        of how many are ``used``, from ``least_used`` nats on; and ``questions``, see
        :func:`vaelib.study.questions.answer`.
    """
    yardsticks = read_json(book / YARDSTICKS)["bits_per_pixel"]
    seeds = questions.by_seed(records, yardsticks)
    return {
        "seeds": len(seeds),
        "code": {name: _code(seeds, name) for name in CODED},
        "error": max(
            kind["error"]
            for seed in seeds
            for objective in CODED.values()
            for kind in seed.records[*objective, 2]["code"].values()
        ),
        "unbounded": _unbounded(select(records, recipe="report", reconstruction_loss="cb")),
        "sharpness": {name: over_seeds(seed.sharpness(name) for seed in seeds) for name in CODED},
        "samples": {
            name: seeds[0].records[*objective, 2]["samples"] for name, objective in CODED.items()
        },
        "curves": {
            loss: {str(Fraction(beta)): _point(seeds, loss, beta) for beta in BETAS}
            for loss in LOSSES
        },
        "rate_of_gaussian": over_seeds(
            seed.records[*CODED["gaussian"], 2]["rate"]["nats"] for seed in seeds
        ),
        "least_used": questions.USED,
        "merged": {loss: _merged(seeds, loss) for loss in LOSSES},
        "dimensions": {loss: _dimensions(seeds, loss) for loss in LOSSES},
        "questions": questions.answer(questions.read_questions(book), seeds),
    }


def _code(seeds: list[Seed], name: str) -> dict:
    kinds = {}
    for kind in seeds[0].records[*CODED[name], 2]["code"]:
        codes = [seed.records[*CODED[name], 2]["code"][kind] for seed in seeds]
        bits = [code["bits_per_pixel"] for code in codes]
        independent = seeds[0].yardsticks["independent_pixels"]
        kinds[kind] = {
            "bits_per_pixel": over_seeds(bits),
            "above": over_seeds(value - independent for value in bits),
        }
        if "variance" in codes[0]:
            kinds[kind]["variance"] = over_seeds(code["variance"] for code in codes)
    return kinds


def _unbounded(records: list[dict]) -> dict:
    """Summarise the test losses of runs whose loss has no minimum."""
    tests = [record["losses"]["test"] for record in records]
    return {loss: over_seeds(test[loss] for test in tests) for loss in ("reconstruction", "kl")}


def _point(seeds: list[Seed], loss: str, beta: float) -> dict:
    at = loss, beta, 2
    records = [seed.records[at] for seed in seeds if at in seed.records]
    return {
        "rate": over_seeds(record["rate"]["nats"] for record in records),
        "distortion": over_seeds(record["losses"]["test"]["reconstruction"] for record in records),
        "aggregate": over_seeds(record["rate"]["aggregate"]["divergence"] for record in records),
        "accuracy": over_seeds(
            measures.accuracy(torch.tensor(record["measures"]["confusion"])) for record in records
        ),
    }


def _merged(seeds: list[Seed], loss: str) -> dict:
    """Return by seed which two classes merge first, and the weight at which they do."""
    found = []
    for seed in (seed for seed in seeds if seed.has_curves):
        record, shares = questions.first_merged(seed.curve(loss))
        a, b = max(shares, key=shares.get)
        found.append((f"{a} and {b}", str(Fraction(record["settings"]["beta"]))))
    return {
        "digits": ", ".join(digits for digits, _ in found),
        "betas": ", ".join(beta for _, beta in found),
    }


def _dimensions(seeds: list[Seed], loss: str) -> dict:
    records = [seed.records[loss, 1.0, 16] for seed in seeds]
    by_rank = zip(*(record["rate"]["dimensions"] for record in records), strict=True)
    return {
        "nats": [mean(values) for values in by_rank],
        "used": over_seeds(questions.used(record) for record in records),
    }
