"""Headless Chromium for tests: tabs that record what they log and every request that they make."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import missing, needed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",  # which a container has no right to
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")  # while it runs, no other event loop can
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium; skip the test on a machine without it."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        missing(f"there is none of {', '.join(NAMES)}")
    with needed("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


# A page handles a new fragment of its address only after the click that set it.
HEARS = """
  window.heard = location.hash;
  addEventListener("hashchange", () => { window.heard = location.hash; });
"""
HAS_HEARD = """() => new Promise(done => {
  const drawn = () => requestAnimationFrame(() => setTimeout(done));
  const look = () => window.heard === location.hash ? drawn() : setTimeout(look);
  look();
})"""


class Tab:
    """A tab: its `page`, the `faults` that it has logged and the `requests` that it has made."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.requests: list[str] = []
        page.add_init_script(HEARS)
        page.on("console", self._logged)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._requested)

    def _logged(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def _requested(self, request: Request) -> None:
        self.requests.append(request.url)

    def settle(self) -> None:
        """Wait until the page has handled its address and drawn what follows."""
        self.page.evaluate(HAS_HEARD)

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a file, at a fragment if one is given."""
        self.page.goto(path.as_uri() + fragment)


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Tab]:
    """Return a new tab; the test fails if it logs an error."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    tab = Tab(context.new_page())
    yield tab
    context.close()
    assert tab.faults == []
