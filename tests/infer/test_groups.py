"""An input of a block takes a group, `emb.*`, and is an input for each of its ports."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.cases import each
from tests.helpers.running import inputs_of, saved, seeded

# the interaction of DLRM (Naumov et al. 2019) as a block
DLRM = """\
name: Dlrm
inputs: {city: {vocab: 9}, job: {vocab: 5}, brand: {vocab: 7}, numbers: [4]}
blocks:
  interact:
    inputs: {fields: [D], dense: [D]}
    nodes:
      pairs: {merge: pairwise_dot, from: [dense, fields.*]}
      all: {merge: concat, from: [dense, pairs]}
    outputs: all
nodes:
  emb: {layer: Embedding, each: [city, job, brand], embedding_dim: 3}
  dense: {layer: Linear, from: numbers, out_features: 3}
  all: {block: interact, from: {fields: emb.*, dense: dense}}
  score: {layer: Linear, from: all, out_features: 1}
outputs: score
"""


class Dlrm(nn.Module):
    """The model of `DLRM`, written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.ModuleDict(
            {"city": nn.Embedding(9, 3), "job": nn.Embedding(5, 3), "brand": nn.Embedding(7, 3)}
        )
        self.dense = nn.Linear(4, 3)
        self.score = nn.Linear(9, 1)

    def forward(self, numbers: Tensor, **columns: Tensor) -> Tensor:
        dense = self.dense(numbers)
        vectors = [dense, *(self.emb[name](columns[name]) for name in self.emb)]
        pairs = [(vectors[i] * vectors[j]).sum(1) for i in range(4) for j in range(i)]
        score: Tensor = self.score(torch.cat((dense, torch.stack(pairs, 1)), 1))
        return score


def test_weights_and_outputs_equal_the_class_written_by_hand() -> None:
    graph = mg.loads(DLRM)
    ours, theirs, inputs = seeded(graph.compile), seeded(Dlrm), inputs_of(graph)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    expected = theirs(**inputs)
    exported = torch.export.export(ours, (), inputs).module()
    for model in (ours, copy.deepcopy(ours), saved(ours), exported):
        torch.testing.assert_close(model(**inputs), expected)
    assert mg.loads(graph.dumps()) == graph


def test_the_forward_has_an_argument_for_each_member() -> None:
    source = " ".join(mg.loads(DLRM).source().split())
    arguments = "fields_city: Tensor, fields_job: Tensor, fields_brand: Tensor, dense: Tensor"
    assert f"def forward( self, {arguments}, ) -> Tensor:" in source


