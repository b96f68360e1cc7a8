"""The Mermaid text has all that the diagram has, whatever its texts are; Mermaid draws it in Chromium."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mimgraph as mg
from mimgraph.picture import RenderError
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.captions import unrepeated
from mimgraph.picture.diagram.description import describe
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, boxes
from mimgraph.picture.formats import mermaid
from mimgraph.picture.scene import Scene
from mimgraph.picture.themes import PALETTES
from tests.conftest import SPECS
from tests.helpers.browser import Tab
from tests.helpers.npm import npm
from tests.picture.scenes import unlike
from tests.test_injection import WORDS

TOWERS = """
name: Towers
doc: Two towers, one module.
inputs: {left: [4], right: {shape: [4], optional: true}}
nodes:
  tower: {from: left, seq: [{Linear: 2}, ReLU]}
  again: {share: tower, from: right}
  fused: {merge: add, from: [tower, again], missing: skip}
  steps: {merge: stack, from: [fused, fused]}
  read: {layer: LSTM, from: steps, hidden_size: 2}
  scale: {parameter: [2], init: ones}
  scaled: {merge: multiply, from: [read.last, scale], broadcast: true}
outputs: {score: scaled, aux: {from: fused, only: training}}
"""


def scene(text: str, **how: Any) -> Scene:
    return Scene(diagram(mg.loads(text).typed), **how)


def lines(text: str) -> list[str]:
    """Return the lines without indents, and without the spaces that move titles of clusters."""
    plain = re.sub("(#8199;)+", "", text).replace("\xa0", " ")
    return [line.strip() for line in plain.splitlines()]


def test_the_whole_text_of_a_graph(rewrite: bool) -> None:
    path = Path(__file__).parent / "towers.mmd"
    if rewrite:
        path.write_text(mermaid.render(scene(TOWERS)))
    assert mermaid.render(scene(TOWERS)) == path.read_text()


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert mermaid.render(scene(TOWERS)) == mermaid.render(scene(TOWERS))


def test_direction_depth_and_theme_are_written() -> None:
    written = mermaid.render(scene(TOWERS, direction="LR", depth=0, theme="dark"))
    assert "flowchart LR" in written and '"theme": "dark"' in written
    assert 'n2[["`**tower**\nLinear 2 + ReLU\n(N, 2)`"]]' in written
    assert "theme" not in mermaid.render(scene(TOWERS))  # so the theme of the page holds


def test_kinds_differ_in_shape() -> None:
    alone = ("input", "layer", "merge", "tensor", "output", "block")
    assert len({mermaid._SHAPES[kind] for kind in alone}) == len(alone)


def test_marks_have_signs_and_styles() -> None:
    old = Box("a", "layer", "a", "Linear 3", mark="removed")
    new = Cluster("b", "seq", "b", "seq", (Box("b.0", "layer", "", "ReLU", mark="added"),))
    edges = (Edge("a", "b.0"), Edge("a", "b.0", mark="added"), Edge("a", "b.0", mark="removed"))
    written = lines(mermaid.render(Scene(Diagram("Model", "", (old, new), edges))))
    assert {'n0["`#8722; **a**', 'n2["`#43; ReLU`"]'} <= set(written)
    added, removed = PALETTES["light"].marks["added"].line, PALETTES["light"].marks["removed"].line
    assert {"class n0 removed", "class n2 added"} <= set(written)
    assert {
        f"linkStyle 1 stroke:{added},stroke-width:4px",
        f"linkStyle 2 stroke:{removed},stroke-width:4px,stroke-dasharray:8 4",
    } <= set(written)


def blocks(uses: int, layers: int) -> str:
    """Return a spec of different blocks in a row, each of so many layers or more."""
    parts = "\n".join(
        f"  part{i}: {{seq: [{', '.join(['ReLU'] * (layers + i))}]}}" for i in range(uses)
    )
    nodes = "\n".join(
        f"  n{i}: {{block: part{i}, from: {f'n{i - 1}' if i else 'x'}}}" for i in range(uses)
    )
    return f"inputs: {{x: [4]}}\nblocks:\n{parts}\nnodes:\n{nodes}\noutputs: n{uses - 1}\n"


@pytest.mark.parametrize(
    ("uses", "layers", "shown"),
    [(3, 100, 3 * 100 + 3), (6, 100, 6)],
    ids=["few enough are shown", "too many are folded"],
)
def test_a_chart_above_the_limits_is_folded(uses: int, layers: int, shown: int) -> None:
    written = lines(mermaid.render(scene(blocks(uses, layers))))
    assert sum("ReLU" in line or "part" in line for line in written) >= shown
    assert ("subgraph" in "".join(written)) == (shown > uses)
    assert sum("-->" in line for line in written) <= mermaid.MAX_EDGES


def test_a_chart_above_the_limits_that_cannot_be_folded_is_refused(tmp_path: Path) -> None:
    text = unlike(300)
    with pytest.raises(RenderError, match="no more than 500 edges and 50,000 characters"):
        mg.loads(text).draw(tmp_path / "m.mmd")
    assert not (tmp_path / "m.mmd").exists()


def test_a_long_description_is_cut() -> None:
    picture = Diagram("Model", "long " * 20_000, (Box("x", "input", "x"),), ())
    assert len(mermaid.render(Scene(picture))) < 1000


def test_long_chains_are_collapsed_if_folding_is_not_enough() -> None:
    nodes = [f"  n{i}: {{layer: ReLU, from: {f'n{i - 1}' if i else 'x'}}}" for i in range(600)]
    text = "\n".join(["inputs: {x: [4]}", "nodes:", *nodes, "outputs: n599"])
    assert "ReLU × 600" in mermaid.render(scene(text))


MARKUP = {
    "emphasis": "**b** _i_ __x__ *a* 2*T*64",
    "code": "`x` ``` ~~~",
    "a list": "1. item",
    "another list": "12) item",
    "a dash": "- item",
    "a heading": "# head",
    "an underline": "===",
    "a rule": "--- *** ___",
    "a link": "[a](b) [c]: d ![e](f) <http://a.b>",
    "an icon": "fa:fa-ban fab:fa-x",
    "formulas": "$$x^2$$ $x$",
    "styles": "style x fill:#fff;#1; classDef: #1; linkStyle 0 a",
    "a word of Mermaid": "end",
    "a directive": "%%{init: {'securityLevel': 'loose'}}%%",
    "a click": 'click n0 href "javascript:alert(1)"',
    "front matter": "---\nconfig: {securityLevel: loose}\n---",
    "a class": "x:::y @{ shape: circle }",
    "what codes become": "ﬂ°°60¶ß ﬂ°lt¶ß #60; #lt; &lt; &#60;",
    "a table": "| a | b |",
    "spaces": "  two  words ",
    "another script": "größer 漢字 🙂 é",
}
HOSTILE = {name: word for name, word in WORDS.items() if len(word) < 1000} | MARKUP


def hostile(word: str) -> Diagram:
    """Return a diagram in which every text is `word`."""
    inner = Box("c.a", "layer", word, word, (word,), word)
    items = (
        Box("x", "input", word, word, (word,), word),
        Box("y", "output", "", word),
        Cluster("c", "block", word, word, (inner,), word),
    )
    return Diagram("Name", word, items, (Edge("x", "c.a", word), Edge("c.a", "y")))


def skeleton(text: str) -> str:
    """Return the Mermaid text without the strings."""
    return re.sub("accDescr: .*", "accDescr", re.sub('"[^"]*"', '""', text))


def test_hostile_text_stays_text() -> None:
    plain = skeleton(mermaid.render(Scene(hostile("word"))))
    active = {}
    for name, word in HOSTILE.items():
        assert skeleton(mermaid.render(Scene(hostile(word)))) == plain, name
        letters = re.sub(r"#\d+;|[^\W_]", "", mermaid.coded(word))
        active[name] = set(letters) - set(" (),×→…/[]_.=-+:")
    assert [name for name, letters in active.items() if letters] == []


# Mermaid itself, as GitHub runs it; versions 11 and 12 behave alike in these tests

VERSION = "11.12.0"


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return Mermaid's script, installed by npm; skip the test if there is no npm."""
    root = tmp_path_factory.mktemp("mermaid")
    npm(root, "pack", f"mermaid@{VERSION}")
    with tarfile.open(root / f"mermaid-{VERSION}.tgz") as package:
        package.extract("package/dist/mermaid.min.js", root, filter="data")
    return root / "package" / "dist" / "mermaid.min.js"


