"""Turn one node of MLnode, which is a layer, a merge or a reshape, into nodes of a spec."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.importer.foreign.located import refuse
from mimgraph.importer.foreign.mlnode.file import Node
from mimgraph.ops.op import Op
from mimgraph.ops.registry import find, names

ELEMENTWISE = {
    "Add": "add",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "Divide": "divide",
}
JOINS = {"Concat": ("concat", -1), "Stack": ("stack", 0)}  # with the default of dim
REDUCTIONS = ("concat", "add", "stack")
SEVERAL = {
    "Transformer": ("src", "tgt"),
    "TransformerDecoder": ("tgt", "memory"),
    "TransformerDecoderLayer": ("tgt", "memory"),
    "MultiheadAttention": ("query", "key", "value"),
    "Bilinear": ("input1", "input2"),
}
BATCH_FIRST = re.compile("RNN|LSTM|GRU|MultiheadAttention|Transformer.*")
NO_OPTIONS = ("device", "dtype", "inplace", "batch_first")
DEFAULTS = {  # of MLnode, where it differs from torch and from us
    "Flatten": {},
    "Split": {"split_size_or_sections": 2, "dim": 0},
    "Transpose": {"dim0": 0, "dim1": 1},
    "TransformerEncoder": {"num_layers": 6},
    "TransformerDecoder": {"num_layers": 6},
}
RESHAPES = ("Reshape", "View")
FUNCTIONS = ("Input", "Flatten", "Permute", "Transpose", "Unsqueeze", "Squeeze", "Split")


class Source(NamedTuple):
    """A source as the spec names it, and the port of the node that it is for."""

    name: str
    port: str


def layer_or_merge(node: Node, sources: list[Source]) -> dict[str, Any]:
    """Return the node of the spec for a node that is no block and no custom layer."""
    if node.type in ELEMENTWISE:
        return {"merge": ELEMENTWISE[node.type], "from": [one.name for one in sources]}
    if node.type in JOINS:
        merge, dim = JOINS[node.type]
        dim = node.params.get("dim", dim)
        return {"merge": merge, "from": [one.name for one in sources], "dim": _no_batch(node, dim)}
    op = _op(node)
    options = _options(node, op)
    if node.type in SEVERAL:
        return {"layer": op.name, "from": by_port(node, sources, SEVERAL[node.type]), **options}
    return {"layer": op.name, "from": one_source(node, sources), **options}


def reduction(node: Node, sources: list[Source]) -> dict[str, Any] | None:
    """Return the merge that MLnode puts before a node of one source which is given several; None if
    it is given one."""
    if len(sources) < 2 or node.type in {*ELEMENTWISE, *JOINS, *SEVERAL}:
        return None
    how = node.data.get("reduction")
    if how is None or how.value not in REDUCTIONS or not has_module(node):
        message = f"{node.id:.40} has {len(sources)} sources and no reduction that MLnode runs"
        refuse("wrong-arity", message, node.span)
    names_ = [one.name for one in sources]
    if how.value == "add":
        return {"merge": "add", "from": names_}
    dim = node.data.get("reduction_dim")
    number = -1 if dim is None or dim.value is None else dim.value
    return {"merge": how.value, "from": names_, "dim": _no_batch(node, number)}


def by_port(node: Node, sources: list[Source], ports: tuple[str, ...]) -> dict[str, str]:
    """Return the source for each port: by name where the edges name one, else in their order."""
    named = [one.port for one in sources if one.port]
    if named and len(named) < len(sources):
        refuse(
            "wrong-arity", f"some edges to {node.id:.40} name a port, and some do not", node.span
        )
    order = named or list(ports[: len(sources)])
    if len(order) < len(sources) or len(set(order)) < len(order):
        refuse(
            "wrong-arity", f"{node.id:.40} takes one edge for each of {', '.join(ports)}", node.span
        )
    for port in order:
        if port not in ports:
            message = f"{node.id:.40} has no port {port:.40}"
            refuse("unknown-port", message, node.span, suggestion(port, ports))
    found = {port: one.name for port, one in zip(order, sources, strict=True)}
    if node.type == "MultiheadAttention" and "query" in found:
        other = found.get("key") or found.get("value") or found["query"]
        found = {port: found.get(port, other) for port in ports}
    missing = [port for port in ports if port not in found]
    if missing:
        refuse("wrong-arity", f"{node.id:.40} has no edge for {', '.join(missing)}", node.span)
    return found


def one_source(node: Node, sources: list[Source]) -> str:
    """Return the source of a node that takes one."""
    if len(sources) != 1:
        count = len(sources) or "no"
        refuse("wrong-arity", f"{node.id:.40} takes one source, and has {count}", node.span)
    return sources[0].name


def _op(node: Node) -> Op:
    """Return the layer that a type names; a lazy layer is one whose sizes follow from its source."""
    name = "Reshape" if node.type in RESHAPES else node.type.removeprefix("Lazy")
    op = find("layer", name)
    if op is None:
        help = suggestion(node.type, names("layer"))
        refuse("unknown-layer", f"the type {node.type:.40} cannot be read", node.span, help)
    return op


def _options(node: Node, op: Op) -> dict[str, Any]:
    """Return the options of a layer, under torch's names."""
    given = {**DEFAULTS.get(node.type, {}), **node.params}
    if BATCH_FIRST.fullmatch(node.type) and given.get("batch_first") is not True:
        help = "set batch_first to true: the first axis is always the batch here"
        refuse("bad-option", f"{node.id:.40} does not have its batch first", node.span, help)
    options = {key: value for key, value in given.items() if key not in NO_OPTIONS}
    if "norm" in options:
        norm = options.pop("norm")
        options |= {"norm": "LayerNorm"} if norm else {}
    if node.type in RESHAPES:
        options["shape"] = _after_batch(node, options.get("shape"))
    for key in ("dim", "dim0", "dim1"):
        if key in options:
            _no_batch(node, options[key])
    for key in options:
        if key not in op.options:
            message = f"{op.name} has no option {key:.40}"
            refuse("unknown-option", message, node.span, suggestion(key, op.options))
    return {key: value for key, value in options.items() if value is not None}


def _after_batch(node: Node, shape: Any) -> list[Any]:
    """Return the sizes after the batch, which is written as -1."""
    match shape:
        case [-1 | "B", *sizes] if sizes and sizes.count(-1) <= 1:
            return sizes
    refuse("bad-option", f"the shape of {node.id:.40} must begin with -1, the batch", node.span)


def _no_batch(node: Node, dim: Any) -> Any:
    """Return an axis that is not the batch."""
    if dim == 0 and node.type not in ("Transpose",):
        refuse("bad-option", f"{node.id:.40} works along axis 0, which is the batch", node.span)
    return dim


def has_module(node: Node) -> bool:
    """Return whether MLnode has a module for a node; merges and reshapes have none."""
    return node.type not in {*ELEMENTWISE, *JOINS, *RESHAPES, *FUNCTIONS}
