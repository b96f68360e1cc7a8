"""Frames are planned and placed one by one: ranks follow the edges, order follows the spec, edges are straight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph.picture import RenderError
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, boxes
from mimgraph.picture.layout.layout import Layout, layout
from mimgraph.picture.layout.order import ordered
from mimgraph.picture.layout.place import Spot, Stretch
from mimgraph.picture.layout.ranks import Link, Node, ranked
from mimgraph.picture.layout.routes import steps_along
from mimgraph.picture.scene import Direction, Scene
from tests.conftest import ROOT
from tests.picture.layout.audit import faults


def drawn(*names: str) -> tuple[Box, ...]:
    return tuple(Box(name, "layer", name, "Linear 4", ("(N, 4)",)) for name in names)


def laid_out(items: tuple[Box | Cluster, ...], *edges: str, direction: Direction = "TB") -> Layout:
    """Return the layout of items with edges, each written as `tail head` or `tail head port`."""
    whole = Diagram("M", "", items, tuple(Edge(*edge.split()) for edge in edges))
    return layout(Scene(whole, direction, "all"))


def test_a_chain_is_a_straight_column() -> None:
    laid = laid_out(drawn("a", "b", "c"), "a b", "b c")
    assert len({place.centre for place in laid.places.values()}) == 1
    tops = [laid.places[name].y for name in "abc"]
    assert tops == sorted(tops)
    assert all(len(route.steps) == 1 == len(route.steps[0]) for route in laid.routes)


def test_left_to_right_is_top_to_bottom_turned() -> None:
    laid = laid_out(drawn("a", "b", "c"), "a b", "b c", direction="LR")
    assert len({place.middle for place in laid.places.values()}) == 1
    assert laid.places["a"].x < laid.places["b"].x < laid.places["c"].x


def test_branches_keep_the_order_of_the_spec() -> None:
    names = [f"branch{i}" for i in range(5)]
    edges = [f"x {name}" for name in names] + [f"{name} y" for name in names]
    laid = laid_out(drawn("x", *names, "y"), *edges)
    lefts = [laid.places[name].x for name in names]
    assert lefts == sorted(lefts)


def test_blocks_of_the_same_structure_look_alike() -> None:
    """The towers of MulT read two modalities in either order, and are drawn the same."""
    whole = diagram(mg.load(ROOT / "specs" / "mult.yaml").typed)
    laid = layout(Scene(whole, depth="all"))
    inner = ("norm", "context_norm", "seen", "mixed", "out")
    shapes = set()
    for tower in ("text_vec", "audio_vec", "video_vec"):
        one, other = laid.places[f"{tower}.from_a"], laid.places[f"{tower}.from_b"]
        assert one.x < other.x
        for frame in (one, other):
            name = f"{tower}.from_{'a' if frame is one else 'b'}.0"
            places = [laid.places[f"{name}.{node}"] for node in inner]
            shapes.add(tuple((p.centre < q.centre) for p in places for q in places))
    assert len(shapes) == 1


def test_tensors_enter_a_block_at_doors_of_their_own() -> None:
    inner = Cluster("c", "block", "c", "", drawn("c.a", "c.b"))
    laid = laid_out((*drawn("x", "y"), inner), "x c.a", "y c.b", "x c.b")
    wall = laid.places["c"]
    crossed = {
        point.x
        for route in laid.routes
        for step in (*((route.start,),), *route.steps)
        for point in step
        if abs(point.y - wall.y) < 30
    }
    assert len(crossed) >= 2


def test_a_tensor_that_goes_to_several_places_in_a_block_enters_once() -> None:
    inner = Cluster("c", "block", "c", "", drawn("c.a", "c.b"))
    laid = laid_out((*drawn("x"), inner), "x c.a", "x c.b")
    one, other = laid.routes
    assert one.steps[0] == other.steps[0]


def test_results_of_several_ports_leave_side_by_side() -> None:
    laid = laid_out(drawn("x", "a", "b"), "x a one", "x b two")
    one, other = laid.routes
    assert one.start.x < other.start.x
    assert one.start.y == other.start.y == laid.places["x"].y + laid.places["x"].height


def test_edges_of_a_cycle_run_up() -> None:
    laid = laid_out(drawn("a", "b", "c"), "a b", "b c", "c a")
    back = laid.routes[2]
    assert back.start.y > back.steps[-1][-1].y
    assert laid.places["a"].y < laid.places["b"].y < laid.places["c"].y


def test_an_edge_from_a_box_to_itself_is_a_loop_beside_it() -> None:
    laid = laid_out(drawn("a", "b"), "a a", "a b")
    place, loop = laid.places["a"], laid.routes[0]
    assert loop.start.x == loop.steps[-1][-1].x == place.x + place.width
    assert loop.start.y > loop.steps[-1][-1].y


def test_a_skip_gets_a_bend_in_every_rank_that_it_passes() -> None:
    nodes = [Node("item", name) for name in "abcd"]
    links = [Link(0, 1, 0), Link(1, 2, 1), Link(2, 3, 2), Link(0, 3, 0)]
    graph = ranked(nodes, links)
    assert graph.ranks == [0, 1, 2, 3, 1, 2]
    assert graph.ways[3] == [0, 4, 5, 3]
    assert [len(layer) for layer in ordered(graph)] == [1, 2, 2, 1]


def test_sweeps_remove_crossings() -> None:
    nodes = [Node("item", name) for name in "abcdef"]
    links = [Link(0, 4, 0), Link(1, 3, 1), Link(2, 5, 2), Link(0, 3, 0)]
    first, second = ordered(ranked(nodes, links))
    at = {node: position for position, node in enumerate(second)}
    ends = [(first.index(link.tail), at[link.head]) for link in links]
    assert not [1 for a, b in ends for c, d in ends if a < c and b > d]


def test_nothing_is_laid_out_without_edges_or_items() -> None:
    assert laid_out(()).places == {}
    assert len(laid_out(drawn("a", "b")).places) == 2


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    """Return a random diagram of nested clusters, with edges from earlier boxes to later ones."""
    count = draw(st.integers(1, 12))
    names = [f"n{i}" for i in range(count)]
    items: list[Box | Cluster] = [*drawn(*names)]
    for number in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(items) - 1))
        end = draw(st.integers(start + 1, len(items)))
        title = draw(st.sampled_from(["", "block", "a block with a long title"]))
        items[start:end] = [Cluster(f"c{number}", "block", title, "", tuple(items[start:end]))]
    order = [box.id for box in boxes(tuple(items))]
    edges = []
    for _ in range(draw(st.integers(0, 2 * count)) if count > 1 else 0):
        head = draw(st.integers(1, count - 1))
        tail = draw(st.integers(0, head - 1))
        port = draw(st.sampled_from(["", "", "last"]))
        argument = draw(st.sampled_from(["", "", "query"]))
        edges.append(Edge(order[tail], order[head], port, argument))
    return Diagram("M", "", tuple(items), tuple(edges))


@given(diagrams(), st.sampled_from(["TB", "LR"]))
def test_any_diagram_has_a_clean_picture(whole: Diagram, direction: Direction) -> None:
    laid = layout(Scene(whole, direction, "all"))
    assert faults(whole, laid) == []
    assert layout(Scene(whole, direction, "all")) == laid


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=14))
def test_a_graph_with_cycles_has_a_clean_picture(pairs: list[tuple[int, int]]) -> None:
    edges = tuple(Edge(f"n{tail}", f"n{head}") for tail, head in pairs)
    whole = Diagram("M", "", drawn(*(f"n{i}" for i in range(6))), edges)
    assert faults(whole, layout(Scene(whole))) == []


def test_a_picture_with_too_many_edges_is_refused() -> None:
    edges = [f"a b p{i}" for i in range(10_001)]
    with pytest.raises(RenderError, match="10,001 edges, and at most 10,000 are drawn"):
        laid_out(drawn("a", "b"), *edges)


def test_a_step_of_a_rounding_error_is_left_out() -> None:
    """It would turn the arrowhead around."""
    down, error = Stretch(0.0, 0.0, 30.0), Stretch(20.0, 60.0 + 1e-13, 60.0)
    start, line, curve = steps_along([down, error])
    assert (start, line) == ((Spot(0.0, 0.0),), (Spot(0.0, 30.0),))
    assert curve[-1] == Spot(20.0, 60.0 + 1e-13)
