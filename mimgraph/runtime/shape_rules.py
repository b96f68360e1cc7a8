"""Find a user-defined layer whose module returns another shape than its shape rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from traceback import walk_stack
from typing import Any

from torch import Tensor, nn

from mimgraph.ir.typed_graph import TypedGraph, TypedNode
from mimgraph.ir.typed_operations import Leaf, unwrap
from mimgraph.ops.custom.module_signature import parts_of
from mimgraph.runtime.checks import has_shape, sizes_of
from mimgraph.runtime.places import Place, modules, places, running
from mimgraph.runtime.weight_transfer.watch_forward import predicting


def wrong_rule(model: nn.Module, graph: TypedGraph, inputs: Mapping[str, Any]) -> str | None:
    """Run the model again; return the first node whose module and shape rule differ, or None.

    A model without user-defined layers is not run.
    """
    known = dict(places(graph.body))
    own = [module for path, module in modules(model) if path in known and _own(known[path].node)]
    if not own:
        return None
    found: list[str] = []
    sizes = sizes_of(graph, {name: x for name, x in inputs.items() if x is not None})
    named = {name: size for name, size in sizes.items() if name != "N"}

    def look(module: nn.Module, given: tuple[Tensor, ...], result: Any) -> None:
        path = running(model, reversed([*walk_stack(None)]), graph, known)
        # where an axis is folded into the batch, the batch is not N
        is_batch = bool(given) and len(given[0]) == sizes.get("N")
        found.extend(_differences(path, known[path], result, sizes if is_batch else named))

    hooks = [module.register_forward_hook(look) for module in own]
    try:
        with predicting(model), suppress(Exception):
            model.forward(**inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return next(iter(found), None)


def _own(node: TypedNode) -> Leaf | None:
    """Return the operation of a user-defined layer or merge, or None for any other node."""
    leaf = unwrap(node.operation)
    if not isinstance(leaf, Leaf) or leaf.lowering.module is None:
        return None
    return None if leaf.lowering.module.changed.own is None else leaf


def _differences(path: str, place: Place, result: Any, sizes: Mapping[str, int]) -> Iterator[str]:
    """Yield how the results of a module differ from what the rule says."""
    leaf, span = _own(place.node), place.span
    assert leaf is not None
    for port, (_, value) in parts_of(leaf.name, result).items():
        type_ = leaf.lowering.results.get(port)
        if type_ is not None and not has_shape(value, type_, sizes):
            where = f"{path}.{port}".strip(".")
            yield (
                f"the shape rule of {leaf.name} says {type_} for {where}"
                f" ({span.file.name}:{span.line}), but its module returned {tuple(value.shape)}"
            )
