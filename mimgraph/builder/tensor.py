"""The handle that users hold: `mg.Input` returns one, and so does each call of a layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self

from mimgraph.builder.operators import Indexing, Operators
from mimgraph.builder.records import Record, Reference, sources_first
from mimgraph.builder.trace import Result
from mimgraph.builder.watched import RESULTS
from mimgraph.infer.graph import Given, GivenGroup
from mimgraph.ir.dim import Size
from mimgraph.ir.typed_graph import TypedNode, inputs_of
from mimgraph.ir.typed_operations import Leaf, unwrap
from mimgraph.ir.types import BATCH, Shape, TensorType
from mimgraph.ops import registry
from mimgraph.ops.layer_call import LayerCall
from mimgraph.ops.spelling import op_called, with_parentheses
from mimgraph.support.entry_point import entry_point, entry_points
from mimgraph.support.objects import Completed, Shown


@entry_points
class Unpacking(Reference):
    """Iterates over the results of a call that has several."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Self]:
        """Iterate over the results in torch's order; the `state` of an LSTM unpacks into two more.

        A block or graph gives all of its outputs, in order. Our ports may have another layout than
        torch's results: `hidden` is (N, layers, hidden_size).
        """
        ports = self._parts()
        if not ports:
            raise TypeError(
                f"{self!r} is one tensor and cannot be unpacked: take parts with x[:, 0],"
                f" layers.Chunk, layers.Split or layers.Select{self._other_ports()}"
            )
        return (type(self)(self.record, port) for port in ports)

    def _parts(self) -> tuple[str, ...]:
        """Return the ports into which it unpacks; () for one tensor."""
        record = self.record
        parts = _declared_parts(record, self.port or "")
        if parts and record.results.keys() >= set(parts):
            return parts
        if self.port is not None or record.default is not None:
            return ()
        if isinstance(record.layer, LayerCall) and record.trace is not None:
            record.trace.note(Result(record))  # an option gives the number of ports
        return tuple(record.results)

    def _ipython_key_completions_(self) -> list[str]:
        return [port for port in self.record.results if port] if self.port is None else []

    def _other_ports(self) -> str:
        """Return how to take one of the results, if there are several."""
        ports = [port for port in self.record.results if port]
        return f', or a port: handle["{ports[0]}"]' if ports and self.port is None else ""


def _declared_parts(record: Record, port: str) -> tuple[str, ...]:
    """Return the ports into which the op of a layer or merge says that its result, or a port, unpacks."""
    operation = unwrap(record.made.operation) if isinstance(record.made, TypedNode) else None
    op = registry.find(operation.kind, operation.name) if isinstance(operation, Leaf) else None
    return () if op is None else op.unpacks.get(port, ())


