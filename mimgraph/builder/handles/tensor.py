"""The handle that users hold: `mg.Input` returns one, and so does each call of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from mimgraph.builder.handles.indexing import Indexing
from mimgraph.builder.handles.operators import Operators
from mimgraph.builder.handles.pickled import sources_first
from mimgraph.builder.handles.records import Record
from mimgraph.builder.handles.torch_functions import RefusesTorch, instead
from mimgraph.builder.handles.unpacking import Unpacking
from mimgraph.builder.tracing.trace import Result
from mimgraph.builder.tracing.watched import RESULTS
from mimgraph.infer.single_node import Given, GivenGroup
from mimgraph.ir.dims.dim import Size
from mimgraph.ir.presence import inputs_of
from mimgraph.ir.types import BATCH, Shape, TensorType
from mimgraph.support.entry_point import entry_points
from mimgraph.support.introspection import Completed
from mimgraph.support.ipython import Shown

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
        from mimgraph.builder.handles.handle_html import handle_html

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
