"""The calls that handles record, the context in which a call is typed, and how they are pickled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mimgraph.builder.declare_layer import (
    declare_words,
    own_options,
)
from mimgraph.builder.trace import Trace, note_refusal, rewriter_as_written
from mimgraph.builder.user_line import raise_faults, spec_error, user_line
from mimgraph.diagnostics import Report, SpecError
from mimgraph.infer.graph import Given, GivenGroup, Made, infer_node, infer_port
from mimgraph.infer.state import KnownNode
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Operation
from mimgraph.ir.declared_values import Option
from mimgraph.ir.expression import plain
from mimgraph.ir.grammar import BESIDE, TRAINING
from mimgraph.ir.rewrite import Rewriter
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.typed_operations import unwrap
from mimgraph.ir.typed_walks import used_bodies
from mimgraph.ir.types import TensorType
from mimgraph.ops.layer_call import IN_SEQUENCE, EachCall, ItemCall, LayerCall, Uses
from mimgraph.source import Span
from mimgraph.support.objects import new_number, unique_key

if TYPE_CHECKING:
    from mimgraph.builder.block_call import BlockCall
    from mimgraph.builder.sequential import Sequential


class Loading:
    """One load of a pickle. Its calls keep their order, and come after all that were made before."""

    def __init__(self) -> None:
        self.number = new_number()


class _EachLoading:
    """Stands in a pickle for its loading: each load makes one, which all its calls have in common."""

    def __reduce__(self) -> tuple[type[Loading], tuple[()]]:
        return Loading, ()


_EACH_LOADING: Any = _EachLoading()


def record_made(loading: Loading, kind: type[Record], number: tuple[int, ...]) -> Record:
    """Return a record of a pickle, yet without its parts."""
    record = kind.__new__(kind)
    record.number = (*loading.number, *number)
    return record


def reduced(record: Record) -> tuple[Any, ...]:
    """Return what a pickle holds of a record; raise a `TypeError` for a call in a running block."""
    if record.trace is not None:
        message = (
            f"{record.label} was made inside the block {record.trace.family}, and handles there"
        )
        raise TypeError(
            f"{message} cannot be pickled: return it from the block, and pickle its result"
        )
    state = {name: getattr(record, name) for name in record.__slots__ if name != "number"}
    # references to records, as a handle is pickled with all calls before it
    state["sources"] = [(key, one.record, one.port) for key, one in record.sources]
    if isinstance(record.made, TypedNode):
        declared = rewriter_as_written(None).node(record.made.declared)
        state["made"], state["known"] = replace(record.made, declared=declared), None
    marked: list[tuple[Uses, object]] = []
    if record.layer is not None and record.layer.uses.get(None) is record:
        marked = [(record.layer.uses, record), *_items(record.layer)]
    return record_made, (_EACH_LOADING, type(record), record.number), (state, marked)


def _items(layer: object) -> Iterator[tuple[Uses, object]]:
    """Yield the uses of the items of a Sequential that its call marked as used."""
    for item in getattr(layer.layer if isinstance(layer, EachCall) else layer, "items", ()):
        if item.uses.get(None) is IN_SEQUENCE:
            yield item.uses, IN_SEQUENCE


def sources_first(records: Iterable[Record]) -> list[Record]:
    """Return the records and all that they depend on, each after those on which it depends."""
    found: dict[Record, None] = {}
    entered: set[Record] = set()
    stack = [*records]
    while stack:
        record = stack[-1]
        if record in entered:
            found.setdefault(stack.pop())
        else:
            entered.add(record)
            stack += [one for one in _needed(record) if one not in entered]
    return [*found]


def _needed(record: Record) -> Iterator[Record]:
    """Yield the records that one depends on, among them the first call of its layer."""
    for _, source in record.sources:
        yield source.record
    yield from record.borrowed.values()
    yield from record.needs
    if record.lender is not None:
        yield record.lender
    first = record.layer.uses.get(None) if record.layer is not None else None
    if isinstance(first, type(record)):
        yield first


# The context in which a call is declared and typed, and the typed call.


# dicts, as Python-level mappings are slower, and other read-only ones cannot be pickled
NO_BLOCKS: Mapping[str, ir.Block] = {}
NO_OPTIONS: Mapping[str, object] = {}
NO_CALLS: Mapping[str, Record] = {}
_WORDS = frozenset((*BESIDE, *TRAINING))


class TypedCall(NamedTuple):
    """A typed node, by key all blocks that it uses, inner ones first, and the outer calls that these
    share, by the names that stand for them. `known` is the node if graphs can take it over."""

    node: TypedNode
    blocks: Mapping[str, ir.Block]
    borrowed: Mapping[str, Record] = NO_CALLS
    known: KnownNode | None = None


class CallContext(NamedTuple):
    """The node of a call: its name and path, its sources, and the inputs and nodes that they name.

    `lent` are the calls whose modules it or its blocks share, by the names that it has for them.
    """

    name: str
    path: str
    span: Span
    sources: tuple[ir.Source, ...]
    made: Mapping[str, Made]
    trace: Trace | None
    lent: Mapping[str, Record] = NO_CALLS

    def keep(self, uses: Uses, use: object) -> None:
        """Record the first call of a layer in this body."""
        uses[self.trace] = use
        if self.trace is not None:
            self.trace.called.append(uses)

    def declare(self, operation: Operation, options: Mapping[str, object]) -> ir.Node:
        """Return the declared node, with the words `take`, `over`, `freeze`, ... of its options."""
        if not options or _WORDS.isdisjoint(options):  # as in most calls
            return ir.Node(self.name, self.span, operation, self.sources)
        own = own_options(operation)
        words = {k: v for k, v in options.items() if k in _WORDS and k not in own}
        take, over, freeze, training, _ = declare_words(words, self.span)
        return ir.Node(
            *(self.name, self.span, operation, self.sources, take, freeze),
            over=over,
            training=training,
        )

    def infer(
        self,
        operation: Operation,
        options: Mapping[str, object] = NO_OPTIONS,
        blocks: Mapping[str, ir.Block] = NO_BLOCKS,
    ) -> KnownNode:
        """Return the node typed alone; raise if anything is wrong with it."""
        report, node = Report(), self.declare(operation, options)
        # the cache of rules knows a written number by the identity of its expression, which is new in
        # each run of a function: plain numbers can be found again
        alone = node if self.trace is None else _PLAIN.node(node)
        around = [_with_sources(name, record) for name, record in self.lent.items()]
        known = infer_node(alone, self.made, report, blocks, self.path, around)
        raise_faults(report, self.span)
        assert known is not None
        return known if alone is node else known._replace(typed=replace(known.typed, declared=node))


def _with_sources(name: str, record: Record) -> dict[str, Made]:
    """Return a call under another name, and its sources under the names that they had at the call."""
    typed = record.made
    assert isinstance(typed, TypedNode)
    read = zip(typed.declared.sources or (), record.sources, strict=True)
    found = {at_call.name: source.record.made for at_call, (_, source) in read}
    return {**found, name: replace(typed, declared=replace(typed.declared, name=name))}


def _plain(option: Option) -> Option:
    """Return an option with plain numbers in place of numbers with expressions."""
    value = plain(option.value)
    return option if value is option.value else option._replace(value=value)


_PLAIN = Rewriter(option=_plain)


# Record an input or a call, and refer to one of its results.


BLOCK_OPTIONS = ("repeat", *BESIDE, *TRAINING)  # of a block's use, beside its params


# a layer made of others
Composite: TypeAlias = "BlockCall | Sequential"
Layer: TypeAlias = "Composite | LayerCall | EachCall | ItemCall"


watchers: list[Callable[[Record], None]] = []  # called with each new record


class Record:
    """An input, or one call of a layer on sources; each source may have the name of its argument.

    A call shares the module of the `lender`, a call outside of its block. `borrowed` are all calls that
    it, or the blocks that it uses, share from outside, by the names that stand for them in the blocks.

    A part of an existing graph has the name of that in `graph`; a node of it has no layer, and `needs`
    are the nodes whose modules it shares by name. `known` is the typed node if graphs can take it over.
    """

    __slots__ = (
        "blocks",
        "borrowed",
        "graph",
        "key",
        "known",
        "layer",
        "lender",
        "made",
        "name",
        "needs",
        "number",
        "sources",
        "span",
        "stem",
        "trace",
    )

    def __init__(
        self,
        made: Made,
        span: Span,
        name: str | None,
        stem: str,
        trace: Trace | None,
        layer: Layer | None = None,
        sources: tuple[tuple[str | None, Reference], ...] = (),
        blocks: Mapping[str, ir.Block] = NO_BLOCKS,
        borrowed: Mapping[str, Record] | None = None,
        lender: Record | None = None,
        graph: str = "",
        known: KnownNode | None = None,
    ) -> None:
        self.number = new_number()  # in the order of calls
        self.borrowed = borrowed or {}
        self.lender = lender
        self.made = made
        self.span = span
        self.name = name
        self.stem = stem
        self.trace = trace
        self.layer = layer
        self.sources = sources
        self.blocks = blocks
        self.graph = graph
        self.known = known
        self.key = ""  # of the placeholder, made when it is first needed
        self.needs: tuple[Record, ...] = ()
        for watch in watchers:
            watch(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return reduced(self)

    def __setstate__(self, given: tuple[dict[str, Any], list[tuple[Uses, object]]]) -> None:
        state, marked = given
        for name, value in state.items():
            setattr(self, name, value)
        self.sources = tuple([(key, Reference(*source)) for key, *source in state["sources"]])
        for uses, use in marked:  # this is the first call of its layer
            uses[None] = use

    @property
    def label(self) -> str:
        """The name, or the beginning of the name that making the graph gives."""
        return self.name or self.stem

    @property
    def results(self) -> Mapping[str, TensorType]:
        """The type of every port; a sole result is the port ""."""
        if isinstance(self.made, GivenGroup):
            return self.made.types
        return {"": self.made.type} if isinstance(self.made, Given) else self.made.results

    @property
    def default(self) -> str | None:
        """The port of a handle that names none; None if there is no default port."""
        if isinstance(self.made, GivenGroup):
            return None
        return "" if isinstance(self.made, Given) else self.made.default


class Reference:
    """Refers to one result of a record: to the port named, or to the default one."""

    __slots__ = ("port", "record")

    def __init__(self, record: Record, port: str | None = None) -> None:
        self.record = record
        self.port = port

    def typed(self) -> TensorType:
        """Return the type, without recording that the block's function asked for it."""
        found = self.record.results.get(self.port or self.record.default or "")
        return self._learned() if found is None or self.port == "" else found

    def _learned(self) -> TensorType:
        """Return the type of a weight, which is not among the results; raise if there is none."""
        report, span = Report(), user_line()
        source = ir.Source(self.record.label, self.port, span)
        weight = infer_port(source, self.record.made, report)
        if report.diagnostics:
            note_refusal()
        raise_faults(report, span)
        assert weight is not None
        return weight


