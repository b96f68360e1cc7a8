"""Inputs, layers, merges and outputs become boxes; chains and blocks become clusters of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import mimgraph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.captions import unrepeated
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item, boxes, every
from tests.picture.diagram.test_fold import drawn, edges


def outline(items: tuple[Item, ...]) -> list[str]:
    """Return a line `title: subtitle` for each item, those in clusters indented."""
    lines = []
    for item in items:
        words = ": ".join(filter(None, (item.title, item.subtitle)))
        lines.append(words)
        if isinstance(item, Cluster):
            lines += [f"  {line}" for line in outline(item.items)]
    return lines


def box(picture: Diagram, id_: str) -> Box:
    return next(b for b in boxes(picture.items) if b.id == id_)


def test_boxes_stand_in_execution_order() -> None:
    picture = drawn("""
        inputs: {image: {shape: [3, 8, 8], doc: a photo}, word: {shape: [], vocab: 9}}
        nodes:
          score: {layer: Linear, from: both, out_features: 1}
          pixels: {layer: Flatten, from: image}
          vector: {layer: Embedding, from: word, embedding_dim: 4}
          both: {merge: concat, from: [pixels, vector]}
        outputs: {rating: score}
    """)
    assert [(b.kind, b.title, b.subtitle, *b.shapes) for b in boxes(picture.items)] == [
        ("input", "image", "", "(N, 3, 8, 8)"),
        ("input", "word", "int64, vocab 9", "(N,)"),
        ("layer", "pixels", "Flatten", "(N, 192)"),
        ("layer", "vector", "Embedding 9 to 4", "(N, 4)"),
        ("merge", "both", "concat", "(N, 196)"),
        ("layer", "score", "Linear 196 to 1", "(N, 1)"),
        ("output", "rating", "", "(N, 1)"),
    ]
    assert edges(picture) == [
        "image -> pixels",
        "word -> vector",
        "pixels -> both",
        "vector -> both",
        "both -> score",
        "score -> output rating",
    ]
    assert box(picture, "image").tooltip == "a photo"
    assert box(picture, "both").tooltip == "both: concat(pixels, vector)"


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ("layer: Conv1d, out_channels: 4, kernel_size: 3", "Conv1d 6 to 4, kernel_size=3"),
        (
            "layer: Conv1d, out_channels: 4, kernel_size: 3, stride: 1",
            "Conv1d 6 to 4, kernel_size=3",
        ),
        ("layer: Linear, out_features: 4, bias: false", "Linear 8 to 4, bias=false"),
        ("layer: Linear, out_features: 4, in_features: 8", "Linear 8 to 4"),
        ("layer: Linear, out_features: 4, activation: GELU", "Linear 8 to 4 + GELU"),
        ("layer: Dropout", "Dropout"),
        ("layer: Dropout, p: 0.1", "Dropout p=0.1"),
        ("layer: LayerNorm, eps: 1.0e-3", "LayerNorm eps=0.001"),
        ("layer: GRU, hidden_size: 4, take: last", "GRU.last 8 to 4"),
        ("layer: Permute, dims: [0, 2, 1]", "Permute dims=[0, 2, 1]"),
        ("layer: Softmax, dim: 1", "Softmax dim=1"),
        ("layer: GRU, hidden_size: 4, bidirectional: true", "GRU 8 to 4, bidirectional"),
        ("layer: ReLU, inplace: true", "ReLU"),
        ("layer: Reshape, shape: [48]", "Reshape"),
        ("layer: Cast, dtype: float64", "Cast float64"),
        ("layer: Dropout, p: 0.0123456789", "Dropout p=0.0123"),
        ("layer: MultiheadAttention, num_heads: 2", "MultiheadAttention num_heads=2"),
        (
            'layer: Rearrange, pattern: "n (a b) d -> n a (b d)", sizes: {a: 2}',
            "Rearrange n (a b) d -> n a (b d), a=2",
        ),
    ],
)
def test_a_box_names_the_options_that_are_neither_defaults_nor_inferred(
    node: str, text: str
) -> None:
    picture = drawn(f"{{inputs: {{x: [6, 8]}}, nodes: {{y: {{{node}, from: x}}}}, outputs: y}}")
    assert box(picture, "y").subtitle == text


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ("merge: concat, from: [x, x], dim: -1", "concat dim=-1"),
        ("merge: add, from: [x, w], broadcast: true", "add"),
        (
            "merge: einsum, from: [x, x], equation: 'n a b, n c b -> n a c'",
            "einsum n a b, n c b -> n a c",
        ),
        ("parameter: [6, 8], init: {normal: {std: 0.02}}", "parameter init=normal"),
        ("buffer: [6, 8], init: ones, batched: true", "buffer init=ones, batched"),
        ("arange: 48", "arange end=48"),
        (
            "layer: Embedding, each: {a: ids, b: word}, embedding_dim: 4",
            "Embedding 7/9 to 4, each of 2",
        ),
        ("layer: Linear, each: {a: x, b: w}, out_features: 2", "Linear 8 to 2, each of 2"),
        (
            "seq: [{Linear: 2}, {wide: {}}, Tanh], each: {a: x, b: w}",
            "seq, each of 2",
        ),
        ("block: pair, each: {a: x, b: w}, size: 3", "pair size=3, each of 2"),
        ("block: wide, from: x, width: 2, causal: true", "wide width=2, causal"),
    ],
)
def test_a_box_names_what_a_reader_cannot_see_in_its_shape(node: str, text: str) -> None:
    picture = drawn(f"""
        inputs: {{x: [6, 8], w: [1, 8], ids: {{shape: [], vocab: 7}}, word: {{shape: [], vocab: 9}}}}
        blocks:
          pair: {{params: {{size: null}}, seq: [{{Linear: $size}}, ReLU]}}
          wide:
            params: {{width: 1, causal: false}}
            inputs: [x]
            nodes: {{z: {{layer: ReLU, from: x}}}}
            outputs: z
        nodes: {{y: {{{node}}}}}
        outputs: {{x: x, y: {"y.a" if "each" in node else "y"}, w: w, ids: ids, word: word}}
    """)
    (found,) = [item for item in every(picture.items) if item.id == "y"]
    assert found.subtitle == text


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ("fc: fc, sum: sum", ("fc", "", ())),
        ("score: fc, sum: sum", ("score", "", ())),
        ("fc: {from: fc, only: training}, sum: sum", ("fc", "in training", ())),
        ("tower: tower, sum: sum", ("tower", "", ())),
        ("x: x, sum: sum", ("x", "", ())),
        ("sum: sum", ("", "output", ())),
        ("total: sum", ("total", "", ())),
        ("lstm: lstm.last, whole: lstm, sum: sum", ("lstm", "", ("(N, 4)",))),
    ],
)
def test_an_output_repeats_no_shape_and_a_sole_one_no_name(
    outputs: str, words: tuple[str, str, tuple[str, ...]]
) -> None:
    picture = drawn(f"""
        inputs: {{x: [6, 8]}}
        nodes:
          fc: {{layer: Linear, from: x, out_features: 2}}
          tower: {{from: fc, seq: [{{Linear: 4}}, ReLU]}}
          lstm: {{layer: LSTM, from: tower, hidden_size: 4}}
          sum: {{merge: add, from: [lstm.last, lstm.last]}}
        outputs: {{{outputs}}}
    """)
    found = unrepeated(next(box for box in boxes(picture.items) if box.kind == "output"))
    assert (found.title, found.subtitle, found.shapes) == words


def test_the_widths_of_many_branches_are_a_range() -> None:
    vocabularies = [30, 7, 100, 2, 9, 50, 8]
    inputs = ", ".join(f"i{n}: {{shape: [], vocab: {v}}}" for n, v in enumerate(vocabularies))
    sources = ", ".join(f"i{n}" for n in range(len(vocabularies)))
    picture = drawn(f"""
        inputs: {{{inputs}}}
        nodes:
          e: {{layer: Embedding, each: [{sources}], embedding_dim: 4}}
          all: {{merge: stack, from: e.*}}
        outputs: all
    """)
    assert box(picture, "e").subtitle == "Embedding 2…100 to 4, each of 7"


def test_a_long_option_is_cut() -> None:
    sum_ = " + ".join(["a"] * 40)
    picture = drawn(f"""
        inputs: {{a: [2], b: [2]}}
        nodes: {{y: {{merge: formula, expr: "{sum_} + b", from: {{a: a, b: b}}}}}}
        outputs: y
    """)
    assert box(picture, "y").subtitle == f"formula {sum_[:47]}…"


def test_edges_name_ports_and_arguments() -> None:
    picture = drawn(
        """
        inputs: {text: [T, 8], image: [S, 8], size: {shape: [], dtype: int64}}
        nodes:
          lstm: {layer: LSTM, from: {input: text, lengths: size}, hidden_size: 8}
          seen: {layer: MultiheadAttention, from: {query: lstm, key: image, value: image}, num_heads: 2}
          self: {layer: MultiheadAttention, from: seen, num_heads: 2}
          gate: {merge: formula, expr: a * b, from: {a: lstm.last, b: lstm.last}}
          twice: {merge: add, from: [gate, gate]}
        outputs: {a: self, map: seen.weights, b: twice}
    """.replace("self", "own")
    )
    assert edges(picture) == [
        "text -> lstm (input)",
        "size -> lstm (lengths)",
        "lstm -> seen (query)",
        "image -> seen (key, value)",
        "seen -> own",
        "lstm -> gate (last as a, b)",
        "gate -> twice",
        "gate -> twice",
        "own -> output a",
        "seen -> output map (weights)",
        "twice -> output b",
    ]
    assert box(picture, "lstm").shapes == ("output (N, T, 8)", "last (N, 8)")
    assert box(picture, "own").shapes == ("(N, T, 8)",)


BLOCKS = """
        blocks:
          residual:
            doc: adds what it is given
            params: {bias: true}
            inputs: {x: [C]}
            nodes:
              fc: {layer: Linear, from: x, out_features: $C, bias: $bias}
              sum: {merge: add, from: [fc, x]}
            outputs: sum
          wide: {params: {width: null}, seq: [{Linear: $width}, ReLU]}
          deep:
            params: {times: null, width: null}
            inputs: [x]
            nodes:
              fc: {layer: Linear, from: x, out_features: $width}
              more: {block: wide, from: fc, width: $width, repeat: $times}
            outputs: more
          step:
            inputs: [h, c, x]
            nodes:
              h2: {merge: add, from: [h, x]}
              c2: {merge: multiply, from: [c, h2]}
            outputs: {h: h2, c: c2}
