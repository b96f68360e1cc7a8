"""The language as a JSON Schema (draft 2020-12), made from the registered layers and merges, for editors.

It describes the structure of a spec, but not what names refer to (sources, params, blocks, sizes).
Editors complete and check best if a node's layer chooses one branch by `if`, so that only the
options of that layer count, and if names are an `anyOf` of `const`, so that each has its own text.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Collection

from mimgraph.declare.search_space import MAX_CHOICES
from mimgraph.ir.grammar import NODE_WORDS, PLACES
from mimgraph.ir.names import EMITTED, REFUSED, REFUSED_FOR_INPUTS
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import DTYPES, INTEGER
from mimgraph.language.schema.nodes import nodes
from mimgraph.language.schema.values import (
    CLOSED,
    EXPRESSION,
    FLAG,
    IDENTIFIER,
    SWITCH,
    Json,
    any_of,
    keys,
    named,
    named_inputs,
    ref,
    value,
    values,
)

NAME = "^(?!__)[A-Za-z_][A-Za-z0-9_]*$"
LINEAR = r"^[\w$()*/%+ -]*[\w)] *[*+-] *[\w$(][\w$()*/%+ -]*$"  # such as 8*H, $patch*H + 1
SOURCE = r"^[A-Za-z_][A-Za-z0-9_]*(\..+)?$"


def declared() -> Json:
    """Return the definitions of names, params, inputs, outputs and blocks."""
    return {**_names(), **_params(), **_inputs(), **_outputs(), "block_of_spec": _block()}


def _names() -> Json:
    """Return the definitions of names, sizes, shapes and sources."""
    taken = {*keyword.kwlist, *REFUSED}
    texts = f"{NAME}|{EXPRESSION}|{LINEAR}"
    size = {"type": ["integer", "string"], "minimum": 1, "pattern": texts}
    return {
        "name": _name(taken),
        "input_name": _name({*taken, *REFUSED_FOR_INPUTS}),
        "class_name": _name({*taken, *EMITTED}),
        "size": {**size, "not": {"enum": sorted({"N", *taken})}},
        "shape": {"type": "array", "items": ref("size")},
        "source": {"type": "string", "pattern": SOURCE},
    }


def _name(refused: Collection[str]) -> Json:
    return {"type": "string", "pattern": NAME, "not": {"enum": sorted(refused)}}


def _params() -> Json:
    """Return the definitions of params; a block's may not have the name of a key of a node."""
    taken = {*keyword.kwlist}
    name = {"pattern": NAME, "not": {"enum": sorted(taken)}}
    own = {"pattern": NAME, "not": {"enum": sorted({*taken, *NODE_WORDS})}}
    kinds = ["number", "boolean", "string", "array", "null"]
    plain = {**ref("data"), "type": kinds}
    return {
        "params": {
            "type": "object",
            "additionalProperties": any_of(plain, ref("searched")),
            "propertyNames": name,
        },
        "searched": {
            **CLOSED,
            "properties": part("a param", search=_search(), default=plain),
            "required": ["search"],
        },
        "block_params": {
            "type": "object",
            "additionalProperties": plain,
            "propertyNames": ref("block_param"),
        },
        "block_param": own,
    }


def _search() -> Json:
    """Return the schema of the values to search: a list, or a range of integers or numbers."""

    def bounds(kind: str) -> Json:
        return {"type": "array", "items": {"type": kind}, "minItems": 2, "maxItems": 2}

    step = {"type": "number", "exclusiveMinimum": 0}
    ranges = part("a search", int=bounds("integer"), float=bounds("number"), step=step)
    only_one = [{"required": ["int"]}, {"required": ["float"]}]
    choices = {"type": "array", "minItems": 1, "maxItems": MAX_CHOICES}
    return any_of(choices, {**CLOSED, "properties": ranges, "oneOf": only_one})


def _inputs() -> Json:
    """Return the definitions of an input of the graph, and of the inputs of a block."""
    pattern = {
        **CLOSED,
        "type": ["array", "object", "null"],
        "items": ref("size"),
        "properties": part("an input of a block"),
    }
    names = {"type": "array", "items": ref("input_name"), "minItems": 1, "uniqueItems": True}
    return {
        "input": {
            **CLOSED,
            "type": ["array", "object"],
            "items": ref("size"),
            "properties": part("an input"),
            "anyOf": [{"type": "array"}, {"required": ["shape"]}, {"required": ["vocab"]}],
            "if": {"required": ["vocab"]},
            "then": {"properties": {"dtype": {"enum": list(INTEGER)}}},
        },
        "block_inputs": {"anyOf": [ref("input_name"), names, named_inputs(pattern)]},
    }


