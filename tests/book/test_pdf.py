"""The report in print, as `make pdf` left it in this checkout (VAELIB_BUILT=1)."""

import json
import os
import re
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image

from vaelib.book.site.printing import UNPRINTED

from .conftest import ROOT, Built, parse

pytestmark = pytest.mark.skipif(
    not os.environ.get("VAELIB_BUILT"), reason="looks at what make pdf built: set VAELIB_BUILT=1"
)
LATEX = ROOT / "book" / "_build" / "latex"


def poppler(program, *arguments, output=()):
    command = [program, *arguments, LATEX / "report.pdf", *([output] if output else [])]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def text():
    return subprocess.run(
        ["pdftotext", LATEX / "report.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def log():
    # TeX breaks the lines of its log after 79 characters.
    return (LATEX / "report.log").read_text(errors="replace").replace("\n", "")


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream)
    except zlib.error:  # one that was not deflated
        return stream


def test_size_paper_and_properties():
    info = dict(line.split(":", 1) for line in poppler("pdfinfo").splitlines())
    assert 50 <= int(info["Pages"]) <= 80
    assert "A4" in info["Page size"]
    assert info["Title"].strip() == "Variational autoencoders, re-derived and re-run"
    assert info["Author"].strip()
    assert "exact evidence" in info["Subject"]
    streams = re.findall(rb"stream\r?\n(.*?)endstream", (LATEX / "report.pdf").read_bytes(), re.S)
    assert any(b"/Lang" in _inflated(stream) for stream in streams)


def test_the_runs_results_are_printed(text):
    for name in ("bce", "mse", "bce-elbo", "mse-elbo"):
        losses = json.loads((ROOT / f"book/executed/{name}/losses.json").read_text())
        assert f"{losses['test']['total']:.3f}" in text


def test_reference_and_runs_are_on_the_site_only_and_the_report_says_so(text):
    assert "run.train(" not in text
    assert "API reference" not in text
    assert "vaelib.plumbing.checks" not in text
    assert "on the site and not in print" in text


def test_the_first_page_has_abstract_and_figure_the_second_the_contents(text):
    first, second, *_ = text.split("\f")
    assert "Third edition" in first
    assert "Four findings" in first
    assert "Fig. 1:" in first
    assert "Contents" in second
    assert "Conclusion and limitations" in second


def test_code_that_draws_a_figure_is_not_printed(text):
    assert "inline(" not in text
    assert "prove_minimum()" in text  # a check is


def ink(folder):
    """Tell how far down each page its last ink is, as a share of the text's height."""
    poppler("pdftoppm", "-r", "20", "-gray", output=folder / "page")
    for file in sorted(folder.glob("page*.pgm")):
        page = np.asarray(Image.open(file))
        body = page[int(0.06 * len(page)) : int(0.93 * len(page))]  # without head and foot
        yield np.nonzero((body < 200).any(1))[0].max() / len(body)


def test_no_page_is_half_empty_but_at_the_end_of_a_chapter(text, tmp_path):
    """Of the second edition none is emptier than a third; other numbers break pages elsewhere."""
    begins = [page.lstrip()[:60] for page in text.split("\f")[:-1]]
    chapters = re.compile(r"\d+ [A-Z]|What it is about|Bibliography")
    emptier = [
        number
        for number, (share, after) in enumerate(
            zip(ink(tmp_path), begins[1:], strict=False), start=1
        )
        if share < 1 / 2 and not chapters.match(after)
    ]
    assert emptier == []


def test_equations_and_captions_have_the_sites_numbers(text):
    flat = re.sub(r"\s+", " ", text)
    equations = captions = 0
    for name, page in parse(Built(ROOT)).items():
        if name.startswith(UNPRINTED):
            continue
        for number in page.select("span.eqno"):
            equations += 1
            assert number.get_text().strip("#¶\uf0c1") in flat, (name, number)
        for number in page.select("article .caption-number"):
            captions += 1
            assert number.get_text().strip() in flat, (name, number)
    assert equations >= 30
    assert captions >= 40


def test_all_fonts_are_embedded():
    fonts = poppler("pdffonts").splitlines()[2:]
    assert len(fonts) > 5
    assert all(line.split()[-5] == "yes" for line in fonts)


def test_no_blank_page(text):
    for number, page in enumerate(text.split("\f")[:-1], start=1):
        images = len(poppler("pdfimages", "-list", "-f", str(number), "-l", str(number)))
        assert len(page.split()) > 3 or images > 200, number


def test_latex_had_nothing_to_complain_about(log):
    assert "Missing character" not in log
    assert not re.findall(r"(?:Reference|reference|Citation|citation)\b[^.]{0,80}undefined", log)
    assert "headheight is too small" not in log
    wide = [float(points) for points in re.findall(r"Overfull \\[hv]box \(([\d.]+)pt too", log)]
    assert not [points for points in wide if points > 5]


def test_the_site_offers_it():
    html = ROOT / "book" / "_build" / "html"
    assert (html / "_static/report.pdf").read_bytes() == (LATEX / "report.pdf").read_bytes()
    for name, page in parse(Built(ROOT)).items():
        (link,) = page.select('a[href$="_static/report.pdf"]')
        assert (html / f"{name}.html").parent.joinpath(link["href"]).resolve().exists()


def test_numbers_have_true_minus_signs_and_intervals_do_not_break(text):
    assert re.search(r"−\d+\.\d+ to −\d", text.replace("\N{NO-BREAK SPACE}", " "))
    assert not re.search(r"(?<!\d)-[\d.]+\s+to\s|p = [\d.]+e", text)  # but dates have hyphens
    assert not re.search(r"\d\s*\n\s*to\s−?\d|\d\s+to\s*\n\s*−?\d", text)
