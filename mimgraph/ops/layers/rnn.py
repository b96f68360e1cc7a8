"""Recurrent layers and their cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, NamedTuple

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.code import Code, Constant, Operand, Slice, Tuple, call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import RESULT, Lowering, Port, Product, module, module_call
from mimgraph.ir.option_types import Depth, NonNegative, Probability
from mimgraph.ir.types import TensorType
from mimgraph.ops.layer_call import layer
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import bad_option, dtype_fault, known, same_dims, weighted, with_rank

# The dtypes of the `state` ports. They hold torch's own state, layers first, for a `state` argument.
PAIR = "state"  # a tuple of hidden and cell state
SINGLE = "hidden state"


class RecurrentInputs(NamedTuple):
    input: TensorType
    lengths: TensorType | None = None
    state: TensorType | None = None


class LSTMInputs(NamedTuple):
    input: TensorType
    lengths: TensorType | None = None
    state: TensorType | None = None
    hidden: TensorType | None = None
    cell: TensorType | None = None


@layer(
    "input_size",
    ports=("output", "last", "hidden", "state"),
    unpacks={"": ("output", "hidden")},
    family="recurrent",
)
def RNN(
    inputs: RecurrentInputs,
    /,
    hidden_size: Size,
    num_layers: Depth = 1,
    nonlinearity: Literal["tanh", "relu"] = "tanh",
    bias: bool = True,
    dropout: Probability = 0.0,
    bidirectional: bool = False,
) -> Lowering:
    """An Elman recurrent network: (N, T, input_size) -> (N, T, D * hidden_size).

    Elman 1990. Ports: `output`, of every step; `last`, the final state of the last layer,
    directions joined; `hidden`, the final states, batch first; `state`, the same for the `state` of
    another layer. With `lengths`, padding is skipped.

    Example:
        words: [T, 16]
        length: {shape: [], dtype: int64}
        {layer: RNN, from: {input: words, lengths: length}, hidden_size: 32, bidirectional: true}
    """
    run = Run.of("RNN", inputs, 1, hidden_size, num_layers, bias, bidirectional)
    arguments = run.sizes | {"nonlinearity": nonlinearity} | run.flags(dropout)
    return _single(run, inputs, arguments)


@layer(
    "input_size",
    ports=("output", "last", "hidden", "state"),
    unpacks={"": ("output", "hidden")},
    family="recurrent",
)
def GRU(
    inputs: RecurrentInputs,
    /,
    hidden_size: Size,
    num_layers: Depth = 1,
    bias: bool = True,
    dropout: Probability = 0.0,
    bidirectional: bool = False,
) -> Lowering:
    """Gated recurrent units: (N, T, input_size) -> (N, T, D * hidden_size).

    Cho et al. 2014. Ports: `output`, of every step; `last`, the final state of the last layer,
    directions joined; `hidden`, the final states, batch first; `state`, the same for the `state` of
    another layer. With `lengths`, padding is skipped.

    Example:
        words: [T, 16]
        length: {shape: [], dtype: int64}
        {layer: GRU, from: {input: words, lengths: length}, hidden_size: 32, bidirectional: true}
    """
    run = Run.of("GRU", inputs, 3, hidden_size, num_layers, bias, bidirectional)
    return _single(run, inputs, run.sizes | run.flags(dropout))


@layer(
    "input_size",
    ports=("output", "last", "hidden", "cell", "state"),
    unpacks={"": ("output", "state"), "state": ("hidden", "cell")},
    family="recurrent",
)
def LSTM(
    inputs: LSTMInputs,
    /,
    hidden_size: Size,
    num_layers: Depth = 1,
    bias: bool = True,
    dropout: Probability = 0.0,
    bidirectional: bool = False,
    proj_size: NonNegative = 0,
) -> Lowering:
    """Long short-term memory: (N, T, input_size) -> (N, T, D * hidden_size).

    Hochreiter and Schmidhuber 1997. Ports: `output`, of every step; `last`, the final state of the
    last layer, directions joined; `hidden` and `cell`, the final states, batch first; `state`, both
    for the `state` of another LSTM. With `lengths`, padding is skipped.

    Example:
        words: [T, 16]
        length: {shape: [], dtype: int64}
        {layer: LSTM, from: {input: words, lengths: length}, hidden_size: 32, bidirectional: true}
    """
    run = Run.of("LSTM", inputs, 4, hidden_size, num_layers, bias, bidirectional, proj_size)
    if proj_size >= run.hidden_size:
        raise bad_option("proj_size", f"proj_size must be less than hidden_size {hidden_size}")
    arguments = run.sizes | run.flags(dropout) | {"proj_size": proj_size}
    pair = _pair_type(run, inputs.input)
    hidden, cell = RESULT.at(1).at(0), RESULT.at(1).at(1)
    ports = {
        **run.ports(inputs, hidden),
        "cell": Port(inputs.input.like(run.depth, run.hidden_size), cell.method("transpose", 0, 1)),
        "state": Port(pair, RESULT.at(1)),
    }
    return run.lowering(inputs, arguments, _initial_pair(run, inputs, pair), ports)


class Run(NamedTuple):
    """Sizes of one recurrent layer."""

    name: str
    gates: int
    input_size: int
    hidden_size: int
    output_size: int
    num_layers: int
    directions: int
    bias: bool

    @classmethod
    def of(
        cls,
        name: str,
        inputs: RecurrentInputs | LSTMInputs,
        gates: int,
        hidden_size: Size,
        num_layers: int,
        bias: bool,
        bidirectional: bool,
        proj_size: int = 0,
    ) -> Run:
        """Check the sources and return the sizes."""
        x, lengths = inputs.input, inputs.lengths
        weighted(x, name, "input")
        with_rank(x, 2, name, "(N, T, input_size)", "input")
        if lengths is not None:
            if lengths.dims or not lengths.batched:
                message, help = f"{name} takes lengths (N,)", "give a state by its name, state"
                raise OpFault(
                    "rank-mismatch", message, source="lengths", note=str(lengths), help=help
                )
            if not lengths.is_integer:
                raise dtype_fault(lengths, name, "integer lengths", "lengths", "int64")
        size = known(hidden_size, "hidden_size")
        width = known(x.dims[1], "input_size", "input")
        directions = 2 if bidirectional else 1
        return cls(name, gates, width, size, proj_size or size, num_layers, directions, bias)

    @property
    def sizes(self) -> dict[str, Any]:
        """The first arguments of the constructor."""
        names = ("input_size", "hidden_size", "num_layers")
        return {name: getattr(self, name) for name in names}

    def flags(self, dropout: float) -> dict[str, Any]:
        """Return the arguments of the constructor that all recurrent layers end with."""
        bidirectional = self.directions == 2
        end = {"dropout": dropout, "bidirectional": bidirectional}
        return {"bias": self.bias, "batch_first": True, **end}

    @property
    def depth(self) -> int:
        """Return how many states there are: one for each layer and direction."""
        return self.num_layers * self.directions

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each weight, in torch's order."""
        rows = self.gates * self.hidden_size
        found: dict[str, tuple[int, ...]] = {}
        for layer_ in range(self.num_layers):
            width = self.directions * self.output_size if layer_ else self.input_size
            for direction in ("", "_reverse")[: self.directions]:
                tail = f"l{layer_}{direction}"
                found[f"weight_ih_{tail}"] = (rows, width)
                found[f"weight_hh_{tail}"] = (rows, self.output_size)
                if self.bias:
                    found[f"bias_ih_{tail}"] = found[f"bias_hh_{tail}"] = (rows,)
                if self.output_size != self.hidden_size:
                    found[f"weight_hr_{tail}"] = (self.output_size, self.hidden_size)
        return found

    def products(self, x: TensorType) -> tuple[Product, ...]:
        """Return the product of each matrix at each step, padding included."""
        matrices = (shape for shape in self.weights().values() if len(shape) == 2)
        return tuple((*x.shape[:2], *shape) for shape in matrices)

    def ports(self, inputs: RecurrentInputs | LSTMInputs, hidden: Code) -> dict[str, Port]:
        """Return the ports of every layer; `hidden` is the code of the final state, layers first."""
        x, width = inputs.input, self.directions * self.output_size
        steps = x.dims[0]
        output: Code = RESULT.at(0)
        if inputs.lengths is not None:
            output = call(
                "nn.utils.rnn.pad_packed_sequence", output, batch_first=True, total_length=steps
            ).at(0)
        last: Code = hidden.at(-1)
        if self.directions == 2:
            last = hidden.at(Slice(Constant(-2))).method("transpose", 0, 1).method("flatten", 1)
        return {
            "output": Port(x.like(steps, width), output),
            "last": Port(x.like(width), last),
            "hidden": Port(x.like(self.depth, self.output_size), hidden.method("transpose", 0, 1)),
        }

    def lowering(
        self,
        inputs: RecurrentInputs | LSTMInputs,
        arguments: dict[str, Any],
        initial: Code | None,
        ports: dict[str, Port],
    ) -> Lowering:
        """Return the layer called on its input, which is packed if there are lengths."""
        x, steps = Operand("input"), {}
        if inputs.lengths is not None:
            steps["packed"] = call(
                "nn.utils.rnn.pack_padded_sequence",
                x,
                Operand("lengths").method("cpu"),
                batch_first=True,
                enforce_sorted=False,
            )
            x = Operand("packed")
        return Lowering(
            ports["output"].type,
            module(self.name, self.weights(), **arguments),
            module_call(x, *(() if initial is None else (initial,))),
            ports,
            steps=steps,
            products=self.products(inputs.input),
            makes=tuple(ports[name].type for name in ("output", "hidden", "cell") if name in ports),
        )


