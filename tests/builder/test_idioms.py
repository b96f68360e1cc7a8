"""Idioms of torch on handles: operators, indexing and unpacking.

Each row is code that handles and torch's tensors both run, so torch itself is the oracle, and the nodes
that it means in a spec.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.diagnostics import SpecError

Unary = Callable[[mg.Tensor], mg.Tensor]
Binary = Callable[[mg.Tensor, mg.Tensor], mg.Tensor]


def formula(expr: str, *sources: str) -> str:
    """Return the node of a formula whose sources have the names that it calls them by."""
    named = ", ".join(f"{name}: {name}" for name in sources or ("y",))
    return f'formula: {{merge: formula, expr: "{expr}", from: {{{named}}}}}'


def running(made: mg.Tensor, **data: torch.Tensor) -> Any:
    """Return what the graph of a handle computes."""
    return mg.Graph(made).compile().eval()(**data)


def check_equal(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected)  # the dtypes too


# --- operators ------------------------------------------------------------------------------------

WITH_NUMBERS: dict[str, tuple[Unary, str]] = {
    "plus a number": (lambda y: y + 1, "y + 1"),
    "a number plus": (lambda y: 1 + y, "1 + y"),
    "minus a number": (lambda y: y - 1, "y - 1"),
    "a number minus": (lambda y: 1 - y, "1 - y"),
    "times a number": (lambda y: y * 2.5, "y * 2.5"),
    "a number times": (lambda y: 2 * y, "2 * y"),
    "a large number times": (lambda y: 1e30 * y, "1e30 * y"),
    "a negative number": (lambda y: y + -1, "y + (-1)"),
    "divided": (lambda y: y / 2, "y / 2"),
    "dividing": (lambda y: 1 / y, "1 / y"),
    "floor divided": (lambda y: y // 2, "y // 2"),
    "floor dividing": (lambda y: 7 // y, "7 // y"),
    "the remainder": (lambda y: y % 2, "y % 2"),
    "the remainder of a number": (lambda y: 7 % y, "7 % y"),
    "squared": (lambda y: y**2, "y ** 2"),
    "a power": (lambda y: 2**y, "2 ** y"),
    "negative": (lambda y: -y, "-y"),
    "absolute": (lambda y: abs(y), "abs(y)"),
    "greater": (lambda y: y > 2, "y > 2"),
    "greater or equal": (lambda y: y >= 2, "y >= 2"),
    "less": (lambda y: y < 2, "y < 2"),
    "less or equal": (lambda y: y <= 2, "y <= 2"),
    "a number first": (lambda y: 2 < y, "y > 2"),  # noqa: SIM300
    "of numpy": (lambda y: numpy.float32(0.5) * y, "0.5 * y"),
    "of numpy, behind": (lambda y: y * numpy.int64(3), "y * 3"),
    "of torch": (lambda y: torch.tensor(2) * y, "2 * y"),
    "of torch, behind": (lambda y: y - torch.tensor(0.5), "y - 0.5"),
    "of torch, compared": (lambda y: torch.tensor(2) < y, "y > 2"),
    "a power of torch": (lambda y: torch.tensor(2) ** y, "2 ** y"),
}


@pytest.mark.parametrize("row", WITH_NUMBERS)
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_a_handle_computes_with_numbers_as_a_tensor_does(row: str, dtype: str) -> None:
    code, expr = WITH_NUMBERS[row]
    made = code(mg.Input("y", (3,), dtype=dtype))
    shape = f"{{shape: [3], dtype: {dtype}}}"
    assert mg.Graph(made) == mg.loads(
        f"inputs: {{y: {shape}}}\nnodes: {{{formula(expr)}}}\noutputs: formula"
    )
    data = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=getattr(torch, dtype))
    expected: Any = code(data)  # type: ignore[arg-type]
    check_equal(running(made, y=data), expected)


OF_TWO: dict[str, tuple[Binary, str]] = {
    "sum": (lambda a, b: a + b, "add: {merge: add, from: [a, b]}"),
    "difference": (lambda a, b: a - b, "subtract: {merge: subtract, from: [a, b]}"),
    "product": (lambda a, b: a * b, "multiply: {merge: multiply, from: [a, b]}"),
    "quotient": (lambda a, b: a / b, "divide: {merge: divide, from: [a, b]}"),
    "matrices": (lambda a, b: a @ b, "matmul: {merge: matmul, from: [a, b]}"),
    "floor": (lambda a, b: a // b, formula("a // b", "a", "b")),
    "remainder": (lambda a, b: a % b, formula("a % b", "a", "b")),
    "power": (lambda a, b: a**b, formula("a ** b", "a", "b")),
    "greater": (lambda a, b: a > b, formula("a > b", "a", "b")),
    "less or equal": (lambda a, b: a <= b, formula("a <= b", "a", "b")),
    "with itself": (lambda a, b: a * a >= a, ("multiply: {merge: multiply, from: [a, a]}, "
        "formula: {merge: formula, expr: x >= a, from: {x: multiply, a: a}}")),
    "of a list": (lambda a, b: sum([a, b, a], start=b), ("add: {merge: add, from: [b, a]}, "
        "add_1: {merge: add, from: [add, b]}, add_2: {merge: add, from: [add_1, a]}")),
}  # fmt: skip


@pytest.mark.parametrize("row", OF_TWO)
def test_two_handles_compute_as_tensors_do(row: str) -> None:
    code, nodes = OF_TWO[row]
    made = code(mg.Input("a", (2, 2)), mg.Input("b", (2, 2)))
    last = mg.Graph(made).declared.nodes[-1].name
    used = "a: [2, 2]" if row == "with itself" else "a: [2, 2], b: [2, 2]"
    assert mg.Graph(made) == mg.loads(f"inputs: {{{used}}}\nnodes: {{{nodes}}}\noutputs: {last}")
    a, b = torch.rand(3, 2, 2), torch.rand(3, 2, 2)
    expected: Any = code(a, b)  # type: ignore[arg-type]
    given = {"a": a} if row == "with itself" else {"a": a, "b": b}
    check_equal(running(made, **given), expected)


MASKS: dict[str, tuple[Binary, str]] = {
    "not": (lambda a, b: ~a, "logical_not: {layer: LogicalNot, from: a}"),
    "and": (lambda a, b: a & b, "logical_and: {merge: logical_and, from: [a, b]}"),
    "or": (lambda a, b: a | b, "logical_or: {merge: logical_or, from: [a, b]}"),
    "either": (lambda a, b: a ^ b, formula("a != b", "a", "b")),
    "count": (lambda a, b: 0 + a + b, formula("0 + a", "a") + ", add: {merge: add, from: [formula, b]}"),
}  # fmt: skip


@pytest.mark.parametrize("row", MASKS)
def test_masks_are_joined(row: str) -> None:
    code, nodes = MASKS[row]
    made = code(mg.Input("a", (2,), dtype="bool"), mg.Input("b", (2,), dtype="bool"))
    names = ["a"] if row == "not" else ["a", "b"]
    inputs = ", ".join(f"{name}: {{shape: [2], dtype: bool}}" for name in names)
    last = mg.Graph(made).declared.nodes[-1].name
    assert mg.Graph(made) == mg.loads(f"inputs: {{{inputs}}}\nnodes: {{{nodes}}}\noutputs: {last}")
    a, b = torch.tensor([[True, False], [True, True]]), torch.tensor([[True, True], [False, True]])
    expected: Any = code(a, b)  # type: ignore[arg-type]
    check_equal(running(made, **dict(zip(names, (a, b), strict=False))), expected)


def test_the_sum_of_a_list_of_one_is_its_handle() -> None:
    y = mg.Input("y", (4,))
    assert sum([y]) is y
    assert +y is y


BROADCAST: dict[str, tuple[Unary, Callable[[torch.Tensor], torch.Tensor]]] = {
    "a parameter": (
        lambda y: mg.Parameter("p", (4,), init="ones") * y + mg.Parameter("q", (4,), init="ones"),
        lambda y: y + 1,
    ),
    "compared": (lambda y: y > mg.Parameter("p", (4,), init="zeros"), lambda y: y > 0),
    "a gate": (lambda y: y * y[:, :, 0][..., None], lambda y: y * y[:, :, :1]),
    "another size": (lambda y: y[:, :1] / (y + 1), lambda y: y[:, :1] / (y + 1)),
}


@pytest.mark.parametrize("row", BROADCAST)
def test_shapes_broadcast_as_torchs(row: str) -> None:
    code, expected = BROADCAST[row]
    data = torch.rand(2, 3, 4)
    check_equal(running(code(mg.Input("y", (3, 4))), y=data), expected(data))


def test_shapes_that_do_not_broadcast_and_the_batch_are_refused() -> None:
    y = mg.Input("y", (3, 4))
    with pytest.raises(SpecError, match="add needs equal shapes"):
        y + y[:, :2]
    with pytest.raises(SpecError, match="multiply needs equal shapes"):
        y * y[:, 0]  # torch would pair the batch with the axis of 3


def test_a_formula_calls_a_node_by_its_name_or_by_a_letter() -> None:
    x = mg.Input("n", (4,))
    named, unnamed = layers.ReLU()(x, name="y"), layers.ReLU()(x)
    lstm = layers.LSTM(4)(mg.Input("steps", (3, 4)), name="lstm")
    made = [x + x.dims[0], named > unnamed, unnamed > named, lstm["last"] % lstm["hidden"][:, 0]]
    said = mg.Graph(made).dumps()
    for node in ("expr: n + 4, from: {n: n}", "expr: y > y_2, from: {y: y, y_2: relu}",
                 "expr: x > y, from: {x: relu, y: y}", "expr: x % y, from: {x: lstm.last, y: select}"):  # fmt: skip
        assert node in said


def test_a_size_is_a_number_of_a_formula() -> None:
    steps = mg.Input("steps", ("T", 2))
    made = steps / steps.dims[0] + 2 * steps.dims[1]
    data = torch.rand(3, 5, 2)
    check_equal(running(made, steps=data), data / 5 + 4)


def test_numbers_of_a_block_stay_expressions() -> None:
    @mg.block
    def scaled(x: mg.Tensor, *, rate: float, width: int) -> mg.Tensor:
        return width * (x * rate) / x.dims[0] - width + (width > x)

    x = mg.Input("x", (4,))
    graph = mg.Graph(scaled(rate=0.5, width=3)(scaled(rate=2.0, width=5)(x)))
    assert graph.dumps().count("formula: {merge") == 1  # one block for both
    first = 5 * (torch.ones(1, 4) * 2.0) / 4 - 5 + 1
    check_equal(graph.compile()(x=torch.ones(1, 4)), 3 * (first * 0.5) / 4 - 3 + 1.0)


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "equal": (lambda y: y == 3, r"merges\.formula\(\"x == 3\", x=handle\)"),
    "unequal": (lambda y: y != 3, r"merges\.formula\(\"x != 3\", x=handle\)"),
    "equal to torch's": (lambda y: torch.tensor(3.0) == y, "x == 3"),
    "truth": (lambda y: 1 if y > 0 else 2, "has no values yet.*is not None"),
    "range": (lambda y: 0 < y < 1, r"\(x > 0\) & \(x < 1\)"),
    "the larger": (lambda y: max(y, y + 1), r"merges\.where"),
    "true": (lambda y: y + True, "True is no number .* write 1"),
    "true of numpy": (lambda y: y + numpy.bool_(False), "False is no number .* write 0"),
    "infinity": (lambda y: y * float("inf"), "has no inf"),
    "beyond 64 bits": (lambda y: y + 2**63, "64 bits"),
    "complex": (lambda y: y * 2j, "unsupported operand"),
    "text": (lambda y: y + "1", "unsupported operand"),
    "none": (lambda y: y + None, "unsupported operand"),
    "array": (lambda y: numpy.ones(3) * y, r"mg\.Buffer"),
    "array of torch": (lambda y: torch.ones(3) * y, r"mg\.Buffer"),
    "list": (lambda y: [1, 2] + y, r"mg\.Buffer"),
    "mask and true": (lambda y: (y > 0) & True, "unsupported operand"),
    "bits": (lambda y: y & y, "masks of dtype bool, and y is float32.*compare first"),
    "not of numbers": (lambda y: ~y, "masks of dtype bool"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_an_operator_that_means_nothing_is_refused(row: str) -> None:
    code, message = REFUSED[row]
    y = mg.Input("y", (3,))
    with pytest.raises((TypeError, SpecError), match=f"(?s){message}"):
        code(y)


# --- indexing -------------------------------------------------------------------------------------

INDEXED: dict[str, tuple[Unary, str]] = {
    "one": (lambda y: y[:, 0], "select: {layer: Select, from: y, dim: 1, index: 0}"),
    "the last": (lambda y: y[:, -1], "select: {layer: Select, from: y, dim: 1, index: -1}"),
    "of the last axis": (lambda y: y[..., 0], "select: {layer: Select, from: y, dim: -1, index: 0}"),
    "from to": (lambda y: y[:, 2:5], "slice: {layer: Slice, from: y, dim: 1, start: 2, end: 5}"),
    "from": (lambda y: y[:, 1:], "slice: {layer: Slice, from: y, dim: 1, start: 1}"),
    "all but one": (lambda y: y[:, :-1], "slice: {layer: Slice, from: y, dim: 1, end: -1}"),
    "every second": (lambda y: y[:, ::2], "slice: {layer: Slice, from: y, dim: 1, step: 2}"),
    "new axis": (lambda y: y[:, None], "unsqueeze: {layer: Unsqueeze, from: y, dim: 1}"),
    "new last axis": (lambda y: y[..., None], "unsqueeze: {layer: Unsqueeze, from: y, dim: -1}"),
    "two": (lambda y: y[:, 0, 2:5], ("select: {layer: Select, from: y, dim: 1, index: 0}, "
        "slice: {layer: Slice, from: select, dim: 1, start: 2, end: 5}")),
    "around": (lambda y: y[:, None, ..., :2], ("unsqueeze: {layer: Unsqueeze, from: y, dim: 1}, "
        "slice: {layer: Slice, from: unsqueeze, dim: -1, end: 2}")),
    "behind": (lambda y: y[..., 1, None], ("unsqueeze: {layer: Unsqueeze, from: y, dim: -1}, "
        "select: {layer: Select, from: unsqueeze, dim: -2, index: 1}")),
    "of numpy": (lambda y: y[:, numpy.int64(1)], "select: {layer: Select, from: y, dim: 1, index: 1}"),
}  # fmt: skip


@pytest.mark.parametrize("row", INDEXED)
def test_an_index_is_layers(row: str) -> None:
    code, nodes = INDEXED[row]
    made = code(mg.Input("y", (6, 6)))
    last = mg.Graph(made).declared.nodes[-1].name
    assert mg.Graph(made) == mg.loads(f"inputs: {{y: [6, 6]}}\nnodes: {{{nodes}}}\noutputs: {last}")
    data = torch.rand(2, 6, 6)
    expected: Any = code(data)  # type: ignore[arg-type]
    check_equal(running(made, y=data), expected)


@pytest.mark.parametrize("code", [lambda y: y[:], lambda y: y[...], lambda y: y[:, :, :]])
def test_an_index_of_all_is_the_handle(code: Unary) -> None:
    y = mg.Input("y", (6, 6))
    assert code(y) is y


def items(draw: st.DrawFn, sizes: tuple[int, ...]) -> list[Any]:
    """Return items of an index that torch and we understand alike: in range, with something left."""
    found: list[Any] = []
    for size in sizes:
        first = draw(st.integers(0, size - 1))
        end, step = draw(st.integers(first + 1, size)), draw(st.integers(1, 3))
        forms = [first, first - size, slice(None), slice(first, end), slice(first, None, step)]
        forms += [slice(None, end, step), slice(first - size, None)]
        found += [None] * draw(st.integers(0, 1)) + [draw(st.sampled_from(forms))]
    return found


@st.composite
def indices(draw: st.DrawFn, sizes: tuple[int, ...]) -> tuple[Any, ...]:
    """Return an index of a tensor with these sizes, perhaps with `...`."""
    before = draw(st.integers(0, len(sizes)))
    after = draw(st.integers(before, len(sizes)))
    first = items(draw, sizes[:before])
    return tuple([*first, ..., *items(draw, sizes[after:])] if draw(st.booleans()) else first)


@settings(max_examples=40)
@given(st.data())
def test_indexing_is_torchs(data: st.DataObject) -> None:
    sizes = tuple(data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    tensor = torch.arange(2 * torch.Size(sizes).numel()).reshape(2, *sizes).float()
    index = (slice(None), *data.draw(indices(sizes)))
    made = mg.Input("y", sizes)[index]
    check_equal(running(made + 0, y=tensor), tensor[index])


@settings(max_examples=40)
@given(st.data())
def test_a_tensor_without_a_batch_has_all_axes_indexed(data: st.DataObject) -> None:
    sizes = tuple(data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    values = torch.arange(torch.Size(sizes).numel()).reshape(sizes).float()
    index = data.draw(indices(sizes))
    made = mg.Buffer("b", sizes, init=values.tolist())[index]
    ones = (1,) * len(made.shape)
    found = running(made * mg.Input("y", ones), y=torch.ones(1, *ones))
    check_equal(found[0], values[index])


NOT_INDEXED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "the batch": (lambda y: y[0], "is the batch, which is not indexed.*x\\[:, 0\\]"),
    "samples": (lambda y: y[1:], "is the batch"),
    "the batch by ...": (lambda y: y[..., 0, 0], "is the batch"),
    "the batch by size": (lambda y: y[: y.dims[0]], "is the batch"),
    "before the batch": (lambda y: y[None], "before the batch.*x\\[:, None\\]"),
    "before the batch by ...": (lambda y: y[..., None, :, :], "before the batch"),
    "by a mask": (lambda y: y[y > 0], "merges.masked_fill"),
    "by a handle": (lambda y: y[:, y], "merges.gather"),
    "by a list": (lambda y: y[:, [0, 2]], "merges.take"),
    "by an array": (lambda y: y[:, numpy.arange(3)], "merges.take"),
    "by true": (lambda y: y[:, True], "cannot be indexed with True"),
    "by a float": (lambda y: y[:, 1.5], "cannot be indexed with 1.5"),
    "by text": (lambda y: y[:, "a"], "cannot be indexed with 'a'"),
    "too many": (lambda y: y[:, 0, 0], "has 2 axes, and is indexed with 3"),
    "two ellipses": (lambda y: y[..., ...], "more than one \\.\\.\\."),
    "out of range": (lambda y: y[:, 3], "index 3 is out of range"),
    "past the end": (lambda y: y[:, 1:9], "end 9 is past the end"),
    "nothing": (lambda y: y[:, 2:1], "there is nothing"),
    "backwards": (lambda y: y[:, ::-1], "step of Slice must be an integer of at least 1"),
    "no such port": (lambda y: y["last"], "has no port 'last'"),
}


@pytest.mark.parametrize("row", NOT_INDEXED)
def test_an_index_that_no_layer_can_take_is_refused_at_its_line(row: str) -> None:
    code, message = NOT_INDEXED[row]
    y = mg.Input("y", (3,))
    with pytest.raises(SpecError, match=f"(?s){message}") as raised:
        code(y)
    assert raised.value.diagnostics[0].span.line == code.__code__.co_firstlineno


def test_an_index_of_a_size_stays_an_expression() -> None:
    @mg.block
    def halves(x: mg.Tensor, *, width: int) -> mg.Tensor:
        middle = x.dims[0] // 2
        return merges.concat(x[:, middle:], x[:, :middle, ...])[:, :width]

    steps = mg.Input("steps", ("T", 2))
    data = torch.rand(2, 6, 2)
    made = halves(width=4)(halves(width=5)(steps))
    first = torch.cat([data[:, 3:], data[:, :3]], 1)[:, :5]
    expected = torch.cat([first[:, 2:], first[:, :2]], 1)[:, :4]
    check_equal(running(made, steps=data), expected)


# --- ports and unpacking --------------------------------------------------------------------------


def recurrent(x: mg.Tensor) -> mg.Tensor:
    out, (hidden, cell) = layers.LSTM(3, num_layers=2)(x)
    return merges.concat(out[:, -1], hidden[:, 1], cell[:, 0])


def decoded(x: mg.Tensor) -> mg.Tensor:
    _, (hidden, cell) = layers.LSTM(3)(x)
    out, _ = layers.LSTM(3)(x, (hidden, cell))
    stepped, _ = layers.LSTMCell(3)(out[:, 0], (hidden[:, 0], cell[:, 0]))
    return stepped


def gated(x: mg.Tensor) -> mg.Tensor:
    out, hidden = layers.GRU(3, bidirectional=True)(x)
    return merges.concat(out[:, 0], hidden[:, 0], hidden[:, 1])


def attending(x: mg.Tensor) -> mg.Tensor:
    attended, weights = layers.MultiheadAttention(2)(x, x, x)
    return weights @ attended


def chunked(x: mg.Tensor) -> mg.Tensor:
    first, second = layers.Chunk(2)(x)
    return first - second


def largest(x: mg.Tensor) -> mg.Tensor:
    values, indices = layers.TopK(2)(x)
    return values * indices


def ordered(x: mg.Tensor) -> mg.Tensor:
    values, indices = layers.Sort(descending=True)(x)
    return values * indices


def pooled(x: mg.Tensor) -> mg.Tensor:
    values, indices = layers.MaxPool1d(2)(x)
    return values * indices


def stepped(x: mg.Tensor) -> mg.Tensor:
    hidden, cell = layers.LSTMCell(3)(x[:, 0])
    return hidden * cell


def torch_recurrent(model: Any, x: torch.Tensor) -> torch.Tensor:
    out, (hidden, cell) = model.lstm(x)
    return torch.cat([out[:, -1], hidden[1], cell[0]], 1)  # torch has the layers first


def torch_decoded(model: Any, x: torch.Tensor) -> torch.Tensor:
    _, (hidden, cell) = model.lstm(x)
    out, _ = model.lstm_1(x, (hidden, cell))
    result: tuple[torch.Tensor, torch.Tensor] = model.lstm_cell(out[:, 0], (hidden[0], cell[0]))
    return result[0]


def torch_gated(model: Any, x: torch.Tensor) -> torch.Tensor:
    out, hidden = model.gru(x)
    return torch.cat([out[:, 0], hidden[0], hidden[1]], 1)


def torch_attending(model: Any, x: torch.Tensor) -> torch.Tensor:
    attended, weights = model.multihead_attention(x, x, x)
    return weights @ attended  # type: ignore[no-any-return]


def torch_chunked(model: Any, x: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, dim=1)
    return first - second


def torch_largest(model: Any, x: torch.Tensor) -> torch.Tensor:
    values, indices = x.topk(2)
    return values * indices


def torch_ordered(model: Any, x: torch.Tensor) -> torch.Tensor:
    values, indices = x.sort(descending=True)
    return values * indices


def torch_pooled(model: Any, x: torch.Tensor) -> torch.Tensor:
    result: tuple[torch.Tensor, torch.Tensor] = torch.nn.MaxPool1d(2, return_indices=True)(x)
    return result[0] * result[1]


def torch_stepped(model: Any, x: torch.Tensor) -> torch.Tensor:
    result: tuple[torch.Tensor, torch.Tensor] = model.lstm_cell(x[:, 0])
    return result[0] * result[1]


UNPACKED: list[tuple[Unary, Callable[[Any, torch.Tensor], torch.Tensor]]] = [
    (recurrent, torch_recurrent),
    (decoded, torch_decoded),
    (gated, torch_gated),
    (attending, torch_attending),
    (chunked, torch_chunked),
    (largest, torch_largest),
    (ordered, torch_ordered),
    (pooled, torch_pooled),
    (stepped, torch_stepped),
]


@pytest.mark.parametrize(("code", "expected"), UNPACKED)
def test_results_unpack_as_torch_returns_them(
    code: Unary, expected: Callable[[Any, torch.Tensor], torch.Tensor]
) -> None:
    model = mg.Graph(code(mg.Input("x", (4, 6)))).compile()
    data = torch.rand(2, 4, 6)
    check_equal(model(x=data), expected(model, data))


def test_the_state_of_a_recurrent_layer_unpacks_and_feeds_another() -> None:
    x = mg.Input("x", (4, 6))
    out, state = layers.LSTM(3)(x)
    hidden, cell = state
    assert [state.port, hidden.port, cell.port] == ["state", "hidden", "cell"]
    assert str(layers.LSTM(3)(out, state=state).shape) == "(N, 4, 3)"
    with pytest.raises(TypeError, match="is one tensor"):
        _first, _second = out


def test_a_result_of_an_existing_graph_unpacks() -> None:
    lstm = layers.LSTM(3)
    x = mg.Input("x", (4, 6))
    graph = mg.Graph({"first": lstm(x, name="first")["last"], "second": lstm(x, name="second")})
    for name in ("first", "second"):  # the second is a share
        out, (hidden, cell) = graph[name]
        assert [one.port for one in (out, hidden, cell)] == ["output", "hidden", "cell"]


def test_outputs_of_blocks_and_graphs_unpack_in_order() -> None:
    x = mg.Input("x", (6,))
    graph = mg.Graph({"double": x * 2, "half": x / 2})
    double, half = graph(x)
    halves = layers.Chunk(2)(x)
    first, second = halves
    assert [double.port, half.port, first, second] == ["double", "half", halves[0], halves["1"]]


ONE_TENSOR: list[Unary] = [
    lambda x: layers.Linear(2)(x),
    lambda x: layers.GRUCell(2)(x),
    lambda x: layers.Chunk(2)(x)[0],
    lambda x: layers.Select(1, 0)(x),
    lambda x: x,
]


@pytest.mark.parametrize("code", ONE_TENSOR)
def test_one_tensor_does_not_unpack(code: Unary) -> None:
    with pytest.raises(TypeError, match="is one tensor and cannot be unpacked"):
        _first, _second = code(mg.Input("x", (6,)))


# --- the sources of merges ------------------------------------------------------------------------


def in_a_list(a: mg.Tensor, b: mg.Tensor) -> mg.Tensor:
    return merges.concat([a, b])


def in_a_tuple(a: mg.Tensor, b: mg.Tensor) -> mg.Tensor:
    return merges.concat((a, b), dim=1)


def in_a_generator(a: mg.Tensor, b: mg.Tensor) -> mg.Tensor:
    return merges.concat(one for one in (a, b))


def by_map(a: mg.Tensor, b: mg.Tensor) -> mg.Tensor:
    return merges.concat(map(layers.ReLU(), [a, b]))


def mixed(a: mg.Tensor, b: mg.Tensor) -> mg.Tensor:
    return merges.add(a, [b, a], (b,))


def of_a_dict(a: mg.Tensor, b: mg.Tensor) -> mg.Tensor:
    return merges.concat({"a": a, "b": b}.values())


def of_chunks(a: mg.Tensor, b: mg.Tensor) -> mg.Tensor:
    return merges.concat(layers.Chunk(2)(a), b)


def later(a: mg.Tensor, b: mg.Tensor) -> mg.Tensor:
    return merges.concat(dim=1)(*[a, b])


LISTS: list[tuple[Binary, str]] = [
    (in_a_list, "concat: {merge: concat, from: [a, b]}"),
    (in_a_tuple, "concat: {merge: concat, from: [a, b], dim: 1}"),
    (in_a_generator, "concat: {merge: concat, from: [a, b]}"),
    (by_map, ("relu: {layer: ReLU, from: a}, relu_1: {share: relu, from: b}, "
        "concat: {merge: concat, from: [relu, relu_1]}")),
    (mixed, "add: {merge: add, from: [a, b, a, b]}"),
    (of_a_dict, "concat: {merge: concat, from: [a, b]}"),
    (of_chunks, ("chunk: {layer: Chunk, from: a, chunks: 2}, "
        "concat: {merge: concat, from: [chunk.0, chunk.1, b]}")),
    (later, "concat: {merge: concat, from: [a, b], dim: 1}"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "nodes"), LISTS)
def test_a_merge_takes_lists_of_sources(code: Binary, nodes: str) -> None:
    graph = mg.Graph(code(mg.Input("a", (4,)), mg.Input("b", (4,))))
    last = graph.declared.nodes[-1].name
    assert graph == mg.loads(f"inputs: {{a: [4], b: [4]}}\nnodes: {{{nodes}}}\noutputs: {last}")


OF_ONE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "concat": lambda x: torch.cat([x], 1),
    "stack": lambda x: torch.stack([x], 1),
    "add": lambda x: sum([x], start=torch.zeros_like(x)),
    "multiply": lambda x: x,
    "maximum": lambda x: torch.stack([x]).amax(0),
    "minimum": lambda x: torch.stack([x]).amin(0),
    "average": lambda x: torch.stack([x]).double().mean(0).float(),
    "logical_and": lambda x: torch.stack([x]).all(0),
    "logical_or": lambda x: torch.stack([x]).any(0),
    "weighted_sum": lambda x: x,
}


@pytest.mark.parametrize(
    ("merge", "dtype"),
    [(merge, "float32") for merge in OF_ONE]
    + [(merge, "int64") for merge in OF_ONE if merge != "weighted_sum"],  # of floats only
)
def test_a_list_of_one_source_is_merged_as_torch_merges_it(merge: str, dtype: str) -> None:
    a = mg.Input("a", (3,), dtype=dtype)
    made = getattr(merges, merge)([a], name="merged")
    graph = mg.Graph(made)
    assert graph == mg.loads(graph.dumps()) == mg.Graph(getattr(merges, merge)()(a, name="merged"))
    data = torch.tensor([[0, 1, 2], [3, 0, 5]], dtype=getattr(torch, dtype))
    check_equal(graph.compile()(a=data), OF_ONE[merge](data))
    group = mg.loads(f"""
