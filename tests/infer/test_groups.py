"""An input of a block takes a group, `emb.*`, and is an input for each of its ports."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.runtime.runner import choose_sizes, seeded_inputs
from tests.helpers.running import saved, seeded

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


def inputs_of(graph: mg.Graph) -> dict[str, Tensor]:
    return seeded_inputs(graph.typed, 3, 0, choose_sizes(graph.typed, {}))


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


@pytest.mark.parametrize("name", USES)
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
