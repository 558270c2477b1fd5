"""The book's Sphinx extension: run what is stale, numbers in the prose, offline mathematics."""

from sphinx.application import Sphinx

from vaelib.sphinxext import (
    claims,
    mathematics,
    printing,
    repository,
    statements,
    trainings,
    values,
)


def setup(app: Sphinx) -> dict:
    """Connect the parts to Sphinx."""
    for part in (trainings, statements, values, claims, mathematics, repository, printing):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
