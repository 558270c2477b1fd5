"""The trainings of a build side by side: numbers that one run alone does not have."""

from vaelib.training.folder import Run

PIXELS = 784


def kl_divergence(settings: dict, losses: dict[str, float]) -> float:
    """Return the KL divergence itself, without its weight, in nats per image.

    Args:
        settings: of a run.
        losses: of the run on one slice.
    """
    return losses["kl"] / settings["beta"]


def compare(runs: dict[str, Run]) -> dict:
    """Compare runs on the test images.

    Args:
        runs: by name.

    Returns:
        ``kl_divergence`` of each run, see the function of that name; and ``best_variance`` of each
        run with squared error, the mean squared error per pixel, which is the variance that suits
        the decoder best (:eq:`best-variance`).
    """
    tests = {name: run.losses["test"] for name, run in runs.items()}
    return {
        "kl_divergence": {
            name: kl_divergence(run.settings, tests[name]) for name, run in runs.items()
        },
        "best_variance": {
            name: tests[name]["reconstruction"] / PIXELS
            for name, run in runs.items()
            if run.settings["reconstruction_loss"] == "mse"
        },
    }


def times(runs: dict[str, Run]) -> dict[str, float]:
    """Return what no two trainings have in common, of all runs together.

    Returns:
        The mean ``training_seconds`` and the greatest ``peak_memory_mb`` of a process.
    """
    outcomes = [run.outcome for run in runs.values()]
    return {
        "training_seconds": sum(part["training_seconds"] for part in outcomes) / len(outcomes),
        "peak_memory_mb": max(part["peak_memory_mb"] for part in outcomes),
    }
