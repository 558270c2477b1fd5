"""Pages are read again when their files have other content, whatever the dates of the files say.

Sphinx compares dates. A copy may keep an older one, and a file system's clock may run behind. The
pages that show the sources are written again with the reference, whose pages depend on them.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from vaelib.plumbing.files import sha256

REFERENCE = "api/"


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("env-get-outdated", changed)
    app.connect("env-before-read-docs", forget_sources)
    app.connect("env-updated", remember)


def changed(app: Sphinx, env: BuildEnvironment, *dates: set[str]) -> list[str]:
    """Name the pages that were read when they, or what they show, had other content.

    The reference too, if what Sphinx writes last is not there: a build was killed at it.
    """
    known = getattr(env, "vaelib_contents", {})
    last = (Path(app.outdir, name) for name in ("_modules/index.html", "search.html"))
    killed = app.builder.format == "html" and not all(page.exists() for page in last)
    return [
        name
        for name in env.found_docs
        if name in known
        and (_content(env, name) != known[name] or (killed and name.startswith(REFERENCE)))
    ]


def forget_sources(app: Sphinx, env: BuildEnvironment, names: list[str]) -> None:
    """Remove the pages of sources if one of the reference is read again."""
    if any(name.startswith(REFERENCE) for name in names):
        shutil.rmtree(Path(app.outdir, "_modules"), ignore_errors=True)


def remember(app: Sphinx, env: BuildEnvironment) -> None:
    """Keep what was read, with what Sphinx itself keeps of it."""
    contents = {name: _content(env, name) for name in env.all_docs}
    env.vaelib_contents = contents  # type: ignore[attr-defined]


def _content(env: BuildEnvironment, name: str) -> dict[str, str]:
    """Return the SHA-256 of a page's file and of the files that it shows."""
    paths = (env.doc2path(name), *env.dependencies[name])
    files = {str(path): Path(env.srcdir, path) for path in paths}
    return {path: sha256(file) for path, file in files.items() if file.is_file()}
