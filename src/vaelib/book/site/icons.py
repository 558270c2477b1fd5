"""The icons that pages show, and no others: the theme brings two thousand, in four fonts.

A page would wait for a hundred kilobytes of names, and load another hundred and fifty for a dozen
of pictures.
"""

import re
from importlib.resources import files
from pathlib import Path

from sphinx.application import Sphinx

from vaelib.book.site.tidying import is_written
from vaelib.plumbing.files import write_bytes

THEME = "theme/pydata_sphinx_theme/static"
SHEET = "vendor/fontawesome/*/css/all.min.css"
FONT = "webfonts/fa-solid-900"
ICON = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
FACE = re.compile(r"@font-face\{[^}]*\}")
NAME = re.compile(r"\bfa-[\w-]+")
PRIVATE = re.compile(r"[\ue000-\uf8ff]|\\([ef][0-9a-f]{3})\b")  # how other sheets name an icon
OWN_FACE = (
    "@font-face{font-display:block;font-family:Font Awesome\\ 6 Free;font-style:normal;"
    f'font-weight:900;src:url(../{FONT}.woff) format("woff")}}'
)


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("build-finished", choose, priority=901)


def choose(app: Sphinx, error: Exception | None) -> None:
    """Replace the theme's sheet of icons, and its fonts, by what the pages ask for."""
    if error or not is_written(app):
        return
    static = Path(app.outdir, "_static")
    (whole,) = Path(str(files("pydata_sphinx_theme") / THEME)).glob(SHEET)
    pages = (path.read_text("utf-8") for path in Path(app.outdir).rglob("*.html"))
    names = {name for page in pages for name in NAME.findall(page)}
    sheet, letters = chosen(whole.read_text("utf-8"), names)
    target = static / whole.relative_to(whole.parents[4])
    if target.read_text("utf-8") == sheet:
        return
    from fontTools import subset  # a tenth of a second, which most builds do not need
    from fontTools.ttLib import TTFont

    others = [*static.glob("*.css"), *static.glob("styles/*.css")]
    found = (icon for path in others for icon in PRIVATE.finditer(path.read_text("utf-8")))
    letters |= {chr(int(icon[1], 16)) if icon[1] else icon[0] for icon in found}
    font = TTFont(whole.parents[1] / f"{FONT}.ttf", recalcTimestamp=False)
    few = subset.Subsetter()
    few.populate(unicodes=map(ord, letters))
    few.subset(font)
    font.flavor = "woff"
    fonts = target.parents[1] / "webfonts"
    for path in fonts.iterdir():
        path.unlink()
    font.save(fonts / f"{Path(FONT).name}.woff")
    write_bytes(sheet.encode(), target)


def chosen(sheet: str, names: set[str]) -> tuple[str, set[str]]:
    """Return a sheet of icons with those of some names, in one font; and their letters in it."""
    letters = set()

    def keep(found: re.Match[str]) -> str:
        if names.isdisjoint(NAME.findall(found[1])):
            return ""
        letters.add(chr(int(found[2], 16)))
        return found[0]

    return OWN_FACE + ICON.sub(keep, FACE.sub("", sheet)), letters
