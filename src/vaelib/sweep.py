"""One point of a grid of trainings, and the map over many: in this process or on a Dask cluster."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from vaelib import artifacts, data, measures, runs
from vaelib.evaluation import decode, encode, latent_grid
from vaelib.model import VAE
from vaelib.runs import Settings

REFERENCES = 10_000  # training images among which the nearest to a reconstruction is sought
GRID = (30, 2.0)  # points along each axis of the decoded grid, and the axes' limit


def book_points() -> list[Settings]:
    """List the trainings that the chapter on the reproduction needs, the short ones first."""
    both = ("bce", "mse")
    points = [
        Settings(loss, reduction, "report", seed)
        for seed in range(8)
        for loss in both
        for reduction in ("mean", "sum")
    ]
    points += [
        Settings("bce", "sum", "report", seed, latent_dim)
        for seed in range(3)
        for latent_dim in (4, 8, 16)
    ]
    return points + [Settings(loss, "mean", "original", seed) for seed in range(5) for loss in both]


def name_of(point: Settings) -> str:
    """Name a point's record."""
    return (
        f"{point.recipe}-{point.reconstruction_loss}-{point.kl_reduction}"
        f"-d{point.latent_dim}-seed{point.seed}"
    )


def compute(point: Settings) -> dict:
    """Train and measure one point; the data are found as :func:`vaelib.mnist.obtain` says.

    Returns:
        Plain values, namely ``settings``, ``losses``, ``history`` and ``environment`` as
        :class:`vaelib.artifacts.Run` has them, and ``measures``; see :func:`measure`.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = runs.train_run(point, Path(folder))
    digits = data.load(run.settings["recipe_settings"]["data"])
    return {
        "settings": run.settings,
        "losses": run.losses,
        "history": run.history,
        "environment": run.environment,
        "measures": measure(runs.model_of(run), digits),
    }


def measure(model: VAE, digits: data.Digits) -> dict:
    """Measure the reconstructions and the latent codes of the test images.

    Args:
        model: on the CPU.
        digits: on the CPU.

    Returns:
        ``sharpness`` and ``recognised``; ``high_frequency_share`` of the reconstructions and of
        the test images; ``dispersion``; ``confusion``, counts by true and voted class; and, for
        two latent dimensions, ``roughness`` of the decoded grid. See :mod:`vaelib.measures`.
    """
    codes = encode(model, digits.test_images).mean
    decoded = decode(model, codes)
    images = digits.test_images.float() / 255
    result = {
        "sharpness": measures.sharpness(decoded, images),
        "high_frequency_share": {
            "decoded": measures.high_frequency_share(decoded),
            "test": measures.high_frequency_share(images),
        },
        "recognised": measures.recognised(
            decoded,
            digits.test_labels,
            digits.images[:REFERENCES].float() / 255,
            digits.labels[:REFERENCES],
        ),
        "dispersion": measures.dispersion(codes),
        "confusion": measures.confusion(codes, digits.test_labels).tolist(),
    }
    if model.latent_dim == 2:
        number = GRID[0]
        grid = decode(model, latent_grid(*GRID)).view(number, number, 28, 28)
        result["roughness"] = measures.roughness(grid)
    return result


def missing(points: Iterable[Settings], folder: Path) -> list[Settings]:
    """List the points that have no record in a folder."""
    return [point for point in points if not (folder / f"{name_of(point)}.json").exists()]


def record(points: Iterable[Settings], folder: Path, scheduler: str = "") -> Iterator[str]:
    """Compute the points that have no record, and write each record whole as it is finished.

    Args:
        points: of the grid.
        folder: of the records, one JSON file each.
        scheduler: address of a Dask scheduler whose workers compute; empty: this process does.

    Yields:
        The name of each record when it has been written.

    Raises:
        ImportError: a scheduler is given, and Dask is not installed.
        ConnectionError: a point whose worker was lost again and again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    todo = missing(points, folder)
    finished = _on_cluster(todo, scheduler) if scheduler else ((p, compute(p)) for p in todo)
    for point, result in finished:
        name = name_of(point)
        artifacts.write_json({"point": asdict(point), **result}, folder / f"{name}.json")
        yield name


def _on_cluster(points: list[Settings], scheduler: str) -> Iterator[tuple[Settings, dict]]:
    try:
        from distributed import Client, KilledWorker, as_completed
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{error}, which --scheduler needs; install it with: pip install --editable '.[sweep]'"
        ) from error
    with Client(scheduler) as client:
        # Not pure: equal settings may run again. A point whose worker is lost goes to another.
        futures = {client.submit(compute, point, pure=False): point for point in points}
        for future in as_completed(futures):
            point = futures[future]
            try:
                result = future.result()
            except KilledWorker as error:
                raise ConnectionError(f"{name_of(point)} was given up: {error}") from error
            yield point, result
