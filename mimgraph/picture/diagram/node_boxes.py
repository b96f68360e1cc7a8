"""Make the box for a node in which nothing is opened: a layer, merge, tensor, `each`, or a module reused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from mimgraph.inspection.facts import op_options
from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import Leaf, Repeated, TypedOperation, Use, unwrap
from mimgraph.ir.typed_operations import Sequence as Chain
from mimgraph.ir.types import TensorType
from mimgraph.picture.diagram.block_repeats import LISTED, differ_in_numbers, span
from mimgraph.picture.diagram.brief_text import brief_text
from mimgraph.picture.diagram.chain_text import chain_text
from mimgraph.picture.diagram.model import Box
from mimgraph.picture.diagram.wiring import End
from mimgraph.summary.node_text import arguments_text, op_text, options_text

_T = TypeVar("_T")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
MANY = 7  # like things that are drawn as one: inputs in a box, results of an `each` in a line


class Context(NamedTuple):
    """The surroundings of a node: the prefix of its dotted name, its key there, the ends that feed
    its operands, its ports that are used, its sources as the spec names them, and the dotted name of
    the node whose module it shares, or ""."""

    path: str
    key: str
    sources: Mapping[str, End]
    ports: tuple[str, ...] = ()
    reads: str = ""
    shares: str = ""

    @property
    def id(self) -> str:
        """The dotted name of the node."""
        return self.path + self.key

    @property
    def title(self) -> str:
        """The name that is drawn; an item of a chain has only a number, and no title."""
        return "" if self.key.isdigit() else self.key


def step_box(node: TypedNode, body: Body, module: str) -> tuple[Box, ...]:
    """Return the box for the number of the step in a repeated block that takes it, else nothing."""
    operation = node.operation
    name = operation.counter if isinstance(operation, Repeated) else ""
    if not name:
        return ()
    shape = str(body.inputs[name])
    return (Box(f"{module}.{name}", "input", name, body.inputs[name].dtype, (shape,), "the step"),)


class _Traits(NamedTuple):
    """The parts of a box that depend on the operation: its kind, and the options it shows."""

    kind: str = "layer"
    options: str = ""


def node_box(node: TypedNode, context: Context) -> Box:
    """Return the box for a node."""
    traits = _traits(node.operation)
    return Box(
        context.id,
        traits.kind,
        context.title,
        op_text(node, traits.options),
        shape_lines(node, context.ports),
        f"{context.id}: {node.op_name}({context.reads})",
        context.shares,
        brief=brief_text(node),
    )


def _traits(operation: TypedOperation) -> _Traits:
    """Return the traits of a node's box."""
    match operation:
        case Leaf(kind, name):
            return _Traits(kind, options_text(name, op_options(operation)))
        case Use(merge=merge) if merge:
            return _Traits("merge", options_text(merge, op_options(operation)))
    return _each_traits(operation.branches) if operation.branches else _Traits()


def _each_traits(items: tuple[TypedNode, ...]) -> _Traits:
    """Return the traits of the box of an `each`, from the operation that its items share."""
    operations = [unwrap(item.operation) for item in items]
    match operations[0]:
        case Leaf(kind, name):
            every = [list(op_options(one)) for one in operations if isinstance(one, Leaf)]
            texts = [options_text(name, options) for options in every]
            is_span = differ_in_numbers(texts)
            return _Traits(kind, _range(texts) if is_span else options_text(name, _common(every)))
        case Chain():
            return _Traits("layer", _layers(operations[0]))
        case Use(body, merge=""):
            params = [list(one.arguments.items()) for one in operations if isinstance(one, Use)]
            inside = f"({_layers(body.nodes[0].operation)})" if body.is_chain else ""
            words = arguments_text(dict(_common(params))), inside
            return _Traits("layer", " ".join(filter(None, words)))
    return _Traits()


def _layers(chain: TypedOperation) -> str:
    """Return the layers of a chain, which an `each` does not open: `Linear 8 + ReLU`."""
    return chain_text(list(map(brief_text, chain.items)), len(chain.items))


def _range(texts: Sequence[str]) -> str:
    """Return the options of the branches of an `each` as a span; from the least to the greatest if they
    are many, as their order says nothing."""
    if len(texts) > LISTED:
        texts = sorted(texts, key=lambda text: [float(number) for number in _NUMBER.findall(text)])
    return span(texts)


def _common(given: Sequence[Sequence[_T]]) -> list[_T]:
    """Return the options or params that all items of an `each` have in common."""
    first, *others = given
    return [one for one in first if all(one in other for other in others)]


def shape_lines(node: TypedNode, ports: tuple[str, ...]) -> tuple[str, ...]:
    """Return the shapes of the results that are used, with their ports unless only the default is."""
    if node.operation.branches and not 1 < len(set(node.results.values())) < MANY:
        return counted_shapes(node.results)
    if node.type is not None and set(ports) <= {node.default}:
        return (str(node.type),)
    return tuple(f"{p} {type_}" for p, type_ in node.results.items() if p in ports or not ports)


def counted_shapes(types: Mapping[str, TensorType]) -> tuple[str, ...]:
    """Return each shape once, with the number of tensors that have it: `(N, 8) × 3`."""
    times = Counter(map(str, types.values()))
    return tuple(f"{shape} × {n}" if n > 1 else shape for shape, n in times.items())