"""


def test_blocks_and_chains_are_clusters_and_edges_join_the_boxes_inside() -> None:
    picture = drawn(f"""
        inputs: {{x: [4]}}
        {BLOCKS.strip()}
        nodes:
          body: {{from: x, seq: [{{wide: 8}}, Dropout, residual]}}
          last: {{block: residual, from: body, bias: false}}
        outputs: last
    """)
    assert outline(picture.items) == [
        "x",
        "body: seq",
        "  wide width=8",
        "    Linear 4 to 8",
        "    ReLU",
        "  Dropout",
        "  residual",
        "    fc: Linear 8 to 8",
        "    sum: add",
        "last: residual bias=false",
        "  fc: Linear 8 to 8, bias=false",
        "  sum: add",
        "last",
    ]
    assert edges(picture) == [
        "x -> body.0.0",
        "body.0.0 -> body.0.1",
        "body.0.1 -> body.1",
        "body.1 -> body.2.fc",
        "body.2.fc -> body.2.sum",
        "body.1 -> body.2.sum",
        "body.2.sum -> last.fc",
        "last.fc -> last.sum",
        "body.2.sum -> last.sum",
        "last.sum -> output last",
    ]
    cluster = picture.items[2]
    assert isinstance(cluster, Cluster)
    assert (cluster.id, cluster.kind, cluster.tooltip) == ("last", "block", "adds what it is given")


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (
            "{block: residual, from: x, repeat: 3}",
            ["y: residual × 3", "  fc: Linear 4 to 4", "  sum: add"],
        ),
        (
            "{block: residual, from: x, repeat: {times: 3, shared: true}}",
            ["y: residual × 3 shared", "  fc: Linear 4 to 4", "  sum: add"],
        ),
        (
            "{block: wide, from: x, repeat: {with: {width: [8, 8, 8, 2]}}}",
            [
                "y: wide width=8/8/8/2 × 4",
                "  Linear 4/8/8/8 to 8/8/8/2",
                "  ReLU",
            ],
        ),
        (
            "{block: deep, from: x, repeat: {with: {times: [2, 2, 0, 1], width: [8, 4, 4, 4]}}}",
            [
                "y: deep × 4",
                "  0 to 1: deep times=2, width=8/4 × 2",
                "    fc: Linear 4/8 to 8/4",
                "    more: wide width=8/4 × 2",
                "      Linear 8/4 to 8/4",
                "      ReLU",
                "  2: deep times=0, width=4",
                "    fc: Linear 4 to 4",
                "    more: wide × 0",
                "  3: deep times=1, width=4",
                "    fc: Linear 4 to 4",
                "    more: wide width=4 × 1",
                "      Linear 4 to 4",
                "      ReLU",
            ],
        ),
        ("{block: residual, from: x, repeat: 0}", ["y: residual × 0"]),
        (
            "{from: x, seq: [{residual: {repeat: 2}}]}",
            ["y: seq", "  residual × 2", "    fc: Linear 4 to 4", "    sum: add"],
        ),
    ],
    ids=["equal", "shared", "of other sizes", "of other structure", "none", "in a chain"],
)
def test_repeats_of_one_structure_are_drawn_once(node: str, expected: list[str]) -> None:
    picture = drawn(f"""
        inputs: {{x: [4]}}
        {BLOCKS.strip()}
        nodes: {{y: {node}}}
        outputs: y
    """)
    assert outline(picture.items)[1:-1] == expected


def test_edges_follow_several_results_through_repeats() -> None:
    picture = drawn(f"""
        inputs: {{h: [4], c: [4], x: [4]}}
        {BLOCKS.strip()}
        nodes:
          y: {{block: step, from: {{h: h, c: c, x: x}}, repeat: 2}}
          z: {{merge: dot, from: [y.h, y.c]}}
        outputs: z
    """)
    assert edges(picture)[-5:] == [
        "c -> y.0.c2",
        "y.0.h2 -> y.0.c2",
        "y.0.h2 -> z (h)",
        "y.0.c2 -> z (c)",
        "z -> output z",
    ]


def test_a_shared_module_is_one_box_that_names_its_owner() -> None:
    picture = drawn(f"""
        inputs: {{a: [4], b: [4]}}
        {BLOCKS.strip()}
        nodes:
          tower: {{from: a, seq: [{{Linear: {{out_features: 4, activation: ReLU}}}}, residual]}}
          other: {{share: tower, from: b}}
          out: {{merge: dot, from: [tower, other]}}
        outputs: out
    """)
    shared = box(picture, "other")
    assert (shared.subtitle, shared.shares, shared.shapes) == (
        "seq, shares tower",
        "tower",
        ("(N, 4)",),
    )
    assert "b -> other" in edges(picture)
    assert "other -> out" in edges(picture)


def test_outputs_and_nodes_of_one_name_have_different_ids() -> None:
    picture = drawn("""
        inputs: {x: [4]}
        nodes: {output: {from: x, seq: [ReLU]}, outputs: {from: output, seq: [Tanh]}}
        outputs: {output: outputs, x: x}
    """)
    ids = Counter(b.id for b in boxes(picture.items))
    assert ids == {"x": 1, "output.0": 1, "outputs.0": 1, "output output": 1, "output x": 1}


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


def test_inputs_that_fill_named_arguments_stay_separate_boxes() -> None:
    names = [f"c{i}" for i in range(8)]
    picture = drawn(f"""
        inputs: {{{", ".join(f"{name}: [4]" for name in names)}}}
        nodes:
          y: {{merge: formula, expr: "{" * ".join(names)}", from: [{", ".join(names)}]}}
        outputs: y
    """)
    assert len([box for box in boxes(picture.items) if box.kind == "input"]) == 8


def test_the_tooltip_of_a_chain_item_names_its_source() -> None:
    picture = drawn("""
        inputs: {x: [8]}
        nodes:
          rnn: {layer: Unsqueeze, from: x, dim: 1}
          y: {from: rnn, seq: [{Linear: 4}, ReLU, Tanh]}
        outputs: y
    """)
    tooltips = [box.tooltip for box in boxes(picture.items) if box.id.startswith("y.")]
    assert tooltips == ["y.0: Linear(rnn)", "y.1: ReLU(y.0)", "y.2: Tanh(y.1)"]


def test_an_each_names_its_ports_if_their_shapes_differ() -> None:
    picture = drawn("""
        inputs: {a: [8], b: [8], c: [8]}
        nodes:
          unlike: {layer: Linear, each: [a, b], with: {out_features: [4, 9]}}
          like: {layer: Linear, each: [b, c], out_features: 4}
          y: {merge: concat, from: [unlike.*, like.*]}
        outputs: y
    """)
    shapes = {box.id: box.shapes for box in boxes(picture.items)}
    assert shapes["unlike"] == ("a (N, 4)", "b (N, 9)")
    assert shapes["like"] == ("(N, 4) × 2",)


@pytest.mark.parametrize(
    ("op", "alike", "unlike"),
    [
        ("layer: Linear", "Linear 8 to 4, bias=false", "Linear 8 to 4"),
        (
            "block: linear",
            "linear out_features=4, bias=false",
            "linear out_features=4, bias / linear out_features=4, bias=false",
        ),
    ],
)
def test_an_each_of_a_layer_shows_the_options_that_all_have_and_one_of_a_block_all_params(
    op: str, alike: str, unlike: str
) -> None:
    picture = drawn(f"""
        inputs: {{a: [8], b: [8]}}
        blocks:
          linear:
            params: {{out_features: null, bias: true}}
            seq: [Linear: {{out_features: $out_features, bias: $bias}}]
        nodes:
          alike: {{{op}, each: [a, b], out_features: 4, bias: false}}
          unlike: {{{op}, each: [a, b], out_features: 4, with: {{bias: [true, false]}}}}
        outputs: {{a: alike.a, b: alike.b, c: unlike.a, d: unlike.b}}
    """)
    texts = {item.id: item.subtitle for item in picture.items}
    assert texts["alike"] == f"{alike}, each of 2"
    assert texts["unlike"] == f"{unlike}, each of 2"


EACH = """
inputs: {a: [4], b: [4], c: [6]}
blocks:
  fc: {params: {w: 3}, seq: [{Linear: $w}, ReLU]}
  residual:
    inputs: {x: [D]}
    nodes: {f: {from: x, seq: [{Linear: 5}, ReLU, {Linear: $D}]}, sum: {merge: add, from: [x, f]}}
    outputs: sum
  lin: {params: {times: 1}, inputs: [x], nodes: {y: {block: fc, from: x, repeat: $times}}, outputs: y}
  both: {inputs: [x], nodes: {y: {layer: ReLU, from: x}}, outputs: {x: x, y: y}}
