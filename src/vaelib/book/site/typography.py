"""Numbers as they are set, in text and in columns of tables; the language of a page."""

import re
from itertools import groupby

from docutils import nodes
from sphinx.application import Sphinx

FIXED = (nodes.FixedTextElement, nodes.literal, nodes.math, nodes.math_block, nodes.raw)
NUMBER = re.compile(r"−?[\d,]+(\.\d+)?(\s%)?")
BEGINNING = re.compile(r"(−?[\d,]+)(\.\d+)?(\s%)?(\s\(|$)")  # of an interval with its middle
SPACE, WIDE = "\N{NO-BREAK SPACE}", "\N{FIGURE SPACE}"
RULES = (
    (re.compile(r"(?<![^\s(\[])-(?=\.?\d)"), "\N{MINUS SIGN}"),
    (re.compile(r"(?<=[\d.]) ?%"), f"{SPACE}%"),
    (re.compile(r"(?<=[\d%])\sto\s(?=[−\d])"), f"{SPACE}to{SPACE}"),
    (re.compile(r"(?<=\d)e([+-])0*(\d+)"), lambda e: _power(e[1] + e[2])),
)
IN_LINES = (  # but not in the narrow cells of tables
    (re.compile(r"(?<=[\d%])\s(?=\([−\d.,]+(\s%)?\sto\s)"), SPACE),  # a middle and its bounds
    (re.compile(r"\s±\s"), f"{SPACE}±{SPACE}"),
    (
        re.compile(r"((?<=\d)|^)\s(?=(nats|bits|ms|s|kB|MB|GB|GFLOP)\b)"),
        SPACE,
    ),  # or after a formula
)
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "+")  # without the sign +


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", set_numbers)
    app.connect("doctree-resolved", align_numbers, priority=600)  # after they are set
    app.connect("html-page-context", name_language)


def set_numbers(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Set the numbers of a page, but for those in code and formulas."""
    for parent in list(doctree.findall(nodes.TextElement)):
        if isinstance(parent, FIXED):
            continue
        rules = RULES if _in_table(parent) else RULES + IN_LINES
        parts: list[nodes.Node] = []
        # A role and the end of a line begin a new piece of text; rules are for the whole.
        for is_text, run in groupby(parent.children, lambda part: isinstance(part, nodes.Text)):
            found = list(run)
            parts += [nodes.Text(as_set("".join(found), rules))] if is_text else found
        parent[:] = parts


def align_numbers(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Let digits stand below each other: mark columns of numbers, fill up the middles' columns."""
    for table in doctree.findall(nodes.tgroup):
        rows = (row.children for row in table.findall(nodes.row))
        for column in zip(*rows, strict=False):
            if all(NUMBER.fullmatch(cell.astext()) for cell in column[1:]):
                for cell in column:
                    cell["classes"].append("number")
                continue
            begun = [BEGINNING.match(cell.astext()) for cell in column[1:]]
            places = [len(number[1]) for number in begun if number]
            if len(places) == len(begun):
                for cell, own in zip(column[1:], places, strict=True):
                    text = next(cell.findall(nodes.Text))
                    text.parent.replace(text, nodes.Text(WIDE * (max(places) - own) + text))


def name_language(app: Sphinx, pagename: str, template: str, context: dict, doctree) -> None:
    """Tell screen readers the language of a page whose front matter names one."""
    language = app.env.metadata[pagename].get("lang")
    if language:
        context["body"] = f'<div lang="{language}">{context["body"]}</div>'


def as_set(text: str, rules: tuple = RULES) -> str:
    """Return a text with its numbers as they are set."""
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


def _power(exponent: str) -> str:
    return f"{SPACE}·{SPACE}10{exponent.translate(RAISED)}"


def _in_table(node: nodes.Node) -> bool:
    while node and not isinstance(node, nodes.entry):
        node = node.parent
    return bool(node)
