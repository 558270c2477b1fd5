"""The build itself: what it repeats, and what makes it fail."""

import os
import shutil
import subprocess

import pytest
from sphinx.config import Config, correct_copyright_year

from vaelib.book.build import keep_copyright

from .conftest import ROOT, build

pytestmark = pytest.mark.xdist_group("book")  # one process builds the book for all

ADDRESS = "https://github.com/someone/something"


def test_groups_are_seen(request):
    """If they are not, each process builds the book, and makes what a file's tests share."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert request.node.nodeid.endswith("@book")
        assert all("@" in item.nodeid for item in request.session.items)


def test_the_recipe_for_tests_is_named_on_every_page(smoke_pages):
    for name, page in smoke_pages.items():
        assert "for tests only" in page.get_text(), name


def test_a_second_build_makes_nothing(smoke_site, monkeypatch):
    weights = smoke_site.book / "executed/bce/weights.safetensors"
    before = weights.stat().st_mtime_ns
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    code, output = build(smoke_site.root)
    assert code == 0, output
    assert "notebook bce" not in output
    assert "notebooks: 0 executed in" in output
    assert "pages: read and written in" in output
    assert weights.stat().st_mtime_ns == before
    imported = {line.rpartition("|")[2].strip() for line in output.splitlines() if "|" in line}
    assert "vaelib.book.explorer.directive" in imported
    assert not imported & {"torch", "scipy", "numpy", "matplotlib", "fontTools"}


@pytest.fixture
def copy(smoke_site, tmp_path):
    """A copy of the built book, to break."""
    shutil.copytree(smoke_site.root, tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


def test_a_failing_check_in_a_chapter_fails_the_build(copy):
    page = copy / "book" / "theory" / "kl-divergence.md"
    page.write_text(page.read_text() + "\n```{code-cell} ipython3\n1 / 0\n```\n")
    code, output = build(copy)
    assert code == 1, output
    assert "Traceback" not in output
    last = output.rstrip().splitlines()[-1]
    failed = "theory/kl-divergence.md: the cell that begins with `1 / 0` failed: ZeroDivisionError"
    assert last.startswith(f"the book was not built: {failed}")


@pytest.fixture(scope="module")
def addressed(smoke_site, tmp_path_factory):
    """Two pages of the book with an address: a chapter, and a notebook of a run."""
    root = tmp_path_factory.mktemp("addressed") / "copy"
    shutil.copytree(smoke_site.root, root, symlinks=True)
    config = root / "_config.yml"
    text = config.read_text()
    config.write_text(text.replace('repository_address: ""', f'repository_address: "{ADDRESS}"'))
    assert config.read_text() != text
    toc = "format: jb-book\nroot: intro\nchapters:\n  - file: executed/mse/notebook\n"
    (root / "_toc.yml").write_text(toc)
    code, output = build(root, strict=())  # links to the other pages lead nowhere
    assert code == 0, output
    assert "chapters: 0 executed in" in output
    assert "Executed notebook in" not in output  # Sphinx finds the outputs in the cache
    return root / "book/_build/html"


def test_with_an_address_pages_link_to_source_and_templates(addressed):
    html = addressed
    page = (html / "executed/mse/notebook.html").read_text()
    assert "mybinder.org/v2/gh/someone/something/main" in page
    assert "src/vaelib/templates/train.ipynb" in page
    assert "book/executed/" not in page
    assert f"{ADDRESS}/blob/main/book/intro.md" in (html / "intro.html").read_text()
    site = "https://someone.github.io/something/"
    assert f'property="og:url" content="{site}executed/mse/notebook.html"' in page
    assert f'property="og:image" content="{site}readme.png"' in page
    assert f'This report is published at <a href="{site}">' in page


def test_a_copy_without_its_links_says_so(copy):
    """A zip unpacked without symbolic links leaves text files in their place."""
    link = copy / "book" / "_toc.yml"
    link.unlink()
    link.write_text("../_toc.yml")
    done = subprocess.run(
        ["make", "-f", ROOT / "Makefile", "--assume-old=install", "book"],
        cwd=copy,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "book/_toc.yml is not a symbolic link" in done.stdout


def test_the_year_of_the_copyright_is_not_that_of_a_date_that_was_given(monkeypatch):
    config = Config({}, {"copyright": "2026"})
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "315532800")
    correct_copyright_year(None, config)
    assert config["copyright"] == "1980"
    keep_copyright("2026", None, config)
    assert config["copyright"] == "2026"
