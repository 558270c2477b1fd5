"""The command line: ``vaelib data``, ``train``, ``notebook``, ``build`` and ``sweep``."""

from pathlib import Path

import click

from vaelib.build.notebooks import NotebookError
from vaelib.digits.mnist import DataError, obtain
from vaelib.plumbing.checks import in_words, require
from vaelib.plumbing.files import DamagedError
from vaelib.plumbing.interruption import end_as_interrupted
from vaelib.plumbing.places import EXECUTED, RECORDS, find_book
from vaelib.training.recipes import RECIPES, recipe_from_environment

FOLDER = click.Path(file_okay=False, path_type=Path)
MENDABLE = (ValueError, ArithmeticError, OSError, ImportError)
MENDABLE += (DataError, DamagedError, NotebookError)
"""What the user can mend; it ends in one sentence and exit code 1."""


class Door(click.Group):
    """The commands, whose errors are one sentence each."""

    def invoke(self, context: click.Context) -> object:
        """Call a command."""
        end_as_interrupted()
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
def main():
    """Variational autoencoders on MNIST: data, trainings, and the notebooks of the book."""


@main.command()
@click.option(
    "--folder",
    type=FOLDER,
    callback=named,
    help="Data folder.  [default: VAELIB_DATA, or the cache]",
)
def data(folder: Path | None):
    """Fetch MNIST if it is not there, and verify it."""
    click.echo(obtain(folder))


@main.command()
@click.option(
    "--loss", default="bce", show_default=True, help="bce, cb, cb-levels, mse or gaussian."
)
@click.option("--beta", default=0.5, show_default=True, help="Weight of the KL divergence.")
@click.option("--recipe", default="report", show_default=True, help=f"One of {', '.join(RECIPES)}.")
@click.option("--seed", default=0, show_default=True)
@click.option("--latent-dim", default=2, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option(
    "--output",
    type=FOLDER,
    callback=named,
    help="Folder of the run; the same command again goes on with a training that was interrupted.  "
    "[default: a new one in by-hand/]",
)
def train(loss, beta, recipe, seed, latent_dim, device, output):
    """Train one model; leave its weights, history, losses and environment in a folder."""
    # These import PyTorch, which takes a second or two.
    from vaelib.digits.dataset import load
    from vaelib.training import folder
    from vaelib.training import run as runs
    from vaelib.training.settings import Settings

    settings = Settings(loss, beta, recipe, seed, latent_dim, device)
    settings.torch_device()
    output = output or settings.folder_by_hand()
    folder.require_free(output)
    digits = load(settings.recipe_settings.data)
    with runs.resumable(settings, output) as kept:
        run = runs.train(settings, digits, kept)
        folder.save(run, output)
    test = run.losses["test"]
    click.echo(
        f"test: total {test['total']:.3f} = reconstruction {test['reconstruction']:.3f} "
        f"+ KL {test['kl']:.3f}, per image"
    )
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

    by_hand.execute_by_hand(find_book(), template, dict(given), output)
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
    from vaelib.study import design, grid, records, replay  # import torch, which takes a second

    folder = find_book() / RECORDS
    trainings = design.trainings()
    if only_list:
        states = records.states(trainings, folder)
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
