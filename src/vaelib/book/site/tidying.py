"""Take out of the written pages what the theme and its companions put there and no reader needs."""

import re
from pathlib import Path

from sphinx.application import Sphinx

UNWANTED = (
    # A page that was opened from a file may not preload fonts: the browser reports an error.
    re.compile(r'<link rel="preload" as="font"[^>]*>\n?'),
    # Thebe would run cells on another host; its constants stand there twice, which is an error.
    re.compile(r"<script>const THEBE_JS_URL.*?</script>\n?", re.DOTALL),
    re.compile(r"<script[^>]*sphinx-thebe\.js[^>]*></script>\n?"),
    # ARIA 1.3 withdrew the role that docutils gives to the entries of the bibliography, and the
    # list has links between its entries, which a list may not.
    re.compile(r' role="doc-biblioentry"'),
    re.compile(r'(?<=<div) role="list"(?= class="citation-list")'),
)


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("build-finished", tidy)


def tidy(app: Sphinx, error: Exception | None) -> None:
    """Tidy the pages of the book, those of earlier builds included."""
    if error or app.builder.format != "html":
        return
    for name in (*app.env.found_docs, "genindex", "search"):
        page = Path(app.outdir, f"{name}.html")
        text = tidied = page.read_text(encoding="utf-8")
        for pattern in UNWANTED:
            tidied = pattern.sub("", tidied)
        if tidied != text:
            page.write_text(tidied, encoding="utf-8")