def _single(run: Run, inputs: RecurrentInputs, arguments: dict[str, Any]) -> Lowering:
    """Return the lowering of a layer whose state is one tensor."""
    hidden, given = RESULT.at(1), inputs.state
    carried = inputs.input.like(run.depth, run.output_size, dtype=SINGLE)
    initial: Code | None = None
    if given is not None and given.dtype == SINGLE:
        initial = _carried(run, given, carried)
    elif given is not None:
        initial = _layers_first(run, "state", given, run.output_size)
    ports = {**run.ports(inputs, hidden), "state": Port(carried, hidden)}
    return run.lowering(inputs, arguments, initial, ports)


def _pair_type(run: Run, x: TensorType) -> TensorType:
    """Return the type of an LSTM's `state`; with a projection its two parts differ in size."""
    if run.output_size == run.hidden_size:
        return x.like(run.depth, run.hidden_size, dtype=PAIR)
    return x.like(run.depth, run.output_size, run.hidden_size, dtype=PAIR)


def pair_text(pair: TensorType) -> str:
    """Return the shapes of the two tensors of an LSTM's `state`, as text."""
    depth, *sizes = pair.dims
    hidden, cell = (pair.like(depth, size) for size in (sizes[0], sizes[-1]))
    return f"hidden {hidden}, cell {cell}"