DRAW = """async (text) => {
    await mermaid.parse(text);
    const {svg} = await mermaid.render("drawn", text);
    document.body.innerHTML = svg;
    const found = (selector) => [...document.body.querySelectorAll(selector)];
    return {
        texts: found(".node, .cluster-label, .edgeLabel .label").map((e) => e.textContent),
        title: found("svg > title").map((e) => e.textContent).join(),
        description: found("svg > desc").map((e) => e.textContent).join(),
        active: found("script, a, img, image, iframe, i, em, code, math, li, h1, h2").map(
            (e) => e.outerHTML
        ),
        bold: found(".node strong").map((e) => e.textContent),
    };
}"""
Draw = Callable[[str], dict[str, Any]]


@pytest.fixture
def draw(script: Path, tab: Tab, tmp_path: Path) -> Iterator[Draw]:
    """Return a function that draws a text in a page that requests nothing else."""
    page = tmp_path / "page.html"
    page.write_text(f'<!doctype html><meta charset="utf-8"><script src="{script}"></script>')
    tab.open(page)
    tab.page.evaluate("mermaid.initialize({startOnLoad: false, securityLevel: 'strict'})")
    yield lambda text: tab.page.evaluate(DRAW, text)
    assert tab.requests == [page.as_uri(), script.as_uri()]


