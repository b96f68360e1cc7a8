"""An SVG is self-contained and described in words."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from mimgraph.picture.diagram.model import Box, Diagram, Edge, boxes
from mimgraph.picture.formats import svg
from mimgraph.picture.scene import Direction, Scene, Theme
from mimgraph.picture.themes import PALETTES
from tests.picture.scenes import EVERYTHING


def drawn(scene: Scene) -> Element:
    return ElementTree.fromstring(svg.render(scene))


def groups(picture: Element, class_: str) -> dict[str, Element]:
    """Return the groups of a class, by id."""
    found = picture.iterfind("{*}g")
    return {g.attrib["id"]: g for g in found if class_ in g.attrib["class"].split()}


def title(element: Element) -> str:
    return element.findtext("{*}title") or ""


def texts(element: Element) -> list[str]:
    return ["".join(text.itertext()) for text in element.iterfind(".//{*}text")]


@pytest.fixture(scope="module")
def everything() -> Element:
    return drawn(Scene(EVERYTHING))


def test_the_picture_is_described_for_screen_readers(everything: Element) -> None:
    assert everything.attrib["role"] == "img"
    assert title(everything) == "Everything"
    assert everything.findtext("{*}desc") == everything.attrib["aria-label"]
    assert everything.attrib["aria-label"] == (
        "Changes (1 added, 1 removed, 1 changed) in the architecture of Everything:"
        " inputs x (N, 8), y (N, 8); 3 layers, 1 merge, 1 tensor,"
        " 4 closed blocks; outputs o (N, 1), aux (N, 1). One of each."
    )


def test_every_box_cluster_and_edge_has_a_tooltip(everything: Element) -> None:
    tooltips = {id_: title(node) for id_, node in groups(everything, "node").items()}
    assert list(tooltips) == [
        f"Everything.{box.id.replace(' ', '-')}" for box in boxes(EVERYTHING.items)
    ]
    assert tooltips["Everything.fused"] == "fused: formula g * a\nfused: formula(tower.1)\n(N, 64)"
    assert tooltips["Everything.y"] == "added: input y: int64, optional\n(N, 8)"
    walls = [title(wall) for wall in groups(everything, "cluster").values()]
    assert walls == ["tower: conv_bn width=8 × 3\na doc of the block"]
    edges = [title(edge) for edge in groups(everything, "edge").values()]
    assert len(edges) == len(EVERYTHING.edges)
    assert edges[:3] == [
        "removed: x to tower.0, (N, 8)",
        "added: x to tower.1, (N, 8)",
        "tower.1 last as query to fused",
    ]


def test_an_edge_names_its_port_if_there_are_several(everything: Element) -> None:
    edges = groups(everything, "edge")
    assert texts(edges["Everything.tower.1-to-fused-last-as-query"]) == ["last as query"]
    assert texts(edges["Everything.again-to-fused-key"]) == ["key"]
    assert texts(edges["Everything.w-to-fused"]) == []


def test_uses_of_one_module_have_the_same_letter(everything: Element) -> None:
    def letters(name: str) -> list[str]:
        found_groups = [*groups(everything, "node").items(), *groups(everything, "caption").items()]
        (found,) = (
            g for id_, g in found_groups if id_.removesuffix("-caption") == f"Everything.{name}"
        )
        return [text for text in texts(found) if len(text) == 1 and text.isupper()]

    assert letters("tower") == ["A"]
    assert letters("again") == ["A"]
    assert letters("closed") == ["A"]  # shares `again`, which shares `tower`
    assert letters("mlp") == []


def dashed(element: Element) -> bool:
    return any("stroke-dasharray" in e.attrib for e in element.iter())


def test_optional_and_removed_boxes_and_edges_are_dashed(everything: Element) -> None:
    nodes, edges = groups(everything, "node"), groups(everything, "edge")
    assert [id_ for id_, node in nodes.items() if dashed(node)] == [
        f"Everything.{name}" for name in ("y", "tower.0", "output-aux")
    ]
    assert [id_ for id_, edge in edges.items() if dashed(edge)] == [
        f"Everything.{name}" for name in ("x-to-tower.0", "y-to-again", "stages-to-output-aux")
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_have_colours_and_signs(theme: Theme) -> None:
    picture = drawn(Scene(EVERYTHING, theme=theme))
    palette = PALETTES[theme]
    for name, mark, sign in (
        ("y", "added", "+"),
        ("tower.0", "removed", "−"),
        ("w", "changed", "~"),
    ):
        node = groups(picture, "node")[f"Everything.{name}"]
        assert mark in node.attrib["class"].split()
        assert sign in texts(node)
        assert {e.get("stroke") for e in node.iter() if e.get("stroke")} >= {
            palette.marks[mark].line
        }
    (page,) = picture.iterfind("{*}rect")
    assert page.attrib["fill"] == palette.page


def test_the_number_of_repeats_is_bold(everything: Element) -> None:
    bold = [e.text for e in everything.iter() if e.get("font-weight") == "bold"]
    assert {"× 3", "× 12"} <= set(bold)


def test_ids_are_distinct_and_do_not_depend_on_the_rest(everything: Element) -> None:
    ids = [e.attrib["id"] for e in everything.iter() if "id" in e.attrib]
    assert len(set(ids)) == len(ids)
    assert {"Everything.fused-to-closed", "Everything.fused-to-closed-2"} <= set(ids)
    smaller = Diagram("Everything", "", EVERYTHING.items[:2], ())
    assert set(groups(drawn(Scene(smaller)), "node")) <= set(ids)


def test_the_file_refers_to_nothing_outside() -> None:
    text = svg.render(Scene(EVERYTHING))
    assert set(re.findall(r"[a-z]+://[^\s\"<]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search("<!|href|url\\(|<style|<script|<image|<use", text)


def test_the_same_scene_gives_the_same_bytes() -> None:
    assert svg.render(Scene(EVERYTHING)) == svg.render(Scene(EVERYTHING))


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_every_kind_is_drawn(direction: Direction) -> None:
    picture = drawn(Scene(EVERYTHING, direction=direction))
    assert len(groups(picture, "node")) == len(list(boxes(EVERYTHING.items)))


def test_five_hundred_nodes_are_drawn() -> None:
    chain = [Box(f"n{i}", "layer", f"n{i}", "Linear 8", ("(N, 8)",)) for i in range(500)]
    edges = [Edge(f"n{i}", f"n{i + 1}") for i in range(499)]
    skips = [Edge(f"n{i}", f"n{i + 4}") for i in range(0, 496, 4)]
    picture = drawn(Scene(Diagram("Long", "", tuple(chain), (*edges, *skips))))
    assert len(groups(picture, "node")) == 500
    assert float(picture.attrib["width"].removesuffix("pt")) < 300
