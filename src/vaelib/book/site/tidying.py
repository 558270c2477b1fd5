"""Take out of the written site what no reader needs, and mend what keeps some readers out."""

import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.build_phase import BuildPhase

from vaelib.book.site.loading import sooner

UNWANTED = (
    # A page that was opened from a file may not preload fonts: the browser reports an error.
    re.compile(r'<link rel="preload" as="font"[^>]*>\n?'),
    # Thebe would run cells on another host; its constants stand there twice, which is an error.
    re.compile(r"<script>const THEBE_JS_URL.*?</script>\n?", re.DOTALL),
    re.compile(r"<script[^>]*sphinx-thebe\.js[^>]*></script>\n?"),
    # Half a megabyte that draws the icons a second time: the style sheet has them.
    re.compile(r"<script[^>]*/fontawesome/[^>]*></script>\n?"),
    # ARIA 1.3 withdrew the role that docutils gives to the entries of the bibliography, and the
    # list has links between its entries, which a list may not.
    re.compile(r' role="doc-biblioentry"'),
    re.compile(r'(?<=<div) role="list"(?= class="citation-list")'),
    # sphinx-proof gives all proofs of a page one and the same id.
    re.compile(r'(?<=<div class="proof admonition") id="proof"'),
)
# What stands in a page → what takes its place.
MENDED = {
    # All proofs of a page come with one id, and so do its exercises and its solutions.
    '" id="proof-content"': '"',
    '<section id="exercise-content">': "<section>",
    '<section id="solution-content">': "<section>",
    # And the space before a link is underlined as a part of it.
    "Solution to<a ": "Solution to <a ",
    '"> Exercise ': '">Exercise ',
    # A table that is wider than its place scrolls; without a mouse, only what has the focus does.
    '<div class="pst-scrollable-table-container">': (
        '<div class="pst-scrollable-table-container" tabindex="0">'
    ),
    # What opens the list of the pages below another has an icon, and no name.
    '<summary><span class="toctree-toggle"': (
        '<summary aria-label="The pages below"><span class="toctree-toggle"'
    ),
}
# Pygments marks names, punctuation and spaces too, which have the colour of what is not marked.
UNCOLOURED = re.compile(r'<span class="[npw]">([^<]*)</span>')
OTHERS = ("index", "404", "genindex", "search")  # pages that are none of the book's
# In ``_static``: what only developers of the theme or browsers of long ago ask for.
UNASKED = ("**/*.map", "vendor/fontawesome/*/js", "vendor/fontawesome/*/webfonts/*.ttf", "locales")


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("build-finished", tidy, priority=900)  # after the theme, which writes a sheet then


def tidy(app: Sphinx, error: Exception | None) -> None:
    """Tidy the pages of the book, those of earlier builds included, and remove unasked files."""
    if error or not is_written(app):
        return
    for name in (*app.env.found_docs, "genindex", "search", *sources(app)):
        page = Path(app.outdir, f"{name}.html")
        text = tidied = page.read_text(encoding="utf-8")
        for pattern in UNWANTED:
            tidied = pattern.sub("", tidied)
        for old, new in MENDED.items():
            tidied = tidied.replace(old, new)
        tidied = sooner(UNCOLOURED.sub(r"\1", tidied), Path(app.outdir, "_static"))
        if tidied != text:
            page.write_text(tidied, encoding="utf-8")
    remove_unasked(app)


def is_written(app: Sphinx) -> bool:
    """Say whether this build has written pages of HTML: if nothing has changed, it writes none."""
    return app.builder.format == "html" and app.phase is not BuildPhase.READING


def sources(app: Sphinx) -> list[str]:
    """Name the pages that ``sphinx.ext.viewcode`` made: a module each, and a list of them."""
    modules = getattr(app.env, "_viewcode_modules", {}).items()
    pages = [f"_modules/{name.replace('.', '/')}" for name, found in modules if found]
    return [*pages, "_modules/index"] if pages else []


def remove_unasked(app: Sphinx) -> None:
    """Remove files that no page asks for: of the theme, and those of earlier builds, with pages."""
    site = Path(app.outdir)
    unasked = [path for pattern in UNASKED for path in site.glob(f"_static/{pattern}")]
    pages = {site / f"{name}.html" for name in (*app.env.found_docs, *OTHERS, *sources(app))}
    found = (path for path in site.rglob("*.html") if path.relative_to(site).parts[0] != "_static")
    unasked += [path for path in found if path not in pages]
    asked = {name for _, name in app.env.images.values()}
    unasked += [path for path in site.glob("_images/*") if path.name not in asked]
    asked = {name for _, name in app.env.dlfiles.values()}
    unasked += [
        path
        for path in site.glob("_downloads/*/*")
        if f"{path.parent.name}/{path.name}" not in asked
    ]
    for path in unasked:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
