"""A wrong graph is drawn as far as it is known, with every fault in red where it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.picture.diagram.fold import fold
from mimgraph.picture.diagram.model import Diagram, Edge, boxes, every
from mimgraph.picture.formats import dot, mermaid
from tests.test_corpus import CASE, FILES

HEAD = "inputs: {x: [5], y: [T, 3]}\nnodes:"


def picture(text: str) -> Diagram | None:
    """Return the picture of a wrong spec; None if nothing is known of it."""
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(text, name="spec.yaml")
    error = caught.value
    return None if error.sketch is None else error.sketch.scene(error.diagnostics).whole


def shown(text: str) -> Diagram:
    found = picture(text)
    assert found is not None
    return found


def marks(found: Diagram) -> dict[str, str]:
    return {item.id: item.mark for item in found.items if item.mark}


def faults(found: Diagram) -> dict[str, str]:
    return {box.id: " ".join(box.faults) for box in boxes(found.items) if box.faults}


# the nodes of a spec with the outputs, and the boxes that are marked in its picture
CASES = {
    "an option": (
        """
  a: {layer: ReLU, from: x}
  b: {layer: Linear, from: a, out_feature: 2}
  c: {layer: ReLU, from: b}
outputs: [c, y]
""",
        {"b": "faulty", "c": "unknown", "output c": "unknown"},
    ),
    "a layer": (
        """
  a: {layer: Liner, from: x}
  b: {layer: GELU, from: y}
outputs: [a, b]
""",
        {"a": "faulty", "output a": "unknown"},
    ),
    "a source that does not exist": (
        """
  a: {layer: ReLU, from: z}
  b: {layer: ReLU, from: y}
outputs: [a, b, x]
""",
        {"no z": "faulty", "a": "unknown", "output a": "unknown"},
    ),
    "an output that does not exist": (
        """
  a: {layer: ReLU, from: x}
  b: {layer: ReLU, from: y}
outputs: [a, b, c]
""",
        {"no c": "faulty", "output c": "unknown"},
    ),
    "an input": (
        """
  a: {layer: ReLU, from: w}
  b: {merge: stack, from: [a, x]}
outputs: [b, y]
""",
        {"w": "faulty", "a": "unknown", "b": "unknown", "output b": "unknown"},
    ),
    "a cycle": (
        """
  a: {merge: add, from: [x, c]}
  b: {layer: ReLU, from: a}
  c: {layer: ReLU, from: b}
outputs: [c, y]
""",
        {"a": "faulty", "c again": "faulty", "b": "unknown", "c": "unknown", "output c": "unknown"},
    ),
    "a node that reads itself": (
        """
  a: {merge: add, from: [x, a]}
outputs: [a, y]
""",
        {"a": "faulty", "a again": "faulty", "output a": "unknown"},
    ),
    "a node that nothing reads": (
        """
  a: {seq: [ReLU, Tanh], from: x}
  b: {layer: ReLU, from: y}
outputs: [x, b]
""",
        {"a": "faulty"},
    ),
    "an input that nothing reads": (
        """
  a: {layer: ReLU, from: x}
outputs: a
""",
        {"y": "faulty"},
    ),
    "a param": (
        """
  a: {layer: Linear, from: x, out_features: $n}
outputs: [a, y]
""",
        {"a": "faulty", "output a": "unknown"},
    ),
}
INPUTS = {"an input": "inputs: {x: [5], y: [T, 3], w: [0]}\nnodes:"}


@pytest.mark.parametrize("name", CASES)
def test_these_boxes_are_marked(name: str) -> None:
    nodes, expected = CASES[name]
    assert marks(shown(INPUTS.get(name, HEAD) + nodes)) == expected


def test_the_known_part_has_shapes_and_the_rest_has_none() -> None:
    nodes, _ = CASES["an option"]
    found = {box.id: (box.subtitle, box.shapes) for box in boxes(shown(HEAD + nodes).items)}
    assert found == {
        "x": ("", ("(N, 5)",)),
        "y": ("", ("(N, T, 3)",)),
        "a": ("ReLU", ("(N, 5)",)),
        "b": ("Linear", ()),
        "c": ("ReLU", ()),
        "output c": ("", ()),
        "output y": ("", ("(N, T, 3)",)),
    }


def test_a_box_says_what_is_wrong_and_its_tooltip_shows_where() -> None:
    nodes, _ = CASES["an option"]
    found = shown(HEAD + nodes)
    assert faults(found) == {
        "b": "error[unknown-option] Linear has no option 'out_feature' did you mean out_features?"
    }
    (tooltip,) = (box.tooltip for box in boxes(found.items) if box.faults)
    assert "--> spec.yaml:4:31" in tooltip
    assert "^^^^^^^^^^^" in tooltip


def test_edges_that_a_fault_points_at_are_red() -> None:
    nodes = """
  f: {layer: LSTM, from: y, hidden_size: 4}
  g: {merge: concat, from: [x, f.lst]}
  h: {merge: add, from: [g, x]}
