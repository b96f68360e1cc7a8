"""The details of each box and cluster: options, shapes, cost, lines of the spec and emitted lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.cost.cost import Cost
from mimgraph.emit.source_map import excerpts
from mimgraph.ops import registry
from mimgraph.picture.details.build import details
from mimgraph.picture.details.model import ComparedDetail, Detail
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.description import describe
from mimgraph.picture.diagram.model import Item, clusters, every
from tests.helpers.work import calls


def ids(items: tuple[Item, ...]) -> list[str]:
    return [item.id for item in every(items)]


def details_of(graph: mg.Graph) -> dict[str, Detail]:
    return dict(details(graph.typed, graph.declared, excerpts(graph.typed)))


def test_every_drawn_id_has_details_whose_costs_add_up(spec: Path) -> None:
    graph = mg.load(spec)
    found = details_of(graph)
    drawn = diagram(graph.typed).items
    assert sorted(found) == sorted(ids(drawn))
    assert [id_ for id_, detail in found.items() if not (detail.spec and detail.code)] == []
    assert json.loads(json.dumps([d.data() for d in found.values()]))
    # to those of the summary
    total = graph.summary()
    nodes = [found[node.name].cost for node in graph.typed.body.nodes]
    assert sum(cost.params for cost in nodes) == total.params
    assert sum(cost.buffers for cost in nodes) == total.buffers
    # and those inside a block to those of the block
    for cluster, _ in clusters(drawn):
        whole = found[cluster.id].cost
        parts = Cost.sum(found[item.id].cost for item in cluster.items)
        assert (parts.params, parts.macs) == (whole.params, whole.macs), cluster.id


REPEATS = """
inputs: {x: [T, 8]}
blocks:
  fc: {params: {w: 8}, inputs: [x], nodes: {a: {layer: Linear, from: x, out_features: $w}}, outputs: a}
  two: {inputs: [x], nodes: {f: {block: fc, from: x, repeat: 2}}, outputs: f}
nodes:
  equal: {block: fc, from: x, repeat: 12}
  unlike: {block: fc, from: equal, repeat: {with: {w: [64, 8, 8]}}}
  shared: {block: fc, from: unlike, repeat: {times: 3, shared: true}}
  nested: {block: two, from: shared, repeat: 3}
  row: {from: nested, seq: [{fc: {repeat: {with: {w: [4, 2]}}}}, ReLU]}
outputs: row
"""


LOOPS = """
inputs: {x: [T, S, 8], h0: [S, 8]}
blocks:
  step: {inputs: [x, i], nodes: {y: {merge: formula, expr: x * i, from: {x: x, i: i}, broadcast: true}}, outputs: y}
  cell: {inputs: [x, h], nodes: {s: {merge: add, from: [x, h]}}, outputs: {y: s, h: s}}
nodes:
  rows: {layer: Linear, from: x, out_features: 8, over: 1}
  states: {scan: cell, over: {x: 1}, from: {x: rows}, carry: {h: h0}}
  last: {block: step, from: states.h, repeat: {times: $T, shared: true, index: i}}
