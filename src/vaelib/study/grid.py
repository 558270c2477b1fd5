"""One point of a grid of trainings, and the map over many: in this process or on a Dask cluster."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from vaelib.digits import dataset
from vaelib.digits.dataset import Digits
from vaelib.plumbing.files import write_json
from vaelib.plumbing.names import CODED, OBJECTIVES
from vaelib.study import code_length, gap, gap_sources, measures, rate, samples
from vaelib.study.questions import BETAS
from vaelib.study.records import SEEDS
from vaelib.training.run import Settings, model_of, resumable, train
from vaelib.vae.latent import decode, encode, latent_grid
from vaelib.vae.model import VAE

REFERENCES = 10_000  # training images among which the nearest to a reconstruction is sought
GRID = (30, 2.0)  # points along each axis of the decoded grid, and the axes' limit
FEWER_SEEDS = 3  # of those that have no code length there: more weights β, and ``cb``


def book_points() -> list[Settings]:
    """List the trainings that the book's chapters need, the short ones first."""
    objectives = OBJECTIVES.values()
    points = [Settings(*objective, "report", seed) for seed in range(8) for objective in objectives]
    points += [
        Settings("bce", 1.0, "report", seed, latent_dim)
        for seed in range(3)
        for latent_dim in (4, 8)
    ]
    weights = [(loss, beta) for loss in ("bce", "mse") for beta in BETAS]
    for number, more in ((FEWER_SEEDS, [*weights, ("cb", 1.0)]), (SEEDS, CODED.values())):
        points += [
            Settings(*objective, "report", seed)
            for seed in range(number)
            for objective in more
            if objective not in objectives
        ]
    points += [
        Settings(loss, 1.0, "report", seed, 16) for seed in range(SEEDS) for loss in ("bce", "mse")
    ]
    return points + [
        Settings(loss, 0.5, "original", seed) for seed in range(5) for loss in ("bce", "mse")
    ]


def compute(point: Settings, kept: Path | None = None) -> dict:
    """Train and measure one point; the data are found as :func:`vaelib.digits.mnist.obtain` says.

    Args:
        point: of the grid.
        kept: see :func:`vaelib.training.run.train`.

    Returns:
        Plain values, namely ``settings``, ``losses``, ``outcome``, ``history`` and ``environment``
        as :class:`vaelib.training.folder.Run` has them; ``measures``, see :func:`measure`;
        ``rate``, see :func:`vaelib.study.rate.measure`; and, for two latent dimensions and the
        objectives of which the book tells them, ``evidence``, see :func:`measure_evidence`,
        ``code``, see :func:`vaelib.study.code_length.measure`, and ``samples``, see
        :func:`vaelib.study.samples.of_the_prior`.
    """
    digits = dataset.load(point.recipe_settings.data)
    run = train(point, digits, kept)
    model = model_of(run)
    result = {
        "settings": run.settings,
        "losses": run.losses,
        "outcome": run.outcome,
        "history": run.history,
        "environment": run.environment,
        "measures": measure(model, digits),
        "rate": rate.measure(encode(model, digits.test_images)),
    }
    if model.latent_dim == 2:
        objective = point.reconstruction_loss, point.beta
        if objective in OBJECTIVES.values():
            result["evidence"] = measure_evidence(model, point, digits)
        if objective in CODED.values() and point.recipe == "report" and point.seed < SEEDS:
            result["code"] = code_length.measure(model, point.objective, digits, point.seed)
            result["samples"] = samples.of_the_prior(model, point.seed)
    return result


def measure(model: VAE, digits: Digits) -> dict:
    """Measure the reconstructions and the latent codes of the test images.

    Args:
        model: on the CPU.
        digits: on the CPU.

    Returns:
        ``sharpness`` and ``recognised``; ``high_frequency_share`` of the reconstructions and of
        the test images; ``dispersion``; ``confusion``, counts by true and voted class; and, for
        two latent dimensions, ``roughness`` of the decoded grid. See :mod:`vaelib.study.measures`.
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
        "recognised": recognised(decoded, digits),
        "dispersion": measures.dispersion(codes),
        "confusion": measures.confusion(codes, digits.test_labels).tolist(),
    }
    if model.latent_dim == 2:
        number = GRID[0]
        grid = decode(model, latent_grid(*GRID)).view(number, number, 28, 28)
        result["roughness"] = measures.roughness(grid)
    return result


def measure_evidence(model: VAE, point: Settings, digits: Digits) -> dict:
    """Measure the evidence of the test images, and where its gap to the bound comes from.

    Args:
        model: on the CPU, with two latent dimensions.
        point: the settings that it was trained with.
        digits: on the CPU.

    Returns:
        What :func:`vaelib.study.gap.numbers` and :func:`vaelib.study.gap_sources.examine` return.
    """
    measured = gap.measure(model, point.objective, digits.test_images)
    generator = torch.Generator().manual_seed(point.seed)
    found = gap_sources.examine(measured, model, point.objective, generator)
    return gap.numbers(measured) | found


def recognised(images: Tensor, digits: Digits) -> float:
    """Ask of the test images, or their reconstructions, whether they look like their class.

    Args:
        images: (N, 28, 28), float, in the order of the test images.
        digits: on the CPU.

    Returns:
        The share of images to which a training image of their class is nearer than any other of
        the first 10,000; see :func:`vaelib.study.measures.recognised`.
    """
    references, labels = digits.images[:REFERENCES].float() / 255, digits.labels[:REFERENCES]
    return measures.recognised(images, digits.test_labels, references, labels)


def missing(points: Iterable[Settings], folder: Path) -> list[Settings]:
    """List the points that have no record in a folder."""
    return [point for point in points if not _file(folder, point).exists()]


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
    finished = _on_cluster(todo, scheduler) if scheduler else _here(todo, folder)
    for point, result in finished:
        write_json(result, _file(folder, point))
        yield point.name


def _file(folder: Path, point: Settings) -> Path:
    return folder / f"{point.name}.json"


def _here(points: list[Settings], folder: Path) -> Iterator[tuple[Settings, dict]]:
    for point in points:
        with resumable(point, _file(folder, point)) as kept:
            yield point, compute(point, kept)


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
                raise ConnectionError(f"{point.name} was given up: {error}") from error
            yield point, result
