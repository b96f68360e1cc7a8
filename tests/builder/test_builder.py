"""The Python front end: what handles know, what calls record, and where a bad call is told."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.builder.node_names import snake_case
from mimgraph.ir.dim import symbol
from mimgraph.ir.graph import Share

T = symbol("T")


def image() -> mg.Tensor:
    return mg.Input("image", (3, 32, 32))


def numeric() -> mg.Tensor:
    return mg.Input("numeric", (8,))


def text() -> mg.Tensor:
    return mg.Input("text", ("T", 16))


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


@pytest.mark.parametrize(("make", "shown"), [row[1:] for row in SHOWN], ids=[r[0] for r in SHOWN])
def test_a_handle_shows_its_name_and_shape(make: Callable[[], mg.Tensor], shown: str) -> None:
    assert repr(make()) == shown


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


@pytest.mark.parametrize("merge", OPERATORS)
def test_operators_are_merges(merge: str) -> None:
    square = mg.Input("square", (4, 4))
    assert mg.loads(
        "inputs: {square: [4, 4]}\n"
        f"nodes: {{{merge}: {{merge: {merge}, from: [square, square]}}}}\noutputs: {merge}"
    ) == mg.Graph(OPERATORS[merge](square, square))


@pytest.mark.parametrize("wrong", [lambda x: x + 1, lambda x: 2 * x, list, lambda x: 1 in x])
def test_a_tensor_is_no_number_and_no_list(wrong: Callable[[mg.Tensor], Any]) -> None:
    with pytest.raises(TypeError):
        wrong(numeric())


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ("Conv2d", "conv2d"),
        ("MaxPool2d", "max_pool2d"),
        ("AdaptiveAvgPool2d", "adaptive_avg_pool2d"),
        ("BatchNorm2d", "batch_norm2d"),
        ("MultiheadAttention", "multihead_attention"),
        ("LogSigmoid", "log_sigmoid"),
        ("LeakyReLU", "leaky_relu"),
        ("ReLU", "relu"),
        ("PReLU", "prelu"),
        ("SiLU", "silu"),
        ("GELU", "gelu"),
        ("LSTM", "lstm"),
        ("RMSNorm", "rms_norm"),
    ],
)
def test_layers_lend_their_names(layer: str, name: str) -> None:
    assert snake_case(layer) == name


def test_unnamed_nodes_are_numbered_in_call_order_around_given_names() -> None:
    x = numeric()
    a = layers.Linear(8)(x)
    b = layers.Linear(8)(a, name="linear_1")
    c = mg.Sequential(layers.ReLU())(layers.Linear(8)(b))
    assert names(c + a) == ["linear", "linear_1", "linear_2", "sequential", "add"]


def test_inputs_stand_in_the_order_of_creation_and_only_if_used() -> None:
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
def test_outputs_say_what_a_spec_does(case: str) -> None:
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


def test_the_first_call_that_the_graph_has_owns_the_module() -> None:
    encode = layers.Linear(4)
    encode(numeric(), name="elsewhere")
    assert names(encode(numeric(), name="here")) == ["here"]


def test_a_shared_sequential() -> None:
    tower = mg.Sequential(layers.Linear(8), layers.ReLU())
    assert (
        "sequential_1: {share: sequential, from: sequential}"
        in mg.Graph(tower(tower(numeric()))).dumps()
    )


def test_a_layer_without_weights_may_stand_twice_in_a_sequential() -> None:
    relu = layers.ReLU()
    made = mg.Sequential(layers.Linear(4), relu, layers.Linear(4), relu)(numeric())
    assert str(made.shape) == "(N, 4)"


# --- blocks ---------------------------------------------------------------------------------------


@mg.block
def residual(x: mg.Tensor, *, stride: int = 1) -> mg.Tensor:
    """A convolution beside a shortcut."""
    channels, _, _ = x.dims
    y = layers.Conv2d(channels, kernel_size=3, padding=1, stride=stride)(x, name="conv")
    if stride != 1:
        x = layers.Conv2d(channels, kernel_size=1, stride=stride)(x, name="down")
    return merges.add(y, x, name="sum")


@mg.block
def cell(h: mg.Tensor, x: mg.Tensor, *, width: int) -> dict[str, mg.Tensor]:
    new = layers.Linear(width, activation="Tanh")(merges.concat(h, x))
    return {"h": new, "gate": layers.Sigmoid()(new)}


def test_numbers_in_a_block_remember_where_they_come_from() -> None:
    graph = mg.Graph(residual(repeat=2)(image(), name="stage"))
    assert "inputs: {x: [x_1, x_2, x_3]}" in graph.dumps()
    assert "out_channels: $x_1" in graph.dumps()
    assert "stage: {block: residual, from: image, repeat: 2}" in graph.dumps()


def test_a_body_that_python_chooses_is_a_block_for_each_choice() -> None:
    graph = mg.Graph(residual(2)(residual(residual()(image()))))
    assert list(graph.declared.blocks) == ["residual", "residual_2"]
    assert mg.loads(graph.dumps()).source() == graph.source()


def test_several_results_are_ports_and_can_be_unpacked() -> None:
    made = cell(width=8)(numeric(), x=numeric())
    h, gate = made
    assert (h.port, gate.port) == ("h", "gate")
    assert repr(made["gate"]) == "<cell.gate (N, 8)>"


def test_a_shared_repeat_threads_outputs_into_inputs_of_their_names() -> None:
    made = cell(8, repeat={"times": 3, "shared": True})(numeric(), mg.Input("x", (8,)))
    assert "repeat: {times: 3, shared: true}" in mg.Graph({"h": made["h"]}).dumps()


def test_a_repeat_may_give_each_its_own_constants() -> None:
    made = cell(repeat={"with": {"width": [4, 6]}})(numeric(), numeric())
    assert str(made["h"].shape) == "(N, 6)"


def test_blocks_nest_and_stand_in_a_sequential() -> None:
    @mg.block
    def pair(x: mg.Tensor, *, stride: int = 1) -> mg.Tensor:
        return mg.Sequential(residual(stride=1), layers.MaxPool2d(stride))(x)

    made = mg.Sequential(layers.Conv2d(8, 3), pair(stride=2), pair(), layers.Flatten())(image())
    graph = mg.Graph(made)
    assert str(made.shape) == "(N, 1800)"
    assert mg.loads(graph.dumps()) == graph


def test_run_time_sizes_in_a_block_are_its_inputs_own() -> None:
    @mg.block
    def split(x: mg.Tensor, *, heads: int) -> mg.Tensor:
        length, width = x.dims
        return layers.Reshape([length, heads, width // heads])(x)

    graph = mg.Graph(split(heads=4)(text()))
    assert "shape: [$x_1, $heads, $(x_2 // heads)]" in graph.dumps()
    assert mg.loads(graph.dumps()) == graph


def test_a_block_is_told_apart_by_what_python_gives_it() -> None:
    @mg.block
    def padded(x: mg.Tensor, *, value: float, axes: set[int]) -> mg.Tensor:
        return layers.Pad([1, 1] * len(axes), value=value)(x)

    x, both = image(), {1, 2}  # a set has no hash
    made = [padded(value=v, axes=a)(x) for v in (0.0, -0.0) for a in (both, both, {1})]
    assert [one.dims for one in made] == 2 * [(3, 34, 34), (3, 34, 34), (3, 32, 34)]
    source = mg.Graph(made).source()
    classes = re.findall(r"self.padded\w* = (.*)", source)
    assert classes == [f"Padded{n}(value={v})" for v in ("0.0", "-0.0") for n in ("", "", "2")]


def test_numbers_of_an_outer_block_do_not_leak_into_an_inner_one() -> None:
    @mg.block
    def inner(x: mg.Tensor, *, width: int) -> mg.Tensor:
        return layers.Linear(width)(x)

    @mg.block
    def outer(x: mg.Tensor, *, width: int, extra: int) -> mg.Tensor:
        @mg.block
        def closed(x: mg.Tensor) -> mg.Tensor:
            return layers.Linear(extra * 2)(x)

        return closed()(inner(width=width + 1)(x))

    graph = mg.Graph(outer(width=3, extra=3)(numeric()))
    assert "params: {width: null}\n    inputs: [x]\n    nodes:\n      inner:" in graph.dumps()
    assert "width: $(width + 1)" in graph.dumps()
    assert "out_features: 6" in graph.dumps()
    assert mg.loads(graph.dumps()) == graph


def test_a_layer_from_outside_is_a_fresh_one_in_each_run_of_a_block() -> None:
    outside = layers.Linear(8)

    @mg.block
    def twice(x: mg.Tensor) -> mg.Tensor:
        return outside(outside(x))

    graph = mg.Graph(outside(twice()(numeric())))
    assert graph.dumps().count("share: linear") == 1


# --- faults, at the user's line ---------------------------------------------------------------------


def outside() -> Any:
    y = layers.Linear(8)(numeric())

    @mg.block
    def captures(x: mg.Tensor) -> mg.Tensor:
        return merges.add(x, y)  # here

    return captures()(numeric())


def leaked() -> Any:
    kept = []

    @mg.block
    def keeps(x: mg.Tensor) -> mg.Tensor:
        kept.append(layers.ReLU()(x))
        return kept[0]

    keeps()(numeric())
    return layers.ReLU()(kept[0])  # here


def in_a_body() -> Any:
    @mg.block
    def wrong(x: mg.Tensor) -> mg.Tensor:
        return layers.Conv2d(4, 3)(x)  # here

    return wrong()(numeric())


def shrinking() -> Any:
    @mg.block
    def halves(x: mg.Tensor) -> mg.Tensor:
        return layers.Linear(4)(x) if x.dims[0] > 4 else x

    return halves(repeat=2)(numeric())  # here


def shared_with_another_size() -> Any:
    encode = layers.Linear(4)
    encode(numeric(), name="first")
    return encode(mg.Input("wide", (9,)))  # here


def duplicate() -> Any:
    a = layers.Linear(8)(numeric(), name="a")
    b = layers.Linear(8)(a, name="a")  # here
    return mg.Graph(b)


def weights_twice() -> Any:
    once = layers.Linear(8)
    once(numeric())
    return mg.Sequential(once)(numeric())  # here


FAULTS: list[tuple[str, Callable[[], Any], str]] = [
    ("bad-name", lambda: mg.Input("a b", (3,)), "'a b' cannot be a name"),
    ("bad-name", lambda: mg.Input("a", ("N",)), "'N' cannot name a size"),
    ("bad-name", lambda: layers.ReLU()(numeric(), name="forward"), "'forward' cannot be a name"),
    ("bad-option", lambda: mg.Input("a", (0,)), "a size is a name or an integer"),
    ("bad-option", lambda: mg.Input("a", (1,), dtype="float"), "no dtype is called 'float'"),
    ("bad-option", lambda: mg.Input("a", vocab=0), "vocab is a number of categories"),
    ("wrong-type", lambda: mg.Input("a", (2.5,)), "a size is an integer or a name"),  # type: ignore[arg-type]
    ("missing-key", lambda: mg.Input("a"), "a needs a shape"),
    ("unknown-option", lambda: layers.Linear(3, bais=True)(numeric()), "no option 'bais'"),
    ("missing-option", lambda: layers.Linear()(numeric()), "Linear needs out_features"),
    ("bad-option", lambda: layers.Linear("3")(numeric()), "out_features of Linear"),
    ("bad-option", lambda: layers.Reshape([numpy.ones(2), -1])(numeric()), "shape of Reshape"),
    ("wrong-type", lambda: layers.BatchNorm2d(3)(image()), "takes its options by name"),
    ("wrong-type", lambda: layers.Linear(3, True, 4)(numeric()), "2 options by position, not 3"),
    ("duplicate-key", lambda: layers.Linear(3, out_features=3)(numeric()), "given twice"),
    ("wrong-arity", lambda: layers.Linear(3)(numeric(), numeric()), "takes 1 source, not 2"),
    ("rank-mismatch", lambda: layers.Conv2d(4, 3)(numeric()), "Conv2d takes (N, C, H, W)"),
    ("shape-mismatch", lambda: merges.add(numeric(), layers.Linear(4)(numeric())), "equal shapes"),
    ("unknown-port", lambda: layers.LSTM(4)(text())["lst"], "lstm has no port 'lst'"),
    ("unknown-port", lambda: layers.ReLU()(cell(4)(numeric(), numeric())), "several results"),
    ("unknown-key", lambda: cell(4)(numeric(), y=numeric()), "takes no source 'y'"),
    ("missing-option", lambda: cell()(numeric(), numeric()), "cell needs width"),
    ("unknown-option", lambda: cell(depth=4)(numeric(), numeric()), "no option 'depth'"),
    ("missing-key", lambda: mg.Graph([]), "outputs is missing"),
    ("bad-name", lambda: mg.Graph({"a b": numeric()}), "'a b' cannot be an output's name"),
    ("wrong-type", lambda: mg.Graph([text(), layers.LSTM(4)(text())["last"]]), "needs a name"),
    ("duplicate-name", duplicate, "two inputs or nodes are called a"),
    ("unknown-source", outside, "linear was made outside the block captures"),
    ("unknown-source", leaked, "relu was made inside the block keeps"),
    ("rank-mismatch", in_a_body, "Conv2d takes (N, C, H, W)"),
    ("bad-option", shrinking, "declares another graph at time 2"),
    ("shape-mismatch", shared_with_another_size, "first is shared, so its input must be (N, 8)"),
    ("bad-option", weights_twice, "Linear(8) is used already"),
]


@pytest.mark.parametrize(
    ("code", "call", "message"), FAULTS, ids=[f"{r[0]}:{r[2]}" for r in FAULTS]
)
def test_a_bad_call_raises_at_its_line(code: str, call: Callable[[], Any], message: str) -> None:
    with pytest.raises(mg.SpecError, match=re.escape(message)) as caught:
        call()
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.file.name) == (code, __file__)
    marked = [n for n in range(1, 1000) if found.span.file.line(n).endswith("# here")]
    lines = range(call.__code__.co_firstlineno, found.span.line + 1)
    assert found.span.line in marked or not set(marked) & set(lines)


def test_the_columns_are_those_of_the_call_in_characters() -> None:
    with pytest.raises(mg.SpecError) as caught:
        len(["äöü", layers.Linear(3)(image(), image())])
    span = caught.value.diagnostics[0].span
    line = span.file.line(span.line)
    assert line[span.column - 1 : span.end_column - 1] == "layers.Linear(3)(image(), image())"


def test_a_fault_in_a_body_tells_the_use() -> None:
    with pytest.raises(mg.SpecError, match="used here as wrong"):
        in_a_body()


NO_SPEC: list[tuple[str, Callable[[], Any]]] = [
    ("a number for a tensor", lambda: layers.ReLU()(5)),
    ("a number beside a tensor", lambda: merges.add(numeric(), 5)),
    ("a layer without its options in a row", lambda: mg.Sequential(layers.ReLU)),  # type: ignore[arg-type]
    ("a list in a row", lambda: mg.Sequential([layers.ReLU()])),  # type: ignore[arg-type]
    ("a port of a port", lambda: layers.LSTM(4)(text())["last"]["last"]),
    ("a block without inputs", lambda: mg.block(lambda: None)),
    ("an input with a default", lambda: mg.block(lambda x=1: x)),
    ("a number as output", lambda: mg.Graph([3])),  # type: ignore[list-item]
    ("an output of a number", lambda: mg.Output(3)),  # type: ignore[arg-type]
    ("a doc that is no text", lambda: mg.Output(numeric(), doc=3)),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("call", [r[1] for r in NO_SPEC], ids=[r[0] for r in NO_SPEC])
def test_what_no_spec_could_say_is_a_type_error(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        call()


INSTEAD: list[tuple[str, Callable[[], Any], str]] = [
    (
        "a name misspelt",
        lambda: layers.Linear(3)(numeric(), nam="a"),
        r"Linear\(3\) takes no source 'nam': did you mean name\?",
    ),
    (
        "an option behind its call",
        lambda: layers.Linear(3)(numeric(), activation="ReLU"),
        r"the option activation stands in the call before: Linear\(..., activation=...\)",
    ),
    (
        "an unknown source",
        lambda: layers.ReLU()(numeric(), where=3),
        "takes no source 'where': its sources: input",
    ),
    (
        "a number as a source",
        lambda: layers.MultiheadAttention(2)(text(), key=3),
        "is called on tensors of a graph, .* not on 3",
    ),
    (
        "a merge in a row",
        lambda: mg.Sequential(merges.add),
        r"a merge takes several sources, merges\.add\(a, b\)",
    ),
    (
        "a layer without its options",
        lambda: mg.Sequential(layers.ReLU),  # type: ignore[arg-type]
        r"write layers\.ReLU\(\)",
    ),
    (
        "a list",
        lambda: mg.Sequential([layers.ReLU()]),  # type: ignore[arg-type]
        r"write Sequential\(\*items\)",
    ),
    ("a block", lambda: mg.Sequential(residual), r"write residual\(\)"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "told"), [r[1:] for r in INSTEAD], ids=[r[0] for r in INSTEAD])
def test_what_to_write_instead_is_said(call: Callable[[], Any], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        call()


def test_several_sources_of_what_takes_one_are_told_in_python() -> None:
    with pytest.raises(mg.SpecError, match=r"apply it to each alone: Linear\(3\).each\(...\)"):
        layers.Linear(3)(numeric(), numeric())


def test_a_long_chain_needs_no_recursion() -> None:
    x = numeric()
    for _ in range(3000):
        x = layers.ReLU()(x)
    assert len(mg.Graph(x).declared.nodes) == 3000


# --- what a mistake looks like --------------------------------------------------------------------


@mg.block
def doubled(x: mg.Tensor) -> mg.Tensor:
    return merges.add(x, layers.Linear(6)(x))


def lines_of(error: BaseException) -> list[str]:
    """The files of a traceback, below this test."""
    return [Path(frame.filename).name for frame in traceback.extract_tb(error.__traceback__)[1:]]


@pytest.mark.parametrize(
    ("call", "frames"),
    [
        (lambda: layers.Conv2d(8, 3)(mg.Input("x", (5,))), ["layer_call.py"]),
        (lambda: merges.add(mg.Input("x", (5,)), mg.Input("y", (6,))), ["layer_call.py"]),
        (lambda: mg.Input("x", (5,)) + mg.Input("y", (6,)), ["tensor.py"] * 2),
    ],
    ids=["a layer", "a merge", "an operator"],
)
def test_a_traceback_ends_at_the_call(call: Callable[[], Any], frames: list[str]) -> None:
    with pytest.raises(mg.SpecError) as caught:
        call()
    assert lines_of(caught.value) == ["test_builder.py", *frames]
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_traceback_keeps_the_function_of_a_block() -> None:
    with pytest.raises(mg.SpecError) as caught:
        doubled()(mg.Input("x", (5,)))
    assert lines_of(caught.value).count("test_builder.py") == 1
    assert "return merges.add(" in "".join(traceback.format_exception(caught.value))


def test_code_without_a_file_is_told_by_its_line() -> None:
    code = "\n\nlayers.Conv2d(\n  8, kernel_size=3)(x)"
    with pytest.raises(mg.SpecError) as caught:
        exec(code, {"layers": layers, "x": mg.Input("x", (5,))})  # noqa: S102 - our own text
    text = str(caught.value)
    assert re.match(r"error.rank-mismatch.: Conv2d takes .*\n +--> <string>:3:1\n", text)
    assert "= note: (N, 5)" in text


def test_each_turn_of_a_comprehension_is_the_line_of_the_call() -> None:
    inputs = [mg.Input("a", (3, 8, 8)), mg.Input("b", (5,))]
    with pytest.raises(mg.SpecError) as caught:
        [
            layers.Conv2d(8, kernel_size=3)(x)  # here
            for x in inputs
        ]
    (fault,) = caught.value.diagnostics
    assert fault.span.file.line(fault.span.line).endswith("# here")
