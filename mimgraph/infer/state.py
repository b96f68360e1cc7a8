"""The state of type inference: of the whole pass, of one body, of one node and its sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.evaluation import Environment, Evaluation, Origins
from mimgraph.infer.options import Bound
from mimgraph.infer.structure import OuterShares, Scope
from mimgraph.ir.declared_graph import (
    Activation,
    Apply,
    Block,
    Call,
    Chain,
    Node,
    Share,
    Source,
    Take,
)
from mimgraph.ir.declared_values import Option
from mimgraph.ir.dim import Size
from mimgraph.ir.typed_graph import ALWAYS, Body, Presence, TypedNode, Value
from mimgraph.ir.typed_operations import Leaf
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.infer.typer import NodeTyper
    from mimgraph.ir.typed_graph import Limits


MAX_NODES = 50_000
MAX_DEPTH = 64
MAX_LENGTH = 1 << 20  # characters of options after expansion, as many as a file may have


Summands = frozenset[tuple[Size, Presence]]  # sizes, and when each counts


@dataclass(slots=True, eq=False, repr=False)
class Budget:
    """What one pass has used of its limits; a pass that exceeds one stops at once."""

    report: Report
    nodes: int = 0  # so far, blocks expanded
    length: int = 0  # characters of options so far
    depth: int = 0  # how many blocks are around the node that is being typed

    def enter(self, span: Span) -> None:
        """Count one more level of nested blocks; too many would exceed Python's recursion limit."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._exceeded(f"blocks are nested more than {MAX_DEPTH} deep", span)

    def count(self, nodes: int, span: Span) -> None:
        """Count nodes after expansion."""
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self._exceeded(f"more than {MAX_NODES:,} nodes after expansion", span)

    def write(self, length: int, span: Span) -> None:
        """Count characters of options: each distinct use of a block computes its own."""
        self.length += length
        if self.length > MAX_LENGTH:
            self._exceeded(f"more than {MAX_LENGTH:,} characters of options after expansion", span)

    def _exceeded(self, message: str, span: Span) -> None:
        self.report.add(Diagnostic("too-large", message, span))
        self.report.raise_if_any()


@dataclass(slots=True, eq=False, repr=False)
class Memory:
    """The results that one pass computes only once."""

    scopes: dict[str, Scope] = field(default_factory=dict)  # the checked scope of each block
    bound: dict[Apply | Activation, Bound | None] = field(default_factory=dict)
    calls: dict[Call, bool] = field(default_factory=dict)  # whether a call's params are right
    defaults: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # by block
    # by distinct use of a block: its body, None if faulty, and how many nodes that expands to
    bodies: dict[Any, tuple[Body | None, int]] = field(default_factory=dict)
    # of what could not be typed at its first use: the body of a block, and the typed items of a chain
    unfinished: dict[Call, Context] = field(default_factory=dict)
    unfinished_items: dict[Chain, tuple[TypedNode, ...]] = field(default_factory=dict)
    # sums of sizes of which some may be missing: the name of each, and what the sum of a name adds
    sums: dict[Summands, str] = field(default_factory=dict)
    summands: dict[str, Summands] = field(default_factory=dict)


class KnownNode(NamedTuple):
    """A typed node, with what it adds to its graph: constraints, and characters of options."""

    typed: TypedNode
    constraints: Mapping[Constraint, None]
    length: int

    @property
    def is_plain(self) -> bool:
        """Return whether it is an op, not a block or chain, that always runs."""
        typed = self.typed
        always_runs = typed.presence == ALWAYS and not (typed.presences or typed.without)
        return always_runs and isinstance(typed.operation, Leaf)


class KnownNodes(Protocol):
    """The nodes of a graph that are typed already: at other points of a search, or at their calls."""

    def typer(self, context: Context) -> NodeTyper:
        """Return what types the nodes of the graph that are not known."""


