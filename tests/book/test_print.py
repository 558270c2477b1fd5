"""What is changed on the way to print, on small documents, and what is needed for it."""

from types import SimpleNamespace

import pytest
from docutils import nodes
from sphinx.addnodes import start_of_file
from sphinx.errors import ExtensionError

from vaelib.book.site import pdf

LATEX = SimpleNamespace(builder=SimpleNamespace(format="latex"))


def page(name, *content):
    section = nodes.section("", nodes.title("", name), *content)
    return start_of_file("", section, docname=name)


@pytest.fixture
def report():
    proof = nodes.admonition("", nodes.paragraph("", "Proof. Because."), classes=["proof", "proof"])
    code = nodes.container("", nodes.literal_block("", "train()"), classes=["cell_input"])
    bars = nodes.container("", nodes.literal_block("", "epoch 1"), classes=["cell_output"])
    cell = nodes.container("", code, bars, classes=["cell", "tag_progress"])
    image = nodes.image(uri="curves.pdf")
    document = nodes.document(None, None)
    plane = nodes.image(uri="runs/bce/figures/decoded.*")
    document += nodes.section("", nodes.title("", "intro"), proof, plane)
    short = nodes.container("", nodes.literal_block("", "prove()\nmore()"), classes=["cell"])
    document += [
        page("theory/elbo", short),
        page("api"),
        page("references"),
        page("runs/bce/notebook", cell, image),
    ]
    return document


def test_a_proof_keeps_its_text_and_loses_its_box(report):
    pdf.adapt_to_print(LATEX, report, "intro")
    assert not list(report.findall(nodes.admonition))
    assert "Proof. Because." in report.astext()


def test_progress_is_left_out_and_code_is_not(report):
    pdf.adapt_to_print(LATEX, report, "intro")
    assert "train()" in report.astext()
    assert "epoch 1" not in report.astext()


def test_a_short_cell_is_not_broken_over_two_pages(report):
    pdf.adapt_to_print(LATEX, report, "intro")
    text = report.astext()
    assert text.index("\\needspace{10\\baselineskip}") < text.index("prove()")
    assert text.count("needspace") == 1  # not in the runs, whose cells follow their headings


def test_runs_are_set_smaller_and_keep_their_numbers(report):
    pdf.adapt_to_print(LATEX, report, "intro")
    plane, image = report.findall(nodes.image)
    assert plane["width"] == pdf.SQUARE_IMAGE_WIDTH
    assert image["width"] == pdf.RUN_IMAGE_WIDTH
    text = report.astext()
    assert text.index("stepcounter") < text.index("\\small") < text.index("train()")


def test_the_site_is_left_alone(report):
    before = report.pformat()
    html = SimpleNamespace(builder=SimpleNamespace(format="html"))
    pdf.adapt_to_print(html, report, "intro")
    assert report.pformat() == before


def test_theorems_are_numbered_by_chapter():
    numbers = {"a": {"theorem": {"x": (2, 1, 1), "y": (2, 3, 1)}, "figure": {"f": (2, 1)}}}
    env = SimpleNamespace(toc_fignumbers=numbers)
    pdf.number_as_on_site(LATEX, env)
    assert numbers == {"a": {"theorem": {"x": (2, 1), "y": (2, 2)}, "figure": {"f": (2, 1)}}}


def test_missing_packages_are_named_before_anything_is_written(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ExtensionError, match=r"latexmk texlive-xetex .*fonts-freefont-otf"):
        pdf.require_tex(LATEX)


def test_a_pdf_older_than_a_page_is_not_offered(tmp_path):
    import os

    app = SimpleNamespace(srcdir=tmp_path)
    assert pdf.pdf_of_this_book(app) is None
    page, report = tmp_path / "intro.md", tmp_path / "_build" / "latex" / "report.pdf"
    report.parent.mkdir(parents=True)
    for path, time in ((page, 100), (report, 200)):
        path.write_text("%%EOF\n")
        os.utime(path, (time, time))
    assert pdf.pdf_of_this_book(app) == report
    os.utime(page, (300, 300))
    assert pdf.pdf_of_this_book(app) is None


@pytest.mark.parametrize(
    ("content", "whole"),
    [(b"%PDF-1.7 ... %%EOF\n", True), (b"%PDF-1.7 ... ", False), (b"", False), (None, False)],
)
def test_a_pdf_that_was_cut_off_is_not_offered(tmp_path, content, whole):
    if content is not None:
        (tmp_path / "report.pdf").write_bytes(content)
    assert pdf.is_whole(tmp_path / "report.pdf") == whole
