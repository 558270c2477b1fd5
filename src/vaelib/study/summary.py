"""What the recorded trainings say together: the numbers that pages take as ``reproduction``."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from statistics import correlation, mean

import torch

from vaelib.measure import appearance
from vaelib.plumbing.files import read_json
from vaelib.plumbing.places import EARLIER, RECORDS
from vaelib.plumbing.words import LOSSES
from vaelib.study import claims, statistics
from vaelib.study.claims import pair_up
from vaelib.study.design import BOTH, OBJECTIVES, trainings
from vaelib.study.evidence import summarise_evidence
from vaelib.study.likelihoods import summarise_likelihoods
from vaelib.study.original import SPLITS, original_history, original_losses
from vaelib.study.records import path_of, read_stamps, select, states, votes
from vaelib.study.records import read as records_of
from vaelib.study.statistics import each_over_seeds, over_seeds
from vaelib.training.folder import kl_divergence

RECIPES = ("original", "report")
FIRST_EPOCH = ("total", "val_total")  # columns of a history
FREE = ("reconstruction", "kl")  # the losses whose sum the total is
PAIRS = 5  # of overlapping classes that are listed


def summarise(book: Path) -> dict:
    """Summarise the recorded runs of a book.

    Every summary over seeds has the values seed by seed, their mean, and the bounds of two 95 %
    intervals: ``prediction`` for the value of a new seed, ``confidence`` for the mean.

    Returns:
        ``parts``, see :func:`parts`; ``recorded``, by recipe, how many runs, when and where;
        ``claims``, the findings, and ``verdicts``, how many there are of each; ``mse_too``, the
        parts of what C7 and C9 ask of BCE, asked of MSE; ``earlier``, the verdicts by the first
        edition's records of the same seeds, and how these bound the KL loss of C5 on the test
        images;
        ``numbers``, by loss, how surprising the original's numbers are together; ``objectives``,
        by recipe and objective, summaries of losses and measures on the test images;
        ``report_effects``, summaries of the quantities
        that decide effects, with the recipe ``report``; and, of the recipe ``original`` by loss,
        ``overlap`` of the classes, the fewest and the most ``epochs``, and ``slices``, totals on
        the slices of the original's table and of the split that training used;
        ``first_epoch``, summaries of the losses of its BCE runs after one epoch;
        ``evidence``, see :func:`vaelib.study.evidence.summarise_evidence`;
        ``one_scale``, see :func:`vaelib.study.likelihoods.summarise_likelihoods`;
        ``latent_dimensions``, summaries of the test losses; and ``original_history``, of the
        original's BCE training, the first epoch, the lowest validation total and the number of
        epochs.
    """
    records = records_of(book / RECORDS)
    original = {
        loss: select(records, recipe="original", reconstruction_loss=loss, beta=0.5)
        for loss in BOTH
    }
    findings, history = _judged(book, records), original_history(book)
    verdicts = Counter(finding.verdict for finding in findings.values())
    return {
        "parts": parts(book),
        "recorded": {recipe: _provenance(select(records, recipe=recipe)) for recipe in RECIPES},
        "claims": {name: asdict(finding) for name, finding in findings.items()},
        "verdicts": dict.fromkeys(statistics.ALL, 0) | verdicts,
        "mse_too": [
            asdict(part) for part in claims.ask(claims.MSE_TOO, pair_up(records, "original"))
        ],
        "earlier": _earlier(book, findings),
        "numbers": {
            loss: _together(chosen, original_losses(book)[loss])
            for loss, chosen in original.items()
        },
        "objectives": {recipe: _objectives(records, recipe) for recipe in RECIPES},
        "report_effects": {
            name: over_seeds(quantity(pair) for pair in pair_up(records, "report"))
            for name, quantity in claims.QUANTITIES.items()
        },
        "overlap": {loss: _overlap(chosen) for loss, chosen in original.items()},
        "epochs": {loss: _epochs(chosen) for loss, chosen in original.items()},
        "slices": {loss: _slices(chosen) for loss, chosen in original.items()},
        "first_epoch": {
            name: over_seeds(record["history"][0][name] for record in original["bce"])
            for name in FIRST_EPOCH
        },
        "evidence": summarise_evidence(records),
        "one_scale": summarise_likelihoods(book, records),
        "latent_dimensions": _latent_dimensions(
            select(records, recipe="report", reconstruction_loss="bce", beta=1.0)
        ),
        "original_history": {
            "best": min(row["val_total"] for row in history),
            "first_epoch": {name: history[0][name] for name in FIRST_EPOCH},
            "epochs": len(history),
        },
    }


def parts(book: Path) -> dict:
    """Tell what the parts of the book's records were made by, and which of them are stale.

    Returns:
        The number of ``all`` and of the ``stale`` ones; and ``groups``, each of the same part,
        recipe and stamp: how many ``records``, the ``commits`` and ``dates`` at which they were
        made, when and at which commit they were ``replayed``, the number of ``files`` that they
        depend on, and ``why`` they are stale.
    """
    folder = book / RECORDS
    stamps = read_stamps(folder)
    found: dict[tuple, list[dict]] = {}
    for settings, reasons in zip(trainings(), states(trainings(), folder).values(), strict=True):
        file = path_of(folder, settings)
        made = read_json(file)["made"] if file.exists() else {}
        for part, why in reasons.items():
            own = made.get(part, {})
            key = part, settings.recipe, own.get("stamp", ""), why
            found.setdefault(key, []).append(own)
    groups = [
        {
            "part": part,
            "recipe": recipe,
            "stamp": stamp,
            "why": why,
            "records": len(group),
            "commits": _several(made.get("commit", "") for made in group),
            "dates": _several(made.get("date", "") for made in group),
            "replayed": _several(
                f"{again['date']}, {again['commit']}{'' if again['agrees'] else ': otherwise'}"
                for made in group
                if (again := made.get("replayed"))
            ),
            "files": len(stamps.get(stamp, {}).get("modules", ())),
        }
        for (part, recipe, stamp, why), group in sorted(found.items())
    ]
    return {
        "all": sum(group["records"] for group in groups),
        "stale": sum(group["records"] for group in groups if group["why"]),
        "groups": groups,
    }


def _several(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))


def _judged(book: Path, records: list[dict]) -> dict[str, claims.Finding]:
    pairs = pair_up(records, "original")
    return claims.judge(claims.read_claims(book), pairs, original_losses(book))


def _earlier(book: Path, now: dict[str, claims.Finding]) -> dict:
    """Judge the claims by the records of the first edition: the same seeds, recorded before."""
    records = records_of(book / EARLIER)
    findings = _judged(book, records)
    (kl,) = (part for part in findings["C5"].parts if part.name == "test, kl")
    assert kl.interval
    low, high = kl.interval
    compared = [name for name, finding in findings.items() if finding.parts[0].values[1:]]
    return {
        "recorded": _provenance(records),
        "verdicts": {name: finding.verdict for name, finding in findings.items()},
        "compared": len(compared),
        "changed": sum(findings[name].verdict != now[name].verdict for name in compared),
        "test_kl": {"low": low, "high": high, "p_value": kl.p_value},
    }


def _together(records: list[dict], original: dict) -> dict:
    """Hold the original's losses on all slices together against those of our runs."""
    slices = SPLITS.items()
    nine = [
        [record["losses"][ours][loss] for _, ours in slices for loss in LOSSES]
        for record in records
    ]
    on_test = [[record["losses"]["test"][loss] for loss in FREE] for record in records]
    kl = [[record["losses"][ours]["kl"] for record in records] for _, ours in slices]
    together = [correlation(a, b) for a, b in combinations(kl, 2)]
    return {
        "joint_p_value": statistics.joint_p_value(
            [original["test"][loss] for loss in FREE], on_test
        ),
        "chance_of_a_miss": statistics.chance_of_a_miss(nine),
        "kl_correlation": {"least": min(together), "greatest": max(together)},
    }


