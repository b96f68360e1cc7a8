"""A block shares a layer of the graph or block that uses it: its forward is handed the module."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import boxes
from mimgraph.picture.diagram.share_letters import letters
from tests.helpers.cases import each
from tests.helpers.running import inputs_of, same_as_by_hand, saved, seeded

# an encoder and a decoder with one embedding, which also gives the logits, as in T5 and BART
WHOLE = """\
name: Whole
inputs: {source: {shape: [S], vocab: 11}, target: {shape: [T], vocab: 11}}
blocks:
  layer:
    inputs: [x, memory]
    nodes:
      attended: {layer: MultiheadAttention, from: {query: x, key: memory}, num_heads: 2}
      out: {merge: add, from: [x, attended]}
    outputs: out
  encoder:
    inputs: [ids]
    nodes:
      x: {share: tokens, from: ids}
      layers: {block: layer, from: [x, x], repeat: 2}
    outputs: layers
  decoder:
    inputs: [ids, memory]
    nodes:
      x: {share: tokens, from: ids}
      layers: {block: layer, from: [x, memory], repeat: 2}
      logits: {merge: einsum, equation: "n t d, v d -> n t v", from: [layers, x.weight]}
    outputs: logits
nodes:
  tokens: {layer: Embedding, from: source, embedding_dim: 8}
  encoded: {block: encoder, from: source}
  logits: {block: decoder, from: [target, encoded]}
outputs: logits
"""


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attended = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        attended: Tensor = self.attended(x, memory, memory, need_weights=False)[0]
        return x + attended


class Stack(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer(), Layer()])

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, memory)
        return x


class Whole(nn.Module):
    """The model of `WHOLE`, written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(11, 8)
        self.encoded = Stack()
        self.logits = Stack()

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        x = self.tokens(source)
        decoded = self.logits(self.tokens(target), self.encoded(x, x))
        return F.linear(decoded, self.tokens.weight)


def test_weights_outputs_and_gradients_equal_the_class_written_by_hand() -> None:
    graph = mg.loads(WHOLE)
    ours, theirs, inputs = seeded(graph.compile), seeded(Whole), inputs_of(graph)
    same_as_by_hand(ours, theirs, inputs)


@pytest.mark.slow
def test_copies_pickles_and_exports_give_the_same_outputs() -> None:
    graph = mg.loads(WHOLE)
    model, inputs = seeded(graph.compile).eval(), inputs_of(graph)
    expected = model(**inputs)
    exported = torch.export.export(model, (), inputs, dynamic_shapes=graph.dynamic_shapes())
    for other in (copy.deepcopy(model), saved(model), exported.module()):
        torch.testing.assert_close(other(**inputs), expected)
    assert model.double()(**inputs).dtype == torch.float64


def test_a_block_is_handed_the_module() -> None:
    source = mg.loads(WHOLE).source()
    assert "def forward(self, ids: Tensor, memory: Tensor, tokens: nn.Module) -> Tensor:" in source
    assert "encoded = self.encoded(source, tokens=self.tokens)" in source


