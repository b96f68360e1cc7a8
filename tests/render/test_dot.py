"""Dot text says what the diagram says, whatever a text holds; pictures come from dot or graphviz-pure."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph
from mimgraph.render import RENDERERS, RenderError, dot, draw
from mimgraph.render.diagram import Box, Cluster, Diagram, Edge, Item, boxes
from mimgraph.render.drawing import diagram
from mimgraph.render.scene import Scene

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
    read = parsed(dot.text(Scene(picture)))
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
    assert dot.text(Scene(diagram(graph))) == dot.text(Scene(diagram(mimgraph.loads(SPEC).typed)))


def test_kinds_differ_in_shape_and_in_colour(graph: Any) -> None:
    looks = [(k["shape"], k["style"], k.get("peripheries")) for k in dot._KINDS.values()]
    assert len(set(looks)) == len(looks)
    drawn_alone = ("input", "layer", "merge", "tensor", "output")
    assert len({dot._KINDS[kind]["color"] for kind in drawn_alone}) == len(drawn_alone)


HOSTILE = [
    '"]; evil [label="',
    "</B>> evil",
    "<B>&lt;&amp;",
    "back\\",
    "\\N \\G \\E \\l",
    "a\nb\r\nc\td",
    "\x00\x07\x1b[31m\ud800\uffff",
    "// # /* ",
    "größer 漢字 🙂 \u202e",
    "]]> <!-- -->",
]


def hostile(word: str) -> Diagram:
    """A diagram in which every free text is `word`."""
    inner = Box("c.a", "layer", word, word, (word,), word)
    items = (
        Box("x", "input", word, word, (word,), word),
        Cluster("c", "block", word, word, (inner,), word),
    )
    return Diagram("Name", word, items, (Edge("x", "c.a", word),))


@pytest.mark.parametrize("word", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_out(word: str) -> None:
    text = dot.text(Scene(hostile(word)))
    assert not any(ord(c) < 32 and c not in "\n\t\r" for c in text)
    read = parsed(text)
    assert [o["name"] for o in read["objects"]] == ["cluster_c", "x", "c.a"]
    assert len(read["edges"]) == 1
    ElementTree.fromstring(dot.picture(Scene(hostile(word)), "svg"))


@settings(max_examples=40, deadline=None)
@given(st.text())
def test_no_random_text_breaks_out(word: str) -> None:
    svg = ElementTree.fromstring(dot.picture(Scene(hostile(word)), "svg"))
    assert len(svg.findall(".//{*}g[@class='node']")) == 2


def test_svg_holds_names_layers_and_shapes_as_text(graph: Any, tmp_path: Path) -> None:
    draw(graph, tmp_path / "model.svg")
    svg = ElementTree.parse(tmp_path / "model.svg")
    shown = [(e.text or "").strip() for e in svg.iterfind(".//{*}text")]
    for word in (
        "left",
        "right",
        "tower",
        "again",
        "fused",
        "concat + Tanh",
        "Linear 1",
        "(N, 3, 8, 8)",
    ):
        assert word in shown
    tips = [value for e in svg.iterfind(".//{*}a") for value in e.attrib.values()]
    assert 'two "towers" & <more>' in tips
    assert "fused: concat(tower, again)" in tips


@pytest.mark.parametrize(
    ("name", "start"),
    [("m.png", b"\x89PNG\r\n"), ("m.svg", b"<?xml"), ("m.dot", b"digraph "), ("M.SVG", b"<?xml")],
)
def test_the_suffix_picks_the_renderer(graph: Any, tmp_path: Path, name: str, start: bytes) -> None:
    draw(graph, str(tmp_path / name))
    assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["model.gif", "model", ".svg"])
def test_another_suffix_is_refused_with_those_there_are(
    graph: Any, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ValueError, match=r"\.dot, \.mmd, \.pdf, \.png, \.svg"):
        draw(graph, tmp_path / name)


@pytest.fixture
def without_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


@pytest.mark.usefixtures("without_dot")
def test_without_dot_graphviz_pure_draws(graph: Any, tmp_path: Path) -> None:
    draw(graph, tmp_path / "m.png")
    with pytest.raises(RenderError, match="pdf needs Graphviz's own dot"):
        draw(graph, tmp_path / "m.pdf")
    assert not (tmp_path / "m.pdf").exists()


@pytest.mark.usefixtures("without_dot")
def test_without_any_engine_only_dot_text_is_written(
    graph: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    draw(graph, tmp_path / "m.dot")
    with pytest.raises(RenderError, match="install dot or graphviz-pure"):
        draw(graph, tmp_path / "m.svg")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("echo 'Error: out of paper' >&2; exit 3", "Graphviz failed: Error: out of paper"),
        ("exit 3", "Graphviz failed: 3"),
        ("sleep 9", "took longer than 0.2 seconds"),
        (None, "cannot be run"),
    ],
    ids=["fails", "says nothing", "hangs", "no program"],
)
def test_an_engine_that_fails_is_told_in_a_line(
    graph: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, error: str
) -> None:
    engine = tmp_path / "dot"
    engine.write_text(f"#!/bin/sh\n{script}\n" if script else "\x7f")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(dot, "TIME_LIMIT", 0.2)
    (tmp_path / "m.svg").write_text("old")
    with pytest.raises(RenderError, match=error):
        draw(graph, tmp_path / "m.svg")
    assert (tmp_path / "m.svg").read_text() == "old"


def test_an_engine_that_works_too_long_is_ended(
    graph: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tmp_path / "dot"
    engine.write_text("#!/bin/sh\nwhile :; do :; done\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(dot, "CPU_LIMIT", 1)
    with pytest.raises(RenderError, match="needs more than 1 seconds"):
        draw(graph, tmp_path / "m.svg")
    assert not (tmp_path / "m.svg").exists()


def test_the_gallery_is_drawn(spec: Path, tmp_path: Path) -> None:
    for suffix in RENDERERS.keys() - {".pdf"}:
        draw(mimgraph.load(spec).typed, tmp_path / f"m{suffix}")
        assert (tmp_path / f"m{suffix}").stat().st_size > 100


def test_five_hundred_nodes_take_seconds() -> None:
    nodes = ["  n0: {layer: Linear, from: x, out_features: 8}"]
    for i in range(1, 500):
        merge = f"{{merge: add, from: [n{i - 1}, n{max(i - 4, 0)}]}}"
        nodes.append(f"  n{i}: {merge if i % 3 else f'{{layer: ReLU, from: n{i - 1}}}'}")
    text = "\n".join(["inputs: {x: [8]}", "nodes:", *nodes, "outputs: n499"])
    svg = dot.picture(Scene(diagram(mimgraph.loads(text).typed)), "svg")
    assert svg.count(b'class="node"') == 502


def test_nothing_here_imports_torch() -> None:
    code = "import sys, mimgraph.render, mimgraph.render.summary; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
