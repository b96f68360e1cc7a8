"""Lift embeddings: the number of their vectors is the vocab of the input that they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mimgraph.importer.draft import Body, Node
from mimgraph.importer.lift.leaves.table import lifts_class, plain_layer
from mimgraph.importer.trace.records import Call, Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

# functions whose result has the categories of their argument
SAME_CATEGORIES = frozenset(
    [
        *("__getitem__", "select", "narrow", "unsqueeze", "squeeze", "view", "reshape", "flatten"),
        *("transpose", "permute", "expand", "contiguous", "clone", "long", "int", "to", "flip"),
    ]
)


@lifts_class("Embedding", "EmbeddingBag")
def embedding(body: BodyLifter, call: Call) -> None:
    plain_layer(body, call)
    node = body.nodes_by_path[call.path]
    if node.op is None:
        return
    node.op.options["num_embeddings"] = call.module.num_embeddings
    origin = _origin(call.arguments[0])
    if origin.kind == "input":
        body.lifter.embedded[origin.path].append(node)


def _origin(value: Value) -> Value:
    """Return the tensor that the categories come from, before slices and views."""
    while isinstance(value.maker, Step) and value.maker.function in SAME_CATEGORIES:
        value = value.maker.arguments[0]
    return value


def set_vocabs(
    root: Body, embedded: Mapping[str, Sequence[Node]], given: Mapping[str, int]
) -> None:
    """Give the inputs of a model their vocabs, and leave these out of the embeddings that read them.

    An input that embeddings of different sizes read has none.
    """
    for one in root.inputs:
        one.vocab = given.get(one.name)
        ops = [node.op for node in embedded.get(one.name, ()) if node.op is not None]
        counts = {op.options["num_embeddings"] for op in ops}
        if not counts:
            continue
        one.vocab = counts.pop() if len(counts) == 1 else None
        if one.vocab is not None:
            for op in ops:
                del op.options["num_embeddings"]
