"""A `seq` has the ports of its last item: each is what the items give one after the other."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import boxes
from tests.helpers.cases import each
from tests.helpers.running import saved, seeded

BLOCKS = """\
  pair:
    inputs: [x]
    nodes: {l: {layer: Linear, from: x, out_features: 6}, t: {layer: Tanh, from: l}}
    outputs: {x: t, before: l}
"""


def _pair(s: Any, x: Tensor) -> list[Tensor]:
    before = s[1].l(s[0](x))
    return [before.tanh(), before]


def _twice(s: Any, x: Tensor) -> list[Tensor]:
    first = s[1][0].l(s[0](x)).tanh()
    before = s[1][1].l(first)
    return [before.tanh(), before, torch.stack((first, before.tanh()), 1)]


def _lstm(s: Any, x: Tensor) -> list[Tensor]:
    output, (hidden, cell) = nn.LSTM.forward(s[1], s[0](x))
    return [output, hidden[-1], cell.transpose(0, 1)]


def _attention(s: Any, x: Tensor) -> list[Tensor]:
    x = s[0](x)
    return [*nn.MultiheadAttention.forward(s[1], x, x, x)]


Oracle = Callable[[Any, Tensor], list[Tensor]]
# by name: the items, the ports that are read, and what they are by hand
CASES: dict[str, tuple[str, str, Oracle]] = {
    "chunk": (
        "[{Linear: 8}, {Chunk: {chunks: 2, dim: -1}}]",
        "s.0 s.1",
        lambda s, x: [*s[0](x).chunk(2, -1)],
    ),
    "two of three parts": (
        "[{Linear: 6}, {Split: {split_size_or_sections: [1, 2, 3], dim: -1}}]",
        "s.0 s.2",
        lambda s, x: [*s[0](x).split([1, 2, 3], -1)][::2],
    ),
    "one part": (
        "[{Linear: 8}, {Chunk: {chunks: 2, dim: -1}}]",
        "s.1",
        lambda s, x: [s[0](x).chunk(2, -1)[1]],
    ),
    "one item": ("[{Chunk: {chunks: 2, dim: 2}}]", "s.0 s.1", lambda s, x: [*x.chunk(2, 2)]),
    "recurrent": ("[{Linear: 6}, {LSTM: 3}]", "s s.last s.cell", _lstm),
    "recurrent, the last step alone": (
        "[{Linear: 6}, {LSTM: 3}]",
        "s.last",
        lambda s, x: _lstm(s, x)[1:2],
    ),
    "attention": ("[{Linear: 6}, {MultiheadAttention: 2}]", "s s.weights", _attention),
    "top k": (
        "[Tanh, {TopK: {k: 2, dim: -1}}]",
        "s s.indices",
        lambda s, x: [*x.tanh().topk(2, -1)],
    ),
    "with an activation": (
        "[{TopK: {k: 2, dim: -1, activation: Sigmoid}}]",
        "s s.indices",
        lambda s, x: [x.topk(2, -1)[0].sigmoid(), x.topk(2, -1)[1]],
    ),
    "the activation of a port that is not read": (
        "[{TopK: {k: 2, dim: -1, activation: Sigmoid}}]",
        "s.indices",
        lambda s, x: [x.topk(2, -1)[1]],
    ),
    "another default": (
        "[{TopK: {k: 2, dim: -1, take: indices}}]",
        "s s.values",
        lambda s, x: [*x.topk(2, -1)][::-1],
    ),
    "take beside the seq": (
        "[{Linear: 6}, {LSTM: 3}], take: last",
        "s s.output",
        lambda s, x: _lstm(s, x)[1::-1],
    ),
    "block": ("[{Linear: 6}, pair]", "s.x s.before", _pair),
    "block, one output": ("[{Linear: 6}, pair]", "s.before", lambda s, x: _pair(s, x)[1:]),
    "repeat that collects": (
        "[{Linear: 6}, {pair: {repeat: {times: 2, collect: x}}}]",
        "s.x s.before s.steps",
        _twice,
    ),
    "item over an axis": (
        "[{Chunk: {chunks: 2, dim: -1, over: 1}}]",
        "s.0 s.1",
        lambda s, x: [*x.chunk(2, -1)],
    ),
    "whole seq over an axis": (
        "[{Linear: 6}, {Chunk: {chunks: 2, dim: -1}}], over: 1",
        "s.0 s.1",
        lambda s, x: [*s[0](x).chunk(2, -1)],
    ),
}


def graph_of(items: str, ports: str) -> mg.Graph:
    outputs = ", ".join(f"o{index}: {port}" for index, port in enumerate(ports.split()))
    return mg.loads(
        f"inputs: {{x: [T, 6]}}\nblocks:\n{BLOCKS}nodes:\n  s: {{from: x, seq: {items}}}\n"
        f"  same: {{layer: Identity, from: x}}\noutputs: {{{outputs}, same: same}}\n"
    )


@each("name", [*CASES])
def test_ports_are_those_of_the_last_item(name: str) -> None:
    items, ports, by_hand = CASES[name]
    graph = graph_of(items, ports)
    model, x = seeded(graph.compile).eval(), torch.randn(3, 5, 6)
    expected = [*by_hand(model.s, x), x]
    for made in (model, copy.deepcopy(model), saved(model)):
        torch.testing.assert_close([*made(x=x).values()], expected)
    assert [len(type_.shape) for type_ in graph.outputs.values()] == [y.ndim for y in expected]
    assert mg.loads(graph.dumps()) == graph
    wide = model.double()(x=x.double())
    assert {y.dtype for y in wide.values()} <= {torch.float64, torch.int64}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*_flat_weights")
@pytest.mark.parametrize(
    "name", ["chunk", "recurrent", "repeat that collects", "whole seq over an axis"]
)
def test_ports_are_exported(name: str) -> None:
    items, ports, by_hand = CASES[name]
    model, x = seeded(graph_of(items, ports).compile).eval(), torch.randn(3, 5, 6)
    exported = torch.export.export(model, (), {"x": x}).module()
    torch.testing.assert_close([*exported(x=x).values()], [*by_hand(model.s, x), x])


def test_the_keys_are_positions_in_the_list() -> None:
    model = graph_of(*CASES["chunk"][:2]).compile()
    assert [*model.state_dict()] == ["s.0.weight", "s.0.bias"]


def test_the_chain_returns_what_the_last_item_does() -> None:
    source = graph_of(*CASES["chunk"][:2]).source()
    assert "s_0, s_1 = self.s(x)" in source
    assert "return x.chunk(2, -1)" in source
    assert "return super().forward(x, x, x)" in graph_of(*CASES["attention"][:2]).source()


def test_a_share_may_read_other_ports() -> None:
    graph = mg.loads(
        "inputs: {x: [6], y: [6]}\nnodes:\n"
        "  s: {from: x, seq: [{Linear: 6}, {Chunk: {chunks: 3, dim: -1}}]}\n  t: {share: s, from: y}\n"
        "outputs: {a: s.0, b: t.1, c: t.2}\n"
    )
    model, x, y = graph.compile(), torch.randn(2, 6), torch.randn(2, 6)
    (a, _, _), (_, b, c) = model.s[0](x).chunk(3, 1), model.s[0](y).chunk(3, 1)
    torch.testing.assert_close(model(x=x, y=y), {"a": a, "b": b, "c": c})


def test_a_group_is_all_its_ports() -> None:
    graph = mg.loads(
        "inputs: {x: [6]}\nblocks: {total: {inputs: [f], nodes: {s: {merge: add, from: f.*}}, outputs: s}}\n"
        "nodes:\n  s: {from: x, seq: [Tanh, {Chunk: {chunks: 3, dim: 1}}]}\n"
        "  y: {block: total, from: s.*}\noutputs: y\n"
    )
    x = torch.randn(2, 6)
    torch.testing.assert_close(graph.compile()(x=x), sum(x.tanh().chunk(3, 1)))


def test_a_missing_source_leaves_every_port_out() -> None:
    graph = mg.loads(
        "inputs: {x: {shape: [6], optional: true}, z: [3]}\nnodes:\n"
        "  s: {from: x, seq: [Tanh, {Chunk: {chunks: 2, dim: 1}}]}\n"
        "  y: {merge: add, from: [s.0, s.1, z], missing: skip}\noutputs: y\n"
    )
    model, x, z = graph.compile(), torch.randn(2, 6), torch.randn(2, 3)
    torch.testing.assert_close(model(z=z), z)
    torch.testing.assert_close(model(x=x, z=z), sum(x.tanh().chunk(2, 1)) + z)


def test_python_reads_ports_of_a_sequential() -> None:
    x = mg.Input("x", ("T", 6))
    s = mg.Sequential(layers.Linear(8), layers.Chunk(2, dim=-1))(x, name="s")
    same = layers.Identity()(x, name="same")
    gate, value = s
    assert (s["0"], s["1"]) == (gate, value)
    graph = mg.Graph({"o0": gate, "o1": value, "same": same})
    assert graph == mg.loads(graph.dumps())
    assert graph.source() == graph_of(*CASES["chunk"][:2]).source()


def test_tables_pictures_and_differences_show_the_ports() -> None:
    graph = graph_of(*CASES["chunk"][:2])
    assert "0 (N, T, 4), 1 (N, T, 4)" in str(graph.summary())
    (chunk,) = [box for box in boxes(diagram(graph.typed).items) if box.id == "s.1"]
    assert chunk.shapes == ("0 (N, T, 4)", "1 (N, T, 4)")
    other = graph_of(CASES["chunk"][0].replace("chunks: 2", "chunks: 4"), "s.0 s.1")
    assert "chunks" in str(mg.diff(graph, other))
    first, second = graph.split(["same"])
    assert [*second.typed.body.outputs] == ["o0", "o1", "same"]
    assert {"s_0", "s_1"} <= {*first.typed.body.outputs}


@mg.block
def split(x: mg.Tensor) -> dict[str, mg.Tensor]:
    return {"a": layers.Tanh()(x), "b": layers.ReLU()(x)}


def test_python_reports_several_results_within_a_sequential() -> None:
    for first in (layers.Chunk(2, dim=1), split()):
        for second in (layers.ReLU(), split()):
            with pytest.raises(mg.SpecError, match="has several results: choose a port"):
                mg.Sequential(first, second)(mg.Input("x", (6,)))
