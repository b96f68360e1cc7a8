"""Unpack the result of a call as torch returns it: `out, (h, c) = lstm(x)`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from mimgraph.builder.handles.records import Record, Reference
from mimgraph.builder.tracing.trace import Result
from mimgraph.ir.typed.graph import TypedNode
from mimgraph.ir.typed.operations import Leaf, unwrap
from mimgraph.ops import registry
from mimgraph.ops.layer_call import LayerCall
from mimgraph.support.entry_point import entry_points


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
