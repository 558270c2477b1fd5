"""What the recorded trainings say together: the numbers that pages take as ``reproduction``."""

from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from statistics import correlation, mean

import torch

from vaelib.measure import appearance
from vaelib.plumbing.places import RECORDS
from vaelib.plumbing.words import LOSSES
from vaelib.study import claims
from vaelib.study.claims import pair_up
from vaelib.study.codes import summarise_codes
from vaelib.study.design import BOTH, OBJECTIVES
from vaelib.study.evidence import summarise_autoencoder, summarise_evidence
from vaelib.study.looseness import summarise_looseness
from vaelib.study.original import SPLITS, original_history, original_losses
from vaelib.study.processors import summarise_kernels, summarise_processors
from vaelib.study.provenance import origin, parts
from vaelib.study.rate_distortion import summarise_rate_distortion
from vaelib.study.records import of_common_seeds, select, votes
from vaelib.study.records import read as records_of
from vaelib.study.statistics import each_over_seeds, median_over_seeds, over_seeds
from vaelib.training.folder import kl_divergence

RECIPES = ("original", "report")
PAIRS = 3  # of overlapping classes that are listed


def summarise(book: Path) -> dict:
    """Summarise the recorded runs of a book.

    Every summary over seeds has the values seed by seed, their mean, and the bounds of two 95 %
    intervals: ``prediction`` for the value of a new seed, ``confidence`` for the mean.

    Returns:
        ``parts``, see :func:`vaelib.study.provenance.parts`; ``recorded``, by recipe, how many
        runs, when and where; ``claims``, the findings; ``turned``, the ``number`` of verdicts that
        turn when one seed is left out, ``named`` with these seeds; ``mse_too``, the parts of what
        C7 and C9 ask of BCE, asked of MSE; ``processors``, see
        :func:`vaelib.study.processors.summarise_processors`, and ``kernels``, see
        :func:`vaelib.study.processors.summarise_kernels`; ``objectives``, by recipe and objective,
        summaries of losses and measures on the test images; ``effects``, by recipe, and by
        ``alike`` for the pairs of ``original`` whose runs both use both latent dimensions, medians
        of the quantities :data:`vaelib.study.claims.BESIDE` with the original's weight β, and
        ``unused``, by recipe, of the ``runs`` in these pairs the ``number`` that leave a latent
        dimension unused; and, of the recipe ``original`` by loss, ``overlap`` of the classes, the
        fewest and the most ``epochs``, ``slices``, totals on the slices of the original's table and
        of the split that training used, ``new_run``, the test totals, and ``kl_correlation``, the
        least over seeds of the KL losses of two slices, both of the runs that the original's
        numbers are held against;
        ``first_epoch``, summaries of the losses of those with BCE after one epoch;
        ``evidence``, see :func:`vaelib.study.evidence.summarise_evidence`;
        ``autoencoder``, see :func:`vaelib.study.evidence.summarise_autoencoder`;
        ``looseness``, see :func:`vaelib.study.looseness.summarise_looseness`;
        ``codes``, see :func:`vaelib.study.codes.summarise_codes`;
        ``one_scale``, see :func:`vaelib.study.rate_distortion.summarise_rate_distortion`;
        ``latent_dimensions``, summaries of the test losses; and ``original_history``, of the
        original's BCE training, the first epoch, the lowest validation total and the number of
        epochs.
    """
    records = records_of(book / RECORDS)
    pairs, history = pair_up(records, "original"), original_history(book)
    original = {loss: [pair[loss] for pair in pairs] for loss in BOTH}
    alike = {loss: list(filter(claims.uses_all, runs)) for loss, runs in original.items()}
    by_recipe = {recipe: select(records, recipe=recipe) for recipe in RECIPES}
    by_recipe["original"] = [*original["bce"], *original["mse"]]  # all others are for the evidence
    asked, table = claims.read_claims(book), original_losses(book)
    findings = claims.judge(asked, pairs, table, history)
    turned = claims.turned(asked, pairs, table, history)
    return {
        "parts": parts(book),
        "recorded": {recipe: origin(found) for recipe, found in by_recipe.items()},
        "claims": {name: asdict(finding) for name, finding in findings.items()},
        "turned": {
            "number": len(turned),
            "named": "; ".join(
                f"{name} without {', '.join(map(str, seeds))}" for name, seeds in turned.items()
            )
            or "none",
        },
        "mse_too": [asdict(part) for part in claims.mse_too(asked, pairs)],
        "processors": summarise_processors(book),
        "kernels": summarise_kernels(book),
        "objectives": {recipe: _objectives(found) for recipe, found in by_recipe.items()},
        "effects": {
            name: _effects(chosen)
            for name, chosen in {
                "original": pairs,
                "alike": [pair for pair in pairs if all(map(claims.uses_all, pair.values()))],
                "report": pair_up(records, "report"),
            }.items()
        },
        "unused": {recipe: _unused(pair_up(records, recipe)) for recipe in RECIPES},
        "overlap": {loss: _overlap(chosen) for loss, chosen in original.items()},
        "epochs": {loss: _epochs(chosen) for loss, chosen in original.items()},
        "slices": {loss: _slices(chosen) for loss, chosen in original.items()},
        "new_run": {
            loss: over_seeds(run["losses"]["test"]["total"] for run in runs)
            for loss, runs in alike.items()
        },
        "kl_correlation": {loss: _kl_correlation(runs) for loss, runs in alike.items()},
        "first_epoch": {
            name: over_seeds(run["history"][0][name] for run in alike["bce"])
            for name in claims.FIRST_EPOCH
        },
        "evidence": summarise_evidence(records),
        "autoencoder": summarise_autoencoder(records),
        "looseness": summarise_looseness(book, records),
        "codes": summarise_codes(book, records),
        "one_scale": summarise_rate_distortion(book, records),
        "latent_dimensions": _latent_dimensions(
            select(records, recipe="report", reconstruction_loss="bce", beta=1.0)
        ),
        "original_history": {
            "best": min(row["val_total"] for row in history),
            "first_epoch": {name: history[0][name] for name in claims.FIRST_EPOCH},
            "epochs": len(history),
        },
    }


