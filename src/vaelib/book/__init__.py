"""How results become pages: the book's Sphinx extension.

Nothing is imported before Sphinx calls :func:`setup`, so that notebooks can be executed without it.
"""

import gc
from pathlib import Path

MANY = 50_000  # new objects between two looks for garbage, instead of 700


def setup(app) -> dict:
    """Connect the parts to Sphinx, one a module."""
    # Trees of pages are large and stay: looking through them took a fifth of a warm build.
    gc.set_threshold(MANY)
    from vaelib.book import build
    from vaelib.book.directives import (
        claims,
        listings,
        losses,
        modules,
        provenance,
        statements,
        tables,
        values,
    )
    from vaelib.book.explorer import directive
    from vaelib.book.site import (
        bibliography,
        changed,
        formulas,
        icons,
        pdf,
        printing,
        repository,
        rules,
        tidying,
        typography,
    )
    from vaelib.plumbing.stale import digest

    written = (statements, values, tables, listings, losses, claims, provenance, modules, directive)
    site = (formulas, bibliography, repository, printing, pdf, rules, tidying, typography, icons)
    for part in (build, changed, *written, *site):
        part.setup(app)
    # When one of these files has changed, Sphinx reads and writes every page again.
    own = [path for path in Path(__file__).parent.rglob("*.*") if path.suffix != ".pyc"]
    files = [*own, *Path(app.srcdir, "_static").glob("*")]
    texts = "".join(path.read_text("utf-8") for path in sorted(files))
    return {
        "parallel_read_safe": True,
        "parallel_write_safe": True,
        "env_version": int(digest(texts)[:12], 16),
    }