outputs: h
"""
    assert [edge for edge in shown(HEAD + nodes).edges if edge.head in ("g", "h")] == [
        Edge("x", "g"),
        Edge("f", "g", "lst", mark="faulty"),
        Edge("g", "h", mark="unknown"),
        Edge("x", "h"),
    ]


def test_the_edges_of_a_cycle_are_red_and_none_leads_back() -> None:
    found = shown(HEAD + CASES["a cycle"][0])
    order = [item.id for item in found.items]
    assert all(order.index(edge.tail) < order.index(edge.head) for edge in found.edges)
    assert [(edge.tail, edge.head) for edge in found.edges if edge.mark == "faulty"] == [
        ("c again", "a"),
        ("a", "b"),
        ("b", "c"),
    ]


CHAINS = """
inputs: {x: [5]}
blocks:
  p: {seq: [Linear: 4, q]}
  q: {seq: [ReLU, {Linear: {outputs: 4}}, Tanh]}
nodes:
  a: {seq: [ReLU], from: x}
  b: {block: p, from: a}
  c: {block: p, from: b}
outputs: c
"""


def test_a_chain_is_open_at_the_first_use_around_the_fault() -> None:
    found = shown(CHAINS)
    assert [(item.id, item.kind, item.mark) for item in every(found.items)] == [
        ("x", "input", ""),
        ("a", "seq", ""),
        ("a.0", "layer", ""),
        ("b", "block", "unknown"),
        ("b.0", "layer", ""),
        ("b.1", "block", "unknown"),
        ("b.1.0", "layer", ""),
        ("b.1.1", "layer", "faulty"),
        ("b.1.2", "layer", "unknown"),
        ("c", "block", "unknown"),
        ("output c", "output", "unknown"),
    ]
    assert [(edge.tail, edge.head) for edge in found.edges][2:] == [
        ("b.0", "b.1.0"),
        ("b.1.0", "b.1.1"),
        ("b.1.1", "b.1.2"),
        ("b.1.2", "c"),
        ("c", "output c"),
    ]


def test_a_block_in_which_no_type_is_known_is_a_box() -> None:
    text = CHAINS.replace("[Linear: 4, q]", "[q]").replace("[ReLU, {L", "[{L")
    assert [(item.kind, item.mark) for item in shown(text).items if item.id == "b"] == [
        ("block", "faulty")
    ]


IN_BLOCK = """
inputs: {x: [5], y: [5]}
blocks:
  inner:
    inputs: [a, b]
    nodes:
      wide: {layer: Linear, from: a, out_features: 8}
      both: {merge: add, from: [wide, b]}
      last: {layer: ReLU, from: both}
    outputs: {sum: last, other: wide}
  outer:
    inputs: [p, q]
    nodes:
      first: {layer: Tanh, from: p}
      use: {block: inner, from: {b: first, a: q}, repeat: 2}
    outputs: use.sum
nodes: {z: {block: outer, from: [x, y]}, end: {layer: ReLU, from: z}}
outputs: end
"""


def test_a_block_is_open_around_the_fault() -> None:
    found = shown(IN_BLOCK)
    assert [(item.id, item.kind, item.mark) for item in every(found.items)] == [
        ("x", "input", ""),
        ("y", "input", ""),
        ("z", "block", "unknown"),
        ("z.first", "layer", ""),
        ("z.use", "block", "unknown"),
        ("z.use.wide", "layer", ""),
        ("z.use.both", "merge", "faulty"),
        ("z.use.last", "layer", "unknown"),
        ("end", "layer", "unknown"),
        ("output end", "output", "unknown"),
    ]
    assert [f"{edge.tail} -> {edge.head}" for edge in found.edges] == [
        "x -> z.first",
        "y -> z.use.wide",
        "z.use.wide -> z.use.both",
        "z.first -> z.use.both",
        "z.use.both -> z.use.last",
        "z.use.last -> end",
        "end -> output end",
    ]
    assert {box.id: box.shapes for box in boxes(found.items) if box.shapes}.keys() == {
        *("x", "y", "z.first", "z.use.wide")
    }


@pytest.mark.parametrize(
    ("repeat", "text"),
    [
        ("{block: b, from: x, repeat: 3}", "b × 3"),
        ("{block: b, from: x, repeat: $(2 * n)}", "b × 8"),
        ("{block: b, from: x, repeat: {times: $T, shared: true}}", "b × T"),
        ("{block: b, from: x, repeat: {with: {width: [5, 5]}}}", "b × 2"),
        ("{block: b, from: x, repeat: true}", "b"),
        ("{block: b, from: x, repeat: {with: {width: 5}}}", "b"),
        ("{block: b, from: x, repeat: $m}", "b"),
        ("{block: b, from: x}", "b"),
        ("{block: b, from: wrong, repeat: 3}", "b × 3"),
    ],
)
def test_a_block_of_unknown_type_shows_how_often_it_is_repeated(repeat: str, text: str) -> None:
    spec = f"""
