"""What a reader finds in the built site: of the recipe for tests, or of the real book.

``VAELIB_BUILT=1`` looks at the book of this checkout, which ``make book`` has built.
"""

import copy
import json
import re
from functools import cache
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

from vaelib.build.derived import read_summary
from vaelib.data import mnist
from vaelib.plumbing.stale import PACKAGE

from .conftest import ROOT

pytestmark = pytest.mark.xdist_group("book")  # one process builds the book for all

FIGURE = re.compile(r"^(?:```|:::)\{figure\}|^  figure:$", re.MULTILINE)  # in the source of a page


def content(page):
    return page.select_one("article.bd-article")


def test_every_page_is_there_with_a_title(pages):
    for page in pages.values():
        assert page.h1.get_text(strip=True)


def test_every_chapter_of_the_argument_ends_with_what_was_learnt(pages):
    parts = ("theory/", "experiments/", "beyond/", "reproduction", "audit", "cost")
    chapters = {name: page for name, page in pages.items() if name.startswith(parts)}
    assert len(chapters) == 12
    for name, page in chapters.items():
        heading = content(page).select("h2")[-1]
        assert heading.get_text().strip("#\n").endswith("What was learnt"), name
        if not name.startswith(("theory/", "audit")):  # theorems, and what a notebook says
            assert "mind" in heading.parent.get_text(), name  # what would change it


def test_the_caption_of_a_figure_of_this_build_names_its_notebook(pages):
    figure = re.compile(r"\{figure\} (?:\.\./)*executed/([\w-]+)/")
    sources = {name: ROOT / "book" / f"{name}.md" for name in pages}
    made = {
        name: figure.findall(source.read_text(encoding="utf-8"))
        for name, source in sources.items()
        if source.exists()
    }
    assert sum(map(len, made.values())) > 10
    for name, notebooks in made.items():
        captions = [caption.get_text() for caption in pages[name].select("figcaption")]
        named = re.findall(r"Made by the notebook ([\w-]+)\.", "\n".join(captions))
        assert named == notebooks, name


def test_the_first_page_leads_to_the_explorer_and_has_the_findings(pages):
    lead = content(pages["intro"]).section
    links = [a["href"] for a in lead.find_all("a", recursive=True)]
    assert "beyond/explorer.html" in links
    findings = lead.ul.find_all("li", recursive=False)
    assert len(findings) == 4
    assert all(item.strong for item in findings)


def test_a_students_questions_are_answered_one_click_from_the_first_page(pages):
    answers = {
        "what is the ELBO for?": "theory/elbo.html",
        "why two losses?": "theory/likelihoods.html",
        "which loss?": "beyond/one-scale.html",
        "why is the bound loose?": "beyond/evidence.html",
        "how do I train on my data?": "use.html",
    }
    links = {a["href"] for a in content(pages["intro"]).find_all("a")}
    assert set(answers.values()) <= links


def test_the_page_in_spanish_is_named_as_such_and_no_other(pages):
    there = {name: content(page).select("[lang]") for name, page in pages.items()}
    assert [name for name, found in there.items() if found] == ["resumen"]
    spanish, *sources = there["resumen"]
    assert spanish["lang"] == "es"
    assert [(line["lang"], line["class"][0]) for line in sources] == [("en", "provenance")]
    assert spanish.h1
    rows = spanish.select("table tbody tr")
    assert len(rows) >= 12
    assert all(row.select("td:last-child a") for row in rows)  # each leads somewhere


def test_listings_say_which_of_their_lines_are_what(pages):
    listings = [at for page in pages.values() for at in content(page).select("[id^=code-]")]
    assert len(listings) >= 9
    for listing in listings:
        numbers = [int(number.get_text()) for number in listing.select(".linenos")]
        assert numbers == list(range(1, len(numbers) + 1))
        said = re.findall(r"Line (\d+):", listing.find_next_sibling("p").get_text())
        assert said, listing["id"]
        assert set(map(int, said)) <= set(numbers)