def _effects(pairs: list[claims.Pair]) -> dict[str, dict]:
    return {name: median_over_seeds(map(claims.QUANTITIES[name], pairs)) for name in claims.BESIDE}


def _unused(pairs: list[claims.Pair]) -> dict[str, int]:
    runs = [run for pair in pairs for run in pair.values()]
    return {"runs": len(runs), "number": sum(not claims.uses_all(run) for run in runs)}


def _kl_correlation(runs: list[dict]) -> float:
    by_slice = [[run["losses"][name]["kl"] for run in runs] for name in SPLITS.values()]
    return min(correlation(a, b) for a, b in combinations(by_slice, 2))


def _objectives(records: list[dict]) -> dict:
    """Summarise each objective that is recorded with two latent dimensions, of the same seeds."""
    chosen = {
        name: select(records, reconstruction_loss=loss, beta=beta, latent_dim=2)
        for name, (loss, beta) in OBJECTIVES.items()
    }
    seeds = of_common_seeds({name: found for name, found in chosen.items() if found})
    return {
        name: {
            "loss": OBJECTIVES[name][0],
            "beta": OBJECTIVES[name][1],
            "seeds": [seed[name]["settings"]["seed"] for seed in seeds],
            **each_over_seeds([_quantities(seed[name]) for seed in seeds]),
        }
        for name in seeds[0]
    }


def _quantities(record: dict) -> dict[str, float]:
    test, found = record["losses"]["test"], record["appearance"]
    divergence = kl_divergence(record["settings"], test)
    return {
        **{loss: test[loss] for loss in LOSSES},
        "divergence": divergence,
        "divergence_share": divergence / (divergence + test["reconstruction"]),
        "sharpness": found["sharpness"],
        "high_frequencies": claims.high_frequencies(record),
        "recognised": found["recognised"],
        "accuracy": appearance.accuracy(votes(record)),
        "roughness": found["roughness"]["mean"],
        "greatest_step": found["roughness"]["greatest"],
        "four_and_nine": appearance.overlap_shares(votes(record))[4, 9],
        "deviation": found["dispersion"]["deviation"],
        "robust_deviation": found["dispersion"]["robust"],
    }


def _overlap(records: list[dict]) -> dict:
    """Average over seeds how the neighbours' vote takes one class for another."""
    tables = [votes(record).double() for record in records]
    shares = torch.stack([table / table.sum(1, keepdim=True) for table in tables]).mean(0)
    by_seed = [appearance.overlap_shares(table) for table in tables]
    by_pair = {pair: mean(seed[pair] for seed in by_seed) for pair in by_seed[0]}
    most = sorted(by_pair, key=by_pair.__getitem__, reverse=True)[:PAIRS]
    return {
        "confusion": shares.tolist(),
        "pairs": {
            str(rank): {"digits": f"{a} and {b}"} for rank, (a, b) in enumerate(most, start=1)
        },
    }


def _epochs(records: list[dict]) -> dict:
    numbers = [len(record["history"]) for record in records]
    return {"fewest": min(numbers), "most": max(numbers)}


def _slices(records: list[dict]) -> dict:
    """Hold the original's slices of the training file against the split that training used."""
    found = {}
    for split in ("training", "validation"):
        shown, used = (
            [record["losses"][name]["total"] for record in records]
            for name in (f"table_{split}", split)
        )
        found[split] = {
            "table": over_seeds(shown),
            "split": over_seeds(used),
            "difference": over_seeds(b - a for a, b in zip(shown, used, strict=True)),
        }
    return found


def _latent_dimensions(records: list[dict]) -> dict:
    dimensions = sorted({record["settings"]["latent_dim"] for record in records})
    seeds = of_common_seeds({d: select(records, latent_dim=d) for d in dimensions})
    return {
        str(d): each_over_seeds([seed[d]["losses"]["test"] for seed in seeds]) for d in dimensions
    }
