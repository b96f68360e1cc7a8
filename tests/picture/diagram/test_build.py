"""What tests/picture/drawings/whole.md does not show: outputs as they are drawn, tooltips, texts that are cut."""

from __future__ import annotations

from pathlib import Path

import mimgraph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.captions import unrepeated
from mimgraph.picture.diagram.model import Box, Diagram, Item, boxes, every
from tests.picture.diagram.test_fold import drawn


def box(picture: Diagram, id_: str) -> Box:
    return next(b for b in boxes(picture.items) if b.id == id_)


OUTPUTS = {
    "fc: fc, sum: sum": ("fc", "", ()),
    "score: fc, sum: sum": ("score", "", ()),
    "fc: {from: fc, only: training}, sum: sum": ("fc", "in training", ()),
    "tower: tower, sum: sum": ("tower", "", ()),
    "x: x, sum: sum": ("x", "", ()),
    "sum: sum": ("", "output", ()),
    "total: sum": ("total", "", ()),
    "lstm: lstm.last, whole: lstm, sum: sum": ("lstm", "", ("(N, 4)",)),
}


def test_an_output_repeats_no_shape_and_a_sole_one_no_name() -> None:
    found = {}
    for outputs in OUTPUTS:
        picture = drawn(f"""
            inputs: {{x: [6, 8]}}
            nodes:
              fc: {{layer: Linear, from: x, out_features: 2}}
              tower: {{from: fc, seq: [{{Linear: 4}}, ReLU]}}
              lstm: {{layer: LSTM, from: tower, hidden_size: 4}}
              sum: {{merge: add, from: [lstm.last, lstm.last]}}
            outputs: {{{outputs}}}
        """)
        one = unrepeated(next(box for box in boxes(picture.items) if box.kind == "output"))
        found[outputs] = (one.title, one.subtitle, one.shapes)
    assert found == OUTPUTS


def test_a_long_option_is_cut() -> None:
    sum_ = " + ".join(["a"] * 40)
    picture = drawn(f"""
        inputs: {{a: [2], b: [2]}}
        nodes: {{y: {{merge: formula, expr: "{sum_} + b", from: {{a: a, b: b}}}}}}
        outputs: y
    """)
    assert box(picture, "y").subtitle == f"formula {sum_[:47]}…"


def test_every_input_node_and_output_of_every_spec_is_drawn(spec: Path) -> None:
    graph = mimgraph.load(spec).typed
    picture = diagram(graph)
    found = [b.id for b in boxes(picture.items)]
    assert len(found) == len(set(found))
    assert {e.tail for e in picture.edges} | {e.head for e in picture.edges} == set(found)
    titles = [title for item in picture.items for title in names(item)]
    assert titles == [*graph.body.inputs, *(n.name for n in graph.body.order), *graph.body.outputs]


def names(item: Item) -> list[str]:
    """Return the title of an item, or the names of the inputs that it stands for."""
    if item.id.startswith("inputs of "):
        return item.subtitle.partition(" (")[0].split(", ")
    return [item.title]


def test_many_inputs_of_one_type_that_one_merge_reads_are_one_box() -> None:
    names = [f"c{i}" for i in range(60)]
    picture = drawn(f"""
        inputs: {{{", ".join(f"{name}: [4]" for name in names)}, z: [5], flag: [4]}}
        nodes:
          all: {{merge: concat, from: [{", ".join(names)}, z, flag]}}
          again: {{merge: concat, from: [all, flag]}}
        outputs: again
    """)
    assert [(box.title, box.subtitle) for box in boxes(picture.items)][:3] == [
        ("60 inputs", "c0, c1, …, c59"),
        ("z", ""),
        ("flag", ""),
    ]
    assert [edge.tail for edge in picture.edges if edge.head == "all"] == [
        "inputs of all, (N, 4) float32",
        "z",
        "flag",
    ]


def test_tooltips_are_docs_and_sources() -> None:
    picture = drawn("""
        inputs: {x: {shape: [8], doc: a row}}
        blocks: {wide: {doc: a wider row, seq: [{Linear: 9}]}}
        nodes:
          rnn: {layer: Unsqueeze, from: x, dim: 1}
          y: {from: rnn, seq: [{Linear: 4}, ReLU, Tanh]}
          both: {merge: concat, from: [rnn, y], dim: -1}
          z: {block: wide, from: both}
        outputs: z
    """)
    tooltips = {item.id: item.tooltip for item in every(picture.items)}
    assert tooltips == {
        "x": "a row",
        "rnn": "rnn: Unsqueeze(x)",
        "y": "",
        "y.0": "y.0: Linear(rnn)",
        "y.1": "y.1: ReLU(y.0)",
        "y.2": "y.2: Tanh(y.1)",
        "both": "both: concat(rnn, y)",
        "z": "a wider row",
        "z.0": "z.0: Linear(x)",
        "output z": "",
    }
