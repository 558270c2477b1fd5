"""The build itself: what it repeats, and what makes it fail."""

import json
import os
import shutil
import subprocess

import pytest
from bs4 import BeautifulSoup

from vaelib.build.chapters import CODE_CELL
from vaelib.plumbing.files import read_derived, write_derived

from .conftest import ROOT, build

pytestmark = pytest.mark.xdist_group("book")  # one process builds the book for all

ADDRESS = "https://github.com/someone/something"


def test_the_group_of_these_tests_is_seen(request):
    """If it is not, each process builds the book."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert request.node.nodeid.endswith("@book")


def test_the_recipe_for_tests_is_named_on_every_page(smoke_pages):
    for name, page in smoke_pages.items():
        assert "for tests only" in page.get_text(), name


def test_a_second_build_makes_nothing(smoke_site):
    weights = smoke_site.book / "executed/bce/weights.safetensors"
    before = weights.stat().st_mtime_ns
    code, output = build(smoke_site.root)
    assert code == 0, output
    assert "notebook bce" not in output
    assert "notebooks: 0 executed in" in output
    assert "pages: read and written in" in output
    assert weights.stat().st_mtime_ns == before


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
def changed(smoke_site, tmp_path_factory):
    """The book with an address and with other records, built again: its root, losses, output."""
    root = tmp_path_factory.mktemp("changed") / "copy"
    shutil.copytree(smoke_site.root, root, symlinks=True)
    config = root / "_config.yml"
    text = config.read_text()
    config.write_text(text.replace('repository_address: ""', f'repository_address: "{ADDRESS}"'))
    assert config.read_text() != text
    losses = json.loads((root / "book/executed/bce/losses.json").read_text())["test"]
    file = root / "book/_build/reproduction.json"
    key, summary = read_derived(file)
    spreads = {  # a run is not held against itself: the intervals of all seeds are not to be used
        loss: {"values": [value + 1], "prediction": {"low": value - 1, "high": value + 2}}
        for loss, value in losses.items()
    }
    others = {
        loss: {"low": value + shift, "high": value + 2}
        for (loss, value), shift in zip(losses.items(), (1, -1, -1), strict=True)
    }
    of_bce = {"loss": "bce", "beta": 0.5, "seeds": [0], **spreads, "others": {"0": others}}
    summary["objectives"]["smoke"] = {"bce": of_bce}
    write_derived(summary, key, file)  # as if the records said so
    code, output = build(root)
    assert code == 0, output
    return root, losses, output


def test_a_run_outside_the_recorded_interval_says_so_in_a_box(changed):
    root, losses, output = changed
    # The records are new, and so are the outputs of the cells that name them, but no proof's;
    # Sphinx finds them in the cache.
    pages = [*(root / "book").glob("*.md"), *(root / "book").glob("*/*.md")]
    cells = ["".join(CODE_CELL.findall(page.read_text())) for page in pages]
    number = sum("recorded" in code or "SUMMARY" in code for code in cells)
    assert 0 < number < sum(map(bool, cells))
    assert f"chapters: {number} executed in" in output
    assert "Executed notebook in" not in output
    pages = {
        name: BeautifulSoup(
            (root / f"book/_build/html/experiments/{name}.html").read_text(), "html.parser"
        )
        for name in ("bce", "mse")
    }
    (box,) = pages["bce"].select(".admonition.warning")
    assert f"total {losses['total']:.3f}" in box.get_text()
    assert "reconstruction" not in box.get_text()
    assert "1.000 from" in box.get_text()
    assert not pages["mse"].select(".admonition.warning")


def test_with_an_address_pages_link_to_source_and_templates(changed):
    html = changed[0] / "book/_build/html"
    page = (html / "executed/mse/notebook.html").read_text()
    assert "mybinder.org/v2/gh/someone/something/main" in page
    assert "book/notebooks/train.ipynb" in page
    assert "book/executed/" not in page
    assert f"{ADDRESS}/blob/main/book/intro.md" in (html / "intro.html").read_text()
    site = "https://someone.github.io/something/"
    assert f'property="og:url" content="{site}executed/mse/notebook.html"' in page
    assert f'property="og:image" content="{site}readme.png"' in page


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
