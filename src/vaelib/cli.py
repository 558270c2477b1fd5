"""The command line: ``vaelib train``, ``explore``, ``data``, ``notebook``, ``build``, ``sweep``."""

import os
from pathlib import Path

import click

from vaelib.build.notebooks import NotebookError
from vaelib.data.mnist import DataError, obtain
from vaelib.plumbing.checks import in_words, require
from vaelib.plumbing.files import DamagedError, require_writable
from vaelib.plumbing.interruption import end_as_interrupted
from vaelib.plumbing.lines import show_lines
from vaelib.plumbing.machine import usable_cores
from vaelib.plumbing.places import (
    EXECUTED,
    RECORDS,
    by_hand,
    find_book,
    require_own_library,
    require_readable,
    run_folder,
)
from vaelib.training.recipes import RECIPES, recipe_from_environment

FOLDER = click.Path(file_okay=False, path_type=Path)
OURS = (DataError, DamagedError, NotebookError)
MENDABLE = (ValueError, ArithmeticError, OSError, ImportError, *OURS)
"""What the user can mend; it ends in one sentence and exit code 1."""


class Door(click.Group):
    """The commands, whose errors are one sentence each."""

    def invoke(self, context: click.Context) -> object:
        """Call a command."""
        end_as_interrupted()
        show_lines()
        try:
            return super().invoke(context)
        except MENDABLE as error:
            raise click.ClickException(in_words(error)) from error


def named(context: click.Context, option: click.Parameter, value: Path | None) -> Path | None:
    """Refuse an empty path, which would be the current folder."""
    if value is not None and str(value) == ".":
        raise click.BadParameter("it is empty, or the current folder; expected the name of another")
    return value


@click.group(cls=Door)
@click.version_option(package_name="vaelib")
def main():
    """Variational autoencoders of small grey images: trainings, and the notebooks of the book."""


DATA = click.option(
    "--data",
    "source",
    default="",
    help="A .npz file or a folder of IDX files.  [default: what the recipe names]",
)


@main.command()
def data():
    """Fetch MNIST if it is not in the data folder, and verify it."""
    click.echo(obtain())


@main.command()
@click.option(
    "--loss",
    default="bce",
    show_default=True,
    help="bce, cb, cb-levels, mse, gaussian, odds, logistic.",
)
@click.option("--beta", default=0.5, show_default=True, help="Weight of the KL divergence.")
@click.option("--recipe", default="report", show_default=True, help=f"One of {', '.join(RECIPES)}.")
@click.option("--seed", default=0, show_default=True)
@click.option("--latent-dim", default=2, show_default=True)
@click.option("--units", default=16, show_default=True, help="Of the encoder's dense layer.")
@click.option("--epochs", type=int, help="At most.  [default: the recipe's]")
@DATA
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option(
    "--output",
    type=FOLDER,
    callback=named,
    help="Folder of the run; the same command again goes on with a training that was interrupted.  "
    "[default: a new one in by-hand/]",
)
def train(loss, beta, recipe, seed, latent_dim, units, epochs, source, device, output):
    """Train one model; leave its weights, history, losses and environment in a folder."""
    # PyTorch itself takes a thread for each core of the machine, also where a container has fewer.
    os.environ.setdefault("OMP_NUM_THREADS", str(usable_cores()))
    # These import it, which takes a second or two.
    from vaelib.data.load import load_data
    from vaelib.training import folder
    from vaelib.training import run as runs
    from vaelib.training.settings import Settings
    from vaelib.vae.reconstruction import RECONSTRUCTION_LOSSES

    require("--loss", loss, RECONSTRUCTION_LOSSES)
    require("recipe", recipe, RECIPES)
    followed = RECIPES[recipe].replace(epochs=epochs) if epochs is not None else recipe
    settings = Settings(loss, beta, followed, seed, latent_dim, device, units)
    settings.torch_device()
    name = f"{Path(source).stem}-{settings.name}" if source else settings.name
    output = output or by_hand(name)
    folder.require_free(output)
    data = load_data(source or settings.recipe_settings.data)
    require_writable(output)
    with runs.resumable(settings, data.fingerprint, output) as kept:
        run = runs.train(settings, data, kept)
        folder.save_run(run, output)
    test = run.losses["test"]
    click.echo(
        f"test: total {test['total']:.3f} = reconstruction {test['reconstruction']:.3f} "
        f"+ KL {test['kl']:.3f}, per image"
    )
    click.echo(f"saved in {output}")


@main.command()
@click.argument("run")
@DATA
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default="explorer.html",
    show_default=True,
    help="The page, one file, which opens without a network.",
)
def explore(run: str, source: str, output: Path):
    """Write the explorer's page for RUN: the folder of a run, or the name of one of the book's."""
    from vaelib.book.explorer.single import explore
    from vaelib.training.folder import load_run
    from vaelib.training.origin import data_of

    trained = load_run(run_folder(run, ""))
    explore(trained, data_of(trained, source), output)
    click.echo(f"saved in {output}")


@main.command()
@click.argument("template")
@click.option(
    "-p", "--parameter", "given", nargs=2, multiple=True, help="Name and value; may be repeated."
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def notebook(template: str, given: tuple[tuple[str, str], ...], output: Path):
    """Execute the template TEMPLATE (model, train, compare or evidence) by hand."""
    from vaelib.build import by_hand  # needs the extra `book`

    by_hand.execute_by_hand(template, dict(given), output)
    click.echo(f"saved in {output}")


@main.command()
@click.argument("names", nargs=-1)
@click.option(
    "--recipe",
    default=recipe_from_environment,
    show_default="VAELIB_RECIPE, or report",
    help="Recipe of the trainings.",
)
@click.option("--list", "only_list", is_flag=True, help="Say what is stale; execute nothing.")
def build(names: tuple[str, ...], recipe: str, only_list: bool):
    """Execute the book's notebooks NAMES and what they need, where stale; all if none is named."""
    from vaelib.build import execute, notebooks  # need the extra `book`
    from vaelib.build.alone import alone

    book = find_book()
    require_readable(book)
    require_own_library(book)
    known = notebooks.read_notebooks(book, recipe)
    for name in names:
        require("notebook", name, known)
    if not only_list:
        with alone(book):
            execute.make(known, book, list(names))
    for name in names or known:
        reason = known[name].why_stale(book / EXECUTED)
        click.echo(f"{name:10} {reason or 'fresh'}")


@main.command()
@click.option("--scheduler", default="", help="Address of a Dask scheduler.  [default: none]")
@click.option(
    "--list",
    "only_list",
    is_flag=True,
    help="Say of every part whether it is fresh; compute nothing.",
)
@click.option(
    "--replay",
    "only_replay",
    is_flag=True,
    help="Repeat a little of what was recorded, and renew the stamps of what agrees.",
)
def sweep(scheduler: str, only_list: bool, only_replay: bool):
    """Compute what is not fresh of the book's recorded trainings, and nothing else."""
    from vaelib.study import design, freshness, grid, replay  # import torch, which takes a second

    folder = find_book() / RECORDS
    trainings = design.trainings()
    if only_list:
        states = freshness.states(trainings, folder)
        for name, parts in states.items():
            for part, reason in parts.items():
                click.echo(f"{name:35} {part:10} {reason or 'fresh'}")
        reasons = [reason for parts in states.values() for reason in parts.values()]
        fresh = reasons.count("")
        click.echo(f"{len(reasons)} parts: {fresh} fresh, {len(reasons) - fresh} to be made")
        return
    done = replay.replay(folder) if only_replay else grid.record(trainings, folder, scheduler)
    for line in done:
        click.echo(line)
