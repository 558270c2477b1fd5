"""The command line: ``vaelib data``, ``vaelib train``, ``vaelib runs`` and ``vaelib sweep``."""

from pathlib import Path

import click

from vaelib import artifacts, notebooks
from vaelib.mnist import DataError, obtain
from vaelib.names import require
from vaelib.recipes import RECIPES

FOLDER = click.Path(file_okay=False, path_type=Path)


class Failure(click.ClickException):
    """An error that the user can mend: one sentence, exit code 1."""


@click.group()
def main():
    """Variational autoencoders on MNIST: data, trainings, and the runs of the book."""


@main.command()
@click.option("--folder", type=FOLDER, help="Data folder.  [default: VAELIB_DATA, or the cache]")
def data(folder: Path | None):
    """Fetch MNIST if it is not there, and verify it."""
    try:
        click.echo(obtain(folder))
    except DataError as error:
        raise Failure(str(error)) from error


@main.command()
@click.option("--loss", default="bce", show_default=True, help="Reconstruction loss: bce or mse.")
@click.option("--kl", default="mean", show_default=True, help="KL reduction: sum or mean.")
@click.option("--recipe", default="report", show_default=True, help=f"One of {', '.join(RECIPES)}.")
@click.option("--seed", default=0, show_default=True)
@click.option("--latent-dim", default=2, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--output", type=FOLDER, help="Folder of the run.  [default: a new one in by-hand/]")
@click.option("--data-folder", type=FOLDER, help="[default: VAELIB_DATA, or the cache]")
def train(loss, kl, recipe, seed, latent_dim, device, output, data_folder):
    """Train one model; leave its weights, history, losses and environment in a folder."""
    from vaelib import runs  # imports torch, which takes a second or two

    try:
        settings = runs.Settings(loss, kl, recipe, seed, latent_dim, device)
        output = output or runs.folder_by_hand(settings)
        run = runs.train_run(settings, output, data_folder)
    except (ValueError, FileExistsError, FloatingPointError, DataError) as error:
        raise Failure(str(error)) from error
    test = run.losses["test"]
    click.echo(
        f"test: total {test['total']:.3f} = reconstruction {test['reconstruction']:.3f} "
        f"+ KL {test['kl']:.3f}, per image"
    )
    click.echo(f"saved in {output}")


@main.command()
@click.argument("names", nargs=-1)
@click.option(
    "--recipe",
    default=notebooks.recipe_from_environment,
    show_default="VAELIB_RECIPE, or report",
    help="Recipe of the trainings.",
)
@click.option("--list", "only_list", is_flag=True, help="Say what is stale; make nothing.")
def runs(names: tuple[str, ...], recipe: str, only_list: bool):
    """Make the book's runs NAMES and what they need, where stale; all if none is named."""
    try:
        book = artifacts.find_book()
        known = notebooks.read_runs(book, recipe)
        for name in names:
            require("run", name, known)
        if not only_list:
            notebooks.make(known, book, list(names))
        for name in names or known:
            reason = notebooks.why_stale(known[name], book / "runs")
            click.echo(f"{name:10} {reason or 'fresh'}")
    except (notebooks.RunError, FileNotFoundError, ValueError, DataError) as error:
        raise Failure(str(error)) from error


@main.command()
@click.option("--scheduler", default="", help="Address of a Dask scheduler.  [default: none]")
@click.option("--list", "only_list", is_flag=True, help="Say what has no record; compute nothing.")
def sweep(scheduler: str, only_list: bool):
    """Compute the trainings of the chapter on the reproduction that have no record yet."""
    from vaelib import summary, sweep  # import torch, which takes a second or two

    try:
        book = artifacts.find_book()
        folder = book / "recorded" / "runs"
        points = sweep.book_points()
        if only_list:
            for point in sweep.missing(points, folder):
                click.echo(sweep.name_of(point))
        else:
            for name in sweep.record(points, folder, scheduler):
                click.echo(f"recorded {name}")
            artifacts.write_json(summary.summarise(book), book / "recorded" / "reproduction.json")
    except (ValueError, FloatingPointError, DataError, ImportError, OSError) as error:
        raise Failure(str(error)) from error
