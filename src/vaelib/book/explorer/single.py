"""The explorer of one run as a page of its own: one file, which opens without a network."""

import html
import os
from pathlib import Path

from vaelib.book.explorer.export import script
from vaelib.book.explorer.join import HERE, joined, markup
from vaelib.data.dataset import ImageSet
from vaelib.measure.explored import measure_explored
from vaelib.plumbing.files import write_bytes
from vaelib.training.folder import Run
from vaelib.training.run import model_of
from vaelib.vae.thresholds import GAPS

SHOWN = ("bce", "mse", *GAPS)


def explore(run: Run, data: ImageSet, page: str | os.PathLike[str]) -> None:
    """Write the page on which one draws an image and sees its posterior under a run's model.

    Args:
        run: with two latent dimensions, trained with one of ``SHOWN``.
        data: what it was trained on; with labels, from 0 to 9, the codes have colours.
        page: a file that does not exist yet.

    Raises:
        ValueError: a model that the page cannot show.
        FileExistsError: the file is there.

    >>> import pathlib, tempfile, vaelib
    >>> data = vaelib.load_data("synthetic")
    >>> run = vaelib.train(vaelib.Settings("bce", beta=1.0, recipe="smoke"), data)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = pathlib.Path(folder, "explorer.html")
    ...     vaelib.explore(run, data, page)
    ...     "explorerRuns" in page.read_text()
    True
    """
    page = Path(page)
    if page.exists():
        raise FileExistsError(f"{page} is there already: choose another name")
    loss = run.settings.reconstruction_loss
    if loss not in SHOWN:
        raise ValueError(
            f"the run was trained with {loss!r}; expected one whose likelihood the page computes: "
            f"{', '.join(SHOWN)}"
        )
    name = f"{data.name}-{run.settings.name}"
    shown = measure_explored(model_of(run), run.settings.objective, data, run.settings.seed)
    parts = {
        "title": html.escape(name),
        "style": (HERE / "explorer.css").read_text(encoding="utf-8"),
        "markup": markup([name]),
        "data": script(name, shown),
        "script": joined(HERE / "script", "main"),
    }
    text = (HERE / "single.html").read_text(encoding="utf-8")
    for part, content in parts.items():
        text = text.replace(f"<!-- {part} -->", content)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(text.encode(), page)
