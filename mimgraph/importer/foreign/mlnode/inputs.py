"""Read the inputs of a model: all have one shape, and those that feed embeddings hold categories."""

from __future__ import annotations

import re
from typing import Any

from mimgraph.importer.foreign.located import Located, refuse
from mimgraph.importer.foreign.mlnode.file import Body
from mimgraph.ir.names import free_name, name_fault

EMBEDDINGS = ("Embedding", "EmbeddingBag")
LARGEST = 1 << 40


def read_inputs(data: Located, body: Body, names: dict[str, str]) -> dict[str, Any]:
    """Return the inputs of the spec; `names` has the nodes that the result needs, by id."""
    found = {}
    for id in body.inputs:
        if id in names:
            shape = _shape(data, set(names.values()))
            found[names[id]] = _with_vocab(shape, body, id)
    return found


def _shape(data: Located, taken: set[str]) -> list[int | str]:
    """Return the sizes after the batch. "*" is a size of its own each time, other names are one size."""
    written = data.need("input_shape", tuple, "a list of sizes, the batch first")
    if not written.items:
        refuse("wrong-type", "input_shape must begin with the batch", written.span)
    shape: list[int | str] = []
    for size in written.items[1:]:
        value = size.value
        if type(value) is int and 0 < value <= LARGEST:
            shape.append(value)
        elif value == "*":
            shape.append(free_name("size", taken))
            taken.add(str(shape[-1]))
        elif isinstance(value, str) and re.fullmatch(r"[A-Za-z]\w{0,40}", value, re.ASCII):
            usable = value != "N" and value not in taken and not name_fault(value)
            shape.append(value if usable else f"{value}_size")
        else:
            refuse("bad-option", "a size must be a number above 0 or a name", size.span)
    return shape


def _with_vocab(shape: list[int | str], body: Body, id: str) -> Any:
    """Return an input with its number of categories, if what it feeds is an embedding."""
    fed = [node for node in body.nodes.values() if any(one.source == id for one in node.edges)]
    if not any(node.type in EMBEDDINGS for node in fed):
        return shape
    numbers = {node.params.get("num_embeddings") for node in fed if node.type in EMBEDDINGS}
    number = numbers.pop() if len(numbers) == 1 else None
    if type(number) is int and all(node.type in EMBEDDINGS for node in fed):
        return {"shape": shape, "vocab": number}
    return {"shape": shape, "dtype": "int64"}