outputs: {y: states.y, last: last}
"""


def test_notes_say_how_a_loop_runs() -> None:
    graph = mg.loads(LOOPS)
    found = details_of(graph)
    notes = {name: found[name].notes for name in ("rows", "states", "last")}
    assert notes == {
        "rows": ("over T",),
        "states": ("scan over x, carry h",),
        "last": ("× T shared",),
    }
    assert "cell × T, scan over x, carry h" in str(graph.summary())
    picture = diagram(graph.typed)
    assert "scan over x, carry h" in str(picture)
    assert "inputs x (N, T, S, 8), h0 (N, S, 8); " in describe(picture)  # not the number of a step


def test_a_repeat_drawn_once_has_the_cost_of_all_copies() -> None:
    found = details_of(mg.loads(REPEATS))
    costs = {id_: (d.copies, d.cost.params, d.cost.macs.value) for id_, d in found.items()}
    assert costs["equal.0.a"] == (12, 12 * 72, f"{12 * 64}*N*T")
    assert costs["unlike.0.a"] == (3, 9 * 64 + 65 * 8 + 9 * 8, f"{8 * 64 + 64 * 8 + 64}*N*T")
    assert costs["shared.a"] == (3, 72, f"{3 * 64}*N*T")
    assert costs["nested.0.f"] == (3, 6 * 72, f"{6 * 64}*N*T")
    assert costs["nested.0.f.0.a"] == (6, 6 * 72, f"{6 * 64}*N*T")
    assert costs["row.0.0.a"] == (2, 9 * 4 + 5 * 2, f"{8 * 4 + 4 * 2}*N*T")


SPEC = """\
params: {width: 8}
inputs:
  image: [3, 32, 32]
  ids: {shape: [T], vocab: 100, doc: "the
    words"}
  a: {vocab: 9, doc: first}
  hint: {shape: [8], optional: true}
  b: {vocab: 9}
  c: {vocab: 9}
  d: {vocab: 9}
  e: {vocab: 9}
  f: {vocab: 9}
  g: {vocab: 9}
blocks:
  conv:
    doc: a convolution
    params: {width: null, kernel: 3}
    inputs: {x: [C, H, W]}
    nodes:
      inner: {layer: Conv2d, from: x, out_channels: $width, kernel_size: $kernel}
    outputs: inner
nodes:
  stage: {block: conv, from: image, repeat: {with: {width: [4, 16]}}} # twice
  vec:
    from: stage
    seq:
      - Flatten
      - Linear:
          out_features: $width

  words: {layer: LSTM, from: {input: embedded}, hidden_size: 8, take: last, activation: ReLU}
  embedded: {layer: Embedding, from: ids, embedding_dim: 4, freeze: true}
  table: {layer: Embedding, each: [a, b, c, d, e, f, g], embedding_dim: $width}
  columns: {merge: stack, from: table.*}
  again: {share: vec, from: stage}
  hinted: {layer: Fill, from: hint, value: zeros}
  seen:
    {merge: attention, from: {query: columns, key: columns,
      value: columns}}
  seen_vec: {layer: Mean, from: seen, dim: 1}
  out: {merge: add, from: [vec, words, again, seen_vec, hinted]}
outputs:
  out: out
  aux: {from: words, only: training, doc: for the loss}
"""


@pytest.fixture(scope="module")
def found() -> dict[str, Detail]:
    return details_of(mg.loads(SPEC, name="spec.yaml"))


OPTIONS = {
    "vec.1": "out_features=8, bias=true (default), weight_norm=false (default), spectral_norm=false (default), in_features=12544 (inferred)",
    "stage": "width=4/16, kernel=3 (default), C=3/4 (inferred), H=32/30 (inferred), W=32/30 (inferred)",
    "stage.0.inner": "out_channels=4/16, kernel_size=3, stride=1 (default), padding=0 (default),"
    " dilation=1 (default), groups=1 (default), bias=true (default), padding_mode=zeros (default),"
    " weight_norm=false (default), spectral_norm=false (default),"
    " in_channels=3/4 (inferred)",
    "words": "hidden_size=8, num_layers=1 (default), bias=true (default), dropout=0.0 (default),"
    " bidirectional=false (default), proj_size=0 (default), input_size=4 (inferred),"
    " activation=ReLU, take=last",
    "table": "embedding_dim=8, padding_idx=None (default), max_norm=None (default),"
    " norm_type=2.0 (default), scale_grad_by_freq=false (default), sparse=false (default),"
    " num_embeddings=9 (inferred)",
    "out": "broadcast=false (default), missing=None (default)",
    "vec": "",
    "ids": "vocab=100",
}


def test_all_options_are_listed_with_their_origin(found: dict[str, Detail]) -> None:
    def text(id_: str) -> str:
        return ", ".join(
            f"{o.name}={o.value}" + (f" ({o.origin})" if o.origin != "given" else "")
            for o in found[id_].options
        )

    assert {id_: text(id_) for id_ in OPTIONS} == OPTIONS


SPECS = {
    "an input of two lines": ("ids", 4, 5, 'ids: {shape: [T], vocab: 100, doc: "the\n  words"}'),
    "without a comment": (
        "stage",
        23,
        23,
        "stage: {block: conv, from: image, repeat: {with: {width: [4, 16]}}}",
    ),
    "without the blank line after it": (
        "vec",
        24,
        29,
        "vec:\n  from: stage\n  seq:\n    - Flatten\n    - Linear:\n        out_features: $width",
    ),
    "an item": ("vec.1", 28, 29, "Linear:\n  out_features: $width"),
    "a node in a block": (
        "stage.0.inner",
        20,
        20,
        "inner: {layer: Conv2d, from: x, out_channels: $width, kernel_size: $kernel}",
    ),
    "a mapping below its name": (
        "seen",
        37,
        39,
        "seen:\n  {merge: attention, from: {query: columns, key: columns,\n    value: columns}}",
    ),
    "an output": ("output aux", 44, 44, "aux: {from: words, only: training, doc: for the loss}"),
}


def test_lines_of_the_spec(found: dict[str, Detail]) -> None:
    for what, (id_, *expected) in SPECS.items():
        (excerpt,) = found[id_].spec
        assert [excerpt.first_line, excerpt.last_line, excerpt.text] == expected, what
        assert excerpt.place == "spec.yaml"


REMARKS = {
    "hint": ("input", ("optional",)),
    "stage": ("conv", ("× 2",)),
    "embedded": ("Embedding", ("frozen",)),
    "table": ("Embedding", ("each of 7",)),
    "again": ("seq", ("shares vec",)),
    "output aux": ("output", ("in training",)),
}


def test_op_and_notes(found: dict[str, Detail]) -> None:
    assert {id_: (found[id_].op, found[id_].notes) for id_ in REMARKS} == REMARKS


def test_results_and_sources(found: dict[str, Detail]) -> None:
    assert [(r.port, r.shape) for r in found["words"].results] == [
        ("output", "(N, T, 8)"),
        ("last", "(N, 8)"),
        ("hidden", "(N, 1, 8)"),
        ("cell", "(N, 1, 8)"),
        ("state", "hidden (N, 1, 8), cell (N, 1, 8)"),
    ]
    assert [(s.argument, s.source) for s in found["seen"].sources] == [
        ("query", "columns"),
        ("key", "columns"),
        ("value", "columns"),
    ]
    assert [s.source for s in found["columns"].sources] == [f"table.{name}" for name in "abcdefg"]
    assert [r.shape for r in found["stage.0.inner"].results] == ["(N, 4/16, 30/28, 30/28)"]


def test_the_state_of_an_lstm_is_two_tensors() -> None:
    lstm = "{layer: LSTM, from: x, hidden_size: 8, proj_size: 3, take: last}"
    found = details_of(mg.loads(f"inputs: {{x: [T, 4]}}\nnodes: {{y: {lstm}}}\noutputs: y"))
    state = found["y"].results[-1]
    assert state == ("state", "hidden (N, 1, 3), cell (N, 1, 8)", "")


def test_costs_are_short_and_of_one_sample(found: dict[str, Detail]) -> None:
    vec, words, again = (found[id_].data()["cost"] for id_ in ("vec", "words", "again"))
    assert (vec["parameters"], vec["MACs per sample"]) == ("100 k", "100 k")
    assert words["MACs per sample"] == "384·T"
    assert again == {name: vec[name] for name in ("MACs per sample", "activations per sample")}
    assert found["embedded"].cost.frozen == 400


def test_a_cost_that_grows_faster_than_the_batch_names_its_size() -> None:
    text = "inputs: {a: [4], b: [4]}\nnodes: {y: {merge: einsum, from: [a, b], equation: 'n d, m d -> n m'}}\noutputs: y"
    assert details_of(mg.loads(text))["y"].data()["cost"]["MACs"] == "4·N^2"


def test_a_comparison_tells_numbers_apart_that_are_equal_when_short() -> None:
    sides = [Detail("Linear", cost=Cost(params=n, frozen=50_000)) for n in (1_000_000, 1_000_064)]
    data = ComparedDetail(*sides).data()
    assert [side["cost"] for side in data.values()] == [
        {"parameters": "1,000,000", "frozen parameters": "50 k"},
        {"parameters": "1,000,064", "frozen parameters": "50 k"},
    ]


def test_docs_of_inputs_blocks_and_layers(found: dict[str, Detail]) -> None:
    docs = [found[id_].doc for id_ in ("ids", "stage", "output aux", "out")]
    add = registry.find("merge", "add")
    assert add is not None
    assert docs == ["the words", "a convolution", "for the loss", add.summary]


def test_inputs_drawn_as_one_box_have_one_detail(found: dict[str, Detail]) -> None:
    table = found["inputs of table"]
    assert (table.op, table.doc) == ("7 inputs", "a: first")
    assert [(r.port, r.shape, r.dtype) for r in table.results] == [
        (name, "(N,)", "int64") for name in "abcdefg"
    ]
    assert [e.first_line for e in table.spec] == [6, 8, 9, 10, 11, 12, 13]
    assert "a" not in found


def test_a_node_built_in_python_refers_to_its_line() -> None:
    x = mg.Input("x", (4,))
    y = mg.Sequential(layers.Linear(3), layers.ReLU())(x, name="vec")
    found = details_of(mg.Graph(merges.add(y, y, name="sum")))
    (excerpt,) = found["vec.0"].spec
    assert (excerpt.place, excerpt.text.split(" ")[0]) == ("test_details.py", "y")
    (excerpt,) = found["sum"].spec
    assert excerpt.text.startswith("found = details_of(")


def test_a_node_typed_in_a_shell_has_no_lines() -> None:
    names = {"mg": mg, "layers": layers}
    typed = 'g = mg.Graph(layers.ReLU()(mg.Input("x", (4,)), name="y"))'
    exec(compile(typed, "<typed>", "exec"), names)  # noqa: S102 - as a shell does
    assert details_of(names["g"])["y"].spec == ()


def test_a_node_of_a_spec_on_one_line_is_cut_out() -> None:
    graph = mg.loads(
        '{"inputs": {"x": [4]}, "nodes": {"y": {"layer": "ReLU", "from": "x"}}, "outputs": "y"}'
    )
    (excerpt,) = details_of(graph)["y"].spec
    assert excerpt.text == '"y": {"layer": "ReLU", "from": "x"}'


def test_the_text_of_an_item_has_both_braces() -> None:
    row = "[{Linear: 4}, ReLU, {Linear: {out_features: 2}}]"
    found = details_of(
        mg.loads(f"inputs: {{x: [4]}}\nnodes: {{y: {{from: x, seq: {row}}}}}\noutputs: y")
    )
    texts = [found[f"y.{index}"].spec[0].text for index in range(3)]
    assert texts == ["{Linear: 4}", "ReLU", "{Linear: {out_features: 2}}"]


def test_a_file_is_named_without_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("inputs: {x: [4]}\nnodes: {}\noutputs: x")
    monkeypatch.chdir(tmp_path)
    assert details_of(mg.load("spec.yaml"))["x"].spec[0].place == "spec.yaml"
    for name, path in {"here.html": Path("spec.yaml"), "there.html": spec}.items():
        mg.load(path).draw(name)
    assert Path("here.html").read_bytes() == Path("there.html").read_bytes()


@pytest.mark.slow
def test_work_grows_linearly_with_a_spec_on_one_line() -> None:
    def work(items: int) -> int:
        row = ", ".join(["ReLU"] * items)
        graph = mg.loads(f"inputs: {{x: [4]}}\nnodes: {{y: {{from: x, seq: [{row}]}}}}\noutputs: y")
        return calls(lambda: details_of(graph))

    assert work(2000) < 4 * 1.5 * work(500)  # quadratic work would be 16 times as much