inputs: {{a: {{shape: [3], dtype: {dtype}}}}}
nodes: {{group: {{layer: ReLU, each: [a]}}, merged: {{merge: {merge}, from: group.*}}}}
outputs: merged
""")
    check_equal(group.compile()(a=data), OF_ONE[merge](data))
    assert group.nodes["merged"].op == merge
    for sources in ("a", "[a]"):
        with pytest.raises(SpecError, match=f"{merge} takes at least 2 sources, not 1"):
            mg.loads(
                graph.dumps().split("nodes:")[0]
                + f"""
nodes: {{merged: {{merge: {merge}, from: {sources}}}}}
outputs: merged
"""
            )


LAYERS_OF_ONE: list[tuple[Callable[[mg.Tensor], Any], str]] = [
    (lambda x: merges.concat([x], dim=2), "identity: {layer: Identity, from: x}"),
    (lambda x: merges.stack([x]), "unsqueeze: {layer: Unsqueeze, from: x, dim: 1}"),
    (lambda x: merges.stack(dim=-1)([x]), "unsqueeze: {layer: Unsqueeze, from: x, dim: -1}"),
    (lambda x: merges.add([x], activation="ReLU", over=1, freeze=True, name="sum"),
     "sum: {layer: Identity, from: x, activation: ReLU, over: 1, freeze: true}"),
    (lambda x: merges.average(one for one in [x > 0, x][1:]), "identity: {layer: Identity, from: x}"),
    (lambda x: merges.logical_and(x), "cast: {layer: Cast, from: x, dtype: bool}"),
    (lambda x: merges.concat(layers.ReLU().each(x)),
     "relu: {layer: ReLU, each: [x]}, identity: {layer: Identity, from: relu.x}"),
    (lambda x: merges.concat(layers.Split(4, dim=1)(x)),
     "split: {layer: Split, from: x, split_size_or_sections: 4, dim: 1}, identity: {layer: Identity, from: split.0}"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "nodes"), LAYERS_OF_ONE)
def test_a_merge_of_one_source_is_the_layer_that_does_the_same(
    code: Callable[[mg.Tensor], Any], nodes: str
) -> None:
    graph = mg.Graph(code(mg.Input("x", (4, 5))))
    last = graph.declared.nodes[-1].name
    assert graph == mg.loads(f"inputs: {{x: [4, 5]}}\nnodes: {{{nodes}}}\noutputs: {last}")


FAULTS_OF_ONE: list[tuple[Callable[[mg.Tensor], Any], str]] = [
    (lambda x: merges.concat([x], dim=3), "dim 3 is out of range"),
    (lambda x: merges.concat([x], dim=0), "dim 0 is the batch"),
    (lambda x: merges.stack([x], dim=9), "dim 9"),
    (lambda x: merges.add([x], brodcast=True), "no option 'brodcast'"),  # type: ignore[call-overload]
    (lambda x: merges.average([x > 0]), "bool"),
    (lambda x: merges.add([x], activation="Sofmax"), "Softmax"),
    (lambda x: merges.subtract(x), "subtract takes"),
]


@pytest.mark.parametrize(("code", "message"), FAULTS_OF_ONE)
def test_the_options_of_a_merge_of_one_source_are_checked(
    code: Callable[[mg.Tensor], Any], message: str
) -> None:
    with pytest.raises((SpecError, TypeError), match=message) as caught:
        code(mg.Input("x", (4, 5)))
    assert not isinstance(caught.value, SpecError) or __file__ in str(caught.value)


def test_one_merge_may_be_called_on_one_source_and_on_more() -> None:
    a, b = mg.Input("a", (3,)), mg.Input("b", (3,))
    fuse = merges.add(activation="ReLU")
    model: Any = mg.Graph({"one": fuse([a]), "two": fuse([a, b]), "again": fuse(b)}).compile()
    x, y = torch.randn(2, 3), torch.randn(2, 3)
    found = model(a=x, b=y)
    check_equal(found["one"], x.relu())
    check_equal(found["two"], (x + y).relu())
    check_equal(found["again"], y.relu())


NO_LISTS = [
    "{merge: multiply, each: group.*}",
    "{merge: multiply, from: group.a}",
    "{merge: dot, from: group.*}",
]


@pytest.mark.parametrize("node", NO_LISTS)
def test_only_a_group_of_one_is_merged_in_yaml(node: str) -> None:
    group = f"inputs: {{a: [3]}}\nnodes: {{group: {{layer: ReLU, each: [a]}}, merged: {node}}}"
    with pytest.raises(SpecError, match="takes (at least )?2 sources, not 1"):
        mg.loads(f"{group}\noutputs: {{a: a, b: group.a}}")


def test_a_merge_of_one_in_the_middle_keeps_the_values_of_its_source() -> None:
    x = mg.Input("x", (3,))
    base = layers.Linear(3)(x)
    one = merges.add([base], activation="ReLU")
    graph = mg.Graph({"sum": merges.multiply(one) + 2 * base, "one": one})
    model: Any = graph.compile()
    data = torch.rand(2, 3)
    found, linear = model(x=data), model.linear(data)
    check_equal(found["one"], linear.relu())
    check_equal(found["sum"], linear.relu() + 2 * linear)


functional: Any = torch.nn.functional
on_handles: Any = torch
OF_TORCH: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a function": (functional.relu, r"relu of torch .* <y \(N, 4, 8\)> .* layers\.ReLU\(\)\(y\)"),
    "of torch itself": (on_handles.tanh, r"write layers\.Tanh\(\)\(y\)"),
    "with options": (lambda y: functional.max_pool2d(y, 2), r"layers\.MaxPool2d\(\.\.\.\)\(y\)"),
    "of a list": (lambda y: on_handles.cat([y, y], 1), r"merges\.concat\(y, \.\.\.\)"),
    "by keyword": (lambda y: on_handles.add(input=y, other=1), r"merges\.add\(y, \.\.\.\)"),
    "without a layer of ours": (lambda y: on_handles.special.zeta(y, y), "write it with layers"),
    "a module": (torch.nn.GELU(), r"layers\.GELU\(\)\(y\)"),
    "a module with weights": (torch.nn.Linear(8, 2), r"layers\.Linear\(\.\.\.\)\(y\)"),
}


@pytest.mark.parametrize("row", OF_TORCH)
def test_a_function_of_torch_names_the_layer_that_does_the_same(row: str) -> None:
    code, message = OF_TORCH[row]
    with pytest.raises(TypeError, match=message):
        code(mg.Input("y", (4, 8)))


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("mean", "layers.Mean(...)(y)"),
        ("view", "layers.Reshape(...)(y)"),
        ("bmm", "merges.matmul(y, ...)"),
    ],
)
def test_a_method_of_torch_names_the_layer_that_does_the_same(method: str, call: str) -> None:
    with pytest.raises(AttributeError, match=rf"no attribute '{method}': write {re.escape(call)}$"):
        getattr(mg.Input("y", (4, 8)), method)


def test_a_graph_of_a_graph_is_refused() -> None:
    x = mg.Input("x", (3,))
    graph: Any = mg.Graph({"a": layers.ReLU()(x), "b": -x})
    for make in (mg.Graph, lambda outputs: mg.Model(inputs=x, outputs=outputs)):
        with pytest.raises(TypeError, match="is a graph already, Model, and it computes a, b: use"):
            make(graph)


untyped: Any = merges
multihead: Any = layers.MultiheadAttention(2)
NO_SOURCES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "an empty list": (lambda x: untyped.concat([]), "at least 1 source, and this list .* is empty"),
    "an empty generator": (lambda x: untyped.add(iter([])), "is empty"),
    "an empty list and a name": (lambda x: untyped.add([], name="total"), "is empty"),
    "a list in a list": (lambda x: untyped.add([x, [x]]), r"not on \[.*\*sources"),
    "a number": (lambda x: untyped.add([x, 3]), "not on 3"),
    "a set": (lambda x: untyped.add({x}), "not on {"),
    "a dict": (lambda x: untyped.add({"a": x}), r"\*sources\.values\(\)"),
    "a layer": (lambda x: untyped.add(layers.ReLU), "not on <layer ReLU>"),
    "a list for a layer": (lambda x: multihead([x, x]), r"\*sources"),
    "a list of conditions": (lambda x: untyped.where([x > 0, x, x]), r"\*sources"),
    "one of two": (lambda x: untyped.subtract([x]), "subtract takes 2 sources, not 1"),
}


@pytest.mark.parametrize("row", NO_SOURCES)
def test_a_merge_refuses_what_is_no_list_of_sources(row: str) -> None:
    code, message = NO_SOURCES[row]
    with pytest.raises((TypeError, SpecError), match=message):
        code(mg.Input("x", (3, 4)))


def test_sources_with_names_are_taken_from_a_dict() -> None:
    x = mg.Input("x", (3,))
    named = {"condition": x > 0, "input": x, "other": -x}
    absolute: Any = merges.where(named)  # type: ignore[call-overload]
    halves: Any = merges.formula("(a + b) / 2", {"a": absolute, "b": x})
    data = torch.tensor([[1.0, -2.0, 3.0]])
    check_equal(running(halves, x=data), (data.abs() + data) / 2)
