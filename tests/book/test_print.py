"""What is changed on the way to print, on small documents, and what is needed for it."""

import os
from collections import defaultdict
from types import SimpleNamespace

import pytest
from docutils import nodes
from sphinx.addnodes import start_of_file
from sphinx.errors import ExtensionError
from sphinx_exercise.nodes import exercise_enumerable_node, exercise_node, solution_node
from sphinx_jupyterbook_latex.nodes import HiddenCellNode, RootHeader

from vaelib.book.site import pdf, printing

LATEX = SimpleNamespace(
    builder=SimpleNamespace(format="latex"),
    env=SimpleNamespace(
        toc_secnumbers={"theory/elbo": {"": (3,)}, "cost": {"": (14,)}},
        metadata=defaultdict(dict, resumen={"lang": "es"}),
    ),
)


def page(name, *content):
    section = nodes.section("", nodes.title("", name), *content)
    return start_of_file("", section, docname=name)


@pytest.fixture
def report():
    link = nodes.reference("", "", nodes.inline("", "the run"), refuri="%executed/bce/notebook")
    proof = nodes.admonition("", nodes.paragraph("", "Proof. Because."), classes=["proof", "proof"])
    plane = nodes.image(uri="executed/evidence-bce-elbo/figures/aggregate.*")
    source = nodes.paragraph("", "Runs bce and mse: seed 0.", classes=["provenance"])
    heading = RootHeader()
    heading += nodes.Text("How to read it")
    lead = nodes.paragraph("", "", nodes.Text("Four findings from "), link)
    first = nodes.section("", nodes.title("", "intro"), lead, proof, plane, source, heading)

    short = nodes.container("", nodes.literal_block("", "prove()\nmore()"), classes=["cell"])
    hidden = HiddenCellNode()
    hidden += nodes.literal_block("", "draw()")
    curve = nodes.figure("", nodes.image(uri="curve.pdf"))
    drawn = nodes.container(
        "", hidden, nodes.container("", curve), classes=["cell", "tag_hide-input"]
    )
    row = nodes.row("", nodes.entry("", nodes.paragraph("", "1")))
    table = nodes.table("", nodes.tgroup("", nodes.tbody("", row)))
    own = nodes.paragraph("", "Run bce: seed 0.", classes=["provenance"])
    exercise = exercise_node("", nodes.paragraph("", "Compute it."))
    solution = solution_node("", nodes.paragraph("", "It is 1."))

    runs = nodes.compound(
        "", page("api"), page("executed/bce/notebook", nodes.literal_block("", "fit()"))
    )
    part = nodes.section("", nodes.title("", "Reference and runs"), runs)
    document = nodes.document(None, None)
    document += [
        first,
        page("theory/elbo", short, drawn, table, own, exercise, solution),
        page("conclusion"),
        page("references"),
        nodes.compound("", start_of_file("", part, docname="Reference and runs")),
    ]
    printing.adapt_to_print(LATEX, document, "intro")
    return document


def test_an_exercise_is_printed_and_its_solution_is_not(report):
    text = report.astext()
    assert "Compute it." in text
    assert "It is 1." not in text


def test_a_proof_keeps_its_text_and_loses_its_box(report):
    assert not list(report.findall(nodes.admonition))
    assert "Proof. Because." in report.astext()


def test_the_first_page_is_followed_by_the_contents(report):
    text = report.astext()
    assert text.index("Four findings") < text.index("reportcontents")
    assert text.index("reportcontents") < text.index("\\section*{How to read it}")
    assert text.index("\\section*{How to read it}") < text.index("prove()")


def test_reference_and_runs_are_left_out_with_links_to_them_but_not_the_words(report):
    text = report.astext()
    for gone in ("api", "fit()", "Reference and runs"):
        assert gone not in text
    assert "Four findings from the run" in text
    assert not list(report.findall(nodes.reference))


def test_a_link_to_another_chapter_says_where_it_is_once():
    def link(uri, kind):
        return nodes.reference("", "", nodes.inline("", "X", classes=[kind]), refuri=uri)

    document = nodes.document(None, None)
    first = ["see ", link("%cost", "doc"), " and ", link("%cost", "doc"), " ("]
    more = [link("%theory/elbo#steps", "std-ref"), ", ", link("%cost#units", "std-ref"), ") "]
    formula = nodes.reference("", "(3.1)", refuri="%theory/elbo#equation-elbo")
    parts = [nodes.Text(part) if isinstance(part, str) else part for part in (*first, *more)]
    document += page("theory/elbo", nodes.paragraph("", "", *parts, formula))
    here = nodes.reference("", "", nodes.inline("", " above", classes=["std-ref"]), refid="units")
    document += page("cost", nodes.paragraph("", "", link("%theory/elbo", "doc"), here))
    document += page("resumen", nodes.paragraph("", "", link("%cost", "doc")))
    for chapter in document.findall(start_of_file):  # as Sphinx leaves them
        for part in chapter:
            part.parent = nodes.document(None, None)
    printing.say_where_links_lead(document, LATEX.env)
    said = [paragraph.astext() for paragraph in document.findall(nodes.paragraph)]

    def at(label):
        return rf"p.~\pageref{{\detokenize{{{label}}}}}"

    assert said == [
        f"see X (ch.~14, {at('cost::doc')}) and X (X, {at('theory/elbo:steps')}, "
        f"X, ch.~14, {at('cost:units')}) (3.1)",
        f"X (ch.~3, {at('theory/elbo::doc')}) above",
        f"X (cap.~14, {at('cost::doc').replace('p.', 'pág.')})",
    ]


