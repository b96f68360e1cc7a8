"""A frame with the structure of a U-Net is drawn as a U: down on the left, up on the right, level skips."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge
from mimgraph.picture.layout.layout import Layout, layout
from mimgraph.picture.layout.u_structure import us
from mimgraph.picture.scene import Scene
from tests.conftest import ROOT, SPECS
from tests.picture.layout.audit import faults
from tests.picture.layout.test_audit import MORE


def flat(levels: int, beside: str = "", before: str = "") -> str:
    """Return the body of a U of single layers: `d1` is the first level, `c1` its opposite.

    `beside` and `before` are more nodes of each level, in which `#` is its number.
    """
    down, up = [], []
    for n in range(1, levels + 1):
        source = f"p{n - 1}" if n > 1 else "x"
        down += [f"d{n}: {{layer: Conv1d, from: {source}, out_channels: 4, kernel_size: 1}}"]
        down += [f"p{n}: {{layer: MaxPool1d, from: d{n}, kernel_size: 2}}"]
    for n in range(levels, 0, -1):
        source = f"c{n + 1}" if n < levels else "b"
        up += [f"r{n}: {{layer: Upsample, from: {source}, scale_factor: 2}}"]
        up += [before.replace("#", str(n))] if before else []
        skip = beside.replace("#", str(n)) if beside else f"d{n}"
        up += [f"c{n}: {{merge: add, from: [r{n}, {skip}]}}"]
    nodes = [*down, f"b: {{layer: Tanh, from: p{levels}}}", *up]
    return f"nodes: {{{', '.join(nodes)}}}"


def whole(body: str) -> str:
    return f"inputs: {{x: [4, 64]}}\n{body}\noutputs: c1"


PLAIN = whole(flat(4))
GATED = whole(flat(4, "g#", "g#: {merge: add, from: [d#, r#]}"))
IN_BLOCK = f"""
inputs: {{x: [4, 64]}}
blocks: {{net: {{inputs: [x], {flat(3)}, outputs: c1}}}}
nodes: {{n: {{block: net, from: x}}, y: {{layer: Tanh, from: n}}}}
outputs: y
"""
PORTS = """
inputs: {x: [4, 64]}
blocks:
  down:
    inputs: [x]
    nodes: {keep: {layer: Tanh, from: x}, half: {layer: MaxPool1d, from: keep, kernel_size: 2}}
    outputs: {keep: keep, half: half}
  up:
    inputs: [x, skip]
    nodes: {r: {layer: Upsample, from: x, scale_factor: 2}, s: {merge: add, from: [r, skip]}}
    outputs: s
nodes:
  d1: {block: down, from: x}
  d2: {block: down, from: d1.half}
  d3: {block: down, from: d2.half}
  b: {layer: Tanh, from: d3.half}
  u3: {block: up, from: [b, d3.keep]}
  u2: {block: up, from: [u3, d2.keep]}
  u1: {block: up, from: [u2, d1.keep]}
