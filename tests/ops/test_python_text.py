"""Nodes of a spec become Python that declares the same graph."""

from __future__ import annotations

from collections.abc import Mapping

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.ops.op import Op
from mimgraph.ops.python_text import parsed, python_call, python_example
from tests.helpers.cases import check_each
from tests.ops.layers.test_examples import OPS, spec

NAMES = {"mg": mg, "layers": layers, "merges": merges}
CALLS = {
    "{layer: Flatten, from: x}": "layers.Flatten()(x)",
    "{layer: Linear, out_features: 64}": "layers.Linear(64)",
    "{layer: Linear, from: lstm.last, out_features: $(2 * hidden), activation: ReLU}": (
        'layers.Linear((2 * hidden), activation="ReLU")(lstm["last"])'
    ),
    "{layer: Cast, from: ..., dtype: ...}": "layers.Cast(dtype=...)(...)",
    "{layer: Cast, from: mask, like: x}": "layers.Cast(like=x)(mask)",
    "{layer: Linear, from: x, out_features: 3, activation: {GELU: {approximate: tanh}}}": (
        'layers.Linear(3, activation=layers.GELU("tanh"))(x)'
    ),
    "{layer: Softmax, from: x, dim: -1}": "layers.Softmax(dim=-1)(x)",
    "{layer: Embedding, each: [a, b], embedding_dim: 8}": ("layers.Embedding(8).each(a, b)"),
    "{merge: concat, from: [emb.*, x], dim: 1}": "merges.concat(*emb, x, dim=1)",
    '{merge: formula, expr: "m > 0", from: {m: x}}': 'merges.formula("m > 0", m=x)',
    "{merge: masked_fill, from: [a, b], value: -.inf}": (
        'merges.masked_fill(a, b, value=float("-inf"))'
    ),
    "{from: x, seq: [Flatten, {Linear: 64}, {norm: 3}, ReLU]}": (
        "mg.Sequential(layers.Flatten(), layers.Linear(64), norm(3), layers.ReLU())(x)"
    ),
    "{block: residual, from: x, stride: 2, repeat: 3}": "residual(stride=2, repeat=3)(x)",
}


def test_a_node_is_written_as_a_call() -> None:
    assert {node: python_call(parsed(node)) for node in CALLS} == CALLS


def built(op: Op, names: Mapping[str, object] = NAMES) -> mg.Graph:
    """Return the graph that the example of an op declares in Python; all its results are outputs."""
    scope: dict[str, mg.Tensor] = {}
    exec("\n".join(python_example(*op.example)), {**NAMES, **names}, scope)  # noqa: S102
    scope["y"].record.name = "y"  # an example is short: it has no name
    expected = mg.loads(spec(op))
    given = [*scope.values()] if [*expected.outputs] == ["x", "y"] else [scope["y"]]
    ports = {name: scope["y"][name[1:]] for name in expected.outputs if name.startswith("p")}
    return mg.Graph(ports or given)


def test_the_example_of_an_op_declares_the_same_graph_in_python() -> None:
    def declares_the_same(op: Op) -> None:
        assert built(op) == mg.loads(spec(op))

    check_each(OPS, declares_the_same)
