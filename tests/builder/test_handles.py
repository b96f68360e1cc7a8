"""Handles: their type and operators, and the nodes that calls of layers record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.ir.declared_graph import Share
from mimgraph.ir.dim import symbol
from mimgraph.ir.names import snake_case
from tests.helpers.handles import image, numeric, text

T = symbol("T")


def names(outputs: Any) -> list[str]:
    return [node.name for node in mg.Graph(outputs).declared.nodes]


# --- handles --------------------------------------------------------------------------------------

SHOWN: list[tuple[str, Callable[[], mg.Tensor], str]] = [
    ("input", image, "<image (N, 3, 32, 32)>"),
    ("category", lambda: mg.Input("city", vocab=9), "<city (N,)>"),
    ("named", lambda: layers.Conv2d(16, 3)(image(), name="conv"), "<conv (N, 16, 30, 30)>"),
    ("unnamed", lambda: layers.AvgPool2d(2)(image()), "<avg_pool2d (N, 3, 16, 16)>"),
    ("symbolic", lambda: layers.Linear(4)(text()), "<linear (N, T, 4)>"),
    (
        "several ports",
        lambda: layers.MultiheadAttention(2)(text()),
        "<multihead_attention output (N, T, 16), weights (N, T, T)>",
    ),
    ("port", lambda: layers.LSTM(8)(text())["last"], "<lstm.last (N, 8)>"),
    ("take", lambda: layers.Linear(2)(layers.LSTM(8, take="last")(text())), "<linear (N, 2)>"),
]


def test_a_handle_shows_its_name_and_shape() -> None:
    assert {case: repr(make()) for case, make, _ in SHOWN} == {case: row for case, _, row in SHOWN}


def test_a_handle_knows_its_type() -> None:
    words = mg.Input("words", ("T",), vocab=100)
    vectors = layers.Embedding(8)(words, name="vectors")
    assert (words.dtype, words.type.vocab, words.dims) == ("int64", 100, (T,))
    assert (vectors.name, str(vectors.shape), vectors.dtype) == ("vectors", "(N, T, 8)", "float32")
    assert layers.ReLU()(vectors).name is None


def test_dims_of_a_handle_make_an_input() -> None:
    assert mg.Input("mask", text().dims[:1], dtype="bool").dims == (T,)


OPERATORS: dict[str, Callable[[Any, Any], mg.Tensor]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "matmul": lambda a, b: a @ b,
}


def test_operators_are_merges() -> None:
    square = mg.Input("square", (4, 4))
    for merge, operator in OPERATORS.items():
        assert mg.loads(
            "inputs: {square: [4, 4]}\n"
            f"nodes: {{{merge}: {{merge: {merge}, from: [square, square]}}}}\noutputs: {merge}"
        ) == mg.Graph(operator(square, square))


# --- names ----------------------------------------------------------------------------------------


NAMES = {
    "Conv2d": "conv2d",
    "MaxPool2d": "max_pool2d",
    "AdaptiveAvgPool2d": "adaptive_avg_pool2d",
    "BatchNorm2d": "batch_norm2d",
    "MultiheadAttention": "multihead_attention",
    "LogSigmoid": "log_sigmoid",
    "LeakyReLU": "leaky_relu",
    "ReLU": "relu",
    "PReLU": "prelu",
    "SiLU": "silu",
    "GELU": "gelu",
    "LSTM": "lstm",
    "RMSNorm": "rms_norm",
}


def test_automatic_names_are_the_layers_in_snake_case() -> None:
    assert {layer: snake_case(layer) for layer in NAMES} == NAMES


def test_unnamed_nodes_are_numbered_in_call_order_around_given_names() -> None:
    x = numeric()
    a = layers.Linear(8)(x)
    b = layers.Linear(8)(a, name="linear_1")
    c = mg.Sequential(layers.ReLU())(layers.Linear(8)(b))
    assert names(c + a) == ["linear", "linear_1", "linear_2", "sequential", "add"]


def test_inputs_are_in_the_order_of_creation_and_only_if_used() -> None:
    a, b, _ = (mg.Input(name, (4,)) for name in "abc")
    assert list(mg.Graph(merges.add(b, a)).inputs) == ["a", "b"]


# --- one object, one module -----------------------------------------------------------------------


OUTPUTS: dict[str, tuple[Callable[[mg.Tensor], Any], str]] = {
    "one, with a doc": (lambda y: mg.Output(y, doc="A score."), "y: {from: y, doc: A score.}"),
    "for training": (
        lambda y: {"z": layers.ReLU()(y, name="z"), "y": mg.training_only(y)},
        "z: z, y: {from: y, only: training}",
    ),
    "in a list": (
        lambda y: [layers.ReLU()(y, name="z"), mg.training_only(y, doc="Aside.")],
        "z: z, y: {from: y, only: training, doc: Aside.}",
    ),
    "by name": (lambda y: {"out": mg.Output(y, doc="A score.")}, "out: {from: y, doc: A score.}"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_outputs_may_have_a_doc_or_be_for_training_only(case: str) -> None:
    make, said = OUTPUTS[case]
    graph = mg.Graph(make(layers.Linear(2)(mg.Input("x", (5,)), name="y")))
    relu = "\n  z: {layer: ReLU, from: y}" if "z: z" in said else ""
    spec = f"inputs: {{x: [5]}}\nnodes:\n  y: {{layer: Linear, from: x, out_features: 2}}{relu}\n"
    written = mg.loads(f"{spec}outputs: {{{said}}}\n")
    assert graph == written == mg.loads(graph.dumps())
    assert graph.dumps() == written.dumps()


def test_a_layer_called_twice_is_shared() -> None:
    encode = layers.Linear(4, activation="ReLU")
    a, b = mg.Input("a", (8,)), mg.Input("b", (8,))
    graph = mg.Graph([encode(a, name="left"), encode(b, name="right")])
    assert isinstance(graph.declared.nodes[1].operation, Share)
    assert "right: {share: left, from: b}" in graph.dumps()


def test_the_first_call_in_the_graph_owns_the_module() -> None:
    encode = layers.Linear(4)
    encode(numeric(), name="elsewhere")
    assert names(encode(numeric(), name="here")) == ["here"]


def test_a_sequential_called_twice_is_shared() -> None:
    tower = mg.Sequential(layers.Linear(8), layers.ReLU())
    assert (
        "sequential_1: {share: sequential, from: sequential}"
        in mg.Graph(tower(tower(numeric()))).dumps()
    )


def test_a_layer_without_weights_may_appear_twice_in_a_sequential() -> None:
    relu = layers.ReLU()
    made = mg.Sequential(layers.Linear(4), relu, layers.Linear(4), relu)(numeric())
    assert str(made.shape) == "(N, 4)"


def test_a_long_chain_needs_no_recursion() -> None:
    x = numeric()
    for _ in range(3000):
        x = layers.ReLU()(x)
    assert len(mg.Graph(x).declared.nodes) == 3000