def _outputs() -> Json:
    """Return the definitions of outputs: a source, a list, or a mapping by name."""
    detailed = part("an output")
    by_name = {
        "type": "object",
        "propertyNames": {"pattern": IDENTIFIER},
        "additionalProperties": ref("output"),
        "minProperties": 1,
    }
    # in a list a port needs a name
    unnamed = {"type": "string", "pattern": NAME}
    items = {"anyOf": [unnamed, {**by_name, "maxProperties": 1}]}
    listed = {"type": "array", "items": items, "minItems": 1}
    return {
        "output": {
            "anyOf": [ref("source"), {**CLOSED, "properties": detailed, "required": ["from"]}]
        },
        "outputs": {"anyOf": [ref("source"), listed, by_name]},
    }


def _block() -> Json:
    """Return the schema of a block: a graph or a chain."""
    one_input = {"maxItems": 1, "maxProperties": 1}
    return {
        **CLOSED,
        "properties": part(
            "a block",
            params=ref("block_params"),
            nodes=named(ref("node_beside_blocks")),
            seq=ref("chain_beside_blocks"),
        ),
        "if": {"required": ["seq"]},
        "then": {"properties": {"inputs": one_input, "nodes": False, "outputs": False}},
        "else": {"required": ["inputs", "nodes", "outputs"]},
    }


# The language as a JSON Schema (draft 2020-12), made from the registered layers and merges, for
# editors.
#
# It describes the structure of a spec, but not what names refer to (sources, params, blocks,
# sizes). Editors complete and check best if a node's layer chooses one branch by `if`, so that
# only the options of that layer count, and if names are an `anyOf` of `const`, so that each has
# its own text.


PATH = r"^(?!/)[^$\\:]+$"  # of a part, from the folder of the spec
AMOUNT = r"^\d+(\.\d+)?[KMGT]?$"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def text() -> str:
    """Return the schema as JSON, with a line for each definition."""
    whole = schema()
    defs = whole.pop("$defs")
    dense = json.JSONEncoder(separators=(",", ":")).encode
    lines = ",\n".join(f"{dense(name)}: {dense(one)}" for name, one in defs.items())
    return f'{json.dumps(whole, indent=2)[:-2]},\n  "$defs": {{\n{lines}\n  }}\n}}\n'


def schema() -> Json:
    """Return the schema of a spec, with the layers and merges that are registered."""
    return {
        "$schema": DIALECT,
        "description": "A PyTorch model: named inputs, nodes and outputs.",
        **_spec(),
        "$defs": {**declared(), **nodes(), **values()},
    }


def _spec() -> Json:
    """Return the schema of the top level; items of a chain may be blocks only if the spec has blocks
    or parts."""
    return {
        **CLOSED,
        "properties": part("a spec", limits=_limits(), nodes={}),
        "required": ["inputs", "nodes", "outputs"],
        "if": {"anyOf": [{"required": ["blocks"]}, {"required": ["parts"]}]},
        "then": {"properties": {"nodes": named(ref("node_beside_blocks"))}},
        "else": {"properties": {"nodes": named(ref("node"))}},
    }


def _limits() -> Json:
    """Return the schema of the limits of the cost."""
    return {**CLOSED, "properties": part("limits")}


def part(place: str, **special: Json) -> Json:
    """Return the schemas of the keys of a part of a spec, by the kinds of their values unless they are
    special, with their descriptions."""
    return keys(
        **{key: special.get(key) or SCHEMAS.get(kind, {}) for key, kind in PLACES[place].items()}
    )


# the schemas of the kinds of values that the grammar has outside of nodes
SCHEMAS: dict[str, Json] = {
    "version": {"enum": [1, "1"]},
    "text": {"type": "string"},
    "class name": ref("class_name"),
    "flag": FLAG,
    "switch": SWITCH,
    "axis": {"type": "integer"},
    "amount": {"type": ["number", "string"], "minimum": 0, "pattern": rf"{AMOUNT}|{EXPRESSION}"},
    "count": value(Positive),
    "dtype": {"enum": list(DTYPES)},
    "only": {"const": "training"},
    "shape": ref("shape"),
    "sizes": named({"type": ["integer", "string"], "minimum": 1, "pattern": EXPRESSION}),
    "source": ref("source"),
    "params": ref("params"),
    "parts": named({"type": "string", "pattern": PATH}),
    "inputs": named_inputs(ref("input")),
    "inputs of a block": ref("block_inputs"),
    "blocks": named(ref("block_of_spec")),
    "outputs": ref("outputs"),
    "outputs of a block": ref("outputs"),
}