class RefusesTorch:
    """A handle that torch's functions do not compute with."""

    __slots__ = ()

    @classmethod
    @entry_point
    def __torch_function__(
        cls,
        function: Any,
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> NoReturn:
        """Raise a `TypeError`, after which torch leaves its operators to the handle: `tensor(2.) * y`."""
        handle = next(_handles([*args, *(kwargs or {}).values()]), None)
        name = getattr(function, "__name__", "").strip("_") or "a function"
        source = getattr(handle, "name", None) or "x"
        raise TypeError(
            f"{name} of torch computes with values, and {handle!r} has none yet: write"
            f" {instead(name, source) or f'it with layers, such as layers.ReLU()({source})'}"
        )


def _handles(given: object) -> Iterator[Reference]:
    """Yield the handles among arguments, and in lists of them."""
    if isinstance(given, Reference):
        yield given
    elif isinstance(given, list | tuple):
        for one in given:
            yield from _handles(one)


def instead(name: str, source: str) -> str:
    """Return the call of the layer or merge that does what a function or method of torch does; "" if
    there is none."""
    op = op_called(name)
    if op is None:
        return ""
    return (
        f"merges.{op.name}({source}, ...)"
        if op.kind == "merge"
        else f"{with_parentheses(op)}({source})"
    )


_COMPARISON = 'merges.formula("x {} 3", x=handle)'


@entry_points
class Tensor(Completed, Operators, Indexing, Unpacking, RefusesTorch, Shown):
    """A handle on an input, or on a result of a call; it holds a type and no data."""

    __slots__ = ()
    _completed = ("dims", "dtype", "is_input", "name", "port", "shape", "type")

    @property
    def name(self) -> str | None:
        """The name that the user gave; if None, making the graph gives one."""
        return self.record.name

    @property
    def type(self) -> TensorType:
        """The dims, dtype and vocabulary."""
        self._note()
        return self.typed()

    @property
    def dims(self) -> tuple[Size, ...]:
        """The sizes without the batch; in a block's function they remember which axis they are."""
        dims = self.typed().dims
        trace = self.record.trace
        if trace is None:
            return dims
        if isinstance(self.record.made, GivenGroup):  # the members may differ, so none names a size
            self._note()
            return dims
        if self.is_input:
            return trace.input_dims(self.record.label, dims)
        return trace.result_dims(self.record, self.port or self.record.default or "", dims)

    @property
    def shape(self) -> Shape:
        """The sizes with the batch, `N`."""
        return Shape((BATCH, *self.dims) if self.typed().batched else self.dims)

    @property
    def dtype(self) -> str:
        """The name of the dtype, such as float32."""
        if self.record.trace is not None:
            self.record.trace.note(RESULTS)
        return self.typed().dtype

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the graph or block."""
        return isinstance(self.record.made, Given | GivenGroup)

    if not TYPE_CHECKING:  # to a type checker, any name would be an attribute

        def __getattr__(self, name: str) -> object:
            record: Record = object.__getattribute__(self, "record")
            hint = f'; its port is written ["{name}"]' if name in record.results and name else ""
            call = "" if hint or name.startswith("_") else instead(name, record.name or "x")
            hint = f": write {call}" if call else hint
            raise AttributeError(f"a handle of mimgraph has no attribute {name!r}{hint}")

    def _note(self) -> None:
        """Record that a block's function may decide by this handle's type."""
        trace = self.record.trace
        if trace is not None:
            if isinstance(self.record.made, GivenGroup):
                trace.note(RESULTS)
            elif self.is_input:
                trace.note_input(self.record.label)
            else:
                trace.note(Result(self.record))

    def __repr__(self) -> str:
        self._note()
        record = self.record
        if self.port is not None:
            return f"<{record.label}.{self.port} {self.typed()}{self._missing()}>"
        shown = (f"{port} {type_}".lstrip() for port, type_ in record.results.items())
        return f"<{record.label} {', '.join(shown)}{self._missing()}>"

    def _repr_html_(self) -> str:
        """Return the picture of the graph that computes the handle, for a notebook."""
        from mimgraph.builder.unfinished import handle_html

        self._note()
        return handle_html(self)

    def _missing(self) -> str:
        """Return which inputs it is missing without, for the repr."""
        made = self.record.made
        if isinstance(made, Given | GivenGroup):
            return ", optional" if getattr(made.declared, "optional", False) else ""
        inputs = inputs_of(made.presence_of(self.port or made.default or ""))
        return f", missing without {' and '.join(inputs)}" if inputs else ""

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(
            f"{self!r} has no values yet, so nothing is in it: compare when the model runs, with"
            f" {_COMPARISON.format('==')}"
        )

    def __eq__(self, other: object) -> bool:
        """Return whether both are the same result of the same call; there are no values yet."""
        self._check_comparison(other, "==")
        if not isinstance(other, Tensor):
            return NotImplemented
        return self.record is other.record and self.port == other.port

    def __ne__(self, other: object) -> bool:
        self._check_comparison(other, "!=")
        return NotImplemented if not isinstance(other, Tensor) else not self == other

    def _check_comparison(self, other: object, operator: str) -> None:
        """Refuse a comparison with values, which the result of `==` would not be."""
        if isinstance(other, int | float | complex) or hasattr(other, "tolist"):
            written = _COMPARISON.format(operator)
            raise TypeError(f"{self!r} has no values to compare: write {written}")

    def __hash__(self) -> int:
        return hash((self.record, self.port))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a pickle holds: the calls that lead to the handle, and the last of them."""
        return _unpickled, (sources_first([self.record]), self.record, self.port)

    def __deepcopy__(self, memo: object) -> Tensor:
        """Return the handle itself: it only names the result of a call."""
        return self


def _unpickled(records: list[Record], record: Record, port: str | None) -> Tensor:
    """Return the handle of a pickle, whose calls are made already."""
    return Tensor(record, port)
