"""Call a whole graph as a layer of another."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from mimgraph.builder.blocks.call import BlockCall, DeclaredBlock, Family
from mimgraph.builder.blocks.spec_blocks import SpecBlocks
from mimgraph.builder.blocks.substitute import Values, with_values
from mimgraph.builder.content_key import content_key
from mimgraph.builder.declare_layer import option
from mimgraph.builder.handles.call_context import CallContext
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.builder.node_names import snake_case
from mimgraph.builder.tracing.watched import Watched, unwatched
from mimgraph.builder.user_line import raise_faults, spec_error
from mimgraph.diagnostics import Report
from mimgraph.infer.declared import input_types, params
from mimgraph.infer.named_ops import choose
from mimgraph.infer.outer_shares import outer_shares
from mimgraph.infer.scope import State
from mimgraph.infer.structure import needed_for
from mimgraph.ir import graph as ir
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import plain
from mimgraph.ir.names import NODE_WORDS
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry
from mimgraph.ops.layer_call import is_source
from mimgraph.source import Span

_PARAMS = (Watched, bool, int, float, str, Dim, list, tuple, Mapping, type(None))

InputTypes = Mapping[str, TensorType | None]


class GraphLayer(Family):
    """A graph that is called like a block; its params are the block's.

    All calls on handles with the same params share one module. Outputs for training only are left
    out. Optional inputs come last, as a block runs on its first input.
    """

    def __init__(self, graph: ir.Graph) -> None:
        self.graph = graph
        is_layer = registry.find("layer", graph.name) is not None
        self.name = f"{graph.name}_" if is_layer else graph.name
        self.span = graph.origin
        self.ordered = sorted(graph.inputs, key=lambda declared: declared.optional is not False)
        self.inputs = tuple(i.name for i in self.ordered)
        self.defaults = graph.params
        self.declared: dict[Hashable, tuple[DeclaredBlock, InputTypes]] = {}  # by params
        self.calls: dict[Hashable, BlockCall] = {}  # by params

    def call(self, args: tuple[object, ...], keywords: dict[str, Any]) -> Tensor | BlockCall:
        """Call the graph; raise a `TypeError` if an argument is neither a handle nor plain data."""
        for value in (*args, *keywords.values()):
            if not (is_source(value) or isinstance(value, _PARAMS)):
                message = "a graph is called on handles, and the module that it compiles to on"
                raise TypeError(f"{message} {type(value).__name__}s: graph.compile()(...)")
        return super().call(args, keywords)

    @property
    def stem(self) -> str:
        return snake_case(self.graph.name)

    def applied(self, params: Mapping[str, object]) -> BlockCall:
        """Return the layer for these params, the same for equal ones."""
        key = tuple(sorted((name, _key_of(value)) for name, value in params.items()))
        return self.calls.setdefault(key, super().applied(params))

    def declare(
        self,
        arguments: list[Mapping[str, object]],
        types: dict[str, TensorType],
        context: CallContext,
        counter: str = "",
    ) -> DeclaredBlock:
        """Return the graph as a block; raise if a source does not fit its input."""
        given = {name: plain(value) for name, value in arguments[0].items()}
        if any(content_key(other) != content_key(arguments[0]) for other in arguments):
            raise spec_error("bad-option", "a graph has the same params each time", context.span)
        key = content_key(given)
        if key not in self.declared:
            self.declared[key] = self._declare(given, context.span)
        declared, wanted = self.declared[key]
        for name, type_ in wanted.items():
            if type_ is not None:
                self._check(name, type_, types[name], context.span)
        return declared

    def _declare(self, given: Values, span: Span) -> tuple[DeclaredBlock, InputTypes]:
        """Return the graph as a block for these params, and the types of its inputs."""
        own = {name: option(value, span) for name, value in given.items()}
        state = State(self.graph.blocks, Report())
        state.params = params(state, {**self.graph.params, **own})
        types, sizes = input_types(state, self.graph.inputs)
        graph = choose(self.graph, state.params, state.report)
        raise_faults(state.report, span)
        blocks = SpecBlocks(graph, state.params)
        # not a param of the block: one hidden by a size of its name, or named as a key of a node
        hidden = {n: v for n, v in state.params.items() if n in (*sizes, *NODE_WORDS) or v is None}
        # in the graph around it the batch of each output stays first
        always = (output for output in graph.outputs if not output.only_training)
        outputs = tuple(output._replace(doc="", batch_dim=None) for output in always)
        read = [output.source.name for output in outputs]
        shared = outer_shares(graph.blocks, [node.name for node in graph.nodes])
        needed = needed_for(graph.nodes, read, shared)
        block = ir.Block(
            self.name,
            self.span,
            {name: o for name, o in self.graph.params.items() if name not in hidden},
            tuple(ir.BlockInput(i.name, i.span, i.shape) for i in self.ordered),
            tuple(node for node in graph.nodes if node.name in needed),
            outputs,
            doc=self.graph.doc,
        )
        return blocks.declared(with_values(block, hidden)), types

    def _check(self, name: str, wants: TensorType, given: TensorType, span: Span) -> None:
        """Raise if a source has another dtype, vocabulary or batch; the block checks its shape."""
        what = f"{name} of {self.graph.name}"
        if given.dtype != wants.dtype:
            raise spec_error("dtype-mismatch", f"{what} is {wants.dtype}, not {given.dtype}", span)
        if wants.vocab not in (None, given.vocab):
            message = f"{what} has a vocab of {wants.vocab}, not {given.vocab or 'none'}"
            raise spec_error("dtype-mismatch", message, span)
        if given.has_moved_batch:
            message = f"{what} has the batch first, but {given} has it elsewhere"
            raise spec_error("batch-moved", message, span)
        if not given.batched:
            raise spec_error("rank-mismatch", f"{what} has a batch, but {given} has none", span)


def _key_of(value: Any) -> Any:
    """Return a key that differs for different values of params; for a watched number, its
    expression's."""
    if type(value) is Watched and value.expression is not None:
        return id(value.expression)
    return content_key(unwatched(value))
