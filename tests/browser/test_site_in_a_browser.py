"""The built site as a reader meets it: in chromium, light and dark, wide and narrow."""

import gzip
import re
from urllib.parse import quote, unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.book.conftest import documents

from .conftest import HTML, names

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


def opened(visit, root, name):
    """Open a page; it must be whole, and ask no other host."""
    seen = visit(f"{root}/{name}.html")
    assert seen.wrong == []
    own = (root, "data:", "blob:")
    assert [address for address in seen.requests if not address.startswith(own)] == []
    broken = "[...document.images].filter(i => !(i.complete && i.naturalWidth)).map(i => i.src)"
    assert seen.page.evaluate(broken) == []
    return seen


@pytest.mark.parametrize("name", names())
def test_a_host_sends_a_page_in_at_most_a_megabyte(visit, host, name):
    asked = {urlsplit(address).path for address in opened(visit, host, name).requests}
    files = [HTML / unquote(path).removeprefix("/some/path/") for path in asked if "/some/" in path]
    assert len(files) > 5
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= 1_000_000


@pytest.mark.parametrize("name", names())
def test_a_page_opens_as_a_file_with_its_mathematics_typeset(visit, name):
    page = opened(visit, HTML.as_uri(), name).page
    raw = "[...document.querySelectorAll('.math')].filter(m => !m.querySelector('math'))"
    assert page.evaluate(f"{raw}.map(m => m.textContent)") == []
    formulas = page.locator("math").count()
    loaded = "document.fonts.load('1em Formulas').then(faces => faces.length)"
    assert not formulas or page.evaluate(loaded) == 1
    text = page.evaluate(
        """() => { const a = document.querySelector("main").cloneNode(true);
        a.querySelectorAll("pre, code, script").forEach(e => e.remove()); return a.textContent }"""
    )
    assert not re.search(r"\$|\\\(|\\\[", text)


@pytest.mark.parametrize("name", names())
def test_a_phone_cuts_no_page_no_formula_and_no_number_of_a_table(visit, name):
    """Where a table is wider than the phone, its edge lies in a column of words."""
    page = visit(f"{HTML.as_uri()}/{name}.html", width=390).page
    shown = "[...document.querySelectorAll('div.math')]"
    cut = f"{shown}.filter(d => d.scrollWidth > d.clientWidth).map(d => d.textContent)"
    assert page.evaluate(cut) == []
    cells = page.evaluate(
        """() => [...document.querySelectorAll("article td")].filter(cell => {
          const edge = cell.closest("article").getBoundingClientRect().right + 1;
          const text = document.createRange();
          text.selectNodeContents(cell);
          return [...text.getClientRects()].some(line => line.left < edge && line.right > edge);
        }).map(cell => cell.textContent)"""
    )
    assert [text for text in cells if re.match(r"[−\d(]", text.strip())] == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", names())
def test_nothing_stands_in_the_way_of_any_reader(visit, name, scheme):
    page = visit(f"{HTML.as_uri()}/{name}.html", scheme=scheme).page
    # Over a picture as ground contrast is not judged: without the shades at the edges of tables.
    page.add_style_tag(content="article * { background-image: none !important; }")
    found = Axe().run(page, options=RULES).response["violations"]
    assert [
        (rule["id"], node["html"][:200], node["failureSummary"][:300])
        for rule in found
        for node in rule["nodes"]
    ] == []


def test_dark_mode_toggles_and_keeps_figures_legible(visit):
    page = visit(f"{HTML.as_uri()}/experiments/trainings.html").page
    modes = set()
    for _ in range(3):
        modes.add(page.evaluate("document.documentElement.dataset.theme"))
        page.locator("button.theme-switch-button:visible").first.click()
    assert modes == {"light", "dark"}
    dark = visit(f"{HTML.as_uri()}/experiments/trainings.html", scheme="dark").page
    assert dark.evaluate("document.documentElement.dataset.theme") == "dark"
    ground = dark.evaluate(
        "[...document.querySelectorAll('article figure img')]"
        ".map(i => getComputedStyle(i).backgroundColor)"
    )
    assert set(ground) == {"rgb(255, 255, 255)"}


@pytest.mark.parametrize(
    ("terms", "page"),
    [
        ("evidence lower bound", "theory/elbo"),
        ("Gibbs", "theory/kl-divergence"),
        ("reparameterisation", "theory/elbo"),
        ("Kullback", "theory/kl-divergence"),
        ("continuous Bernoulli", "theory/likelihoods"),
        ("mallopt", "cost"),
        ("papermill", "rerun"),
    ],
)
def test_search_finds_what_the_chapters_are_about(visit, host, terms, page):
    results = visit(f"{host}/search.html?q={quote(terms)}").page.locator("#search-results li a")
    results.first.wait_for()
    links = [link.get_attribute("href") for link in results.all()]
    assert any(page in link for link in links), links


def test_previous_and_next_lead_through_the_book(visit):
    page = visit(f"{HTML.as_uri()}/intro.html").page
    titles = [page.title()]
    while page.locator("a.right-next").count():
        page.locator("a.right-next").click()
        page.wait_for_load_state("load")
        titles.append(page.title())
    assert len(titles) == len(set(titles)) == len(documents())


def test_the_keyboard_reaches_the_text(visit):
    page = visit(f"{HTML.as_uri()}/intro.html").page
    page.keyboard.press("Tab")
    skip = page.evaluate("document.activeElement.textContent.trim()")
    assert skip == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = "document.querySelector('main').contains(document.activeElement)"
    assert page.evaluate(inside)


def test_a_missing_page_leads_back(visit):
    page = visit(f"{HTML.as_uri()}/404.html").page
    page.locator("#home").click()
    assert page.locator("h1").first.inner_text().startswith("Variational autoencoders")
