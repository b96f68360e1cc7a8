"""A graph is written as a person would write it, and read back as the same graph."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.diagnostics import Report
from mimgraph.ir.declared_values import Written
from mimgraph.ir.expression import parse
from mimgraph.ir.names import name_fault
from mimgraph.language.read_spec import read
from mimgraph.language.writer import write
from mimgraph.language.yaml_text import flow, yaml_text
from mimgraph.source import SourceFile, Span
from tests.helpers.cases import each
from tests.language.yaml_tree.reading import tree_of, value_of

TIDY, COMMENTED = (
    Path(__file__).with_name(name).read_text() for name in ("tidy.yaml", "commented.yaml")
)


def declared(text: str) -> Any:
    report = Report()
    graph = read(SourceFile("spec.yaml", text), report)
    report.raise_if_any()
    return graph


def test_a_tidy_spec_is_written_unchanged_in_short_lines() -> None:
    assert write(declared(TIDY)) == TIDY
    assert max(map(len, TIDY.splitlines())) <= 100


OUTPUTS = {
    "one node": ("a", "outputs: a"),
    "one port": ("{a: a.last}", "outputs: a.last"),
    "nodes": ("[a, x]", "outputs: [a, x]"),
    "names": ("{y: a, x: x}", "outputs: {y: a, x: x}"),
}


@pytest.mark.parametrize(("given_", "written"), OUTPUTS.values(), ids=OUTPUTS)
def test_outputs_are_written_in_the_shortest_form(given_: str, written: str) -> None:
    text = "inputs: {x: [4, 4]}\nnodes: {a: {layer: LSTM, from: x, hidden_size: 4}}\n"
    assert write(declared(f"{text}outputs: {given_}")).splitlines()[-1] == written


# --- comments -------------------------------------------------------------------------------------


def test_comments_stand_above_what_they_are_about() -> None:
    comments = {
        "": "Imported from model.py.\nProven.",
        "blocks.head.1": "No rate.",
        "blocks.tower.y": "frozen[branch]: it was True",
        "nodes.b.0": "Of b, and of its first item.",
        "outputs": "The end.",
    }
    assert write(declared(COMMENTED), comments) == COMMENTED


PLACES = ["", "nodes.tall", "nodes.vector.1", "blocks.residual.conv", "blocks.head.2", "nope.x"]


@given(st.dictionaries(st.sampled_from(PLACES), st.text(), min_size=1))
@settings(max_examples=50, deadline=None)
def test_no_comment_changes_the_graph(comments: dict[str, str]) -> None:
    text = write(declared(TIDY), comments)
    written = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert write(declared(text)) == TIDY
    assert written == TIDY.splitlines()


# --- values ---------------------------------------------------------------------------------------


def read_back(value: Any) -> Any:
    """Return a value that was written in a flow mapping and behind a key of its own, and read."""
    found = value_of(tree_of(yaml_text({"flow": [value], "block": value})))
    assert found["flow"] == [found["block"]]
    return found["block"]


PLAIN = [
    *("relu", "n c h w -> n (h w) c", "a-b", "x1.y", "y", "n", "a:b", "a#b", "é", "$x", "1x", "_"),
]
QUOTED = [
    *("", "no", "on", "null", "~", "true", "010", "1:30", "1e3", "0x1f", "2020-01-01", "=", "a: b"),
    *("a #b", "- a", "[a]", "{a}", "a, b", "*a", "&a", "!a", "%a", "@a", "`a", "'a'", '"a"', "a:"),
    *("0:?", " a", "a ", "a\nb", "a\tb", "\x00", "\x85", "\u2028", "\ufeff", "\ufdd0", "\x7f", "?"),
]


@each("text", PLAIN)
def test_plain_strings_are_not_quoted(text: str) -> None:
    assert flow(text) == text
    assert read_back(text) == text


@each("text", QUOTED)
def test_strings_that_yaml_reads_as_something_else_are_quoted(text: str) -> None:
    assert flow(text)[0] == '"'
    assert read_back(text) == text


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text(
    "ab01 .:#-\n\t'\"{}[],$&*!|>%@~=?\\é\x85", max_size=12
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
@settings(max_examples=300, deadline=None)
def test_every_value_reads_back(value: Any) -> None:
    found = read_back(value)
    assert repr(found) == repr(value)


def test_nan_reads_back() -> None:
    assert math.isnan(read_back(math.nan))


@each(
    "text, written",
    [("hidden", "$hidden"), ("2*hidden+1", "$(2 * hidden + 1)"), ("-(a-b)//c", "$(-(a - b) // c)")],
)
def test_expressions(text: str, written: str) -> None:
    span = Span(SourceFile("spec.yaml", ""), 1, 1, 1, 1)
    assert flow(Written(parse(text), span, span.part)) == written


@given(doc=texts, other=texts)
@settings(max_examples=100, deadline=None)
def test_docs_read_back(doc: str, other: str) -> None:
    x = mg.Input("x", (4,), doc=other)
    graph = mg.Graph(layers.ReLU()(x), doc=doc)
    again = mg.loads(graph.dumps())
    assert (again.declared.doc, again.declared.inputs[0].doc) == (doc, other)


identifiers = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,6}\Z") | st.sampled_from(
    ["on", "no", "yes", "null", "true", "NULL", "y", "n", "_", "Off"]
)
good_names = identifiers.filter(lambda name: name_fault(name) is None)


@given(st.lists(good_names, min_size=3, max_size=3, unique=True))
@settings(max_examples=100, deadline=None)
def test_names_read_back(names: list[str]) -> None:
    x = mg.Input(names[0], (4,))
    a = layers.Linear(4)(x, name=names[1])
    graph = mg.Graph({names[2]: merges.add(a, x, name=names[2])}, name=names[1])
    assert mg.loads(graph.dumps()) == graph


# --- random graphs --------------------------------------------------------------------------------


@mg.block
def gated(x: mg.Tensor, y: mg.Tensor, *, width: int, rate: float = 0.1) -> mg.Tensor:
    """Mixes two vectors."""
    both = merges.concat(x, y, layers.Linear(x.dims[0] * 2 + width)(x))
    hidden = layers.Dropout(rate)(layers.Linear(width, activation="GELU")(both))
    return layers.Linear(x.dims[0])(hidden) * x


@mg.block
def stacked(x: mg.Tensor, *, deep: bool = False) -> dict[str, mg.Tensor]:
    y = mg.Sequential(layers.Linear(x.dims[0]), layers.ReLU())(x)
    return {"x": layers.Tanh()(y) if deep else y, "kept": x}


LAYERS = {
    "linear": lambda n: layers.Linear(n),
    "active": lambda n: layers.Linear(n, bias=n % 2 == 0, activation=layers.ELU(n / 3)),
    "chain": lambda n: mg.Sequential(
        layers.Linear(n), layers.Dropout(n * 1e-7), layers.Softmax(-1)
    ),
    "norm": lambda n: layers.LayerNorm(eps=n * 1e-9),
}


@st.composite
def graphs(draw: st.DrawFn) -> mg.Graph:
    tensors = [mg.Input("a", (4,), doc=draw(texts)), mg.Input("b", (6,))]
    recipes: list[Any] = []
    for _ in range(draw(st.integers(1, 6))):
        x, y = (draw(st.sampled_from(tensors)) for _ in range(2))
        size = draw(st.integers(1, 5))
        kind = draw(st.sampled_from([*LAYERS, "concat", "gated", "stacked", "again"]))
        if kind == "concat":
            tensors.append(merges.concat(x, y, x))
        elif kind == "gated":
            times = draw(st.sampled_from([None, size, {"with": {"width": [1, size]}}]))
            params = {} if isinstance(times, dict) else {"width": size}
            tensors.append(gated(repeat=times, **params)(x, y=y))
        elif kind == "stacked":
            tensors.extend(stacked(deep=size > 2)(x))
        elif kind == "again" and recipes:
            recipe, source = draw(st.sampled_from(recipes))
            tensors.append(recipe(source))
        elif kind in LAYERS:
            recipe = LAYERS[kind](size)
            recipes.append((recipe, x))
            tensors.append(recipe(x))
    outputs = draw(st.lists(st.sampled_from(tensors), min_size=1, max_size=3))
    return mg.Graph({f"out{i}": tensor for i, tensor in enumerate(outputs)}, doc=draw(texts))


@given(graphs())
@settings(max_examples=80, deadline=None)
def test_graphs_built_in_python_read_back(graph: mg.Graph) -> None:
    text = graph.dumps()
    assert mg.loads(text) == graph
    assert mg.loads(text).dumps() == text