def _initial_pair(run: Run, inputs: LSTMInputs, pair: TensorType) -> Code | None:
    """Return the code of an LSTM's first state: a `state`, or `hidden` and `cell`; None for zeros."""
    hidden, cell, state = inputs.hidden, inputs.cell, inputs.state
    if state is not None:
        if hidden is not None or cell is not None:
            raise OpFault(
                "wrong-arity", "LSTM takes state, or hidden and cell, not both", source="state"
            )
        if state.dtype != PAIR:
            raise dtype_fault(state, "LSTM", "the state port of another LSTM as its state", "state")
        return _carried(run, state, pair)
    if hidden is not None and cell is not None:
        return Tuple(
            (
                _layers_first(run, "hidden", hidden, run.output_size),
                _layers_first(run, "cell", cell, run.hidden_size),
            )
        )
    if hidden is not None or cell is not None:
        given = "hidden" if cell is None else "cell"
        raise OpFault("wrong-arity", "LSTM takes hidden and cell together", source=given)
    return None


def _carried(run: Run, state: TensorType, wanted: TensorType) -> Code:
    """Return the code of a state that comes from another layer of the same sizes."""
    if not same_dims(state, wanted):
        raise OpFault(
            "shape-mismatch",
            f"{run.name} takes a state of {wanted}",
            source="state",
            note=str(state),
            mentions=("state",),
        )
    return Operand("state")