def texts(picture: Diagram) -> list[str]:
    """Return all texts in a picture, without spaces."""

    def of(items: tuple[Item, ...]) -> Iterator[str]:
        for item in items:
            if isinstance(item, Box):
                box = unrepeated(item)
                yield bare(box.title + box.subtitle + "".join(box.shapes))
            else:
                yield bare(item.title + item.subtitle)
                yield from of(item.items)

    return sorted([*of(picture.items), *(bare(edge.label) for edge in picture.edges if edge.label)])


def bare(text: str) -> str:
    """Return a text without spaces, with invisible characters replaced as `mermaid.coded` does."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in re.sub(r"\s", "", text))
    return text.replace("ﬂ", "fl").replace("¶", "\ufffd")


@pytest.mark.slow
def test_mermaid_draws_every_text_of_the_diagram(draw: Draw) -> None:
    for path in SPECS:
        scene = Scene(diagram(mg.load(path).typed))
        drawn = draw(mermaid.render(scene))
        assert sorted(filter(None, map(bare, drawn["texts"]))) == texts(scene.shown), path.stem
        titles = {unrepeated(box).title for box in boxes(scene.shown.items)}
        assert set(drawn["bold"]) == titles - {""}
        assert bare(drawn["title"]) == scene.shown.name
        assert bare(drawn["description"]) == bare(describe(scene.shown))
        assert drawn["active"] == []


@pytest.mark.slow
def test_mermaid_shows_hostile_text_unchanged(draw: Draw) -> None:
    for name, word in HOSTILE.items():
        picture = hostile(word)
        drawn = draw(mermaid.render(Scene(picture)))
        assert sorted(filter(None, map(bare, drawn["texts"]))) == texts(picture), name
        assert bare(drawn["description"]) == bare(describe(picture)), name
        assert drawn["active"] == []


@pytest.mark.slow
def test_mermaid_reads_charts_just_within_its_limits(draw: Draw, tab: Tab) -> None:
    for text in (blocks(3, 100), blocks(6, 100)):
        assert tab.page.evaluate("mermaid.parse", mermaid.render(scene(text)))
