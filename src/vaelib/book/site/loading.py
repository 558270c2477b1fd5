"""Let a page appear soon, and stay: few style sheets, deferred scripts, images with a size.

A browser paints nothing before it has the style sheets, each at the price of a round trip, and
stops at every script that is not deferred. Large sheets stay apart, and come side by side. What
has no size moves the text below it when it comes.
"""

import os
import re
from itertools import groupby
from pathlib import Path

from vaelib.plumbing.files import write_bytes
from vaelib.plumbing.stale import digest

LARGE = 20_000  # bytes of a sheet
JOINED = "joined-"  # begins the names of files with several sheets
OWN = "explorer/"  # folder of what a single page asks for
LINK = re.compile(r'<link (?=[^>]*"stylesheet")[^>]*href="((?:\.\./)*_static/)([^"?]*)[^>]*>\n?')
IMPORT = re.compile(r'@import (?:url\()?"([^":]+)"\)?;')
ADDRESS = re.compile(r"""url\(\s*["']?(?!data:|#)([^"')]+)["']?\s*\)""")
SCRIPT = re.compile(r"<script (?![^>]*\bdefer\b)(?=[^>]*\bsrc=)")
# They ask for scripts that stand at the end of the page, before what is needed for its beginning.
PRELOAD = re.compile(r'<link rel="preload" as="script"[^>]*>\n?')
# Of the page's name only a choice of versions would know. It would have to wait for a script.
NAME = re.compile(r"<script>DOCUMENTATION_OPTIONS\.pagename[^<]*</script>\n?")

IMAGE = re.compile(r'<img (?![^>]*\bwidth=)(?=[^>]*src="[^"]*_images/([^"]+\.svg)")')
SIZE = re.compile(r'<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"')


def sooner(page: str, static: Path) -> str:
    """Return a page with its small style sheets joined, neighbours in a file, and all the rest.

    Args:
        page: its text, as Sphinx wrote it or as this function returned it.
        static: the folder ``_static`` of the site.
    """
    shared = (link for link in LINK.finditer(page) if not link[2].startswith(OWN))
    for small, links in groupby(shared, lambda link: _is_small(link[2], static)):
        if not small:
            continue
        group = list(links)
        name = f"{JOINED}{digest(' '.join(link[2] for link in group))[:8]}.css"
        sheets = "\n".join(_sheet(static / link[2], static) for link in group)
        write_bytes(sheets.encode(), static / name)
        page = page.replace(group[0][0], f'<link rel="stylesheet" href="{group[0][1]}{name}" />\n')
        for link in group[1:]:
            page = page.replace(link[0], "")
    page = IMAGE.sub(lambda found: _sized(static.parent / "_images" / found[1]), page)
    return SCRIPT.sub("<script defer ", NAME.sub("", PRELOAD.sub("", page)))


def _sized(image: Path) -> str:
    size = SIZE.search(image.read_text("utf-8"))
    if not size:
        return "<img "
    width, height = (round(float(points) * 4 / 3) for points in size.groups())
    return f'<img width="{width}" height="{height}" '


def _is_small(name: str, static: Path) -> bool:
    return not name.startswith(JOINED) and (static / name).stat().st_size < LARGE


def _sheet(file: Path, static: Path) -> str:
    """Return a style sheet with what it imports and with addresses as seen from ``static``."""
    place = os.path.relpath(file.parent, static)

    def seen(address: re.Match[str]) -> str:
        return f'url("{os.path.normpath(f"{place}/{address[1]}")}")'

    texts = IMPORT.split(file.read_text("utf-8"))  # between them, names of what is imported
    return "".join(
        _sheet(file.parent / text, static) if n % 2 else ADDRESS.sub(seen, text)
        for n, text in enumerate(texts)
    )