def test_no_markup_is_left_in_the_text(pages):
    for name, page in pages.items():
        article = copy.copy(content(page))
        for code in article.select("pre, code, .math, script"):
            code.extract()
        text = article.get_text()
        for left in ("```", ":::", "{value}", "{veredicto}", "{numref}", "{doc}", "{cite", "$"):
            assert left not in text, (name, left)


def test_numbers_have_true_minus_signs_and_stay_on_their_line(pages):
    for name, page in pages.items():
        article = copy.copy(content(page))
        for code in article.select("pre, code, math, script, style, .explorer, svg"):
            code.decompose()
        wrong = re.findall(
            r"(?:(?<=\s)|(?<=\())-\.?\d\S*|\d %|\d%|[\d%] to [−\d]|\de[-+]\d", article.get_text()
        )
        assert not wrong, name
        for table in article.select("table"):
            table.decompose()
        broken = re.findall(
            r"[\d%][ \n]\(−?[\d.,]+\sto\s|\d[ \n]±|±[ \n]|\d[ \n](?:nats|bits|ms|MB)\b",
            article.get_text(),
        )
        assert not broken, name


def test_figures_stand_alone(site, pages):
    """Each has its file, alternative text, a caption, and says or links to what made it."""
    figures = 0
    for name, page in pages.items():
        if name.startswith("executed/"):
            continue
        for figure in content(page).select("figure"):
            figures += 1
            image, caption = figure.img, figure.figcaption
            assert len(image["alt"]) > 30
            file = (site.html / f"{name}.html").parent / image["src"]
            assert file.suffix == ".svg"
            assert file.stat().st_size > 1000
            assert len(caption.get_text()) > 60
            links = [a["href"] for a in caption.select("a.reference.internal")]
            assert "Drawn in this chapter" in caption.get_text() or any(
                re.search(r"executed/[a-z-]+/notebook.html", link) for link in links
            )
    texts = [(site.book / f"{name}.md").read_text() for name in pages if "executed/" not in name]
    assert figures == sum(len(FIGURE.findall(text)) for text in texts) > 0


def test_every_figure_table_and_equation_is_referred_to(pages):
    own = [page for name, page in pages.items() if not name.startswith("executed/")]
    numbered = "figure, table[id], div.math[id]"
    names = {part["id"] for page in own for part in content(page).select(numbered)}
    links = {a["href"] for page in own for a in content(page).select("a.reference.internal")}
    assert len(names) > 80
    assert names - {urlsplit(link).fragment for link in links} == set()


def test_every_image_says_what_it_shows(pages):
    for name, page in pages.items():
        for image in content(page).select("img"):
            alt = image.get("alt", "")
            assert len(alt) > 25, (name, image.get("src"))
            assert "_images/" not in alt, (name, image.get("src"))


def test_numbers_on_the_page_are_those_of_the_run(site, pages):
    losses = json.loads((site.book / "executed/mse/losses.json").read_text())
    cells = [td.get_text() for td in content(pages["intro"]).select("table td")]
    row = cells[cells.index("MSE, test") + 1 :][:6]
    ours = [f"{losses['test'][key]:.3f}" for key in ("total", "reconstruction", "kl")]
    assert row[1::2] == ours
    assert row[::2] == ["35.366", "32.482", "2.884"]


def test_notebook_pages_show_no_path_of_the_machine_and_no_warning(site):
    for file in (site.book / "executed").glob("*/notebook.ipynb"):
        text = file.read_text()
        assert str(site.root) not in text
        assert "site-packages" not in text
        assert str(ROOT) not in text
        streams = [
            output.get("name")
            for cell in json.loads(text)["cells"]
            for output in cell.get("outputs", ())
        ]
        assert "stderr" not in streams


def test_every_page_has_a_description_of_its_own(pages):
    found = [page.select_one('meta[name="description"]')["content"] for page in pages.values()]
    assert len(found) == len(set(found)) == len(pages)
    assert all(40 < len(description) < 170 for description in found)


