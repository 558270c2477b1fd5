"""The pages of the site as the chapters of a report in print."""

from importlib import metadata
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import start_of_file
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx_exercise.nodes import exercise_enumerable_node, solution_node
from sphinx_jupyterbook_latex.nodes import HiddenCellNode, RootHeader

from vaelib.plumbing.places import EXECUTED

UNPRINTED = ("api", "all-runs", f"{EXECUTED}/")  # pages that begin so are on the site only
WIDTH = "86%"  # of a figure, as a share of the text's
NARROW = {"aggregate": "48%", "encoder": "60%", "decoder": "60%", "fig-graph": "50%"}
NARROW |= {"latent-mean": "66%", "latent-sum": "66%", "fig-confusion": "52%", "fig-roofline": "70%"}
NARROW |= {"fig-prior-samples": "68%", "fig-own-plane": "56%"}
SHORT = 20  # lines of a cell that is not broken over two pages
LINKS = {"doc", "std-doc", "std-ref"}  # classes of the words that link to a chapter or a section
CAPTION = 6  # lines of a long caption of a table, with the space around it
EXERCISE = 5  # lines of an exercise that shall stand below its heading, with the space around it
HEADING = 3  # lines of a heading, with the space around it


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", share_macros)
    app.connect("config-inited", name_edition)
    app.connect("env-get-updated", number_as_on_site, priority=900)  # after Sphinx has counted
    app.connect("doctree-resolved", adapt_to_print)


def share_macros(app: Sphinx, config: Config) -> None:
    """Give LaTeX the macros of the site's mathematics, so that they are written once."""
    macros = config["math_macros"]
    config["latex_elements"]["preamble"] += "".join(
        f"\\providecommand{{\\{name}}}{{}}\\renewcommand{{\\{name}}}{{{text}}}\n"
        for name, text in macros.items()
    )


def name_edition(app: Sphinx, config: Config) -> None:
    """Print the library's version below the title."""
    config["release"] = metadata.version("vaelib")