params: {{n: 4}}
inputs: {{x: [5], t: [T, 3]}}
blocks:
  b:
    params: {{width: 5}}
    inputs: [x]
    nodes:
      fc: {{layer: Linear, from: x, out_features: $width}}
      conv: {{layer: Conv2d, from: fc, out_channels: 8, kernel_size: 3}}
    outputs: conv
nodes:
  wrong: {{layer: Conv2d, from: x, out_channels: 8, kernel_size: 3}}
  y: {repeat}
outputs: [y, t]
"""
    (found,) = (item for item in shown(spec).items if item.id == "y")
    assert found.subtitle == text


def test_a_closed_block_says_what_is_wrong_inside() -> None:
    (box,) = (box for box in boxes(fold(shown(IN_BLOCK), 0).items) if box.id == "z")
    assert (box.mark, *box.faults[:3]) == (
        *("faulty", "in use.both", "error[shape-mismatch]", "add needs equal shapes"),
    )
    assert "spec.yaml:8" in box.tooltip


def test_a_faulty_output_of_a_block_is_shown() -> None:
    found = shown(IN_BLOCK.replace("sum: last", "sum: lost").replace("[wide, b]", "[wide, wide]"))
    assert "did you mean last?" in " ".join(faults(found).values())


def test_a_node_that_shares_a_module_of_a_cycle_is_unknown() -> None:
    nodes = """
  a: {merge: add, from: [b, x]}
  b: {layer: Linear, from: a, out_features: 5}
  c: {share: b, from: x}
  d: {layer: ReLU, from: c}
outputs: [d, y]
"""
    assert {"c", "d"} <= {id_ for id_, mark in marks(shown(HEAD + nodes)).items() if mark}


def test_faults_of_no_box_have_boxes_of_their_own() -> None:
    found = shown(
        "params: {a: $b}\ninputs: {x: [5]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n"
    )
    assert next((box.title, box.mark) for box in boxes(found.items)) == ("", "faulty")
    assert "no param or dimension is called 'b'" in faults(found)["fault"]


def test_sources_are_unknown_without_a_section_that_could_have_them() -> None:
    found = shown("nodes: {y: {layer: ReLU, from: x}}\noutputs: y\n")
    assert marks(found) == {"fault": "faulty"} | dict.fromkeys(("no x", "y", "output y"), "unknown")


def test_nothing_is_drawn_of_a_text_that_is_no_spec() -> None:
    for text in ("inputs: {x: [5]\nnodes: ]", "", "outputs: y"):
        assert picture(text) is None
    with pytest.raises(mg.SpecError) as caught:
        mg.loads("[1, 2]")
    with pytest.raises(ValueError, match="no part of the graph is known"):
        caught.value.draw("x.svg")


def _cases() -> list[str]:
    return [match[1] for path in FILES for match in CASE.finditer(path.read_text())]


def test_every_wrong_spec_of_the_corpus_shows_all_its_faults() -> None:
    drawn = 0
    for text in _cases():
        try:
            mg.loads(text)
        except mg.SpecError as error:
            if error.sketch is None:
                continue
            scene = error.sketch.scene(error.diagnostics, depth="all")
            drawn += 1
            tooltips = "\n".join(box.tooltip for box in boxes(scene.whole.items))
            for one in error.diagnostics:
                assert one.message in tooltips
            assert dot.render(scene) and mermaid.render(scene)
    assert drawn > 200


@pytest.mark.slow
def test_every_wrong_spec_of_the_corpus_is_laid_out(tmp_path: Path) -> None:
    for text in _cases():
        try:
            mg.loads(text)
        except mg.SpecError as error:
            if error.sketch is not None:
                error.draw(tmp_path / "x.svg")
                error.draw(tmp_path / "x.html")


def test_it_is_drawn_with_the_options_of_draw(tmp_path: Path) -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(HEAD + CASES["an option"][0])
    caught.value.draw(tmp_path / "x.svg", theme="dark", direction="LR", collapse=True)
    text = (tmp_path / "x.svg").read_text()
    assert "out_features?" in text and 'fill="#0d1117"' in text
    with pytest.raises(ValueError, match="must end in"):
        caught.value.draw(tmp_path / "x.txt")
    with pytest.raises(TypeError, match="the path of a file"):
        caught.value.draw("")