def test_a_short_cell_is_not_broken_over_two_pages(report):
    text = report.astext()
    assert text.index("\\needspace{7\\baselineskip}") < text.index("prove()")


def test_a_table_stays_with_its_caption(report):
    table = report.next_node(nodes.table)
    before = table.parent[table.parent.index(table) - 1]
    assert before.astext() == "\\needspace{7\\baselineskip}"  # one row and its caption


@pytest.mark.parametrize("kind", ["table", "cell", "exercise"])
def test_a_heading_goes_with_what_stands_right_below_it(kind):
    table = nodes.table("", nodes.tgroup("", nodes.tbody("", nodes.row(), nodes.row())))
    cell = nodes.container("", nodes.literal_block("", "prove()\nmore()"), classes=["cell"])
    exercise = exercise_enumerable_node("", nodes.paragraph("", "Compute it."))
    block = {"table": table, "cell": cell, "exercise": exercise}[kind]
    below = nodes.section("", nodes.title("", "Heading"), block)
    chapter = page("cost", nodes.paragraph("", "Before."), below, nodes.paragraph("", "After."))
    document = nodes.document(None, None)
    document += chapter
    for keep in (printing.keep_tables_together, printing.keep_cells_together):
        keep(document)
    printing.keep_exercises_below_headings(document)
    lines = {"table": 11, "cell": 10, "exercise": 8}[kind]
    assert [part.astext() for part in chapter[0]][1:3] == [
        "Before.",
        f"\\needspace{{{lines}\\baselineskip}}",
    ]
    assert chapter[0][3] is below


def test_a_figure_is_printed_without_the_code_that_drew_it(report):
    assert "draw()" not in report.astext()
    (curve,) = report.findall(nodes.figure)
    assert curve.parent is report.children[1].next_node(nodes.section)
    assert curve[0]["width"] == printing.WIDTH


def test_tall_figures_are_narrow(report):
    assert report.next_node(nodes.image)["width"] == printing.NARROW["aggregate"]


def test_where_numbers_come_from_is_said_once_in_the_conclusion(report):
    lines = [p for p in report.findall(nodes.paragraph) if "provenance" in p["classes"]]
    assert [line.astext() for line in lines] == ["Runs bce and mse: seed 0."]
    assert lines[0].parent[0].astext() == "conclusion"


def test_the_references_keep_their_number(report):
    assert "\\stepcounter{chapter}" in report.astext()


def test_the_site_is_left_alone():
    document = nodes.document(None, None)
    document += page("api")
    before = document.pformat()
    html = SimpleNamespace(builder=SimpleNamespace(format="html"))
    printing.adapt_to_print(html, document, "intro")
    assert document.pformat() == before


def test_theorems_are_numbered_by_chapter():
    numbers = {"a": {"theorem": {"x": (2, 1, 1), "y": (2, 3, 1)}, "figure": {"f": (2, 1)}}}
    env = SimpleNamespace(toc_fignumbers=numbers)
    printing.number_as_on_site(LATEX, env)
    assert numbers == {"a": {"theorem": {"x": (2, 1), "y": (2, 2)}, "figure": {"f": (2, 1)}}}


def test_missing_packages_are_named_before_anything_is_written(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ExtensionError, match=r"latexmk texlive-xetex .*fonts-freefont-otf"):
        pdf.begin_pdf(LATEX)


def test_a_pdf_of_other_pages_is_not_offered(tmp_path, monkeypatch):
    """Whatever their dates say."""
    monkeypatch.setattr(pdf, "missing_tex", lambda: None)
    page, report = tmp_path / "intro.md", tmp_path / "_build" / "latex" / "report.pdf"
    app = SimpleNamespace(srcdir=tmp_path, outdir=report.parent, builder=LATEX.builder)
    assert pdf.pdf_of_this_book(app) is None
    report.parent.mkdir(parents=True)
    for path in (page, report):
        path.write_text("%%EOF\n")
    assert pdf.pdf_of_this_book(app) is None  # it is not known of what it was made
    pdf.begin_pdf(app)
    assert not report.exists()
    report.write_text("%%EOF\n")
    assert pdf.pdf_of_this_book(app) == report
    page.write_text("edited")
    os.utime(page, (0, 0))
    assert pdf.pdf_of_this_book(app) is None


@pytest.mark.parametrize(
    ("content", "whole"),
    [(b"%PDF-1.7 ... %%EOF\n", True), (b"%PDF-1.7 ... ", False), (b"", False), (None, False)],
)
def test_a_pdf_that_was_cut_off_is_not_offered(tmp_path, content, whole):
    if content is not None:
        (tmp_path / "report.pdf").write_bytes(content)
    assert pdf.is_whole(tmp_path / "report.pdf") == whole
