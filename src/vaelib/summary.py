"""What the recorded runs say together: the content of ``recorded/reproduction.json``."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from statistics import mean

import torch

from vaelib import artifacts, measures, reproduction, verdicts
from vaelib.objective import Losses
from vaelib.reproduction import pair_up, select

OBJECTIVES = tuple((loss, reduction) for loss in ("bce", "mse") for reduction in ("mean", "sum"))
RECIPES = ("original", "report")
LOSSES = Losses._fields
FIRST_EPOCH = ("total", "val_total")  # columns of a history
PAIRS = 5  # of overlapping classes that are listed
# Part of the training file → its slice as in the original's table, and by the split of training.
SLICES = {
    "training": ("original_training", "training"),
    "validation": ("original_validation", "validation"),
}


def summarise(book: Path) -> dict:
    """Summarise the recorded runs of a book.

    Every spread has the values seed by seed, their mean, and the bounds of two 95 % intervals:
    ``prediction`` for the value of a new seed, ``confidence`` for the mean.

    Returns:
        ``recorded``, by recipe, how many runs, when and where; ``claims``, the findings, and
        ``verdicts``, how many there are of each; ``objectives``, by recipe and objective, spreads
        of losses and measures on the test images; ``report_effects``, spreads of the quantities
        that decide effects, with the recipe ``report``; and, of the recipe ``original`` by loss,
        ``overlap`` of the classes, the fewest and the most ``epochs``, and ``slices``, totals on
        the slices of the original's table and of the split that training used; ``first_epoch``,
        spreads of the losses of its BCE runs after one epoch; ``latent_dimensions``, spreads of
        the test losses; and ``original_history``, of the original's BCE training, the first epoch,
        the lowest validation total and the number of epochs.
    """
    records = reproduction.read(book / "recorded" / "runs")
    original = artifacts.original_results(book)
    history = artifacts.read_csv(book / artifacts.ORIGINAL.with_name("bce_history.csv"))
    claims = reproduction.judge(
        reproduction.read_claims(book), pair_up(records, "original"), original
    )
    two = select(records, latent_dim=2)
    by_loss = {
        loss: select(two, recipe="original", reconstruction_loss=loss, kl_reduction="mean")
        for loss in ("bce", "mse")
    }
    return {
        "recorded": {recipe: _provenance(select(records, recipe=recipe)) for recipe in RECIPES},
        "claims": {name: asdict(finding) for name, finding in claims.items()},
        "verdicts": dict.fromkeys(verdicts.ALL, 0)
        | Counter(finding.verdict for finding in claims.values()),
        "objectives": {
            recipe: {
                f"{loss}-{reduction}": _objective(chosen)
                for loss, reduction in OBJECTIVES
                if (
                    chosen := select(
                        two, recipe=recipe, reconstruction_loss=loss, kl_reduction=reduction
                    )
                )
            }
            for recipe in RECIPES
        },
        "report_effects": {
            name: spread(quantity(pair) for pair in pair_up(records, "report"))
            for name, quantity in reproduction.QUANTITIES.items()
        },
        "overlap": {loss: _overlap(chosen) for loss, chosen in by_loss.items()},
        "epochs": {loss: _epochs(chosen) for loss, chosen in by_loss.items()},
        "slices": {loss: _slices(chosen) for loss, chosen in by_loss.items()},
        "first_epoch": {
            name: spread(record["history"][0][name] for record in by_loss["bce"])
            for name in FIRST_EPOCH
        },
        "latent_dimensions": _latent_dimensions(
            select(records, recipe="report", reconstruction_loss="bce", kl_reduction="sum")
        ),
        "original_history": {
            "best": min(row["val_total"] for row in history),
            "first_epoch": {name: history[0][name] for name in FIRST_EPOCH},
            "epochs": len(history),
        },
    }


def spread(values: Iterable[float]) -> dict:
    """Summarise one value per seed; at least two."""
    values = list(values)
    low, high = verdicts.prediction_interval(values)
    return {
        "values": values,
        "mean": mean(values),
        "prediction": {"low": low, "high": high},
        "confidence": dict(zip(("low", "high"), verdicts.confidence_interval(values), strict=True)),
    }


def _provenance(records: list[dict]) -> dict:
    places = [record["environment"] for record in records]
    return {
        "runs": len(records),
        "seeds": len({record["point"]["seed"] for record in records}),
        "first": min(place["date"] for place in places),
        "last": max(place["date"] for place in places),
        "processors": ", ".join(sorted({place["processor"] for place in places})),
        "threads": ", ".join(sorted({str(place["threads"]) for place in places})),
        "torch": ", ".join(sorted({place["versions"]["torch"] for place in places})),
        "python": ", ".join(sorted({place["versions"]["python"] for place in places})),
        "commits": ", ".join(sorted({place["commit"] for place in places})),
        "data": ", ".join(sorted({place["data"] for place in places})),
    }


def _divergence(record: dict) -> float:
    """Return the KL divergence itself, summed over the dimensions, of the test images."""
    point, kl = record["point"], record["losses"]["test"]["kl"]
    return kl * (point["latent_dim"] if point["kl_reduction"] == "mean" else 1)


def _divergence_share(record: dict) -> float:
    """Return the share of the divergence itself in its sum with the reconstruction loss."""
    divergence = _divergence(record)
    return divergence / (divergence + record["losses"]["test"]["reconstruction"])


def _objective(records: list[dict]) -> dict:
    found = [record["measures"] for record in records]
    shares = [measure["high_frequency_share"] for measure in found]
    quantities = {
        **{loss: [record["losses"]["test"][loss] for record in records] for loss in LOSSES},
        "divergence": [_divergence(record) for record in records],
        "divergence_share": [_divergence_share(record) for record in records],
        "sharpness": [measure["sharpness"] for measure in found],
        "high_frequencies": [share["decoded"] / share["test"] for share in shares],
        "recognised": [measure["recognised"] for measure in found],
        "accuracy": [measures.accuracy(torch.tensor(measure["confusion"])) for measure in found],
        "roughness": [measure["roughness"]["mean"] for measure in found],
        "greatest_step": [measure["roughness"]["greatest"] for measure in found],
        "deviation": [measure["dispersion"]["deviation"] for measure in found],
        "robust_deviation": [measure["dispersion"]["robust"] for measure in found],
    }
    return {
        "seeds": [record["point"]["seed"] for record in records],
        **{name: spread(values) for name, values in quantities.items()},
    }


def _overlap(records: list[dict]) -> dict:
    """Average over seeds how the neighbours' vote takes one class for another."""
    tables = [torch.tensor(record["measures"]["confusion"]).double() for record in records]
    shares = torch.stack([table / table.sum(1, keepdim=True) for table in tables]).mean(0)
    by_seed = [{(a, b): share for a, b, share in measures.overlaps(table)} for table in tables]
    by_pair = {pair: mean(seed[pair] for seed in by_seed) for pair in by_seed[0]}
    most = sorted(by_pair, key=by_pair.get, reverse=True)[:PAIRS]
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
    parts = {}
    for part, names in SLICES.items():
        table, split = ([record["losses"][name]["total"] for record in records] for name in names)
        parts[part] = {
            "table": spread(table),
            "split": spread(split),
            "difference": spread(ours - theirs for ours, theirs in zip(split, table, strict=True)),
        }
    return parts


def _latent_dimensions(records: list[dict]) -> dict:
    dimensions = sorted({record["point"]["latent_dim"] for record in records})
    few = {r["point"]["seed"] for r in select(records, latent_dim=dimensions[-1])}
    return {
        str(dimension): {
            loss: spread(
                record["losses"]["test"][loss]
                for record in select(records, latent_dim=dimension)
                if record["point"]["seed"] in few  # the same seeds for all dimensions
            )
            for loss in LOSSES
        }
        for dimension in dimensions
    }
