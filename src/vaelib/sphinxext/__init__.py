"""The book's Sphinx extension, one part a module."""

from pathlib import Path

from sphinx.application import Sphinx

from vaelib import fingerprint
from vaelib.sphinxext import (
    claims,
    mathematics,
    printing,
    provenance,
    repository,
    statements,
    tidying,
    trainings,
    values,
)

PARTS = (
    trainings,
    statements,
    values,
    claims,
    provenance,
    mathematics,
    repository,
    printing,
    tidying,
)


def setup(app: Sphinx) -> dict:
    """Connect the parts to Sphinx."""
    for part in PARTS:
        part.setup(app)
    # When one of these files has changed, Sphinx reads and writes every page again.
    files = [*Path(__file__).parent.glob("*.py"), *Path(app.srcdir, "_static").glob("*")]
    digest = fingerprint.digest("".join(path.read_text("utf-8") for path in sorted(files)))
    return {
        "parallel_read_safe": True,
        "parallel_write_safe": True,
        "env_version": int(digest[:12], 16),
    }