def _provenance(records: list[dict]) -> dict:
    places = [record["environment"] for record in records]
    return {
        "records": len(records),
        "seeds": len({record["settings"]["seed"] for record in records}),
        "first": min(place["date"] for place in places),
        "last": max(place["date"] for place in places),
        "processors": _several(place["processor"] for place in places),
        "threads": _several(str(place["threads"]) for place in places),
        "torch": _several(place["versions"]["torch"] for place in places),
        "python": _several(place["versions"]["python"] for place in places),
        "commits": _several(place["commit"] for place in places),
        "data": _several(place["data"] for place in places),
    }


def _objectives(records: list[dict], recipe: str) -> dict:
    """Summarise each objective that is recorded with a recipe and two latent dimensions."""
    chosen = {
        name: select(records, recipe=recipe, reconstruction_loss=loss, beta=beta, latent_dim=2)
        for name, (loss, beta) in OBJECTIVES.items()
    }
    return {
        name: {"loss": OBJECTIVES[name][0], "beta": OBJECTIVES[name][1], **_objective(found)}
        for name, found in chosen.items()
        if found
    }


def _objective(records: list[dict]) -> dict:
    seeds = [record["settings"]["seed"] for record in records]
    quantities = [_quantities(record) for record in records]
    return {
        "seeds": seeds,
        **each_over_seeds(quantities),
        "others": {
            str(seed): {loss: _without(at, [each[loss] for each in quantities]) for loss in LOSSES}
            for at, seed in enumerate(seeds)
            if len(seeds) > 2
        },
    }


