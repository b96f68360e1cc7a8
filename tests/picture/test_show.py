"""`graph.show()` shows the interactive page: in a notebook below the cell, else in the browser."""

from __future__ import annotations

import html
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlparse

import pytest

import mimgraph as mg
from mimgraph.picture.show import in_frame
from tests.conftest import ROOT
from tests.helpers.browser import Tab

SPEC = """
inputs: {x: [4]}
blocks: {step: {inputs: [x], nodes: {fc: {layer: Linear, from: x, out_features: %d}}, outputs: fc}}
nodes: {y: {block: step, from: x}}
outputs: y
"""


def graph(size: int = 4) -> mg.Graph:
    return mg.loads(SPEC % size)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Collect the addresses that a browser gets."""
    found: list[str] = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", lambda address: not found.append(address))
    return found


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Collect the data that a notebook shows below the cell that seems to run the test."""
    found: list[dict[str, str]] = []
    shell = SimpleNamespace(kernel=True, display_pub=SimpleNamespace(publish=found.append))
    monkeypatch.setitem(
        __import__("sys").modules, "IPython", SimpleNamespace(get_ipython=lambda: shell)
    )
    return found


def test_a_script_opens_the_page_that_draw_writes(opened: list[str], tmp_path: Path) -> None:
    for shown in (graph(), mg.diff(graph(), graph(5))):
        shown.show(theme="dark", depth=0)
        shown.draw(tmp_path / "same.html", theme="dark", depth=0)
        page = Path(urlparse(opened.pop()).path)
        assert opened == []
        assert page.read_bytes() == (tmp_path / "same.html").read_bytes()


def test_without_a_browser_the_page_is_named(
    opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    with pytest.warns(UserWarning, match=r"no browser was found to show the page .*model\.html"):
        graph().show()


def test_a_notebook_shows_the_page_below_the_cell(
    published: list[dict[str, str]], opened: list[str], tmp_path: Path
) -> None:
    graph().show()
    graph().draw(tmp_path / "same.html")
    (data,) = published
    found = re.fullmatch(
        r'<iframe srcdoc="([^"]*)" title="Model" style="[^"]*"></iframe>', data["text/html"]
    )
    assert found is not None
    assert html.unescape(found[1]) == (tmp_path / "same.html").read_text()
    assert opened == []


def test_a_hostile_name_stays_in_the_title() -> None:
    assert in_frame("", '"><script>').startswith(
        '<iframe srcdoc="" title="&quot;&gt;&lt;script&gt;"'
    )


@pytest.mark.slow
def test_the_page_works_inside_a_frame(tab: Tab, tmp_path: Path) -> None:
    mg.load(ROOT / "specs" / "resnet18.yaml").draw(tmp_path / "page.html")
    book = tmp_path / "book.html"
    book.write_text(f"<!doctype html>{in_frame((tmp_path / 'page.html').read_text(), 'ResNet')}")
    tab.open(book)
    frame = tab.page.frame_locator("iframe")
    frame.locator("[data-id]").first.click()
    assert "image" in frame.locator("#panel").inner_text()
    before = frame.locator("[data-id]").count()
    frame.locator("#more").click()
    assert frame.locator("[data-id]").count() > before
    assert tab.page.locator("iframe").bounding_box()["height"] > 600