def number_as_on_site(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Number theorems by chapter, as the site does; for LaTeX they come numbered by section."""
    if app.builder.format != "latex":
        return []
    for numbers in env.toc_fignumbers.values():
        for kind, by_id in numbers.items():
            if kind not in ("figure", "table", "code-block"):
                numbers[kind] = {
                    id: (number[0], count)
                    for count, (id, number) in enumerate(by_id.items(), start=1)
                }
    return []


def adapt_to_print(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn the pages of the site into the chapters of a report, in LaTeX only."""
    if app.builder.format != "latex":
        return
    leave_out_pages(doctree)
    leave_out_solutions(doctree)
    say_where_links_lead(doctree, app.env)
    put_lead_on_title_page(doctree)
    unwrap_proofs(doctree)
    unwrap_figures(doctree)
    keep_tables_together(doctree)
    keep_cells_together(doctree)
    keep_exercises_below_headings(doctree)
    size_images(doctree)
    pages = {page["docname"]: page for page in doctree.findall(start_of_file)}
    print_sources_once(doctree, pages["conclusion"])
    give_bibliography_its_number(pages["references"])


def leave_out_pages(doctree: nodes.document) -> None:
    """Leave out the pages that are on the site only, and the links to them, not their words."""
    for page in list(doctree.findall(start_of_file)):
        if page["docname"].startswith(UNPRINTED):
            page.parent.remove(page)
    for contents in list(doctree.findall(nodes.compound)):
        if not contents.children:  # nothing is left of this part
            part = contents.parent.parent
            part.parent.remove(part)
    targets = tuple(f"%{name}" for name in UNPRINTED)
    for link in list(doctree.findall(nodes.reference)):
        if link.get("refuri", "").startswith(targets):
            link.replace_self(link.children)


def leave_out_solutions(doctree: nodes.document) -> None:
    """Leave out the solutions of exercises, which the site folds."""
    for solution in list(doctree.findall(solution_node)):
        solution.parent.remove(solution)


def say_where_links_lead(doctree: nodes.document, env: BuildEnvironment) -> None:
    """Print the chapter's number and the page beside the first link of a chapter to another."""
    said = set()
    # The parents of a link do not lead to its chapter: Sphinx moves pages, and leaves theirs.
    chapters = {
        id(link): page["docname"]
        for page in doctree.findall(start_of_file)
        for link in page.findall(nodes.reference)
    }
    for link in list(doctree.findall(nodes.reference)):
        chapter = chapters.get(id(link), "")  # none on the first page
        inner, address = link.next_node(nodes.inline), link.get("refuri", "")
        if inner is None or not LINKS & set(inner["classes"]) or not address.startswith("%"):
            continue
        name, _, place = address.removeprefix("%").partition("#")
        if (chapter, name, place) in said:
            continue
        said.add((chapter, name, place))
        numbers = env.toc_secnumbers.get(name, {}).get("") if name != chapter else None
        spanish = env.metadata.get(chapter, {}).get("lang") == "es"
        words = ("cap.", "pág.") if spanish else ("ch.", "p.")
        page = rf"{words[1]}~\pageref{{\detokenize{{{name}:{place or ':doc'}}}}}"
        where = f"{words[0]}~{numbers[0]}, {page}" if numbers else page
        before = "".join(part.astext() for part in link.parent[: link.parent.index(link)])
        within = before.count("(") > before.count(")")
        text = f", {where}" if within else f" ({where})"
        link.parent.insert(link.parent.index(link) + 1, nodes.raw("", text, format="latex"))


def put_lead_on_title_page(doctree: nodes.document) -> None:
    """Let the first page begin the title page; the contents stand before its first heading."""
    first = doctree.next_node(nodes.section)
    headings = [part for part in first if isinstance(part, RootHeader)]
    contents = r"\reportcontents\clearpage\markboth{What this is}{What this is}"
    first.insert(first.index(headings[0]), nodes.raw("", contents, format="latex"))
    for heading in headings:
        heading.replace_self(nodes.raw("", f"\\section*{{{heading.astext()}}}", format="latex"))


def unwrap_proofs(doctree: nodes.document) -> None:
    """Take proofs out of their boxes, whose coloured bar would be empty."""
    for proof in list(doctree.findall(nodes.admonition)):
        if "proof" in proof["classes"] and not proof.next_node(nodes.title):
            proof.replace_self(proof.children)


def unwrap_figures(doctree: nodes.document) -> None:
    """Take a figure out of the cell that drew it, if the site shows the code on demand only."""
    for cell in [c for c in doctree.findall(nodes.container) if "tag_hide-input" in c["classes"]]:
        cell.replace_self(list(cell.findall(nodes.figure)))


def give_bibliography_its_number(page: start_of_file) -> None:
    """Count the chapter of references, which in print stands at the end under its own title.

    So the numbers that follow are the site's.
    """
    references = page.next_node(nodes.section)
    references.replace(references[0], nodes.raw("", r"\stepcounter{chapter}", format="latex"))


def keep_cells_together(doctree: nodes.document) -> None:
    """Break no page between the code of a short cell and what it prints."""
    for cell in [c for c in doctree.findall(nodes.container) if "cell" in c["classes"]]:
        shown = [part for part in cell if not isinstance(part, HiddenCellNode)]
        blocks = [block for part in shown for block in part.findall(nodes.literal_block)]
        lines = sum(len(block.astext().splitlines()) for block in blocks)
        if 0 < lines <= SHORT:
            _keep_together(cell, lines + 5)  # with the space around them


def keep_tables_together(doctree: nodes.document) -> None:
    """Break no page between the caption of a table and its rows."""
    for table in list(doctree.findall(nodes.table)):
        if "longtable" not in table["classes"]:
            rows = sum(1 for _ in table.findall(nodes.row))
            _keep_together(table, rows + CAPTION)


def keep_exercises_below_headings(doctree: nodes.document) -> None:
    """Break no page between a heading and the exercise right below it."""
    for exercise in list(doctree.findall(exercise_enumerable_node)):
        if _is_first(exercise):
            _keep_together(exercise, EXERCISE)


def size_images(doctree: nodes.document) -> None:
    """Make images smaller than the page is wide, tall ones more so."""
    for image in doctree.findall(nodes.image):
        names = [Path(image["uri"]).stem, *image.parent["ids"]]
        image["width"] = next((NARROW[name] for name in names if name in NARROW), WIDTH)


def print_sources_once(doctree: nodes.document, at: start_of_file) -> None:
    """Say at the end of one page only where numbers come from: the first page's lines name all."""
    lines = [part for part in doctree.findall(nodes.paragraph) if "provenance" in part["classes"]]
    first = doctree.next_node(nodes.section)
    kept = [line for line in lines if line.parent is first]
    for line in lines:
        line.parent.remove(line)
    list(at.findall(nodes.section))[-1].extend(kept)


def _keep_together(block: nodes.Element, lines: int) -> None:
    """Begin a new page before a block if this one has not so many lines left.

    A heading right above it goes with it, and one right above that.
    """
    while _is_first(block):
        block, lines = block.parent, lines + HEADING
    room = nodes.raw("", f"\\needspace{{{lines}\\baselineskip}}", format="latex")
    block.parent.insert(block.parent.index(block), room)


def _is_first(block: nodes.Element) -> bool:
    """Say whether a block stands right below the heading of a section of a chapter."""
    section = block.parent
    before = section[: section.index(block)]
    return isinstance(section.parent, nodes.section) and [*map(type, before)] == [nodes.title]
