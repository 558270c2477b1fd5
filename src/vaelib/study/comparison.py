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
        ``kl_divergence`` of each run, see the function of that name; ``best_variance`` of each run
        with squared error, the mean squared error per pixel, which is the variance that suits the
        decoder best (:eq:`best-variance`); and, of all runs together, the mean
        ``training_seconds`` and the greatest ``peak_memory_mb`` of a process.
    """
    tests = {name: run.losses["test"] for name, run in runs.items()}
    seconds = [run.outcome["training_seconds"] for run in runs.values()]
    return {
        "kl_divergence": {
            name: kl_divergence(run.settings, tests[name]) for name, run in runs.items()
        },
        "best_variance": {
            name: tests[name]["reconstruction"] / PIXELS
            for name, run in runs.items()
            if run.settings["reconstruction_loss"] == "mse"
        },
        "training_seconds": sum(seconds) / len(seconds),
        "peak_memory_mb": max(run.outcome["peak_memory_mb"] for run in runs.values()),
    }
