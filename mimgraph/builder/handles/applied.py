"""Apply layers to a handle, for the operators and indexing that stand for layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from mimgraph.builder.handles.record_call import record_call
from mimgraph.builder.handles.records import Layer, Reference
from mimgraph.ops import registry
from mimgraph.ops.layer_call import LayerCall
from mimgraph.ops.op import Kind


class AppliesLayers(Reference):
    """A result of a record that layers can be applied to."""

    __slots__ = ()

    def apply_layer(
        self,
        layer: Layer,
        sources: tuple[object, ...],
        named: Mapping[str, object],
        name: str | None,
    ) -> Self:
        """Record a call whose first source this is."""
        return type(self)(record_call(layer, sources, named, name))

    def _applied(
        self,
        kind: Kind,
        name: str,
        *others: object,
        args: tuple[object, ...] = (),
        options: Mapping[str, object] | None = None,
        named: Mapping[str, object] | None = None,
    ) -> Self:
        """Return the result of a layer or merge of ours: of this handle and `others`, or of the
        `named` sources."""
        op = registry.find(kind, name)
        assert op is not None
        sources = () if named else (self, *others)
        call = LayerCall(op, args, dict(options or {}))
        return self.apply_layer(call, sources, named or {}, None)
