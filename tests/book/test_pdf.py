"""The report in print, as `make pdf` left it in this checkout (VAELIB_BUILT=1)."""

import json
import os
import re
import subprocess

import pytest

from .conftest import ROOT, Built, parse

pytestmark = pytest.mark.skipif(
    not os.environ.get("VAELIB_BUILT"), reason="looks at what make pdf built: set VAELIB_BUILT=1"
)
LATEX = ROOT / "book" / "_build" / "latex"


def poppler(program, *arguments):
    done = subprocess.run(
        [program, *arguments, LATEX / "report.pdf"], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def text():
    return subprocess.run(
        ["pdftotext", LATEX / "report.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def log():
    # TeX breaks the lines of its log after 79 characters.
    return (LATEX / "report.log").read_text(errors="replace").replace("\n", "")


def test_size_paper_and_properties():
    info = dict(line.split(":", 1) for line in poppler("pdfinfo").splitlines())
    assert 80 <= int(info["Pages"]) <= 200
    assert "A4" in info["Page size"]
    assert info["Title"].strip() == "Variational autoencoders, re-derived and re-run"
    assert info["Author"].strip()


def test_the_runs_results_are_printed(text):
    for name in ("bce", "mse", "bce-elbo", "mse-elbo"):
        losses = json.loads((ROOT / f"book/runs/{name}/losses.json").read_text())
        assert f"{losses['test']['total']:.3f}" in text


def test_progress_of_trainings_is_not_printed(text):
    assert "run.train(" in text  # the cell is there, its output is not
    assert not re.search(r"epoch\s+1\s+training", text)


def test_equations_and_captions_have_the_sites_numbers(text):
    flat = re.sub(r"\s+", " ", text)
    equations = captions = 0
    for name, page in parse(Built(ROOT)).items():
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
