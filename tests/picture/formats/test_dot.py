"""Dot text says what the diagram says, whatever a text holds; the suffix picks what is drawn."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mimgraph
from mimgraph.picture import draw
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import Cluster, Item, boxes
from mimgraph.picture.formats import RENDERERS, dot, png
from mimgraph.picture.scene import Direction, Scene, Theme
from mimgraph.picture.themes import LOOKS
from tests.picture.scenes import EVERYTHING, HOSTILE, hostile

SPEC = """
name: Pair
doc: 'two "towers" & <more>'
inputs: {left: [3, 8, 8], right: [3, 8, 8]}
blocks:
  conv: {params: {width: null}, seq: [{Conv2d: {out_channels: $width, kernel_size: 3}}, ReLU]}
nodes:
  tower: {from: left, seq: [{conv: {width: 4, repeat: 2}}, Flatten]}
  again: {share: tower, from: right}
  fused: {merge: concat, from: [tower, again], activation: Tanh}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score
"""
PURE = Path(sysconfig.get_path("scripts")) / "graphviz-pure"


@pytest.fixture
def graph() -> Any:
    return mimgraph.loads(SPEC).typed


def parsed(text: str) -> dict[str, Any]:
    """Dot text as Graphviz reads it."""
    done = subprocess.run(
        [PURE, "-Tdot_json"], input=text.encode(), capture_output=True, check=True
    )
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def clusters(items: tuple[Item, ...]) -> Iterator[Cluster]:
    for item in items:
        if isinstance(item, Cluster):
            yield item
            yield from clusters(item.items)


def test_graphviz_reads_the_nodes_edges_and_clusters_of_the_diagram(graph: Any) -> None:
    picture = diagram(graph)
    read = parsed(dot.render(Scene(picture)))
    objects = {o["_gvid"]: o for o in read["objects"]}
    nodes = {o["name"] for o in objects.values() if "nodes" not in o}
    assert nodes == {box.id for box in boxes(picture.items)}
    held = {
        o["name"]: {objects[i]["name"] for i in o["nodes"]}
        for o in objects.values()
        if "nodes" in o
    }
    assert held == {
        f"cluster_{c.id}": {box.id for box in boxes(c.items)} for c in clusters(picture.items)
    }
    lines = [
        (objects[e["tail"]]["name"], objects[e["head"]]["name"], e.get("style"))
        for e in read["edges"]
    ]
    assert [(tail, head) for tail, head, style in lines if style != "dashed"] == [
        (edge.tail, edge.head) for edge in picture.edges
    ]
    assert [(tail, head) for tail, head, style in lines if style == "dashed"] == [
        ("tower.0.0.0", "again")  # from the wall of the cluster that holds its first box
    ]


def test_the_same_graph_gives_the_same_bytes(graph: Any) -> None:
    assert dot.render(Scene(diagram(graph))) == dot.render(
        Scene(diagram(mimgraph.loads(SPEC).typed))
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_direction_theme_marks_and_dashes_are_written(direction: Direction, theme: Theme) -> None:
    read = parsed(dot.render(Scene(EVERYTHING, direction=direction, theme=theme)))
    look = LOOKS[theme]
    assert (read["rankdir"], read["bgcolor"]) == (direction, look.page)
    boxes = {o["name"]: o for o in read["objects"]}
    dashed = [name for name, box in boxes.items() if "dashed" in box.get("style", "")]
    assert dashed == ["y", "tower.0", "output aux"]
    marked = {name: box["color"] for name, box in boxes.items() if name in ("y", "w", "tower.0")}
    assert marked == {
        "y": look.marks["added"].line,
        "w": look.marks["changed"].line,
        "tower.0": look.marks["removed"].line,
    }
    styles = [edge.get("style") for edge in read["edges"]]
    weights = ["dashed", "dashed"]  # between the two modules that are shared
    assert [style for style in styles if style] == ["dashed", "bold", *weights]


def test_kinds_differ_in_shape() -> None:
    looks = [tuple(shape.items()) for shape in dot._SHAPES.values()]
    assert len(set(looks)) == len(looks)
    assert dot._SHAPES.keys() == LOOKS["light"].kinds.keys()


@pytest.mark.parametrize("word", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_out(word: str) -> None:
    text = dot.render(Scene(hostile(word)))
    assert not any(ord(c) < 32 and c not in "\n\t\r" for c in text)
    read = parsed(text)
    assert [o["name"] for o in read["objects"]] == ["cluster_c", "x", "c.a"]
    assert len(read["edges"]) == 1


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("m.png", b"\x89PNG\r\n"),
        ("m.pdf", b"%PDF-"),
        ("m.svg", b"<?xml"),
        ("m.dot", b"digraph "),
        ("M.SVG", b"<?xml"),
    ],
)
def test_the_suffix_picks_the_renderer(graph: Any, tmp_path: Path, name: str, start: bytes) -> None:
    draw(graph, str(tmp_path / name))
    assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["model.gif", "model", ".svg"])
def test_another_suffix_is_refused_with_those_there_are(
    graph: Any, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ValueError, match=r"\.dot, \.html, \.mmd, \.pdf, \.png, \.svg"):
        draw(graph, tmp_path / name)


PAGES = (".pdf", ".png")  # the figure of the .svg, on paper or in pixels


@pytest.mark.filterwarnings("ignore::mimgraph.picture.errors.SmallWarning")
@pytest.mark.parametrize(
    "suffix", [pytest.param(s, marks=[pytest.mark.slow] * (s in PAGES)) for s in RENDERERS]
)
def test_the_gallery_is_drawn(
    spec: Path, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(png, "SCALE", 0.5)  # most of the time goes into pixels
    draw(mimgraph.load(spec).typed, tmp_path / f"m{suffix}")
    assert (tmp_path / f"m{suffix}").stat().st_size > 100


def test_nothing_here_imports_torch() -> None:
    code = (
        "import sys, mimgraph.picture, mimgraph.summary.summary; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
