"""What a page loads: few style sheets, deferred scripts, images with sizes, the icons it shows."""

import re
from importlib.resources import files

import pytest
from soupsieve import SelectorSyntaxError

from vaelib.book.site import icons, loading, rules

PAGE = """<head>
<link href="../_static/styles/first.css?digest=1" rel="stylesheet" />
<link rel="stylesheet" type="text/css" href="../_static/large.css" />
<link rel="stylesheet" type="text/css" href="../_static/second.css?v=2" />
<link rel="stylesheet" type="text/css" href="../_static/explorer/explorer.css" />
<link rel="stylesheet" type="text/css" href="../_static/third.css" />
<link rel="stylesheet" type="text/css" href="../_static/fourth.css" />
<link rel="preload" as="script" href="../_static/end.js" />
<script src="../_static/options.js"></script>
<script>DOCUMENTATION_OPTIONS.pagename = 'theory/elbo';</script>
</head>
<img alt="Curves." src="../_images/curves.svg" />
<img alt="." width="3" src="../_images/curves.svg" />
<script src="../_static/end.js"></script>
<script defer="defer" src="../_static/late.js"></script>
"""


@pytest.fixture
def static(tmp_path):
    folder = tmp_path / "_static"
    (folder / "styles" / "fonts").mkdir(parents=True)
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images" / "curves.svg").write_text('<svg id="a" width="144pt" height="72.6pt">')
    (folder / "styles" / "first.css").write_text('@import "../basic.css";\na{}')
    (folder / "basic.css").write_text("b{background:url(icon.png)}")
    (folder / "large.css").write_text("l{}" * loading.LARGE)
    (folder / "second.css").write_text("c{background:url('styles/x.png')}d{x:url(data:a)}")
    (folder / "third.css").write_text("e{}")
    (folder / "fourth.css").write_text("f{}")
    return folder


def test_small_sheets_are_joined_with_their_neighbours(static):
    page = loading.sooner(PAGE, static)
    links = [line for line in page.splitlines() if "stylesheet" in line]
    first, large, second, own = (link.partition("_static/")[2].partition('"')[0] for link in links)
    assert (large, own) == ("large.css", "explorer/explorer.css")
    assert (static / first).read_text() == 'b{background:url("icon.png")}\na{}'
    assert (static / second).read_text() == (
        'c{background:url("styles/x.png")}d{x:url(data:a)}\ne{}\nf{}'
    )


def test_addresses_are_as_seen_from_the_joined_file(static):
    (static / "styles" / "first.css").write_text('a{src:url("../fonts/a.woff") url(b.woff)}')
    loading.sooner(PAGE, static)
    joined = [path.read_text() for path in static.glob("joined-*.css")]
    assert 'a{src:url("fonts/a.woff") url("styles/b.woff")}' in joined


def test_pages_with_other_sheets_have_another_file(static):
    pages = [PAGE, PAGE.replace("fourth.css", "basic.css")]
    links = [set(loading.LINK.findall(loading.sooner(page, static))) for page in pages]
    assert len(links[0] & links[1]) == 3  # of four
    assert len(list(static.glob("joined-*.css"))) == 3


def test_no_script_is_waited_for_and_images_have_sizes(static):
    page = loading.sooner(PAGE, static)
    assert "preload" not in page
    assert "pagename" not in page
    assert page.count("<script") == page.count("defer") - page.count("defer=") == 3
    assert '<img width="192" height="97" alt="Curves." src="../_images/curves.svg" />' in page
    assert '<img alt="." width="3" src' in page


def test_a_page_that_was_made_so_stays_as_it_is(static):
    page = loading.sooner(PAGE, static)
    assert loading.sooner(page, static) == page


def test_icons_are_those_that_are_named():
    sheet = (
        ".fa{a:b}@font-face{font-family:FontAwesome;src:url(x)}"
        '.fa-bars:before,.fa-navicon:before{content:"\\f0c9"}.fa-cat:before{content:"\\f6be"}'
    )
    few, letters = icons.chosen(sheet, {"fa-solid", "fa-navicon"})
    assert few.removeprefix(icons.OWN_FACE) == (
        '.fa{a:b}.fa-bars:before,.fa-navicon:before{content:"\\f0c9"}'
    )
    assert letters == {"\uf0c9"}


@pytest.mark.parametrize(
    ("sheet", "kept"),
    [
        (".on{a:b}.off{a:c}", ".on{a:b}"),
        ("p,.off,.on .off,.on>p.on{}", "p,.on>p.on{}"),
        (".on:not(.off),.off:not(.on){}", ".on:not(.off){}"),
        (".w-50\\%{}.off\\%{}", ".w-50\\%{}"),
        ("@media print{.off{}.on{}}@media screen{.off{}}", "@media print{.on{}}"),
        ("@supports (a:b){@media print{.off{}}}", ""),
        ("@font-face{a:b}@keyframes off{from{a:b}}", "@font-face{a:b}@keyframes off{from{a:b}}"),
        ('[class*="off"],#off{content:".off{}"}/*.on{}*/', '[class*="off"],#off{content:".off{}"}'),
    ],
)
def test_rules_without_a_class_of_the_pages_are_left_out(sheet, kept):
    assert rules.needed(sheet, {"on", "w-50%"}) == kept


NAMED = re.compile(r"\.([\w-]+)")  # a class that a selector wants


@pytest.mark.xdist_group("book")
def test_every_rule_that_holds_for_something_is_kept(smoke_site, smoke_pages):
    """A second opinion: what another library finds on pages by the theme's own sheets."""
    theme = files("pydata_sphinx_theme") / "theme/pydata_sphinx_theme/static"
    pages, held = [smoke_pages[name] for name in ("intro", "theory/kl-divergence")], 0
    classes = {name for page in pages for tag in page.select("[class]") for name in tag["class"]}
    for sheet in rules.SHEETS[:2]:
        whole = (theme / sheet).read_text()
        kept = smoke_site.html.joinpath("_static", sheet).read_text()
        assert len(kept) < 0.8 * len(whole)
        for selectors in re.findall(r"(?<=[{}])([^{}@%]+)\{", whole):
            for selector in selectors.split(","):
                if ":" not in selector and not classes.issuperset(NAMED.findall(selector)):
                    continue  # no page has them all: sooner than a search
                try:
                    if not any(page.select_one(selector) for page in pages):
                        continue
                except (SelectorSyntaxError, NotImplementedError):  # no elements, but parts
                    continue
                held += 1
                assert re.search(rf"[,{{}}]{re.escape(selector)}[,{{]", kept), selector
    assert held > 200
