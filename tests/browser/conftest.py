"""Chromium, and the built site in two places: as files, and under a sub-path of a host."""

import os
import shutil
import threading
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.book.conftest import ROOT, documents

HTML = ROOT / "book" / "_build" / "html"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")


@pytest.fixture(scope="session")
def browser():
    assert (HTML / "intro.html").exists(), "there is no built site to look at: run make book first"
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not program:
        reason = "chromium is not installed; on Debian: sudo apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", *QUIET]
        )
        yield browser
        browser.close()


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture(scope="session")
def host():
    """The address of a host that has the site under /some/path/."""

    class Below(Handler):
        def translate_path(self, path):
            return super().translate_path(path.removeprefix("/some/path"))

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Below, directory=HTML))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/some/path"
    server.shutdown()
    server.server_close()


@dataclass
class Visit:
    """A page that is open, and what went wrong while it was opened."""

    page: object
    wrong: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def visit(browser):
    """Open an address in a window of its own; mathematics and colours have settled on return."""
    contexts = []

    def go(address, scheme="light", width=1280):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
        contexts.append(context)
        page = context.new_page()
        visit = Visit(page)
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("requestfailed", lambda request: visit.wrong.append(f"failed: {request.url}"))
        page.on("pageerror", lambda error: visit.wrong.append(str(error)))
        page.on("console", lambda m: m.type == "error" and visit.wrong.append(m.text))
        page.goto(address, wait_until="load")
        # The theme fades each colour in, from black, when a page opens.
        page.evaluate("Promise.allSettled(document.getAnimations().map(a => a.finished))")
        return visit

    yield go
    for context in contexts:
        context.close()


def names():
    """List the pages by name, and those that Sphinx adds; of the rooms of the reference, one.

    And of the modules whose sources are shown.
    """
    rooms = [name for name in documents() if name.startswith("api/") and name != "api/vae"]
    added = ["genindex", "search", "_modules/index", "_modules/vaelib/vae/model"]
    return [*(name for name in documents() if name not in rooms), *added]
