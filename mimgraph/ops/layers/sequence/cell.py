"""Define the recurrent cells: one step of a recurrent layer, its state a source and a result."""

from __future__ import annotations

from typing import Literal, NamedTuple

from mimgraph.ir.code import Code, Operand, Tuple
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import RESULT, Lowering, Port, Product, module, module_call
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import known, same_dims, weighted, with_rank


class CellInputs(NamedTuple):
    input: TensorType
    hidden: TensorType | None = None


class LSTMCellInputs(NamedTuple):
    input: TensorType
    hidden: TensorType | None = None
    cell: TensorType | None = None


@layer("input_size", family="recurrent")
def RNNCell(
    inputs: CellInputs,
    /,
    hidden_size: Size,
    bias: bool = True,
    nonlinearity: Literal["tanh", "relu"] = "tanh",
) -> Lowering:
    """One step of an RNN: (N, input_size), hidden (N, hidden_size) -> (N, hidden_size).

    Elman 1990. Without `hidden` it starts from zeros.

    Example:
        x: [8]
        h: [16]
        {layer: RNNCell, from: [x, h], hidden_size: 16}
    """
    input_size, size = _sizes("RNNCell", inputs, hidden_size)
    return Lowering(
        inputs.input.like(size),
        module(
            "RNNCell",
            _weights(1, input_size, size, bias),
            input_size=input_size,
            hidden_size=size,
            bias=bias,
            nonlinearity=nonlinearity,
        ),
        products=_products(1, inputs.input, size),
    )


@layer("input_size", family="recurrent")
def GRUCell(inputs: CellInputs, /, hidden_size: Size, bias: bool = True) -> Lowering:
    """One step of a GRU: (N, input_size), hidden (N, hidden_size) -> (N, hidden_size).

    Cho et al. 2014. Without `hidden` it starts from zeros.

    Example:
        x: [8]
        h: [16]
        {layer: GRUCell, from: [x, h], hidden_size: 16}
    """
    input_size, size = _sizes("GRUCell", inputs, hidden_size)
    return Lowering(
        inputs.input.like(size),
        module(
            "GRUCell",
            _weights(3, input_size, size, bias),
            input_size=input_size,
            hidden_size=size,
            bias=bias,
        ),
        products=_products(3, inputs.input, size),
    )


@layer("input_size", ports=("hidden", "cell"), family="recurrent")
def LSTMCell(inputs: LSTMCellInputs, /, hidden_size: Size, bias: bool = True) -> Lowering:
    """One step of an LSTM: (N, input_size), hidden and cell (N, hidden_size) -> the same two.

    Hochreiter and Schmidhuber 1997. Without `hidden` and `cell` it starts from zeros.

    Example:
        x: [8]
        h: [16]
        c: [16]
        {layer: LSTMCell, from: [x, h, c], hidden_size: 16}
    """
    input_size, size = _sizes("LSTMCell", inputs, hidden_size)
    if (inputs.hidden is None) != (inputs.cell is None):
        given = "hidden" if inputs.cell is None else "cell"
        raise OpFault("wrong-arity", "LSTMCell takes hidden and cell together", source=given)
    state: tuple[Code, ...] = ()
    if inputs.hidden is not None:
        state = (Tuple((Operand("hidden"), Operand("cell"))),)
    result = inputs.input.like(size)
    return Lowering(
        result,
        module(
            "LSTMCell",
            _weights(4, input_size, size, bias),
            input_size=input_size,
            hidden_size=size,
            bias=bias,
        ),
        module_call(Operand("input"), *state),
        {"hidden": Port(result, RESULT.at(0)), "cell": Port(result, RESULT.at(1))},
        products=_products(4, inputs.input, size),
        makes=(result, result),
    )


def _sizes(name: str, inputs: CellInputs | LSTMCellInputs, hidden_size: Size) -> tuple[int, int]:
    """Check the sources and return the sizes of input and state."""
    x, size = inputs.input, known(hidden_size, "hidden_size")
    weighted(x, name, "input")
    with_rank(x, 1, name, "(N, input_size)", "input")
    for key, state in list(inputs._asdict().items())[1:]:
        if state is None:
            continue
        weighted(state, name, key)
        with_rank(state, 1, name, f"{key} (N, {size})", key)
        if not same_dims(state, (size,)):
            raise OpFault(
                "shape-mismatch", f"{name} takes {key} (N, {size})", source=key, note=str(state)
            )
    return known(x.dims[0], "input_size", "input"), size


def _weights(gates: int, input_size: int, size: int, bias: bool) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight."""
    rows = gates * size
    found: dict[str, tuple[int, ...]] = {"weight_ih": (rows, input_size), "weight_hh": (rows, size)}
    return found | ({"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {})


def _products(gates: int, x: TensorType, size: int) -> tuple[Product, ...]:
    """Return the product with the input and the one with the state."""
    return (*x.shape, gates * size), (*x.like(size).shape, gates * size)
