"""The whole book, built once with the recipe for tests, in a folder with a space in its path."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from filelock import FileLock

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Built:
    root: Path

    @property
    def book(self):
        return self.root / "book"

    @property
    def html(self):
        return self.book / "_build" / "html"


def build(root, strict=("-W", "-n")):
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", "book/", *strict, "--keep-going"]
    done = subprocess.run(
        command,
        cwd=root,
        env=os.environ | {"VAELIB_RECIPE": "smoke", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.fixture(scope="session")
def smoke_site(tmp_path_factory):
    """The book; the first to ask of processes side by side builds it for all."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    root = place / "a clone"
    with FileLock(place / "a clone.lock"):
        if not root.exists():
            copy_of_the_book(root)
            code, output = build(root)
            assert code == 0, output
    return Built(root)


def copy_of_the_book(root):
    made = {"_build", "executed", "by-hand"}
    shutil.copytree(
        ROOT / "book",
        root / "book",
        symlinks=True,
        ignore=lambda folder, names: made if Path(folder) == ROOT / "book" else (),
    )
    for name in ("_config.yml", "_toc.yml"):
        shutil.copyfile(ROOT / name, root / name)
    templates = Path("src", "vaelib", "templates")  # a page offers them
    shutil.copytree(ROOT / templates, root / templates)


@pytest.fixture(scope="session")
def site(request):
    if os.environ.get("VAELIB_BUILT"):
        return Built(ROOT)
    return request.getfixturevalue("smoke_site")


def documents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    pages = [page for chapter in chapters for page in (chapter, *chapter.get("sections", ()))]
    return [toc["root"], *(page["file"] for page in pages)]


@cache
def parse(site):
    return {
        name: BeautifulSoup((site.html / f"{name}.html").read_text(), "html.parser")
        for name in documents()
    }


@pytest.fixture(scope="session")
def pages(site):
    return parse(site)


@pytest.fixture(scope="session")
def smoke_pages(smoke_site):
    return parse(smoke_site)
