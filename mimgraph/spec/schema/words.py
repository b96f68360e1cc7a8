"""The words of the schema: what each key is about, and the few shapes that schemas are built from."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

IDENTIFIER = "^[A-Za-z_][A-Za-z0-9_]*$"
EXPRESSION = r"^\$([A-Za-z_][A-Za-z0-9_]*|\([\s\S]+\))$"

FLAG: Json = {"type": "boolean"}
CLOSED: Json = {"type": "object", "additionalProperties": False}
COMPUTED: Json = {"type": "string", "pattern": EXPRESSION}
# a text that begins with a $ is an expression
TEXT: Json = {"type": "string", "pattern": rf"^(?!\$)|{EXPRESSION}"}

ABOUT = {
    "mimgraph": "The version of the language.",
    "name": "The class name of the emitted module.",
    "doc": "What it is, in words.",
    "params": "Values that stand in the spec as `$name` and can be overridden: `--set hidden=128`.",
    "inputs": "Tensors by name: a shape without the batch, or `{shape, dtype, vocab, doc, optional}`.",
    "blocks": "Sub-graphs with parameters, or chains, to be used again.",
    "nodes": "What is computed, by name, in any order.",
    "outputs": "A source, a list of them, or `{public_name: source}`.",
    "layer": "A layer of torch.nn, a reshape or a function of torch.",
    "merge": "What joins several sources.",
    "seq": "A chain of layers and blocks: one `nn.Sequential`.",
    "block": "A block of this spec.",
    "share": "A node whose module, with its weights, is used again.",
    "parameter": "A learned tensor of this shape.",
    "buffer": "A fixed tensor of this shape.",
    "arange": "The positions along an axis of this source.",
    "from": "The source, a list of sources, or sources by argument.",
    "each": "Sources, to each of which this is applied with weights of its own.",
    "with": "Options that differ from source to source, a list each.",
    "take": "The port that a plain use of this node means.",
    "freeze": "No gradients, and evaluation mode while the rest trains.",
    "activation": "An activation applied to the result: a layer's name, or `{name: options}`.",
    "repeat": "How often the block stands in a row, each time with weights of its own.",
    "shape": "Sizes or names of sizes, without the batch.",
    "dtype": "float32 if left out; int64 with a vocab.",
    "vocab": "The number of categories.",
    "optional": "The caller may leave it out.",
    "only": "Left out in evaluation.",
    "times": "How often.",
    "shared": "One module, used again and again.",
}


def ref(name: str) -> Json:
    """A definition by its name."""
    return {"$ref": f"#/$defs/{name}"}


def refs(*names: str) -> Json:
    """Keys whose definitions have their names."""
    return {name: ref(name) for name in names}


def about(key: str) -> Json:
    """What a key is about, plain and as Markdown."""
    return {"description": ABOUT[key].replace("`", ""), "markdownDescription": ABOUT[key]}


def keys(**schemas: Json) -> Json:
    """The schemas of keys, each with what it is about; a name that Python keeps ends in `_`."""
    return {(key := name.rstrip("_")): {**one, **about(key)} for name, one in schemas.items()}


def any_of(*alternatives: Json) -> Json:
    """One of several; of one, that one."""
    return {"anyOf": list(alternatives)} if len(alternatives) > 1 else alternatives[0]


def only_one(named: Json, others: Json | bool = False) -> Json:
    """A mapping of one key: one of those, or another."""
    return {
        "type": "object",
        "properties": named,
        "additionalProperties": others,
        "minProperties": 1,
        "maxProperties": 1,
    }


def named(things: Json) -> Json:
    """Things of a graph by name."""
    return {"type": "object", "propertyNames": ref("name"), "additionalProperties": things}


def named_inputs(things: Json) -> Json:
    """The inputs of a graph or block by name, at least one."""
    return {**named(things), "propertyNames": ref("input_name"), "minProperties": 1}


def lists(items: Json) -> Json:
    """One value for each of several sources or repeats."""
    return {"type": ["array", "string"], "pattern": EXPRESSION, "items": items}