# Share one module between calls of a layer: in one body, or in a block that calls a layer from outside.


def outer_call(layer: Layer, trace: Trace | None) -> Record | None:
    """Return the first call of a layer with weights in the graph or block that calls the function of
    this block; None if there is none."""
    while trace is not None:
        trace = trace.outer
        found = layer.uses.get(trace)
        if isinstance(found, Record) and isinstance(found.made, TypedNode):
            return found.lender or (found if found.made.operation.has_state else None)
    return None


def has_blocks(record: Record) -> bool:
    """Return whether a call is of a block, or of a layer that has one: no block can share it."""
    assert isinstance(record.made, TypedNode)
    return any(True for _ in used_bodies(unwrap(record.made.operation)))


def placeholder(record: Record) -> str:
    """Return the name of an outer call in a block until its graph names it; no node can have it."""
    record.key = record.key or unique_key()
    return f"{record.stem} {record.key}"


def lent_to(context: CallContext, borrowed: Mapping[str, Record]) -> CallContext:
    """Return the context with the outer calls that blocks share."""
    return context._replace(lent={**context.lent, **borrowed})


def optional_given(
    layer: Layer | None, sources: Iterable[tuple[str | None, object]]
) -> AbstractSet[str]:
    """Return the optional inputs that a call gives, by name or by position."""
    if layer is None or not layer.optional:
        return frozenset()
    named = zip(layer.argument_names, sources, strict=False)
    return {key or name for name, (key, _) in named} & layer.optional


def used_already(layer: object, span: Span) -> SpecError:
    """Return the error for a layer that would become two modules, or one module with two keys."""
    message = f"{layer!r} is used already, and in a Sequential it would have its own weights"
    return spec_error("bad-option", message, span, "make another, or call the Sequential twice")
