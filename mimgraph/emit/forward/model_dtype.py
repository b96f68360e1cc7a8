"""Decide where the forward of a body reads the dtype of the model, and what it casts to it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from mimgraph.emit.dtypes import (
    dtype_of_input,
    dtype_of_weight,
    follow,
    kept_dtype,
    nodes_apart,
    resolve_dtype,
    stays_float32,
)
from mimgraph.emit.forward.call_code import activated
from mimgraph.ir.code import Code, Name
from mimgraph.ir.typed_graph import Body, TypedNode, Value
from mimgraph.ir.typed_operations import Leaf, Use, unwrap


class ModelDtypeOf:
    """The dtype of the model in the forward of one body, which its twins run too."""

    def __init__(self, body: Body, twins: tuple[Body, ...]) -> None:
        self.body = body
        self.twins = twins

    def resolved(self, node: TypedNode, code: Code, read: Iterable[Value]) -> Code:
        """Return the code of a node, which reads these values, with the dtype of the model read.

        It is that of an input of the graph, as those are what the caller has; in a block, where
        autocast may have changed the inputs, first that of a weight.
        """
        if node.name in self._apart:
            return resolve_dtype(code, Name("torch.float32"))
        of_input = dtype_of_input(self.body, self.twins, read)
        is_graph = self.body.family == ""
        found = (of_input, self._of_weight) if is_graph else (self._of_weight, of_input)
        return resolve_dtype(code, found[0] or found[1] or kept_dtype(self.body))

    @cached_property
    def _apart(self) -> frozenset[str]:
        return nodes_apart(self.body)

    @cached_property
    def _of_weight(self) -> Code | None:
        return dtype_of_weight(self.body)

    def cast(self, node: TypedNode, leaf: Leaf, port: str, code: Code) -> Code:
        """Return the code of a result, cast if it is float32 whatever dtype the model has."""
        if node.results[port].dtype != "float32" or not node.arguments:
            return code
        bodies = (self.body, *self.twins)
        stays = any(self._stays_float32(body, node, leaf, port) for body in bodies)
        return follow(code) if stays and node.name not in self._apart else code

    def _stays_float32(self, body: Body, node: TypedNode, leaf: Leaf, port: str) -> bool:
        """Return whether the result of the node of that name in a body is float32 whatever the model has."""
        if body is not self.body:
            twin = body.by_name.get(node.name)
            operation = None if twin is None else unwrap(twin.operation)
            if twin is None or not isinstance(operation, Leaf):  # an item of an each
                return False
            node, leaf = twin, operation
        return stays_float32(leaf, port, map(body.type_of, node.arguments.values()))

    def block_result(self, node: TypedNode, use: Use, code: Code) -> Code:
        """Return a block's default result with its activation, cast if that makes floats of integers."""
        assert node.default is not None
        before, after = use.body.results[node.default], node.results[node.default]
        code = activated(use, code)
        return follow(code) if before.dtype != after.dtype == "float32" else code
