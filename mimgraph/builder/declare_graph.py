"""Declare the graph that computes given outputs, with their options, and name its blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from mimgraph.builder.declare_body import BodyOutput, GraphOfCalls, graph_of
from mimgraph.builder.declare_layer import as_declared
from mimgraph.builder.inputs import Inputs, public_inputs
from mimgraph.builder.names import check_output_name
from mimgraph.builder.records import Record
from mimgraph.builder.tensor import Tensor
from mimgraph.builder.user_line import spec_error, user_line
from mimgraph.declare.sections import read_limits
from mimgraph.declare.tree import mapping_of, scalar_of
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import DeclaredLimits
from mimgraph.ir.names import class_fault
from mimgraph.ops.deprecated import PYTHON, warn
from mimgraph.ops.layer_call import Applicable
from mimgraph.source import Span
from mimgraph.support.arguments import as_flag, as_mapping, as_plain, as_text, plain, wrong
from mimgraph.support.entry_point import entry_point, entry_points


@entry_points
@dataclass(frozen=True, slots=True)
class Output:
    """An output with its doc: `mg.Graph({"logits": mg.Output(a, doc="Before softmax.")})`.

    With `only="training"` the model returns it in training mode only; `training_only=True` is the
    deprecated spelling.
    `batch_dim` is the axis to which the batch is moved: with 1, (N, T, C) is given as (T, N, C).
    """

    handle: Tensor
    doc: str = ""
    training_only: bool = False
    batch_dim: int | None = None
    only: Literal["training"] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.handle, Tensor):
            wants = "a handle: mg.Input(...) or what a layer returned"
            raise wrong("an output", wants, self.handle)
        as_text("a doc", self.doc)
        if self.only not in (None, "training"):
            raise wrong("only", '"training" or None', self.only)
        is_only = as_flag("training_only", self.training_only) or self.only == "training"
        if is_only and self.only is None:
            old = "mg.Output(training_only=True)"
            warn(old, PYTHON[old])
        batch_dim = plain(self.batch_dim)
        if isinstance(batch_dim, bool) or not isinstance(batch_dim, int | None):
            raise wrong("batch_dim", "an integer or None", batch_dim)
        # one value for each, however it was given
        object.__setattr__(self, "training_only", is_only)
        object.__setattr__(self, "only", "training" if is_only else None)
        object.__setattr__(self, "batch_dim", batch_dim)


@entry_point
def training_only(handle: Tensor, doc: str = "") -> Output:
    """Mark an output that only training has: `mg.Graph({"logits": a, "aux": mg.training_only(b)})`."""
    return Output(handle, doc, only="training")


Given: TypeAlias = Tensor | Output
# not `Iterable`, as a dict is one, and a type checker could not tell which of the two it should be
Outputs: TypeAlias = (
    Given | Sequence[Given] | Iterator[Given] | ValuesView[Given] | Mapping[str, Given]
)


def public_outputs(outputs: Outputs, span: Span) -> list[BodyOutput]:
    """Return the outputs with their public names; "" stands for the name of the node."""
    if isinstance(outputs, Tensor | Output):
        outputs = [outputs]
    if isinstance(declared := getattr(outputs, "declared", None), ir.Graph):
        names = ", ".join(output.name for output in declared.outputs)
        raise TypeError(
            f"outputs is a graph already, {declared.name}, and it computes {names}: use it as it is, or"
            ' take a handle of it, graph["NAME"], to build on'
        )
    if isinstance(outputs, str | Applicable) or not isinstance(outputs, Iterable):
        raise wrong("outputs", "a handle, a list of them or a dict by name", outputs)
    named = isinstance(outputs, Mapping)
    given = outputs.items() if isinstance(outputs, Mapping) else (("", one) for one in outputs)
    pairs = [(name, one if isinstance(one, Output) else Output(one)) for name, one in given]
    if not pairs:
        raise spec_error("missing-key", "outputs is missing", span, "a graph needs outputs")
    seen: set[Record] = set()
    for name, output in pairs:
        record, port = output.handle.record, output.handle.port
        if record.trace is not None:
            message = f"{record.label} was made inside the block {record.trace.family}"
            raise spec_error("unknown-source", message, span, "return it from the block")
        if named:
            check_output_name(name, span)
        elif len(pairs) > 1 and port is not None:
            help = f"{{{port!r}: ...}} instead of a list"
            raise spec_error("wrong-type", "a port in a list needs a name", span, help)
        elif record in seen:
            raise spec_error("duplicate-name", f"{record.label} is an output already", span)
        seen.add(record)
    return [
        BodyOutput(name, one.handle, one.doc, one.training_only, one.batch_dim)
        for name, one in pairs
    ]


def declare_graph(
    outputs: Outputs, name: str, doc: str, limits: GivenLimits | None = None
) -> GraphOfCalls:
    """Return the graph that computes these outputs."""
    span = user_line()
    reason = class_fault(name) if isinstance(name, str) else "a name is a string"
    if reason is not None:
        raise spec_error("bad-name", f"{name!r} cannot be a class name", span, reason)
    declared = graph_of(public_outputs(outputs, span), name, span)
    given = declare_limits(limits, span)
    return declared._replace(graph=replace(declared.graph, doc=doc, limits=given))


def declare_model(
    inputs: Inputs,
    outputs: Outputs,
    name: str,
    doc: str,
    limits: GivenLimits | None = None,
) -> GraphOfCalls:
    """Return the graph that computes the outputs from these inputs, in their order; raise a fault if
    it needs others, or if it does not need one of them."""
    span = user_line()
    declared = declare_graph(outputs, name, doc, limits)
    given = public_inputs(inputs, span)
    needed = {one.name: one for one in declared.graph.inputs}
    for one in given:
        if one is not needed.get(one.name):
            message = f"{one.name} is among inputs, but no output depends on it"
            raise spec_error("unused-input", message, span, "remove it from inputs")
    missing = [one for one in needed if one not in {one.name for one in given}]
    if missing:
        message = f"the outputs depend on {', '.join(missing)}, which inputs lacks"
        help = f"inputs=[{', '.join([*(one.name for one in given), *missing])}]"
        raise spec_error("unknown-source", message, span, help)
    return declared._replace(graph=replace(declared.graph, inputs=given))


GivenLimits: TypeAlias = Mapping[str, int | str | Mapping[str, int]]

EXAMPLE = '{"parameters": "20M", "macs": "2G"}'


def declare_limits(given: GivenLimits | None, span: Span) -> DeclaredLimits | None:
    """Return the limits as declared at the user's line `span`; None if there are none."""
    limits = as_mapping("limits", given, EXAMPLE)
    if not limits:
        return None
    sizes = as_mapping("sizes in limits", limits.pop("sizes", None), '{"T": 128}')
    key = scalar_of("limits", span)
    data = {name: as_plain(name, value) for name, value in limits.items()}
    tree = mapping_of({**data, **({"sizes": sizes} if sizes else {})}, span)
    return as_declared(span, lambda context: read_limits(context, key, tree))
