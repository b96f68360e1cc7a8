"""The words for a typed node that tables and pictures share: its op, options, shapes, sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from mimgraph.diagnostics.render import visible
from mimgraph.ir.typed import Body, Leaf, Repeated, Shared, TypedNode, Value, unwrap
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry

LONGEST = 48  # characters of one option's value


def op_text(node: TypedNode, options: str = "") -> str:
    """`Conv2d 16 + ReLU`, `LSTM.last`, `residual width=8 × 3, frozen`, `Linear, shares tail`."""
    operation = unwrap(node.operation)
    text = node.op_name
    if node.default and not (
        isinstance(operation, Leaf) and operation.lowering.default == node.default
    ):
        text += f".{node.default}"  # `take`
    if options:
        text += f" {options}"
    if operation.activation_name:
        text += f" + {operation.activation_name}"
    if operation.branches:
        first = operation.branches[0].operation
        one = replace(operation.branches[0], operation=unwrap(first))
        shares = f", shares {first.target}" if isinstance(first, Shared) else ""
        return f"{op_text(one, options)}, each of {len(operation.branches)}{shares}"
    if isinstance(operation, Repeated):
        text += f" × {len(operation.bodies)}{' shared' if operation.shared else ''}"
    if isinstance(node.operation, Shared):
        return f"{text}, shares {node.operation.owner}"
    return f"{text}, frozen" if node.is_frozen else text


def options_text(kind: str, op_name: str, options: Mapping[str, Any]) -> str:
    """The options that are not as torch has them: `16, kernel_size=3`."""
    op = registry.find(kind, op_name)
    if op is None:
        return ""
    words = []
    for name, option in op.options.items():
        value = options.get(name, option.default)
        if option.inferred or plain(value) == plain(option.default):
            continue
        text = value_text(value)
        words.append(text if name == op.lone_option else f"{name}={text}")
    return ", ".join(words)


def arguments_text(arguments: Mapping[str, Any]) -> str:
    """The params that a use of a block gives: `width=32, stride=2`."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in arguments.items())


def value_text(value: Any, longest: int = LONGEST) -> str:
    """A value as one reads it, cut where it is long."""
    if isinstance(value, list | tuple):
        text = f"[{', '.join(value_text(item, longest) for item in value)}]"
    elif isinstance(value, Mapping):
        items = (f"{key}: {value_text(item, longest)}" for key, item in value.items())
        text = f"{{{', '.join(items)}}}"
    else:
        # as specs spell them
        text = str(value).lower() if isinstance(value, bool) else visible(str(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def plain(value: Any) -> Any:
    """A value that can be compared with a default: a list for a tuple."""
    return list(value) if isinstance(value, tuple) else value


def shown_results(node: TypedNode) -> Mapping[str, TensorType]:
    """The default result as the port "", or all of them where none is the default; those of an
    `each`, which are told one by one, only where they are alike."""
    if node.operation.branches:
        alike = len(set(node.results.values())) == 1
        return {"": next(iter(node.results.values()))} if alike else {}
    return node.results if node.type is None else {"": node.type}


def shape_text(results: Mapping[str, TensorType]) -> str:
    """`(N, 64)`; with names of ports `output (N, T, 64), last (N, 64)`."""
    return ", ".join(f"{port} {type_}".lstrip() for port, type_ in results.items())


def dtype_text(results: Mapping[str, TensorType]) -> str:
    """The dtype; several where ports differ."""
    return ", ".join(dict.fromkeys(type_.dtype for type_ in results.values()))


def source_text(value: Value, nodes: Mapping[str, TypedNode]) -> str:
    """`conv`, or `lstm.last` where the port is not the default."""
    node = nodes.get(value.name)
    plain = node is None or value.port == node.default
    return value.name if plain else f"{value.name}.{value.port}"


class Run(NamedTuple):
    """Repeats in a row that have one body."""

    start: int
    times: int
    body: Body
    arguments: Mapping[str, Any]

    @property
    def title(self) -> str:
        """The keys of its modules, `0` or `1 to 3`."""
        last = self.start + self.times - 1
        return str(self.start) if self.times == 1 else f"{self.start} to {last}"

    @property
    def text(self) -> str:
        """The block, its params, and how often it stands there: `residual width=8 × 2`."""
        times = f"× {self.times}" if self.times > 1 else ""
        return " ".join(filter(None, (self.body.family, arguments_text(self.arguments), times)))


def runs(repeated: Repeated) -> Iterator[Run]:
    """The repeats of a block, equal neighbours together."""
    start = 0
    for _, same in groupby(repeated.bodies, key=id):
        times = len(list(same))
        number = repeated.first + start
        yield Run(number, times, repeated.bodies[start], repeated.arguments[start])
        start += times


def operand_labels(node: TypedNode) -> Mapping[str, str]:
    """The argument that each source fills, where an op names several: `query`, `key`."""
    keys = node.arguments
    key = unwrap(node.operation).op
    op = registry.find(*key) if key and len(keys) > 1 else None
    named = op is not None and op.inputs.kind in ("tuple", "named")
    return {key: key if named else "" for key in keys}