outputs: u1
"""
# models with many skips, or an encoder and a decoder
LIKELY = [
    "densenet121",
    "detr",
    "fpn",
    "resnet18",
    "t5",
    "t5_encoder",
    "unet",
    "unet_attention",
    "whisper",
]
UNET = (ROOT / "specs" / "unet_attention.yaml").read_text()
PLAIN_UNET = (ROOT / "tests" / "picture" / "more_specs" / "unet.yaml").read_text()


def drawn(text: str, depth: int, collapse: bool = False) -> tuple[Diagram, Layout]:
    scene = mg.loads(text).scene(depth=depth, collapse=collapse)
    return scene.shown, layout(scene)


@pytest.mark.parametrize(
    ("text", "pairs", "bottom"),
    [
        (UNET, [(f"level{n}", f"up{n}") for n in range(1, 5)], "bottom"),
        (PLAIN_UNET, [(f"down{n}", f"up{n}") for n in range(1, 5)], "bottom"),
        (PLAIN, [(f"d{n}", f"c{n}") for n in range(1, 5)], "b"),
        (PORTS, [(f"d{n}", f"u{n}") for n in range(1, 4)], "b"),
    ],
    ids=["attention U-Net", "plain U-Net", "single layers", "ports"],
)
def test_skips_run_level_from_left_to_right(
    text: str, pairs: list[tuple[str, str]], bottom: str
) -> None:
    picture, laid = drawn(text, 0)
    places = laid.places
    lefts, rights = ([places[id_] for id_ in ids] for ids in zip(*pairs, strict=True))
    assert [place.y for place in lefts] == sorted(place.y for place in lefts)
    assert [place.y for place in rights] == sorted(place.y for place in rights)
    assert places[bottom].y > max(place.y for place in (*lefts, *rights))
    for tail, head in pairs:
        ends = [(edge.tail, edge.head) for edge in picture.edges]
        route = laid.routes[ends.index((tail, head))]
        assert places[tail].x + places[tail].width == route.start.x
        assert route.steps == (((places[head].x, route.start.y),),)
        assert route.start.y == pytest.approx(places[head].middle)


@pytest.mark.parametrize(
    "text",
    [UNET, PLAIN_UNET, PLAIN, GATED, IN_BLOCK, PORTS],
    ids=["attention U-Net", "plain U-Net", "single layers", "gates", "in a block", "ports"],
)
def test_a_u_is_clean_however_it_is_folded(text: str) -> None:
    ways = [(depth, collapse) for depth in range(4) for collapse in (False, True)]
    assert {way: found for way in ways if (found := faults(*drawn(text, *way)))} == {}


def test_gates_beside_the_chain_belong_to_a_level() -> None:
    (found,) = us(drawn(GATED, 0)[0]).values()
    assert ("g2", "c2", "r1") in found.segments


def test_a_block_may_be_a_u() -> None:
    picture, laid = drawn(IN_BLOCK, 1)
    assert [*us(picture)] == ["n"]
    assert laid.places["n.c1"].x > laid.places["n.d1"].x
    assert laid.places["n.c1"].y < laid.places["n.b"].y


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem in LIKELY else pytest.mark.slow)
        for path in (*SPECS, *MORE)
    ],
)
def test_only_u_nets_are_drawn_as_a_u(path: Path) -> None:
    scene = mg.load(path).scene(depth="all")
    assert bool(us(scene.shown)) == ("unet" in path.stem)


def chain(*skips: tuple[int, int]) -> Diagram:
    """Return a chain of ten boxes with edges that skip some."""
    items = tuple(Box(f"n{i}", "layer", f"n{i}", "Tanh", ("(N, 4, 8)",)) for i in range(10))
    pairs = [*pairwise(range(10)), *skips]
    return Diagram("M", "", items, tuple(Edge(f"n{a}", f"n{b}") for a, b in pairs))


SKIPS: list[tuple[list[tuple[int, int]], bool]] = [
    ([(0, 9), (1, 8), (2, 7)], True),
    ([(0, 9), (1, 8)], False),
    ([(0, 9), (1, 7), (2, 8)], False),
    ([(0, 3), (3, 6), (6, 9)], False),
    ([(0, 9), (0, 8), (0, 7)], False),
    ([(0, 9), (1, 9), (2, 9)], False),
    ([(0, 9), (1, 8), (2, 7), (1, 7)], False),
    ([(0, 9), (1, 8), (2, 7), (0, 5)], False),
    ([(0, 9), (1, 8), (2, 7), (7, 9)], False),
    ([(0, 9), (3, 8), (4, 7), (1, 3)], True),
    ([], False),
]


def test_skips_of_a_u_are_nested() -> None:
    for skips, is_u in SKIPS:
        picture = chain(*skips)
        assert bool(us(picture)) == is_u, skips
        assert faults(picture, layout(Scene(picture))) == [], skips


def test_two_skips_are_a_u_if_each_is_coarser_than_the_one_around_it() -> None:
    picture, _ = drawn(whole(flat(2)), 0)
    assert len(us(picture)) == 1


@st.composite
def nested(draw: st.DrawFn) -> Diagram:
    """Return a random chain with nested skips, some of its boxes in clusters, and edges with ports and arguments."""
    levels = draw(st.integers(2, 4))
    count, tails, heads = 0, [], []
    for ends in (tails, heads):
        for _ in range(levels):
            count += draw(st.integers(0, 2))
            ends.append(count)
            count += 1
    count += draw(st.integers(0, 2))
    pairs = [*pairwise(range(count)), *zip(tails, heads[::-1], strict=True)]
    pairs += draw(st.lists(st.sampled_from([*pairwise(range(count))]), max_size=2))
    words = st.sampled_from(["", "", "out", "keep"])
    edges = [Edge(f"n{a}", f"n{b}", draw(words), draw(words)) for a, b in pairs]
    shapes = ("out (N, 4, 8)", "keep (N, 4, 8)") if draw(st.booleans()) else ("(N, 4, 8)",)
    items: list[Box | Cluster] = [
        Box(f"n{i}", "layer", f"n{i}", "Linear 4 " * draw(st.integers(1, 3)), shapes)
        for i in range(count)
    ]
    for number in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(items) - 1))
        end = min(len(items), start + draw(st.integers(1, 3)))
        items[start:end] = [Cluster(f"c{number}", "block", "a title", "", tuple(items[start:end]))]
    if draw(st.booleans()):
        outer = Cluster("net", "block", draw(st.sampled_from(["", "net"])), "", tuple(items))
        items = [Box("x", "input", "x"), outer, Box("y", "output", "y")]
        edges += [Edge("x", "n0"), Edge(f"n{count - 1}", "y")]
    return Diagram("M", "", tuple(items), tuple(edges))


@pytest.mark.slow
@given(nested())
def test_any_nested_skips_have_a_clean_picture(picture: Diagram) -> None:
    assert faults(picture, layout(Scene(picture))) == []