def test_links_and_anchors_inside_the_site_hold(site):
    pages = {
        path.resolve(): BeautifulSoup(path.read_text(), "html.parser")
        for path in site.html.rglob("*.html")
        if "_static" not in path.parts
    }
    anchors = {
        path: {tag.get("id") or tag.get("name") for tag in page.select("[id], a[name]")}
        for path, page in pages.items()
    }
    broken = []
    for path, page in pages.items():
        for tag in page.select("a[href], link[href], img[src], script[src]"):
            target = urlsplit(tag.get("href") or tag.get("src"))
            if target.scheme or target.netloc:
                continue
            file = (path.parent / unquote(target.path)).resolve() if target.path else path
            anchor = unquote(target.fragment)
            if anchor.startswith("explorer;"):  # a view of it, which its own tests follow
                assert path.name == "explorer.html"
                continue
            if not file.exists() or (anchor and anchor not in anchors.get(file, {anchor})):
                broken.append((path.name, target.geturl()))
    assert broken == []


def test_the_reference_leads_to_the_sources(site, pages):
    """What a link of a function leads to begins with its definition, in the module's whole text."""
    links = pages["api/vae"].select("dt.sig a:has(.viewcode-link)")
    assert len(links) >= 20

    @cache
    def article(page):
        return BeautifulSoup((site.html / page).read_text("utf-8"), "html.parser").article

    for link in links:
        page, _, name = link["href"].removeprefix("../").partition("#")
        source = article(page)
        line = re.search(r"^ *(class|def) .*", source.find(id=name).get_text(), re.MULTILINE)
        assert name.rpartition(".")[2] in line[0]
        for back in source.select(".viewcode-back"):
            back.extract()
        module = (PACKAGE.parent / page.removeprefix("_modules/")).with_suffix(".py")
        assert source.pre.get_text().split() == module.read_text("utf-8").split()


def test_pages_with_numbers_of_runs_say_where_they_come_from(site, pages):
    commit = json.loads((site.book / "executed/bce/environment.json").read_text())["commit"]
    with_line = {name for name, page in pages.items() if page.select(".provenance")}
    experiments = {"experiments/data-and-model", "experiments/trainings"}
    names = ("bce", "mse", "bce-elbo", "mse-elbo")
    evidence = [f"evidence-{name}" for name in ("bce-elbo", "mse-elbo")]
    trained = {f"executed/{name}/notebook" for name in (*names, "compare", *evidence)}
    recorded = {"intro", "reproduction", "beyond/evidence", "all-runs"}
    recorded.add("experiments/trainings")
    of_the_build = recorded | {"theory/likelihoods"}
    of_the_build |= experiments | trained
    assert with_line == of_the_build | {
        "audit",
        "beyond/one-scale",
        "beyond/explorer",
        "conclusion",
        "resumen",
    }
    (only,) = pages["beyond/one-scale"].select(".provenance")
    assert only.get_text().startswith("Records, not of this build: ")
    for name in of_the_build:
        lines = [line.get_text() for line in pages[name].select(".provenance")]
        assert commit in lines.pop(0)
        assert bool(lines) == (name in recorded)
        assert all(line.startswith("Records, not of this build: ") for line in lines)
    assert (
        "Runs bce, bce-elbo, mse-elbo, mse" in pages["intro"].select_one(".provenance").get_text()
    )
    assert "Run mse:" in pages["executed/mse/notebook"].select_one(".provenance").get_text()


def test_pages_say_what_is_stale_and_where_it_is_named(site, pages):
    parts = read_summary(site.book)["parts"]
    rows = pages["all-runs"].select("#tab-records tbody tr")
    cells = [[cell.get_text(" ", strip=True) for cell in row.select("td")] for row in rows]
    assert sum(int(row[2]) for row in cells) == parts["all"] > 300
    assert sum(int(row[2]) for row in cells if row[5].startswith("stale")) == parts["stale"]
    assert all(row[5] == "fresh" or row[5].startswith("stale : ") for row in cells)
    for name in ("intro", "reproduction", "beyond/one-scale"):
        line = pages[name].select(".provenance")[-1]
        said = f"Stale: {parts['stale']} of {parts['all']} parts"
        assert (said in line.get_text()) == bool(parts["stale"])
        assert line.a["href"].endswith("all-runs.html")