"""


@pytest.mark.parametrize(
    ("nodes", "lines", "wires"),
    [
        (
            "y: {block: fc, each: [a, c]}",
            ["y: fc, each of 2", "  Linear 4/6 to 3", "  ReLU"],
            ["a -> y.a.0", "y.a.0 -> y.a.1", "c -> y.a.0"],
        ),
        (
            "y: {block: fc, each: {a: a, c: c}, with: {w: [2, 5]}}",
            ["y: fc w=2/5, each of 2", "  Linear 4/6 to 2/5", "  ReLU"],
            ["a -> y.a.0", "y.a.0 -> y.a.1", "c -> y.a.0"],
        ),
        (
            "y: {seq: [{Linear: 2}, {Dropout: 0.1}], each: [a, b], shared: true}",
            ["y: seq, shared by 2", "  Linear 4 to 2", "  Dropout p=0.1"],
            ["a -> y.0", "y.0 -> y.1", "b -> y.0"],
        ),
        (
            "y: {seq: [{Linear: 2}, Tanh], from: a, each: 3}",
            ["y: seq, 3 copies", "  Linear 4 to 2", "  Tanh"],
            ["a -> y.0.0", "y.0.0 -> y.0.1"],
        ),
        (
            "y: {block: residual, repeat: 2, each: [a, c]}",
            [
                "y: residual × 2, each of 2",
                "  f: seq",
                "    Linear 4/6 to 5",
                "    ReLU",
                "    Linear 5 to 4/6",
                "  sum: add",
            ],
            [
                "a -> y.a.0.f.0",
                "y.a.0.f.0 -> y.a.0.f.1",
                "y.a.0.f.1 -> y.a.0.f.2",
                "a -> y.a.0.sum",
                "y.a.0.f.2 -> y.a.0.sum",
                "c -> y.a.0.f.0",
                "c -> y.a.0.sum",
            ],
        ),
        (  # from the ports of another, which are one edge, and further as ports
            """
  e: {layer: Linear, each: [a, b, c], out_features: 4}
  y: {block: fc, each: [e.a, e.c]}
  z: {merge: concat, from: [y.a, y.c, a]}""",
            [
                "e: Linear 4/4/6 to 4, each of 3",
                "y: fc, each of 2",
                "  Linear 4 to 3",
                "  ReLU",
                "z: concat",
            ],
            [
                *("a -> e", "b -> e", "c -> e"),
                *("e -> y.a.0 (a, c)", "y.a.0 -> y.a.1", "y.a.1 -> z", "a -> z"),
            ],
        ),
        (  # branches that hand on their sources
            "y: {block: both, each: [a, b], take: x}\n  z: {merge: add, from: [y.a, y.b]}",
            ["y: both.x, each of 2", "  y: ReLU", "z: add"],
            ["a -> y.a.y", "b -> y.a.y", "a -> z", "b -> z"],
        ),
        (  # of different structure, so that no drawing stands for both
            "y: {block: lin, each: [a, b], with: {times: [1, 0]}}",
            ["y: lin, each of 2"],
            ["a -> y", "b -> y"],
        ),
        (
            "y: {block: fc, each: [a, b]}\n  z: {share: y, each: {a: b, b: a}}",
            [
                "y: fc, each of 2",
                "  Linear 4 to 3",
                "  ReLU",
                "z: fc (Linear 3 + ReLU), each of 2, shares y",
            ],
            ["a -> y.a.0", "y.a.0 -> y.a.1", "b -> y.a.0", "b -> z", "a -> z"],
        ),
        (
            "y: {block: fc, each: [a, b], w: 4}\n  z: {merge: matmul, from: [a, y.b.0.weight]}",
            ["y: fc w=4, each of 2", "  Linear 4 to 4", "  ReLU", "z: matmul"],
            ["a -> y.a.0", "y.a.0 -> y.a.1", "b -> y.a.0", "a -> z", "y.a.0 -> z (weight)"],
        ),
    ],
)
def test_an_each_of_blocks_or_chains_is_a_cluster_drawn_once_for_all_branches(
    nodes: str, lines: list[str], wires: list[str]
) -> None:
    names = [line.partition(":")[0] for line in lines if not line.startswith(" ")]
    results = ", ".join(name if name == "z" and "merge" in nodes else f"{name}.*" for name in names)
    picture = drawn(f"""{EACH}