@dataclass(slots=True, eq=False, repr=False)
class State:
    """The state of one pass over a graph: its declarations, faults, limits and memory."""

    blocks: Mapping[str, Block]
    report: Report
    params: Mapping[str, Any] = field(default_factory=dict)  # the spec's, by name
    limits: Limits | None = None  # of the cost of the graph
    whole: Context | None = None  # the graph itself, once its structure is checked
    known: KnownNodes | None = None  # nodes of the graph that are typed already
    alone: bool = False  # one node is typed, and the inputs of its graph are not known
    is_unrun: bool = False  # its nodes never run, so that their faults do not count
    outer: OuterShares = field(default_factory=dict)  # the names outside that each block shares
    recursive: set[str] = field(default_factory=set)  # blocks that contain themselves
    constraints: dict[Constraint, None] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    budget: Budget = field(init=False)

    def __post_init__(self) -> None:
        self.budget = Budget(self.report)

    @property
    def lost_blocks(self) -> set[str]:
        """Return the names of the blocks that could not be read."""
        return {name for name, block in self.blocks.items() if not block.is_whole}

    def require(self, constraints: Iterable[Constraint]) -> None:
        """Add constraints that must hold when the module runs."""
        self.constraints.update(dict.fromkeys(constraints))

    def fault(
        self,
        code: DiagnosticCode,
        message: str,
        span: Span,
        node: str = "",
        *,
        note: str = "",
        labels: tuple[Label, ...] = (),
        help: str = "",
    ) -> None:
        """Report a fault."""
        self.report.add(Diagnostic(code, message, span, note, labels, help, node))


@dataclass(slots=True, eq=False, repr=False)
class Context:
    """One body being typed.

    `path` starts the node names of diagnostics, `uses` are labels on the calls of the block,
    `optional` are the inputs that may be missing, `origins` say where a call gives the params.
    `around` is the body that uses the block. `borrowers` are the nodes inside of blocks that share
    modules of this body, or items of them: the body, the name, the node or item and its position. `left_out` are the inputs that this use of
    the block leaves out, with their types if these are known; `never_run` are nodes of unknown types
    that need them.
    """

    state: State
    env: Environment
    inputs: Mapping[str, TensorType | None]
    scope: Scope
    path: str
    uses: tuple[Label, ...] = ()
    typed: dict[str, TypedNode | None] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    owners: dict[Share, Owner | None] = field(default_factory=dict)
    origins: Origins = field(default_factory=dict)
    around: Context | None = None
    borrowers: list[tuple[Context, str, TypedNode, int]] = field(default_factory=list)
    left_out: Mapping[str, TensorType | None] = field(default_factory=dict)
    never_run: set[str] = field(default_factory=set)

    def scope_of(self, node: str) -> Context | None:
        """Return the innermost body around this one, or this one, that has a node of this name."""
        context: Context | None = self
        while context is not None and node not in context.scope.nodes:
            context = context.around
        return context


class Owner(NamedTuple):
    """The node whose module a share uses, and the body that it is in; `item` is the item of its
    `each`, if it has one.

    `over` is the axis that the share runs over unless it names one, that of the node it names.
    """

    name: str
    item: str | None
    declared: Node
    context: Context
    over: Option | None = None


class Fed(NamedTuple):
    """A resolved source: its value, its type (None: unknown), where it is read and where it is
    made.

    `presence` says when the value is given; `is_own` is true if it depends on parameters and
    buffers alone, not on an input. `group` is the source `node.*` of which this is one port.
    """

    value: Value
    type: TensorType | None
    source: Source
    producer: Span
    presence: Presence = ALWAYS
    is_own: bool = False
    group: Source | None = None

    @property
    def text(self) -> str:
        """The source as it is written: `lstm.last`."""
        return self.source.text


class Joint(NamedTuple):
    """What the nodes that share a block give it, and one of them does not: the inputs that are
    `optional` at some of them, and those that are `kept`, which this one is never given."""

    optional: frozenset[str] = frozenset()
    kept: Mapping[str, Fed] = MappingProxyType({})


ALONE = Joint()


class Site(NamedTuple):
    """One node or item being typed; `fed` is None where `from` is missing or a type is unknown.

    `left_out` are the sources of a block that are never given, by the input that each would fill.
    """

    context: Context
    node: Node
    path: str
    fed: tuple[Fed, ...] | None
    take: Take | None
    joint: Joint = ALONE
    left_out: Mapping[str, Fed] = MappingProxyType({})

    @property
    def state(self) -> State:
        """The pass over the whole graph."""
        return self.context.state

    @property
    def evaluation(self) -> Evaluation:
        """The context in which its options are computed."""
        context = self.context
        return Evaluation(context.env, context.state.report, self.path, context.origins)

    def fault(
        self,
        code: DiagnosticCode,
        message: str,
        span: Span,
        *,
        note: str = "",
        labels: tuple[Label, ...] = (),
        help: str = "",
    ) -> None:
        """Report a fault of this node."""
        self.state.fault(code, message, span, self.path, note=note, labels=labels, help=help)