# blocks b on the group e of (N, 3) from a and b, and on x (N, 3); what they give by hand
HEAD = """\
inputs: {a: {vocab: 9}, b: {vocab: 5}, x: [3]}
blocks:
  total: {inputs: [f], nodes: {s: {merge: add, from: f.*}}, outputs: s}
  plus: {inputs: [f, f_a], nodes: {t: {block: total, from: {f: f.*}}, s: {merge: add, from: [t, f_a]}}, outputs: s}
  named: {inputs: {f: [D]}, nodes: {s: {merge: subtract, from: [f.b, f.a]}}, outputs: s}
  mapped: {inputs: [f], nodes: {l: {layer: Tanh, each: f.*}, s: {merge: multiply, from: l.*}}, outputs: s}
  order: {inputs: [v, f], nodes: {s: {merge: concat, from: [f.*, v, f.*]}}, outputs: s}
  steady: {inputs: [v, f], nodes: {s: {merge: add, from: [v, f.*]}}, outputs: s}
nodes:
  e: {layer: Embedding, each: [a, b], embedding_dim: 3}
  halves: {layer: Chunk, from: x, chunks: 3, dim: 1}
"""
USES: dict[str, tuple[str, Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "alone": ("{block: total, from: e.*}", lambda a, b, x: a + b),
    "by name": ("{block: total, from: {f: e.*}}", lambda a, b, x: a + b),
    "handed on": ("{block: plus, from: {f: e.*, f_a: x}}", lambda a, b, x: a + b + x),
    "in a list": ("{block: plus, from: [e.*, x]}", lambda a, b, x: a + b + x),
    "last in a list": (
        "{block: order, from: [x, e.*]}",
        lambda a, b, x: torch.cat((a, b, x, a, b), 1),
    ),
    "by member": ("{block: named, from: {f: e.*}}", lambda a, b, x: b - a),
    "each of it": ("{block: mapped, from: e.*}", lambda a, b, x: a.tanh() * b.tanh()),
    "of parts": ("{block: total, from: halves.*}", lambda a, b, x: x.sum(1, keepdim=True)),
    "repeated beside what is carried": (
        "{block: steady, from: [x, e.*], repeat: 2}",
        lambda a, b, x: x + 2 * (a + b),
    ),
    "over an axis": (
        "{layer: Squeeze, from: w, dim: 1}\n  w: {block: total, from: u.*, over: 1}\n  u: {layer: Unsqueeze, each: e.*, dim: 1}",
        lambda a, b, x: a + b,
    ),
    "the same in each step of a scan": (
        "{layer: Squeeze, from: w, dim: 1}\n  u: {layer: Unsqueeze, from: x, dim: 1}\n  w: {scan: steady, from: {f: e.*, v: u}, over: {v: 1}}",
        lambda a, b, x: x + a + b,
    ),
    "shared": ("{share: q, from: e.*}\n  q: {block: total, from: e.*}", lambda a, b, x: a + b),
}


@each("name", [*USES])
def test_a_block_reads_all_members_or_one(name: str) -> None:
    node, expected = USES[name]
    graph = mg.loads(f"{HEAD}  y: {node}\noutputs: {{y: y, h: halves.0, e: e.a, f: e.b}}\n")
    model, inputs = seeded(graph.compile), inputs_of(graph)
    a, b = model.e["a"](inputs["a"]), model.e["b"](inputs["b"])
    torch.testing.assert_close(model(**inputs)["y"], expected(a, b, inputs["x"]))
    assert mg.loads(graph.dumps()) == graph


def test_uses_with_other_members_have_classes_of_their_own() -> None:
    graph = mg.loads(
        f"{HEAD}  y: {{block: total, from: e.*}}\n  z: {{block: total, from: halves.*}}\n"
        "outputs: [y, z]\n"
    )
    assert [*graph.compile()(**inputs_of(graph))] == ["y", "z"]
    assert "class Total2(nn.Module)" in graph.source()


def test_a_member_may_be_missing() -> None:
    graph = mg.loads(
        "inputs: {a: [3], b: {shape: [3], optional: true}}\n"
        "blocks: {mean: {inputs: [f], nodes: {s: {merge: average, from: f.*, missing: skip}}, outputs: s}}\n"
        "nodes: {t: {layer: Tanh, each: [a, b]}, y: {block: mean, from: t.*}}\noutputs: y\n"
    )
    model, a, b = graph.compile(), torch.randn(2, 3), torch.randn(2, 3)
    torch.testing.assert_close(model(a=a), a.tanh())
    torch.testing.assert_close(model(a=a, b=b), (a.tanh() + b.tanh()) / 2)


def test_a_summary_and_stages_have_the_members() -> None:
    graph = mg.loads(DLRM)
    assert "emb.city, emb.job, emb.brand, dense" in str(graph.summary())
    stages = graph.split(["all"])
    assert [*stages[1].typed.body.inputs] == ["emb_city", "emb_job", "emb_brand", "dense"]


# in Python


@mg.block
def interact(fields: mg.Tensor, dense: mg.Tensor) -> mg.Tensor:
    return merges.concat(dense, merges.pairwise_dot(dense, *fields))


@mg.block
def total(f: mg.Tensor) -> mg.Tensor:
    return merges.add(*f)


@mg.block
def around(d: mg.Tensor, f: mg.Tensor) -> mg.Tensor:
    width = f["a"].dims[0]  # a size of a member is a number
    return merges.add(layers.Linear(width)(d), total()(f), f["b"])


def columns() -> tuple[mg.Tensor, mg.Tensor]:
    a, b = mg.Input("a", vocab=9), mg.Input("b", vocab=5)
    return layers.Embedding(3).each(a, b, name="e"), mg.Input("x", (3,))


def test_a_block_in_python_takes_a_handle_with_several_ports() -> None:
    names = {"city": 9, "job": 5, "brand": 7}
    emb = layers.Embedding(3).each(*(mg.Input(n, vocab=v) for n, v in names.items()), name="emb")
    dense = layers.Linear(3)(mg.Input("numbers", (4,)), name="dense")
    for whole in (interact()(emb, dense), interact(fields=emb, dense=dense)):
        graph = mg.Graph(layers.Linear(1)(whole, name="score"), name="Dlrm")
        ours, theirs, inputs = seeded(graph.compile), seeded(Dlrm), inputs_of(graph)
        torch.testing.assert_close(ours(**inputs), theirs(**inputs))
        assert "from: {fields: emb.*, dense: dense}" in graph.dumps()
        assert mg.loads(graph.dumps()) == graph


PYTHON: dict[str, tuple[Callable[[mg.Tensor, mg.Tensor], mg.Tensor], Callable[..., Tensor]]] = {
    "alone": (lambda e, x: total()(e), lambda m, a, b, x: a + b),
    "of parts": (
        lambda e, x: total()(layers.Chunk(3, dim=1)(x)),
        lambda m, a, b, x: x.sum(1, keepdim=True),
    ),
    "of a Sequential": (
        lambda e, x: total()(mg.Sequential(layers.Tanh(), layers.Chunk(3, dim=1))(x)),
        lambda m, a, b, x: x.tanh().sum(1, keepdim=True),
    ),
    "handed on": (
        lambda e, x: around()(x, e, name="y"),
        lambda m, a, b, x: m.y.linear(x) + a + 2 * b,
    ),
    "repeated beside what is carried": (
        lambda e, x: around(repeat=2)(x, f=e, name="y"),
        lambda m, a, b, x: m.y[1].linear(m.y[0].linear(x) + a + 2 * b) + a + 2 * b,
    ),
    "called again": (
        lambda e, x: twice(around(), e, x),
        lambda m, a, b, x: m.y.linear(m.y.linear(x) + a + 2 * b) + a + 2 * b,
    ),
}


def twice(layer: Any, e: mg.Tensor, x: mg.Tensor) -> Any:
    return layer(layer(x, e, name="y"), e)


@each("name", [*PYTHON])
def test_a_block_function_reads_the_members(name: str) -> None:
    made, by_hand = PYTHON[name]
    e, x = columns()
    graph = mg.Graph({"y": made(e, x), "x": layers.Identity()(x), "a": e["a"], "b": e["b"]})
    model, inputs = seeded(graph.compile), inputs_of(graph)
    a, b = model.e["a"](inputs["a"]), model.e["b"](inputs["b"])
    torch.testing.assert_close(model(**inputs)["y"], by_hand(model, a, b, inputs["x"]))
    assert mg.loads(graph.dumps()) == graph


@mg.block
def returned(f: mg.Tensor) -> mg.Tensor:
    return f


@mg.block
def misread(f: mg.Tensor) -> mg.Tensor:
    return f["aa"]


@mg.block
def ignored(f: mg.Tensor, d: mg.Tensor) -> mg.Tensor:
    return layers.ReLU()(d)


@each(
    "call, code, words",
    [
        (lambda e, x: returned()(e), "unknown-port", "f is a group here"),
        (lambda e, x: misread()(e), "unknown-port", "f has no port 'aa'"),
        (lambda e, x: ignored()(e, x), "unused-input", "nothing reads f"),
        (lambda e, x: total()(e, x), "wrong-arity", "takes 1 source, not 2"),
        (lambda e, x: interact(repeat=2)(e, x), "wrong-arity", "one tensor, not a group"),
        (lambda e, x: layers.Tanh()(e), "unknown-port", "choose a port"),
        (lambda e, x: mg.Sequential(layers.Tanh())(e), "unknown-port", "choose a port"),
    ],
)
def test_a_misread_group_is_reported(call: Any, code: str, words: str) -> None:
    with pytest.raises(mg.SpecError) as error:
        mg.Graph(call(*columns()))
    (found,) = error.value.diagnostics
    assert (found.code, words in found.message) == (code, True)