nodes:
  {nodes}
  end: {{merge: concat, from: [{results}, a, b, c]}}
outputs: end
""")
    assert outline(picture.items[3:-2]) == lines
    assert [wire for wire in edges(picture) if "end" not in wire] == wires


def test_an_edge_of_a_weight_leaves_the_layer_that_has_it() -> None:
    picture = drawn("""
        inputs: {x: [8]}
        blocks:
          stage:
            inputs: [x]
            nodes: {fc: {layer: Linear, from: x, out_features: 8}}
            outputs: fc
        nodes:
          cls: {parameter: [8], init: zeros}
          sum: {merge: add, from: [x, cls], broadcast: true}
          many: {block: stage, from: sum, repeat: 3}
          vec: {from: many, seq: [{Linear: 8}, ReLU]}
          tied: {merge: matmul, from: [vec, many.2.fc.weight]}
        outputs: {y: tied, w: vec.0.weight, b: vec.0.bias}
    """)
    assert box(picture, "cls").kind == "tensor"
    assert edges(picture) == [
        "x -> sum",
        "cls -> sum",
        "sum -> many.0.fc",
        "many.0.fc -> vec.0",
        "vec.0 -> vec.1",
        "vec.1 -> tied",
        "many.0.fc -> tied (weight)",
        "tied -> output y",
        "vec.0 -> output w (weight)",
        "vec.0 -> output b (bias)",
    ]


def test_edges_stand_in_the_order_of_the_sources() -> None:
    picture = drawn("""
        inputs: {a: {vocab: 4}, b: {vocab: 5}, x: [8]}
        nodes:
          table: {layer: Embedding, each: [a, b], embedding_dim: 4}
          sizes: {layer: Linear, each: [table.a, table.b], out_features: 4}
          z: {merge: concat, from: [sizes.*, x]}
        outputs: z
    """)
    inner = [(edge.tail, edge.head, edge.port) for edge in picture.edges[2:-1]]
    assert inner == [("table", "sizes", ""), ("sizes", "z", ""), ("x", "z", "")]
