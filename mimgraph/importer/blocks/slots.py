"""Find the option values of a body that may differ where its structure is the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

from mimgraph.importer.draft import Body, Expression, Node, Op, Port, Seq, Share, Use, inner_nodes
from mimgraph.ir.dim import Dim, symbols
from mimgraph.ops import registry

_NUMBER = re.compile(r"(?<![\w.$])(\d+\.?\d*(?:e[+-]?\d+)?)(?![\w.])")
_SIZE_LISTS = ("shape", "size")  # options whose numbers differ one by one


class Slot(NamedTuple):
    """The place of a value: `holder[index]` of the option of a node."""

    node: str
    option: str
    holder: Any
    index: Any

    @property
    def value(self) -> Any:
        return self.holder[self.index]

    def set(self, value: Any) -> None:
        self.holder[self.index] = value


class _Numbers:
    """The numbers in a formula; an expression that replaces one is written `$width`."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.parts = _NUMBER.split(options["expr"])

    def __len__(self) -> int:
        return len(self.parts) // 2

    def __getitem__(self, index: int) -> int | float:
        text = self.parts[2 * index + 1]
        return int(text) if text.isdigit() else float(text)

    def __setitem__(self, index: int, value: Expression) -> None:
        name = value.text
        self.parts[2 * index + 1] = f"${name}" if name.isidentifier() else f"$({name})"
        self.options["expr"] = "".join(self.parts)


def slots(body: Body) -> Iterator[Slot]:
    """Yield the places of the values of a body, in the same order for bodies of equal structure."""
    for node in body.nodes:
        for one in inner_nodes([node]):
            yield from _slots(node.name, one)


def _slots(name: str, node: Node) -> Iterator[Slot]:
    match node.operation:
        case Op() as op:
            if op.name == "formula":
                numbers = _Numbers(op.options)
                yield from (Slot(name, "factor", numbers, i) for i in range(len(numbers)))
            order = dict.fromkeys((*_defaults(op), *sorted(op.options)))
            yield from _free(name, op.options, [*order])
            if op.activation is not None:
                yield from _free(name, op.activation[1], sorted(op.activation[1]))
        case Use(arguments=arguments, repeat=repeat):
            yield from _free(name, arguments, [*arguments])
            if repeat is not None and repeat.each:
                yield from (Slot(name, one, repeat.each, one) for one in repeat.each)
            elif repeat is not None:
                yield Slot(name, "times", vars(repeat), "times")


def _free(name: str, options: dict[str, Any], order: list[str]) -> Iterator[Slot]:
    """Yield the slots of options; those that are not in the order are left out."""
    for option in order:
        value = options.get(option, "")
        if option in _SIZE_LISTS and isinstance(value, list):
            yield from (
                Slot(name, option, value, i) for i, one in enumerate(value) if _is_size(one)
            )
        elif is_plain(value):
            yield Slot(name, option, options, option)


def is_plain(value: Any) -> bool:
    """Return whether a param can have this value: a number, a bool, or a list of such."""
    if isinstance(value, list):
        return all(map(is_plain, value))
    return isinstance(value, int | float)


def _is_size(value: Any) -> bool:
    """Return whether a param can stand for an entry of a shape: not for -1, the rest of a Reshape."""
    return is_plain(value) and value != -1


def complete(bodies: list[Body]) -> None:
    """Give torch's default to an option that other bodies of the same structure give."""
    for ops in zip(*([*_ops(body)] for body in bodies), strict=True):
        given = {name: None for op in ops for name in op.options}
        for op in ops:
            defaults = _defaults(op)
            for name in given:
                op.options.setdefault(name, defaults.get(name))


def _ops(body: Body) -> Iterator[Op]:
    for node in inner_nodes(body.nodes):
        if isinstance(node.operation, Op):
            yield node.operation


def _defaults(op: Op) -> dict[str, Any]:
    found = registry.find(op.kind, op.name)
    return {} if found is None else dict(found.defaults)


def structure(body: Body, block_of: Callable[[Body], Hashable]) -> Hashable:
    """Return what bodies have in common that are one block: all but the values in their slots.

    Named sizes are numbered in the order of the inputs' patterns, as each use has names of its own.
    """
    numbers: dict[int, int] = {id(one): index for index, one in enumerate(body.inputs)}
    for node in body.nodes:
        numbers[id(node)] = len(numbers)
    sizes = _SizeNumbers(body)

    def port(one: Port) -> Hashable:
        return (numbers[id(one.node)], one.name)

    def of_node(node: Node) -> Hashable:
        read = tuple((one.argument, port(one.port)) for one in node.sources)
        return (node.name, read, operation(node), node.take, node.over, node.freeze)

    def operation(node: Node) -> Hashable:
        match node.operation:
            case Op() as op:
                return (op.kind, op.name, _fixed(op, sizes), _activation(op, sizes))
            case Seq(items):
                return ("seq", *((operation(item), item.freeze) for item in items))
            case Use(used, arguments, _, repeat):
                more = repeat and (repeat.shared, *sorted(repeat.each))
                return ("use", block_of(used), sizes.options(arguments), more)
            case Share(target):
                return ("share", numbers[id(target)])

    inputs = tuple((one.name, sizes.pattern(one.pattern), one.optional) for one in body.inputs)
    several = len(body.outputs) > 1
    outputs = tuple((one.name if several else "", port(one.port)) for one in body.outputs)
    return (body.family, inputs, tuple(map(of_node, body.nodes)), outputs, body.is_chain)


def _fixed(op: Op, sizes: _SizeNumbers) -> Hashable:
    """Return the options of an op that must be equal; of the others, those that must be given."""
    defaults = _defaults(op)
    given = {
        option: value
        for option, value in op.options.items()
        if not is_plain(value) or not is_plain(defaults.get(option))
    }
    if "expr" in given:
        given["expr"] = _NUMBER.sub("#", given["expr"])
    return sizes.options(given)


def _activation(op: Op, sizes: _SizeNumbers) -> Hashable:
    return op.activation and (op.activation[0], sizes.options(op.activation[1]))


class _SizeNumbers:
    """Writes options as hashables: named sizes by their numbers, and values in slots as `#`."""

    def __init__(self, body: Body) -> None:
        self.names: dict[str, str] = {}
        for one in body.inputs:
            for size in one.pattern or ():
                for name in symbols(size) if isinstance(size, Dim) else [size]:
                    if isinstance(name, str):
                        self.names.setdefault(name, f"#{len(self.names)}")

    def text(self, text: str) -> str:
        return re.sub(r"[A-Za-z_]\w*", lambda m: self.names.get(m[0], m[0]), text)

    def pattern(self, pattern: tuple[Any, ...] | None) -> Hashable:
        return pattern and tuple(self.text(str(size)) for size in pattern)

    def options(self, options: dict[str, Any]) -> Hashable:
        return tuple((name, self.option(name, options[name])) for name in sorted(options))

    def option(self, name: str, value: Any) -> Hashable:
        """Return an option without what stands in slots."""
        if name in _SIZE_LISTS and isinstance(value, list):
            return tuple("#" if _is_size(one) else self.exact(one) for one in value)
        return "#" if is_plain(value) else self.exact(value)

    def exact(self, value: Any) -> Hashable:
        """Return a value that tells 1 from 1.0 and True."""
        match value:
            case dict():
                return tuple((key, self.exact(one)) for key, one in sorted(value.items()))
            case Dim() | Expression():
                return self.text(value.text if isinstance(value, Expression) else str(value))
            case list() | tuple():
                return tuple(map(self.exact, value))
            case str() if "$" in value:
                return self.text(value)
        return (type(value).__name__, str(value))
