"""Dot text has all that the diagram has, whatever its texts are."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

import mimgraph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import boxes, clusters
from mimgraph.picture.formats import dot
from mimgraph.picture.scene import Direction, Scene, Theme
from mimgraph.picture.themes import PALETTES
from tests.conftest import missing
from tests.picture.scenes import EVERYTHING, PAIR

GOLDEN = {
    "everything.dot": Scene(EVERYTHING),
    "everything_across_in_the_dark.dot": Scene(EVERYTHING, direction="LR", theme="dark"),
}


def test_the_whole_text_of_a_diagram(rewrite: bool) -> None:
    for name, scene in GOLDEN.items():
        path = Path(__file__).parent / name
        if rewrite:
            path.write_text(dot.render(scene))
        assert path.read_text() == dot.render(scene), name


@pytest.fixture
def graph() -> Any:
    return mimgraph.loads(PAIR).typed


def parsed(text: str) -> dict[str, Any]:
    """Return dot text as Graphviz reads it."""
    pure = Path(sysconfig.get_path("scripts")) / "graphviz-pure"
    if not pure.exists():
        missing("there is no graphviz-pure, of the extra test-all")
    done = subprocess.run(
        [pure, "-Tdot_json"], input=text.encode(), capture_output=True, check=True
    )
    read: dict[str, Any] = json.loads(done.stdout)
    return read


@pytest.mark.slow
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
        f"cluster_{c.id}": {box.id for box in boxes(c.items)} for c, _ in clusters(picture.items)
    }
    lines = [
        (objects[e["tail"]]["name"], objects[e["head"]]["name"], e.get("style"))
        for e in read["edges"]
    ]
    assert [(tail, head) for tail, head, style in lines if style != "dashed"] == [
        (edge.tail, edge.head) for edge in picture.edges
    ]
    assert [(tail, head) for tail, head, style in lines if style == "dashed"] == [
        ("tower.0.0.0", "again")  # from the outline of the cluster around its first box
    ]


def test_the_same_graph_gives_the_same_bytes(graph: Any) -> None:
    assert dot.render(Scene(diagram(graph))) == dot.render(
        Scene(diagram(mimgraph.loads(PAIR).typed))
    )


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_direction_theme_and_marks_are_written(direction: Direction, theme: Theme) -> None:
    read = parsed(dot.render(Scene(EVERYTHING, direction=direction, theme=theme)))
    palette = PALETTES[theme]
    assert (read["rankdir"], read["bgcolor"]) == (direction, palette.page)
    boxes = {o["name"]: o for o in read["objects"]}
    dashed = [name for name, box in boxes.items() if "dashed" in box.get("style", "")]
    assert dashed == ["y", "tower.0", "output aux"]
    marked = {name: box["color"] for name, box in boxes.items() if name in ("y", "w", "tower.0")}
    assert marked == {
        "y": palette.marks["added"].line,
        "w": palette.marks["changed"].line,
        "tower.0": palette.marks["removed"].line,
    }
    styles = [edge.get("style") for edge in read["edges"]]
    weights = ["dashed", "dashed"]  # between the uses of the two shared modules
    assert [style for style in styles if style] == ["dashed", "bold", *weights]


def test_kinds_differ_in_shape() -> None:
    looks = [tuple(shape.items()) for shape in dot._SHAPES.values()]
    assert len(set(looks)) == len(looks)
    assert dot._SHAPES.keys() == PALETTES["light"].kinds.keys()
