"""Idioms of torch on handles: operators, indexing and unpacking.

Each row is code that handles and torch's tensors both run, so torch itself is the oracle, and the nodes
that it means in a spec.
"""

from __future__ import annotations

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


def differences(found: torch.Tensor, expected: torch.Tensor) -> list[str]:
    """Return the error of a comparison of two tensors and their dtypes, if they differ."""
    try:
        check_equal(found, expected)
    except AssertionError as error:
        return [str(error)]
    return []


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


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_a_handle_computes_with_numbers_as_a_tensor_does(dtype: str) -> None:
    input = f"inputs: {{y: {{shape: [3], dtype: {dtype}}}}}"
    data = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=getattr(torch, dtype))
    wrong = []
    for row, (code, expr) in WITH_NUMBERS.items():
        made = code(mg.Input("y", (3,), dtype=dtype))
        if mg.Graph(made) != mg.loads(f"{input}\nnodes: {{{formula(expr)}}}\noutputs: formula"):
            wrong.append((row, mg.Graph(made).dumps()))
        expected: Any = code(data)  # type: ignore[arg-type]
        wrong += [(row, why) for why in differences(running(made, y=data), expected)]
    assert not wrong


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


def test_a_merge_takes_lists_of_sources() -> None:
    for code, nodes in LISTS:
        graph = mg.Graph(code(mg.Input("a", (4,)), mg.Input("b", (4,))))
        last = graph.declared.nodes[-1].name
        spec = f"inputs: {{a: [4], b: [4]}}\nnodes: {{{nodes}}}\noutputs: {last}"
        assert graph == mg.loads(spec), code


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


def test_a_merge_of_one_source_is_the_layer_that_does_the_same() -> None:
    for code, nodes in LAYERS_OF_ONE:
        graph = mg.Graph(code(mg.Input("x", (4, 5))))
        last = graph.declared.nodes[-1].name
        spec = f"inputs: {{x: [4, 5]}}\nnodes: {{{nodes}}}\noutputs: {last}"
        assert graph == mg.loads(spec), nodes


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


def test_only_a_group_of_one_is_merged_in_yaml() -> None:
    for node in NO_LISTS:
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


def test_sources_with_names_are_taken_from_a_dict() -> None:
    x = mg.Input("x", (3,))
    named = {"condition": x > 0, "input": x, "other": -x}
    absolute: Any = merges.where(named)  # type: ignore[call-overload]
    halves: Any = merges.formula("(a + b) / 2", {"a": absolute, "b": x})
    data = torch.tensor([[1.0, -2.0, 3.0]])
    check_equal(running(halves, x=data), (data.abs() + data) / 2)
