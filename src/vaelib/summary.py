"""What the recorded runs say together: the content of ``recorded/reproduction.json``."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from statistics import mean

from vaelib import artifacts, reproduction, verdicts
from vaelib.objective import Losses
from vaelib.reproduction import pair_up, select

OBJECTIVES = tuple((loss, reduction) for loss in ("bce", "mse") for reduction in ("mean", "sum"))
LOSSES = Losses._fields


def summarise(book: Path) -> dict:
    """Summarise the recorded runs of a book.

    Every spread has the values seed by seed, their mean, and the bounds of two 95 % intervals:
    ``prediction`` for the value of a new seed, ``confidence`` for the mean.

    Returns:
        ``recorded``, by recipe, how many runs, when and where; ``claims``, the verdicts;
        ``objectives``, spreads of test quantities of the recipe ``report`` by objective;
        ``slices``, of the recipe ``original``, the total on held-out images and on the original's
        validation slice, and their difference; ``latent_dimensions``, spreads of the test losses.
    """
    records = reproduction.read(book / "recorded" / "runs")
    original = artifacts.original_results(book)
    claims = reproduction.judge(
        reproduction.read_claims(book), pair_up(records, "original"), original
    )
    report = select(records, recipe="report", latent_dim=2)
    return {
        "recorded": {
            recipe: _provenance(select(records, recipe=recipe)) for recipe in ("original", "report")
        },
        "claims": {name: asdict(finding) for name, finding in claims.items()},
        "objectives": {
            f"{loss}-{reduction}": _objective(
                select(report, reconstruction_loss=loss, kl_reduction=reduction)
            )
            for loss, reduction in OBJECTIVES
        },
        "slices": {
            loss: _slices(
                select(records, recipe="original", reconstruction_loss=loss, kl_reduction="mean")
            )
            for loss in ("bce", "mse")
        },
        "latent_dimensions": _latent_dimensions(
            select(records, recipe="report", reconstruction_loss="bce", kl_reduction="sum")
        ),
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
    seconds = [place["training_seconds"] for place in places]
    return {
        "runs": len(records),
        "seeds": len({record["point"]["seed"] for record in records}),
        "first": min(place["date"] for place in places),
        "last": max(place["date"] for place in places),
        "processors": ", ".join(sorted({place["processor"] for place in places})),
        "torch": ", ".join(sorted({place["versions"]["torch"] for place in places})),
        "commits": ", ".join(sorted({place["commit"] for place in places})),
        "minutes": mean(seconds) / 60,
    }


def _divergence(record: dict) -> float:
    """Return the KL divergence itself, summed over the dimensions, of the test images."""
    point, kl = record["point"], record["losses"]["test"]["kl"]
    return kl * (point["latent_dim"] if point["kl_reduction"] == "mean" else 1)


def _objective(records: list[dict]) -> dict:
    quantities = {
        **{loss: [record["losses"]["test"][loss] for record in records] for loss in LOSSES},
        "divergence": [_divergence(record) for record in records],
        "deviation": [record["measures"]["dispersion"]["deviation"] for record in records],
    }
    return {
        "seeds": [record["point"]["seed"] for record in records],
        **{name: spread(values) for name, values in quantities.items()},
    }


def _slices(records: list[dict]) -> dict:
    held_out, shown = (
        [record["losses"][name]["total"] for record in records]
        for name in ("validation", "original_validation")
    )
    return {
        "held_out": spread(held_out),
        "original": spread(shown),
        "difference": spread(a - b for a, b in zip(held_out, shown, strict=True)),
        "epochs": [len(record["history"]) for record in records],
    }


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
