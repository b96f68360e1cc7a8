"""Record an input or a call, and refer to one of its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from mimgraph.builder.handles.call_context import NO_BLOCKS
from mimgraph.builder.handles.pickled import reduced
from mimgraph.builder.tracing.trace import Trace, note_refusal
from mimgraph.builder.user_line import raise_faults, user_line
from mimgraph.diagnostics import Report
from mimgraph.infer.graph import Given, GivenGroup, Made, infer_port
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.names import BESIDE, TRAINING
from mimgraph.ir.types import TensorType
from mimgraph.ops.layer_call import EachCall, ItemCall, LayerCall, Uses
from mimgraph.source import Span
from mimgraph.support.objects import new_number

if TYPE_CHECKING:
    from mimgraph.builder.blocks.call import BlockCall
    from mimgraph.builder.sequential import Sequential

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
    are the nodes whose modules it shares by name.
    """

    __slots__ = (
        "blocks",
        "borrowed",
        "graph",
        "key",
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
