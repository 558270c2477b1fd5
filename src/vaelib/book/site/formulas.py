"""Formulas as MathML, set when a page is written, and the font that shows them."""

import html
import re
import unicodedata
from functools import cache
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes
from dukpy import JSInterpreter, JSRuntimeError
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from vaelib.book.site.tidying import is_written

FONT = "ziamath/fonts/STIXTwoMath-Regular.ttf"  # by the Open Font License
FORMULA = re.compile(r"<math\b.*?</math>", re.DOTALL)
SURPLUS = re.compile(r' xmlns="[^"]*"|</?semantics>|<annotation\b.*?</annotation>', re.DOTALL)
ALPHABET = re.compile(r'<mi mathvariant="(double-struck|script)">(\w)</mi>')
SIGN = re.compile(r"(<mo[^>]*>[=<>≤≥(\[,]</mo>)<mo>(?=−)")  # of what follows, not a difference
ENDS = r"(?:</(?:mi|mn|msub|msup|msubsup|mfrac|mover)>|[)\]]</mo>)"
BEFORE = re.compile(ENDS + "(?=<mi>[a-z]+</mi><mo>\N{FUNCTION APPLICATION})")  # what it times
APPLIED = re.compile("<mo>\N{FUNCTION APPLICATION}</mo>(?!<mo[^>]*>[(\\[])")  # to no bracket
THIN = '<mspace width="0.1667em"/>'
WIDE = {"1em", "2em"}  # of a space that parts a formula from a remark
SPLITTING = {*"=<>≤≥+−∼→∝"}  # a formula may continue with one of them on another line


def setup(app: Sphinx) -> None:
    """Register the renderer, which ``_config.yml`` chooses, and connect to Sphinx."""
    app.add_config_value("math_macros", {}, "env")
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    app.connect("build-finished", bring_font)


def visit_inline(writer: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    start = writer.starttag(node, "span", "", CLASS="math notranslate nohighlight")
    writer.body.append(f"{start}{_formula(writer, node, node.astext(), block=False)}</span>")
    raise nodes.SkipNode


def visit_display(writer: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula that stands by itself, with its number."""
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    tex = node.astext()
    if r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    writer.body.append(f"{_formula(writer, node, tex, block=True)}</div>\n")
    raise nodes.SkipNode


def _formula(writer: HTML5Translator, node: nodes.Element, tex: str, block: bool) -> str:
    macros = tuple(writer.config["math_macros"].items())
    try:
        return mathml(tex, block, macros)
    except ValueError as error:
        raise ExtensionError(f"{node.source}:{node.line}: {error}") from error


@cache
def mathml(tex: str, block: bool, macros: tuple[tuple[str, str], ...] = ()) -> str:
    """Convert a formula of LaTeX to MathML, by KaTeX.

    Args:
        tex: the formula.
        block: it stands by itself.
        macros: pairs of a command, without its backslash, and what it stands for.

    Raises:
        ValueError: it cannot be read.
    """
    options = {
        "displayMode": block,
        "output": "mathml",
        "strict": "error",
        "macros": {f"\\{name}": text for name, text in macros},
    }
    try:
        converted = _katex().evaljs(
            "katex.renderToString(dukpy['tex'], dukpy['options'])", tex=tex, options=options
        )
    except JSRuntimeError as error:
        fault = str(error).partition("ParseError: ")[2].splitlines()[0]
        raise ValueError(f"the formula {tex} cannot be read: {fault}") from error
    (formula,) = FORMULA.findall(converted)
    return _in_pieces(_for_browsers(SURPLUS.sub("", formula)))


def _for_browsers(formula: str) -> str:
    """Say what browsers no longer take from attributes, or have never guessed as LaTeX does."""
    formula = ALPHABET.sub(_letter, formula)
    formula = SIGN.sub(r'\1<mo form="prefix">', formula)
    return APPLIED.sub(r"\g<0>" + THIN, BEFORE.sub(r"\g<0>" + THIN, formula))


def _letter(found: re.Match[str]) -> str:
    alphabet, letter = found[1].upper(), found[2]
    case = "CAPITAL" if letter.isupper() else "SMALL"
    name = f"{alphabet} {case} {letter.upper()}"
    try:
        return f"<mi>{unicodedata.lookup(f'MATHEMATICAL {name}')}</mi>"
    except KeyError:  # it is older than the alphabet
        return f"<mi>{unicodedata.lookup(name)}</mi>"


def _in_pieces(formula: str) -> str:
    """Make rows of what belongs together, so that a narrow page can set them below each other."""
    root = ElementTree.fromstring(formula)
    row = root.find("./mrow")
    if row is None or not root.get("display"):
        return formula
    pieces: list[list[ElementTree.Element]] = [[]]
    depth = 0
    for child in list(row):
        row.remove(child)
        sign = child.text if child.tag == "mo" else ""
        depth += (sign in {*"(["}) - (sign in {*")]"})
        splits = sign in SPLITTING and not child.get("form")
        if not depth and pieces[-1] and (splits or child.get("width") in WIDE):
            pieces.append([])
            if splits:
                child.set("form", "infix")
        pieces[-1].append(child)
    for piece in pieces:
        ElementTree.SubElement(row, "mrow").extend(piece)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


@cache
def _katex() -> JSInterpreter:
    """Load KaTeX, which is JavaScript, into an interpreter of its own."""
    interpreter = JSInterpreter()
    program = files("sphinxcontrib").joinpath("katex.min.js").read_text("utf-8")
    interpreter.evaljs(f"var self = this; {program}; null")
    return interpreter


def bring_font(app: Sphinx, error: Exception | None) -> None:
    """Put the font beside the pages, with no more letters than their formulas have."""
    if error or not is_written(app):
        return
    pages = (path.read_text("utf-8") for path in Path(app.outdir).rglob("*.html"))
    formulas = (formula for page in pages for formula in FORMULA.findall(page))
    letters = letters_of(html.unescape("".join(set(formulas))))
    font, known = (Path(app.outdir, "_static", name) for name in ("formulas.woff", "formulas.txt"))
    if font.exists() and known.exists() and known.read_text("utf-8") == letters:
        return
    from fontTools import subset  # a tenth of a second, which most builds do not need
    from fontTools.ttLib import TTFont

    whole = TTFont(distribution("ziamath").locate_file(FONT), recalcTimestamp=False)
    chosen = subset.Subsetter(subset.Options(layout_features=["*"], name_IDs=["*"]))
    chosen.populate(text=letters)
    chosen.subset(whole)
    whole.flavor = "woff"
    whole.save(font)
    known.write_text(letters, "utf-8")


def letters_of(formulas: str) -> str:
    """List the characters of formulas in order, with those that browsers put there by themselves.

    They set names in italics, and draw the sign of a root.
    """
    written = set(re.sub(r"<[^>]*>", "", formulas))
    italics = {
        letter
        for letter in map(chr, (0x210E, *range(0x1D434, 0x1D7CC)))
        if unicodedata.name(letter, "").startswith(("MATHEMATICAL ITALIC", "PLANCK"))
        and unicodedata.normalize("NFKC", letter) in written
    }
    roots = {"√"} if "<msqrt>" in formulas or "<mroot>" in formulas else set()
    return "".join(sorted(written | italics | roots))
