"""What the recorded runs say of the evidence and its gap to the bound, over seeds."""

from vaelib.plumbing.names import objective_name
from vaelib.study.claims import select
from vaelib.study.grid import OBJECTIVES
from vaelib.study.verdicts import over_seeds

COMPARED = ("log_evidence", "bound", "gap")  # between two weights of the divergence


def summarise(records: list[dict]) -> dict:
    """Summarise the evidence of the recipe ``report``, recorded with two latent dimensions.

    Args:
        records: from :func:`vaelib.study.grid.compute`.

    Returns:
        By objective, summaries over seeds of what :func:`vaelib.study.grid.measure_evidence`
        measures of it, in nats per image or as shares; under ``all``, the number of models and the
        extremes over all of them; and, under ``mean_minus_sum``, summaries of the differences that
        the mean of the divergence makes to its sum with binary cross-entropy, seed by seed.
    """
    chosen = [r for r in select(records, recipe="report") if "evidence" in r]
    found = {
        objective_name(loss, reduction): [
            _quantities(record["evidence"])
            for record in select(chosen, reconstruction_loss=loss, kl_reduction=reduction)
        ]
        for loss, reduction in OBJECTIVES
    }
    differences = [
        {name: mean[name] - summed[name] for name in COMPARED}
        for mean, summed in zip(found["bce-mean"], found["bce-sum"], strict=True)
    ]
    return {
        **{name: _each_over_seeds(seeds) for name, seeds in found.items()},
        "all": _extremes([record["evidence"] for record in chosen]),
        "mean_minus_sum": _each_over_seeds(differences),
    }


def _quantities(found: dict) -> dict[str, float]:
    split, aggregate = found["split"], found["aggregate"]
    quantities = {
        **{name: found[name] for name in (*COMPARED, "two_modes")},
        "median": found["quantiles"]["50"],
        "family": split["family"],
        "full": split["full"],
        "amortisation_share": split["amortisation"] / split["gap"],
        "below": found["below"]["500"],
        "divergence": aggregate["divergence"],
        "empty": aggregate["empty"],
    }
    if "weighted" in found:
        quantities["weighted"] = found["weighted"]["weighted"] - found["weighted"]["posterior"]
    return quantities


def _extremes(models: list[dict]) -> dict:
    scores = [model["confirmed"]["evidence"] for model in models]
    rms = [score["rms_score"] for score in scores]
    return {
        "models": len(models),
        "least": min(model["least"] for model in models),
        "greatest": max(model["greatest"] for model in models),
        "error": max(model["error"] for model in models),
        "mean_score": max((score["mean_score"] for score in scores), key=abs),
        "least_rms_score": min(rms),
        "greatest_rms_score": max(rms),
    }


def _each_over_seeds(seeds: list[dict[str, float]]) -> dict:
    return {name: over_seeds(seed[name] for seed in seeds) for name in seeds[0]}
