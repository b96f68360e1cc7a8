"""The language as a JSON Schema (draft 2020-12), made from the registered layers and merges, for editors.

It describes the structure of a spec, but not what names refer to (sources, params, blocks, sizes).
Editors complete and check best if a node's layer chooses one branch by `if`, so that only the
options of that layer count, and if names are an `anyOf` of `const`, so that each has its own text.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Collection

from mimgraph.ir.declared_graph import LIMITED
from mimgraph.ir.grammar import NODE_WORDS
from mimgraph.ir.names import EMITTED, REFUSED, REFUSED_FOR_INPUTS
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import DTYPES, INTEGER
from mimgraph.language.reader.search_space import MAX_CHOICES
from mimgraph.language.schema.nodes import nodes
from mimgraph.language.schema.values import (
    CLOSED,
    EXPRESSION,
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
            "properties": keys(search=_search(), default=plain),
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

    step, log = {"type": "number", "exclusiveMinimum": 0}, {"type": "boolean"}
    ranges = keys(int=bounds("integer"), float=bounds("number"), step=step, log=log)
    only_one = [{"required": ["int"]}, {"required": ["float"]}]
    choices = {"type": "array", "minItems": 1, "maxItems": MAX_CHOICES}
    return any_of(choices, {**CLOSED, "properties": ranges, "oneOf": only_one})


def _inputs() -> Json:
    """Return the definitions of an input of the graph, and of the inputs of a block."""
    about = keys(
        shape=ref("shape"),
        dtype={"enum": list(DTYPES)},
        vocab=value(Positive),
        doc={"type": "string"},
        optional=SWITCH,
    )
    pattern = {
        **CLOSED,
        "type": ["array", "object", "null"],
        "items": ref("size"),
        "properties": {key: one for key, one in about.items() if key != "doc"},
    }
    names = {"type": "array", "items": ref("input_name"), "minItems": 1, "uniqueItems": True}
    return {
        "input": {
            **CLOSED,
            "type": ["array", "object"],
            "items": ref("size"),
            "properties": about,
            "anyOf": [{"type": "array"}, {"required": ["shape"]}, {"required": ["vocab"]}],
            "if": {"required": ["vocab"]},
            "then": {"properties": {"dtype": {"enum": list(INTEGER)}}},
        },
        "block_inputs": {"anyOf": [ref("input_name"), names, named_inputs(pattern)]},
    }


def _outputs() -> Json:
    """Return the definitions of outputs: a source, a list, or a mapping by name."""
    detailed = keys(
        from_=ref("source"),
        only={"const": "training"},
        batch_dim={"type": "integer"},
        doc={"type": "string"},
    )
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
        "properties": keys(
            doc={"type": "string"},
            params=ref("block_params"),
            inputs=ref("block_inputs"),
            nodes=named(ref("node_beside_blocks")),
            outputs=ref("outputs"),
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
        "properties": keys(
            mimgraph={"enum": [1, "1"]},
            name=ref("class_name"),
            doc={"type": "string"},
            params=ref("params"),
            inputs=named_inputs(ref("input")),
            parts=named({"type": "string", "pattern": PATH}),
            limits=_limits(),
            blocks=named(ref("block_of_spec")),
            nodes={},
            outputs=ref("outputs"),
        ),
        "required": ["inputs", "nodes", "outputs"],
        "if": {"anyOf": [{"required": ["blocks"]}, {"required": ["parts"]}]},
        "then": {"properties": {"nodes": named(ref("node_beside_blocks"))}},
        "else": {"properties": {"nodes": named(ref("node"))}},
    }


def _limits() -> Json:
    """Return the schema of the limits of the cost."""
    number = {"type": ["number", "string"], "minimum": 0, "pattern": rf"{AMOUNT}|{EXPRESSION}"}
    size = {"type": ["integer", "string"], "minimum": 1, "pattern": EXPRESSION}
    amounts = dict.fromkeys(LIMITED, number)
    return {**CLOSED, "properties": keys(**amounts, sizes=named(size))}
