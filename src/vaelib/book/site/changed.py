"""Pages are read again when their files have other content, whatever the dates of the files say.

Sphinx compares dates. A copy may keep an older one, and a file system's clock may run behind.
"""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from vaelib.plumbing.files import sha256


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("env-get-outdated", changed)
    app.connect("env-updated", remember)


def changed(app: Sphinx, env: BuildEnvironment, *dates: set[str]) -> list[str]:
    """Name the pages that were read when they, or what they show, had other content."""
    known = getattr(env, "vaelib_contents", {})
    return [name for name in env.found_docs if name in known and _content(env, name) != known[name]]


def remember(app: Sphinx, env: BuildEnvironment) -> None:
    """Keep what was read, with what Sphinx itself keeps of it."""
    contents = {name: _content(env, name) for name in env.all_docs}
    env.vaelib_contents = contents  # type: ignore[attr-defined]


def _content(env: BuildEnvironment, name: str) -> dict[str, str]:
    """Return the SHA-256 of a page's file and of the files that it shows."""
    paths = (env.doc2path(name), *env.dependencies[name])
    files = {str(path): Path(env.srcdir, path) for path in paths}
    return {path: sha256(file) for path, file in files.items() if file.is_file()}
