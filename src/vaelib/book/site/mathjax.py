"""MathJax from the built site itself, so that no page needs a network."""

import shutil
from importlib import metadata
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

PACKAGE = "sphinx-mathjax-offline"  # ships MathJax 3; its own extension copies much more
PARTS = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")
UNASKED = shutil.ignore_patterns("all-packages.js")  # pages load single extensions


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", use_local_copy)
    app.connect("build-finished", copy_mathjax)


def use_local_copy(app: Sphinx, config: Config) -> None:
    """Point the pages to the copy."""
    config["mathjax_path"] = f"mathjax/{PARTS[0]}"


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Copy what the pages need of MathJax (2 MB) to ``_static/mathjax``."""
    if error or app.builder.format != "html":
        return
    source = Path(str(metadata.distribution(PACKAGE).locate_file(PACKAGE))) / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for part in PARTS:
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part, ignore=UNASKED, dirs_exist_ok=True)
        else:
            shutil.copyfile(source / part, target / part)
