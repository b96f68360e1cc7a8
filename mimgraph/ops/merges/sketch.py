"""Write a merge that is a block of other ops, and check the features that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from mimgraph.ir.axes_help import to_sequence, to_vector
from mimgraph.ir.declared_graph import (
    Activation,
    Apply,
    Block,
    BlockInput,
    Call,
    Chain,
    Node,
    Operation,
    Output,
    Repeat,
    Source,
)
from mimgraph.ir.declared_values import Option
from mimgraph.ir.expression import ExpressionError, parse, plain, variables
from mimgraph.ir.types import TensorType
from mimgraph.ops.merges.agreement import Operands, disagreement, odd_one_out
from mimgraph.ops.op import OpFault, Sources
from mimgraph.ops.rule_helpers import known, same_dims, same_size, weighted, without_axes
from mimgraph.source import SourceFile

_numbers = count()  # tell inner blocks of the same family apart
_NOWHERE = SourceFile("mimgraph", "").start

NodeSources = str | tuple[str, ...] | Mapping[str, str]  # one, several, or by argument


class Sketch:
    """Collects the nodes of a block; each method adds a node and returns its name.

    `family` names its class, `doc` is the docstring of that class. A source may be `node.port`.
    """

    def __init__(self, family: str, *inputs: str, doc: str = "") -> None:
        self.family = family
        self.inputs = inputs
        self.doc = doc
        self.nodes: list[Node] = []
        self.inner: dict[str, Block] = {}

    def layer(self, name: str, layer: str, sources: NodeSources, **options: Any) -> str:
        """Add a layer with its options and activation."""
        return self._add(name, _apply("layer", layer, options), _sources(sources))

    def merge(self, name: str, merge: str, sources: NodeSources, **options: Any) -> str:
        """Add a merge with its options and activation."""
        return self._add(name, _apply("merge", merge, options), _sources(sources))

    def part(self, name: str, part: str, sources: NodeSources, **options: Any) -> str:
        """Add a part, an op that only blocks made in code can have."""
        return self._add(name, _apply("part", part, options), _sources(sources))

    def formula(self, name: str, expr: str, activation: Any = None) -> str:
        """Add a formula over the names of the block; axes of size 1 broadcast."""
        options = {"expr": expr, "broadcast": True, "activation": activation}
        try:
            names = dict.fromkeys(variable.name for variable in variables(parse(expr)))
        except ExpressionError as error:  # the formula can only be too long
            raise OpFault(error.code, "there are more sources than fit in one formula") from None
        return self._add(name, _apply("merge", "formula", options), _sources(tuple(names)))

    def parameter(self, name: str, *shape: int, **options: Any) -> str:
        """Add a learned tensor."""
        return self._add(name, _apply("tensor", "parameter", {"shape": list(shape), **options}))

    def seq(self, name: str, source: str, *items: tuple[str, dict[str, Any]] | None) -> str:
        """Add a chain of layers, each with its options; None is left out."""
        made = [_apply("layer", *item) for item in items if item is not None]
        chain = Chain(tuple(Node(str(i), _NOWHERE, one) for i, one in enumerate(made)), _NOWHERE)
        return self._add(name, chain, _sources(source))

    def use(self, name: str, block: Block, sources: NodeSources, times: int | None = None) -> str:
        """Add a use of another block, or a repeat of it, `times` in a row with separate weights."""
        repeat = None
        if times is not None:
            repeat = Repeat(_option(times), False, {}, _NOWHERE)
        key = f"{block.family} {next(_numbers)}"
        self.inner |= {key: block, **block.inner}
        return self._add(name, Call(key, _NOWHERE, repeat=repeat), _sources(sources))

    def block(self, *outputs: str, **named: str) -> Block:
        """Return the finished block, with these outputs, by position or by name."""
        results = {name: name for name in outputs} | named
        return Block(
            self.family,
            _NOWHERE,
            {},
            tuple(BlockInput(name, _NOWHERE) for name in self.inputs),
            tuple(self.nodes),
            tuple(Output(name, _source(text), _NOWHERE) for name, text in results.items()),
            doc=self.doc,
            inner=self.inner,
        )

    def _add(
        self, name: str, operation: Operation, sources: tuple[Source, ...] | None = None
    ) -> str:
        self.nodes.append(Node(name, _NOWHERE, operation, sources))
        return name


def _apply(kind: str, op: str, options: Mapping[str, Any]) -> Apply:
    """Return a use of an op; an activation is a name, or a name with its options."""
    given = {key: _option(value) for key, value in options.items() if key != "activation"}
    activation = options.get("activation")
    applied = None
    if activation is not None:
        name, arguments = (activation, {}) if isinstance(activation, str) else activation
        chosen = {key: _option(value) for key, value in arguments.items()}
        applied = Activation(name, chosen, None, _NOWHERE)
    return Apply(kind, op, _NOWHERE, given, None, applied)


def _option(value: Any) -> Option:
    return Option(plain(value), _NOWHERE, _NOWHERE)


def _sources(sources: NodeSources) -> tuple[Source, ...]:
    if isinstance(sources, str):
        return (_source(sources),)
    if isinstance(sources, Mapping):
        return tuple(_source(text, argument) for argument, text in sources.items())
    return tuple(map(_source, sources))


def _source(text: str, argument: str | None = None) -> Source:
    name, dot, port = text.partition(".")
    return Source(name, port if dot else None, _NOWHERE, argument)


# Check the sources of fusions with weights: float32 features or tokens of matching sizes.


def widths(sources: Operands, name: str) -> tuple[int, ...]:
    """Return the last sizes of sources (N, *, D), which must be equal on every other axis."""
    for key, x in sources.items():
        weighted(x, name, key)
        if not x.dims or not x.batched:
            raise without_axes(x, f"{name} takes (N, *, D)", key)

    def alike(x: TensorType, y: TensorType) -> bool:
        return same_dims(x.dims[:-1], y.dims[:-1])

    pair = odd_one_out(sources, alike)
    if pair is not None:
        message = f"{name} needs equal sizes on every axis but the last"
        raise disagreement(sources, *pair, message, free=len(sources[pair[0]].dims) - 1)
    return tuple(known(x.dims[-1], "the last size", key) for key, x in sources.items())


def widths_of_vectors(sources: Operands, name: str) -> tuple[int, ...]:
    """Return the sizes of sources (N, D)."""
    for key, x in sources.items():
        weighted(x, name, key)
        if len(x.dims) != 1 or not x.batched:
            help = to_vector(x, name, f"{{{key}}}")
            raise rank_fault(x, f"{name} takes (N, D)", key, help)
    return tuple(known(x.dims[0], "the last size", key) for key, x in sources.items())


def token_width(sources: Operands, name: str, lone: bool = True) -> int:
    """Return the common width of sources (N, T, D), or, if `lone`, (N, D), which are single tokens."""
    shape = "(N, T, D) or (N, D)" if lone else "(N, T, D)"
    for key, x in sources.items():
        weighted(x, name, key)
        if len(x.dims) not in ((1, 2) if lone else (2,)) or not x.batched:
            help = to_sequence(x, name, f"{{{key}}}")
            raise rank_fault(x, f"{name} takes {shape}", key, help)
    pair = odd_one_out(sources, lambda x, y: same_size(x.dims[-1], y.dims[-1]))
    if pair is not None:
        odd, other = pair
        raise OpFault(
            "shape-mismatch",
            f"{name} needs tokens of the same width",
            source=odd,
            note=f"{sources[odd]}, but {{{other}}} is {sources[other]}",
            help="project it first: Linear",
            mentions=(odd, other),
        )
    key, x = next(iter(sources.items()))
    return known(x.dims[-1], "the last size", key)


def rank_fault(x: TensorType, message: str, key: str, help: str = "") -> OpFault:
    """Return the fault of a source with another number of axes than the message says."""
    return OpFault("rank-mismatch", message, source=key, note=str(x), help=help)


def last(x: TensorType) -> int:
    """Return the last axis as it is written: 1 for (N, D), else -1."""
    return 1 if len(x.dims) == 1 else -1


def named_inputs(sources: Sources) -> tuple[str, ...]:
    """Return the names of the inputs of a block for these sources: `x0`, `x1`, ..., or `x` for one."""
    return numbered(len(sources)) if len(sources) > 1 else ("x",)


def numbered(count: int, stem: str = "x") -> tuple[str, ...]:
    """Return the names `x0`, `x1`, ...."""
    return tuple(f"{stem}{index}" for index in range(count))