def _quantities(record: dict) -> dict[str, float]:
    test, found = record["losses"]["test"], record["appearance"]
    divergence = kl_divergence(record["settings"], test)
    share = found["high_frequency_share"]
    return {
        **{loss: test[loss] for loss in LOSSES},
        "divergence": divergence,
        "divergence_share": divergence / (divergence + test["reconstruction"]),
        "sharpness": found["sharpness"],
        "high_frequencies": share["decoded"] / share["test"],
        "recognised": found["recognised"],
        "accuracy": appearance.accuracy(votes(record)),
        "roughness": found["roughness"]["mean"],
        "greatest_step": found["roughness"]["greatest"],
        "four_and_nine": appearance.overlap_shares(votes(record))[4, 9],
        "deviation": found["dispersion"]["deviation"],
        "robust_deviation": found["dispersion"]["robust"],
    }


def _without(at: int, values: list[float]) -> dict[str, float]:
    """Bound a new run's value from all runs but one: what a run of that one's seed is held to."""
    low, high = statistics.prediction_interval(values[:at] + values[at + 1 :])
    return {"low": low, "high": high}


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
            str(rank): {"digits": f"{a} and {b}", "share": by_pair[a, b]}
            for rank, (a, b) in enumerate(most, start=1)
        },
    }


def _epochs(records: list[dict]) -> dict:
    numbers = [len(record["history"]) for record in records]
    return {"fewest": min(numbers), "most": max(numbers)}


def _slices(records: list[dict]) -> dict:
    """Hold the original's slices of the training file against the split that training used."""
    parts = {}
    for split in ("training", "validation"):
        shown, used = (
            [record["losses"][name]["total"] for record in records]
            for name in (f"table_{split}", split)
        )
        parts[split] = {
            "table": over_seeds(shown),
            "split": over_seeds(used),
            "difference": over_seeds(b - a for a, b in zip(shown, used, strict=True)),
        }
    return parts


def _latent_dimensions(records: list[dict]) -> dict:
    dimensions = sorted({record["settings"]["latent_dim"] for record in records})
    few = set.intersection(
        *({r["settings"]["seed"] for r in select(records, latent_dim=d)} for d in dimensions)
    )
    return {
        str(dimension): each_over_seeds(
            [
                record["losses"]["test"]
                for record in select(records, latent_dim=dimension)
                if record["settings"]["seed"] in few  # the same seeds for all dimensions
            ]
        )
        for dimension in dimensions
    }
