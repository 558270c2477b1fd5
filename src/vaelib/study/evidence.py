"""What the recorded runs say of the evidence and its gap to the bound, over seeds."""

from statistics import mean

from vaelib.study.design import OBJECTIVES
from vaelib.study.records import select
from vaelib.study.statistics import each_over_seeds, over_seeds

AUTOENCODER = ("reconstruction", "deviation", "log_evidence", "fitted")
COMPARED = ("log_evidence", "bound", "gap", "divergence", "below")  # between two weights


def summarise_evidence(records: list[dict]) -> dict:
    """Summarise the evidence of the recipe ``report``, recorded with two latent dimensions.

    Args:
        records: from :func:`vaelib.study.records.read`.

    Returns:
        By objective, summaries over seeds of what
        :func:`vaelib.measure.gap_sources.measure_evidence` and
        :func:`vaelib.measure.rate.measure_rate` measure of it, in nats per image or as shares;
        under ``all``, the number of models and the extremes over all of them, and what importance
        sampling says: the mean over a seed's models, which share images and draws, of the
        ``difference`` from the quadrature in nats and of the ``score``, summarised over seeds; and,
        under
        ``half_minus_whole``, summaries of the differences that half the weight of the divergence
        makes with binary cross-entropy, seed by seed.
    """
    chosen = [r for r in select(records, recipe="report") if "evidence" in r and "rate" in r]
    found = {
        name: {
            record["settings"]["seed"]: _quantities(record)
            for record in select(chosen, reconstruction_loss=loss, beta=beta)
        }
        for name, (loss, beta) in OBJECTIVES.items()
    }
    half, whole = found["bce"], found["bce-elbo"]
    differences = [
        {name: half[seed][name] - whole[seed][name] for name in COMPARED}
        for seed in half
        if seed in whole
    ]
    return {
        **{name: each_over_seeds(list(seeds.values())) for name, seeds in found.items()},
        "all": _extremes([record["evidence"] for record in chosen]) | _confirmed(chosen),
        "half_minus_whole": each_over_seeds(differences),
    }


def summarise_autoencoder(records: list[dict]) -> dict:
    """Hold plain autoencoders against the VAEs in whose place they were trained, seed by seed.

    Args:
        records: from :func:`vaelib.study.records.read`.

    Returns:
        Summaries over seeds of what :func:`vaelib.measure.autoencoder.measure_autoencoder`
        measures; of ``vae``, the VAEs' evidence; of ``reconstruction_less``, by how much the
        autoencoders' reconstruction loss is less than the VAEs', which decode a sample, of
        ``less_at_mean``, by how much if these decode the mean, and of ``fitted_more``, by how much
        their evidence with the fitted prior is more, in nats; and ``samples`` of the first seed.
    """
    chosen = [r for r in select(records, recipe="report") if "autoencoder" in r]
    found = [{name: r["autoencoder"][name] for name in AUTOENCODER} for r in chosen]
    less = [
        {
            "reconstruction_less": r["losses"]["test"]["reconstruction"] - own["reconstruction"],
            "less_at_mean": r["autoencoder"]["vae_at_mean"] - own["reconstruction"],
            "vae": r["evidence"]["log_evidence"],
            "fitted_more": own["fitted"] - r["evidence"]["log_evidence"],
        }
        for r, own in zip(chosen, found, strict=True)
    ]
    return (
        each_over_seeds(found)
        | each_over_seeds(less)
        | {"samples": chosen[0]["autoencoder"]["samples"]}
    )


def _quantities(record: dict) -> dict[str, float]:
    found, aggregate = record["evidence"], record["rate"]["aggregate"]
    split = found["split"]
    quantities = {
        **{name: found[name] for name in ("log_evidence", "bound", "gap")},
        "median": found["quantiles"]["50"],
        "family": split["family"],
        "full": split["full"],
        "amortisation_share": split["amortisation"] / split["gap"],
        "below": found["below"]["500"],
        "divergence": aggregate["divergence"],
    }
    if "weighted" in found:
        quantities["weighted"] = found["weighted"]["weighted"] - found["weighted"]["posterior"]
    return quantities


def _confirmed(records: list[dict]) -> dict:
    seeds: dict[int, list[dict]] = {}
    for record in records:
        found = record["evidence"]["confirmed"]["evidence"]
        seeds.setdefault(record["settings"]["seed"], []).append(found)
    return {
        name: over_seeds(mean(found[of] for found in models) for models in seeds.values())
        for name, of in {"difference": "difference", "score": "mean_score"}.items()
    }


def _extremes(models: list[dict]) -> dict:
    return {
        "models": len(models),
        "least": min(model["least"] for model in models),
        "greatest": max(model["greatest"] for model in models),
        "error": max(model["error"] for model in models),
    }
