"""Lift packed sequences: a recurrent layer takes the padded sequence and its lengths instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.importer.draft import Node, Port
from mimgraph.importer.lift.batch_axis import bind_sequence, swapped
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.trace.records import Call, Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

SORTING = ("sort", "index_select", "to", "cpu", "long", "int", "as_tensor", "clone", "detach")


class PackedOutput(NamedTuple):
    """What a recurrent layer gives for a packed sequence, and the order that it is sorted back by."""

    output: Port
    lengths: Port
    unsorted_indices: Any


class PackedSource(NamedTuple):
    """What a packed sequence was made of."""

    padded: Value
    lengths: Value
    batch_first: bool

    def sources(self, body: BodyLifter, call: Call) -> dict[str, Port]:
        """Return the sources of a recurrent layer."""
        if self.lengths.rank != 1 or str(self.lengths.sizes[0]) != "N":
            raise CannotLift("lengths", "a sequence is packed by lengths that are not (N,)", call)
        x = body.source(self.padded)
        if not self.batch_first:
            x = swapped(body, x, call.place)
        return {"input": x, "lengths": body.source(self.lengths)}


@lifts("_pack_padded_sequence")
def pack(
    body: BodyLifter, step: Step, input: Value, lengths: Value, batch_first: bool = False
) -> None:
    data = step.results[0]
    source = PackedSource(_before_sorting(input), _before_sorting(lengths), batch_first)
    body.lifter.packed[id(data)] = source


def _before_sorting(value: Value) -> Value:
    """Return the tensor that `pack_padded_sequence` sorted by lengths."""
    while isinstance(value.maker, Step) and value.maker.function in SORTING:
        value = value.maker.arguments[0]
    return value


@lifts("_pad_packed_sequence")
def pad(
    body: BodyLifter,
    step: Step,
    data: Value,
    batch_sizes: Value,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: Any = None,
) -> None:
    """Let the output of the layer be the padded sequence, in the order of the samples too."""
    if id(data) not in body.lifter.unpacked or padding_value != 0:
        message = "pad_packed_sequence of what no recurrent layer gives, or not with zeros"
        raise CannotLift("packed", message, place=step.place)
    output, lengths, order = body.lifter.unpacked[id(data)]
    padded, counted = step.results
    steps = padded.sizes[1 if batch_first else 0]
    comment = f"padded to {steps}; pad_packed_sequence without total_length pads to the longest"
    if isinstance(output.node, Node):
        output.node.comments.append(comment)
    for value in (padded, *_sorted_back(body, padded, order)):
        bind_sequence(body, body.call, value, output, batch_first)
    for value in (counted, *_sorted_back(body, counted, order)):
        body.bind(value, lengths)


def _sorted_back(body: BodyLifter, value: Value, order: Any) -> list[Value]:
    """Return the results of the steps of torch that put the samples of a value back in order."""
    steps = (item for item in body.call.items if isinstance(item, Step))
    return [
        step.results[0]
        for step in steps
        if step.function in ("index_select", "__getitem__")
        and step.args[0] is value
        and isinstance(step.args[-1], Value)
        and _before_sorting(step.args[-1]) is order
    ]
