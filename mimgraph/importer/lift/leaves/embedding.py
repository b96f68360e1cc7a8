"""Lift embeddings: the number of their vectors is the vocab of the input that they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mimgraph.importer.draft import Body, Op
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
    op = body.nodes_by_path[call.path].op
    if op is not None:
        op.options["num_embeddings"] = call.module.num_embeddings
        origin = _origin(call.arguments[0])
        body.lifter.embeddings.append((op, origin.path if origin.kind == "input" else ""))


def _origin(value: Value) -> Value:
    """Return the tensor that the categories come from, before slices and views."""
    while isinstance(value.maker, Step) and value.maker.function in SAME_CATEGORIES:
        value = value.maker.arguments[0]
    return value


def set_vocabs(root: Body, embeddings: Sequence[tuple[Op, str]], given: Mapping[str, int]) -> None:
    """Give the inputs of a model their vocabs, and leave these out of the embeddings that read them.

    `embeddings` has each embedding with the input that it reads, "" if it reads another tensor. An
    input that embeddings of different sizes read has no vocab.
    """
    counts = dict[str, set[int]]()
    for op, name in embeddings:
        counts.setdefault(name, set()).add(op.options["num_embeddings"])
    for one in root.inputs:
        found = counts.get(one.name, {given.get(one.name)})
        one.vocab = next(iter(found)) if len(found) == 1 else None
    known = {one.name for one in root.inputs if one.vocab is not None}
    needed = {id(op) for op, name in embeddings if name not in known}
    for op, _ in embeddings:
        if id(op) not in needed:
            op.options.pop("num_embeddings", None)
