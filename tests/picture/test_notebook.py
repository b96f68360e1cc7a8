"""Notebooks show graphs and handles as a picture with a caption, or as text if it cannot be drawn."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from IPython.core.formatters import DisplayFormatter

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import boxes
from tests.conftest import ROOT, needed
from tests.helpers.browser import Tab
from tests.picture.scenes import unlike

PAIR = """
name: Pair
inputs: {left: [4], right: {shape: [2, T], optional: true}}
nodes:
  steps: {layer: Conv1d, from: right, out_channels: 2, kernel_size: 3}
  mean: {layer: Mean, from: steps, dim: -1}
  heard: {layer: Fill, from: mean, value: zeros}
  both: {merge: concat, from: [left, heard]}
  score: {layer: Linear, from: both, out_features: 1, freeze: true}
outputs: score
"""


@pytest.fixture
def formatter() -> DisplayFormatter:
    """Return the formatter that a notebook uses."""
    made = DisplayFormatter()
    made.active_types = made.format_types
    return made


def svg(shown: str) -> ElementTree.Element:
    """Return the SVG inside the HTML."""
    found = re.search('src="data:image/svg.xml;base64,([^"]+)"', shown)
    assert found is not None
    return ElementTree.fromstring(b64decode(found[1]))


def nodes(shown: str) -> list[ElementTree.Element]:
    return [g for g in svg(shown).iterfind("{*}g") if "node" in g.attrib["class"].split()]


def words(shown: str) -> list[str]:
    return ["".join(e.itertext()).strip() for e in svg(shown).iterfind(".//{*}text")]


def caption(shown: str) -> str:
    found = re.search("<figcaption>(.*)</figcaption>|<pre>(.*)</pre>", shown, re.DOTALL)
    assert found is not None
    return html.unescape(found[1] or found[2])


def test_a_graph_is_a_picture_with_its_totals(formatter: DisplayFormatter) -> None:
    graph = mg.loads(PAIR)
    shown, metadata = formatter.format(graph)
    assert list(shown) == ["text/plain", "text/html"]
    assert shown["text/plain"] == repr(graph)
    assert {"left", "right", "both", "concat", "score"} <= set(words(shown["text/html"]))
    assert caption(shown["text/html"]) == "Pair: 21 parameters (7 frozen); at run time T >= 3"
    assert 'alt="Pair' in shown["text/html"]
    assert metadata == {}


def block_use() -> Any:
    seen: list[Any] = []

    @mg.block
    def part(x: mg.Tensor) -> mg.Tensor:
        seen.append(layers.ReLU()(x, name="inner"))
        return seen[0]

    part(mg.Input("x", (4,)))
    return seen[0]


def handles() -> Iterator[tuple[str, Any, str, set[str]]]:
    """Yield a label, a handle, its caption, and texts that its picture shows."""
    x, sound = mg.Input("x", (8,)), mg.Input("sound", ("T", 3), optional=True)
    heard = layers.LSTM(4)(sound, name="heard")
    a = layers.Linear(6, activation="ReLU")(x, name="a")
    parts = layers.Chunk(2, dim=1)(a)
    column = mg.Input("city", vocab=9)
    emb = layers.Embedding(2).each(column, name="emb")
    yield "an input", x, "x: Input, (N, 8) float32", {"x"}
    yield "an optional input", sound, "sound: Input, (N, T, 3) float32", {"sound", "optional"}
    yield "a layer", a, "a: Linear, (N, 6) float32", {"x", "a", "Linear 8 to 6 + ReLU"}
    yield (
        "a layer of an optional input",
        heard,
        "heard: LSTM, (N, T, 4) float32",
        {"sound", "heard"},
    )
    yield "a port", heard["last"], "heard.last: LSTM, (N, 4) float32", {"sound", "heard"}
    yield "a merge", a + a, "add: add, (N, 6) float32", {"x", "a", "add"}
    words = "chunk: Chunk, 0 (N, 3) float32, 1 (N, 3) float32"
    yield "several results", parts, words, {"x", "a", "chunk"}
    yield "a weight", a["weight"], "a.weight: Linear, (6, 8) float32", {"x", "a"}
    yield "each", emb, "emb: Embedding, city (N, 2) float32", {"city", "emb"}
    scale = mg.Parameter("scale", (6,), init="zeros")
    yield "a parameter", scale, "scale: parameter, (6,) float32", {"scale"}
    both = merges.multiply(a, scale, broadcast=True, name="both")
    yield (
        "a merge with a parameter",
        both,
        "both: multiply, (N, 6) float32",
        {"x", "a", "scale", "both"},
    )


def test_a_handle_shows_the_graph_that_computes_it(formatter: DisplayFormatter) -> None:
    for label, handle, text, named in handles():
        shown = formatter.format(handle)[0]
        assert list(shown) == ["text/plain", "text/html"], label
        assert caption(shown["text/html"]) == text, label
        assert named <= set(words(shown["text/html"])), label
        assert len(nodes(shown["text/html"])) <= len(named), label


def test_a_handle_without_a_graph_shows_text() -> None:
    state = layers.LSTM(4)(mg.Input("x", ("T", 3)))["state"]
    assert block_use()._repr_html_() == "<pre>inner: ReLU, (N, 4) float32</pre>"
    assert state._repr_html_() == "<pre>lstm.state: LSTM, (N, 1, 4) state</pre>"


def test_only_the_formats_that_are_asked_for_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for shown in (mg.loads(PAIR), mg.Input("x", (4,))):
        assert list(shown._repr_mimebundle_(include={"text/html"})) == ["text/html"]
        monkeypatch.setattr(type(shown), "_repr_html_", None)
        for wanted in ({"include": {"text/plain"}}, {"exclude": {"text/html"}}):
            assert shown._repr_mimebundle_(**wanted) == {"text/plain": repr(shown)}


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v2", "unet_attention"])
def test_large_graphs_are_folded_to_a_readable_size(name: str) -> None:
    graph = mg.load(ROOT / "specs" / f"{name}.yaml")
    assert (
        0 < len(nodes(graph._repr_html_())) < sum(1 for _ in boxes(diagram(graph.typed).items)) / 3
    )


def test_a_graph_too_large_to_draw_is_a_table() -> None:
    graph = mg.loads(unlike(300))
    assert caption(graph._repr_html_()) == repr(graph.summary())


def test_hostile_text_adds_no_elements() -> None:
    word = '"><script>alert(1)</script>'
    x = mg.Input("x", (4,), doc=word)
    shown = mg.Graph(layers.ReLU()(x), doc=word)._repr_html_()
    assert re.findall("<(/?[a-z]+)", shown) == [
        "figure",
        "img",
        "figcaption",
        "/figcaption",
        "/figure",
    ]


def test_showing_a_handle_imports_no_torch() -> None:
    code = (
        "import sys, mimgraph as mg\n"
        "assert 'mimgraph.picture.notebook' not in sys.modules\n"
        "mg.Input('x', (4,))._repr_html_()\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


CELLS = ["import mimgraph as mg", "graph = mg.loads(PAIR); graph", "mg.Input('x', (8,))"]


@pytest.mark.slow
def test_an_executed_notebook_shows_graph_and_handle(tab: Tab, tmp_path: Path) -> None:
    nbformat, nbclient, nbconvert = map(needed, ("nbformat", "nbclient", "nbconvert"))
    needed("ipykernel")
    cells = [f"PAIR = {PAIR!r}", *CELLS]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    page = tmp_path / "book.html"
    body, _ = nbconvert.HTMLExporter(template_name="basic").from_notebook_node(book)
    page.write_text(f'<!doctype html><meta charset="utf-8">{body}')
    tab.open(page)
    images = tab.page.locator("figure img")
    assert images.count() == 2
    for i in range(2):
        assert images.nth(i).evaluate("e => e.complete && e.naturalWidth > 50")
    assert tab.page.get_by_alt_text("Pair: 21 parameters").count() == 1
    tab.page.screenshot(path=tmp_path / "book.png", full_page=True)