def _layers_first(run: Run, key: str, x: TensorType, size: int) -> Code:
    """Return the code that turns a batch-first state into torch's, which has the layers first.

    With one layer and direction the state may be `(N, hidden_size)`.
    """
    weighted(x, run.name, key)
    single = run.depth == 1 and len(x.dims) == 1
    wanted = (size,) if single else (run.depth, size)
    if not x.batched or not same_dims(x, wanted):
        shape = f"(N, {size})" if run.depth == 1 else f"(N, {run.depth}, {size})"
        same_rank = x.batched and len(x.dims) == len(wanted)
        code: DiagnosticCode = "shape-mismatch" if same_rank else "rank-mismatch"
        raise OpFault(code, f"{run.name} takes {key} {shape}", source=key, note=str(x))
    if single:
        return Operand(key).method("unsqueeze", 0)
    swapped = Operand(key).method("transpose", 0, 1)
    # cuDNN needs it contiguous, which the state of one layer always is
    return swapped if run.depth == 1 else swapped.method("contiguous")


# Define the recurrent cells: one step of a recurrent layer, its state a source and a result.


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
    return _cell("RNNCell", 1, inputs, hidden_size, bias, nonlinearity=nonlinearity)


@layer("input_size", family="recurrent")
def GRUCell(inputs: CellInputs, /, hidden_size: Size, bias: bool = True) -> Lowering:
    """One step of a GRU: (N, input_size), hidden (N, hidden_size) -> (N, hidden_size).

    Cho et al. 2014. Without `hidden` it starts from zeros.

    Example:
        x: [8]
        h: [16]
        {layer: GRUCell, from: [x, h], hidden_size: 16}
    """
    return _cell("GRUCell", 3, inputs, hidden_size, bias)


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
    made = _cell("LSTMCell", 4, inputs, hidden_size, bias)
    if (inputs.hidden is None) != (inputs.cell is None):
        given = "hidden" if inputs.cell is None else "cell"
        raise OpFault("wrong-arity", "LSTMCell takes hidden and cell together", source=given)
    state: tuple[Code, ...] = ()
    if inputs.hidden is not None:
        state = (Tuple((Operand("hidden"), Operand("cell"))),)
    assert made.type is not None
    return replace(
        made,
        call=module_call(Operand("input"), *state),
        ports={"hidden": Port(made.type, RESULT.at(0)), "cell": Port(made.type, RESULT.at(1))},
        makes=(made.type, made.type),
    )


def _cell(
    name: str,
    gates: int,
    inputs: CellInputs | LSTMCellInputs,
    hidden_size: Size,
    bias: bool,
    **options: Any,
) -> Lowering:
    """Check the sources of a cell, and return it with one state."""
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
    input_size, rows = known(x.dims[0], "input_size", "input"), gates * size
    weights: dict[str, tuple[int, ...]]
    weights = {"weight_ih": (rows, input_size), "weight_hh": (rows, size)}
    if bias:
        weights |= {"bias_ih": (rows,), "bias_hh": (rows,)}
    result = x.like(size)
    return Lowering(
        result,
        module(name, weights, input_size=input_size, hidden_size=size, bias=bias, **options),
        products=((*x.shape, rows), (*result.shape, rows)),
    )