def test_the_runs_can_be_downloaded(site, pages):
    links = content(pages["all-runs"]).select("table a.download")
    assert len(links) == 4 * 7
    for link in links:
        assert (site.html / link["href"]).stat().st_size
    templates = content(pages["all-runs"]).select("section > p a.download")
    assert [link["href"].rpartition("/")[2] for link in templates] == [
        "model.ipynb",
        "train.ipynb",
        "compare.ipynb",
        "evidence.ipynb",
        "stamps.json",
    ]
    weights = [link for link in links if link["href"].endswith("weights.safetensors")]
    assert (site.html / weights[0]["href"]).read_bytes() == (
        site.book / "executed/bce/weights.safetensors"
    ).read_bytes()


def test_the_site_is_light_and_has_each_notebook_once(site):
    files = [path for path in site.html.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 25_000_000
    notebooks = [path for path in files if path.name == "notebook.ipynb"]
    assert {path.parent.parent.parent.name for path in notebooks} == {"_sources"}
    assert len(notebooks) == len(list((site.book / "executed").glob("*/notebook.ipynb")))
    assert not [path for path in files if path.suffix in (".map", ".ttf")]


def test_every_icon_is_in_the_font_of_icons(site):
    (sheet,) = site.html.glob("_static/vendor/fontawesome/*/css/all.min.css")
    (font,) = sheet.parents[1].glob("webfonts/*")
    letters = TTFont(font).getBestCmap()
    text = sheet.read_text("utf-8")
    pages = [path.read_text("utf-8") for path in site.html.rglob("*.html")]
    used = {
        name for page in pages for name in re.findall(r"fa-(?:solid|regular) (fa-[\w-]+)", page)
    }
    assert len(used) > 5
    for name in used:
        code = re.search(rf"\.{name}:before[^{{]*{{content:\"\\([0-9a-f]+)", text)
        assert int(code[1], 16) in letters, name
    others = [path.read_text("utf-8") for path in site.html.glob("_static/styles/*.css")]
    named = {icon for other in others for icon in re.findall(r"\\(f[0-9a-f]{3})\b", other)}
    assert {int(icon, 16) for icon in named} <= set(letters)


def test_nothing_is_loaded_from_another_host(site, pages):
    for name, page in pages.items():
        loaded = [t.get("src") or "" for t in page.select("script, img, iframe")]
        loaded += [
            t.get("href") or "" for t in page.select("link") if t.get("rel") != ["canonical"]
        ]
        assert not [address for address in loaded if "//" in address], name
    font = TTFont(site.html / "_static" / "formulas.woff")
    formulas = [math for page in pages.values() for math in page.select("math")]
    assert len(formulas) > 200
    letters = {letter for formula in formulas for letter in formula.text if not letter.isspace()}
    assert letters - {"\u2061"} <= {chr(code) for code in font.getBestCmap()}


def test_without_an_address_there_are_no_links_to_it(pages):
    for page in pages.values():
        assert "mybinder" not in str(page)
        assert "colab" not in str(page).replace("_static", "")


def test_a_real_training_learnt_something(site):
    """Far from the original's losses, something is broken, whatever the seed."""
    for name, limit in (("bce", 155), ("mse", 37)):
        settings, losses, environment = (
            json.loads((site.book / f"executed/{name}/{record}.json").read_text())
            for record in ("settings", "losses", "environment")
        )
        if settings["recipe"] == "smoke":
            pytest.skip("synthetic digits have losses of their own")
        assert losses["test"]["total"] < limit
        assert environment["data"] == mnist.FINGERPRINT  # of the images that were trained on


def test_every_claim_has_its_verdict_and_a_link_to_the_evidence(site, pages):
    claims = read_summary(site.book)["claims"]
    rows = pages["reproduction"].select("#tab-claims tbody tr")
    assert [row.td.get_text(strip=True) for row in rows] == list(claims)
    for row, claim in zip(rows, claims.values(), strict=True):
        assert row.strong.get_text() == claim["verdict"]
        assert f"{claim['evidence']}.html" in [link["href"] for link in row.select("a")]


def test_the_build_agrees_with_the_recorded_runs(site):
    """Twice the prediction interval of a new seed: on another processor a run is like another."""
    recorded = read_summary(site.book)
    for name in ("bce", "mse", "bce-elbo", "mse-elbo"):
        settings, losses = (
            json.loads((site.book / f"executed/{name}/{record}.json").read_text())
            for record in ("settings", "losses")
        )
        if settings["recipe"] != "report":
            pytest.skip("the book's own recipe is recorded")
        for loss, value in losses["test"].items():
            spread = recorded["objectives"]["report"][name][loss]
            low, high = spread["prediction"].values()
            assert abs(value - spread["mean"]) < high - low, (name, loss)


def test_what_the_chapter_on_the_evidence_says_in_words_holds(site):
    runs = {
        name: json.loads((site.book / f"executed/evidence-{name}/numbers.json").read_text())
        for name in ("bce-elbo", "mse-elbo")
    }
    for found in runs.values():
        assert found["least"] > -0.02
        assert found["error"] <= 0.02
    settings = json.loads((site.book / "executed/bce/settings.json").read_text())
    if settings["recipe"] == "smoke":
        pytest.skip("synthetic digits have posteriors of their own")
    for found in runs.values():
        assert abs(found["confirmed"]["evidence"]["mean_score"]) < 0.32  # five of its deviations
        assert 0.8 < found["confirmed"]["evidence"]["rms_score"] < 1.2
        assert 0.8 < found["confirmed"]["gap"]["rms_score"] < 1.2
        assert found["split"]["amortisation"] > 5 * found["split"]["family"]
        assert found["split"]["full"] < found["split"]["family"]
        assert found["below"]["500"] > 0.05
    assert read_summary(site.book)["evidence"]["bce"]["weighted"]["confidence"]["low"] > 0


def test_the_keyboard_reaches_every_table(pages):
    """One that is wider than its place scrolls, and only what has the focus does by keys."""
    boxes = [box for page in pages.values() for box in page.select("table.table")]
    assert len(boxes) > 20
    for box in boxes:
        assert box.find_parent("div", class_="pst-scrollable-table-container")["tabindex"] == "0"


def test_every_exercise_has_a_folded_solution_with_a_check(pages):
    number = 0
    for name, page in pages.items():
        exercises = [box["id"] for box in page.select("div.exercise")]
        number += len(exercises)
        if name.startswith(("theory/", "experiments/")):
            assert 2 <= len(exercises) <= 4, name
        solutions = page.select("div.solution")
        assert [box.a["href"] for box in solutions] == [f"#{id}" for id in exercises]
        for box in solutions:
            assert "dropdown" in box["class"]
            code = "".join(cell.get_text() for cell in box.select("div.cell_input"))
            assert re.search(r"\bassert\b|\brequire_|\bprove_", code), (name, box.a["href"])
    assert number >= 24


def test_no_id_is_twice_on_a_page(pages):
    for name, page in pages.items():
        ids = [tag["id"] for tag in page.select("[id]")]
        assert sorted(ids) == sorted(set(ids)), name


def test_what_a_phone_calls_columns_are_their_heads(pages):
    css = (ROOT / "book/_static/book.css").read_text()
    said = re.findall(r'#tab-evidence-seeds td:nth-child\(\d\)::before { content: "(.+?) "', css)
    heads = [
        head.get_text(strip=True)
        for head in pages["beyond/evidence"].select("table#tab-evidence-seeds th")
    ]
    assert said == heads[1:]


def test_references_are_named_as_the_text_cites_them(pages):
    entries = content(pages["references"]).select("div.citation")
    listed = {entry["id"]: entry.select_one(".label").get_text().strip("[]") for entry in entries}
    assert len(listed) > 30
    assert listed == {key: label for key, label in listed.items() if label[-4:].isdigit()}
    cited = [
        (link["href"].partition("#")[2], link.get_text())
        for page in pages.values()
        for link in page.select(".bibtex-citation a, .bibtex a")
    ]
    assert len(cited) > 40
    for key, text in cited:  # the year alone where the names stand in the sentence
        assert listed[key] == text or listed[key].endswith(f", {text}")