# blocks b, with nodes around its use `y` on x (5), and what `y` gives by hand
HEAD = """\
inputs: {x: [5]}
blocks:
  b: {inputs: [v], nodes: {h: {share: lin, from: v}, fc: {layer: Linear, from: h, out_features: 5}}, outputs: fc}
  hands_on: {inputs: [lin], nodes: {u: {block: b, from: lin}}, outputs: u}
  has_its_own: {inputs: [v], nodes: {lin: {layer: Linear, from: v, out_features: 5}, u: {block: b, from: v}, s: {merge: add, from: [lin, u]}}, outputs: s}
  of_copy: {inputs: [v], nodes: {h: {share: many.1, from: v}}, outputs: h}
  of_each: {inputs: [v], nodes: {h: {share: by_name.p, from: v}}, outputs: h}
  of_one: {inputs: [v], nodes: {h: {share: one, from: v}}, outputs: h}
  on_all: {inputs: [v, w], nodes: {h: {share: by_name, each: {p: v, q: w}}, s: {merge: add, from: h.*}}, outputs: s}
  of_chain: {inputs: [v], nodes: {h: {share: chain, from: v}}, outputs: h}
  of_share: {inputs: [v], nodes: {h: {share: again, from: v}}, outputs: h}
nodes:
  lin: {layer: Linear, from: x, out_features: 5, activation: ReLU}
  again: {share: lin, from: lin}
  many: {layer: Linear, each: 2, from: x, out_features: 5}
  by_name: {layer: Linear, each: {p: x, q: x}, out_features: 5}
  one: {layer: Linear, each: {p: x, q: x}, out_features: 5, shared: true}
  chain: {from: x, seq: [{Linear: 5}, Tanh]}
  all: {merge: concat, from: [lin, again, many.*, by_name.*, one.*, chain]}
"""
PLACES = {
    "in a block": ("{block: b, from: x}", lambda m, x: m.y.fc(m.lin(x).relu())),
    "repeated": (
        "{block: b, from: x, repeat: 2}",
        lambda m, x: m.y[1].fc(m.lin(m.y[0].fc(m.lin(x).relu())).relu()),
    ),
    "repeated as one module": (
        "{block: b, from: x, repeat: {times: 2, shared: true}}",
        lambda m, x: m.y.fc(m.lin(m.y.fc(m.lin(x).relu())).relu()),
    ),
    "handed on by a block with an input of that name": (
        "{block: hands_on, from: x}",
        lambda m, x: m.y.u.fc(m.lin(x).relu()),
    ),
    "of the block around it": (
        "{block: has_its_own, from: x}",
        lambda m, x: m.y.lin(x) + m.y.u.fc(m.y.lin(x)),
    ),
    "in copies": (
        "{merge: add, from: z.*}\n  z: {block: b, each: 2, from: x}",
        lambda m, x: m.z[0].fc(m.lin(x).relu()) + m.z[1].fc(m.lin(x).relu()),
    ),
    "in a shared block": (
        "{share: z, from: z}\n  z: {block: b, from: x}",
        lambda m, x: m.z.fc(m.lin(m.z.fc(m.lin(x).relu())).relu()),
    ),
    "of a copy": ("{block: of_copy, from: x}", lambda m, x: m.many[1](x)),
    "of an item": ("{block: of_each, from: x}", lambda m, x: m.by_name["p"](x)),
    "of one module for several": ("{block: of_one, from: x}", lambda m, x: m.one(x)),
    "of every item": (
        "{block: on_all, from: [x, lin]}",
        lambda m, x: m.by_name["p"](x) + m.by_name["q"](m.lin(x).relu()),
    ),
    "of a chain": ("{block: of_chain, from: x}", lambda m, x: m.chain(x)),
    "of a share": ("{block: of_share, from: x}", lambda m, x: m.lin(x).relu()),
}


@each("name", [*PLACES])
def test_the_module_is_that_of_the_nearest_node_around(name: str) -> None:
    node, expected = PLACES[name]
    graph = mg.loads(f"{HEAD}  y: {node}\noutputs: [y, all]\n")
    model, x = seeded(graph.compile), torch.randn(3, 5)
    torch.testing.assert_close(model(x=x)["y"], expected(model, x))
    assert mg.loads(graph.dumps()) == graph
    assert graph.summary().totals()["params"] == sum(p.numel() for p in model.parameters())


def test_a_port_that_only_the_block_reads_is_made() -> None:
    graph = mg.loads(
        "inputs: {x: [T, 4]}\nblocks:\n"
        "  b: {inputs: [v], nodes: {h: {share: att, from: v}}, outputs: {w: h.weights}}\n"
        "nodes:\n  att: {layer: MultiheadAttention, from: x, num_heads: 2}\n"
        "  y: {block: b, from: x}\noutputs: [y, att]\n"
    )
    x = torch.randn(2, 3, 4)
    assert graph.compile()(x=x)["y"].shape == (2, 3, 3)


def test_a_picture_marks_all_uses_of_the_module_with_one_letter() -> None:
    found = letters(list(boxes(diagram(mg.loads(WHOLE).typed).items)))
    assert found == {"tokens": "A", "encoded.x": "A", "logits.x": "A"}


def test_a_stage_has_the_module_and_all_blocks_that_share_it() -> None:
    with pytest.raises(ValueError, match="logits shares the weights of tokens"):
        mg.loads(WHOLE).split(["logits"])


def test_a_graph_that_is_a_layer_keeps_what_its_blocks_share() -> None:
    graph = mg.loads(WHOLE)
    source, target = (mg.Input(name, ["L"], vocab=11) for name in ("source", "target"))
    outer = mg.Graph(graph(source=source, target=target, name="model"))
    keys = [f"model.{key}" for key in graph.compile().state_dict()]
    assert list(outer.compile().state_dict()) == keys


def test_a_block_of_a_spec_needs_the_node_around_it() -> None:
    with pytest.raises(mg.SpecError, match="no input or node is called 'tokens'"):
        mg.loads(WHOLE).blocks["encoder"]()(mg.Input("ids", ["T"], vocab=11))
