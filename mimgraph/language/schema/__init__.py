"""The language as a JSON Schema (draft 2020-12), made from the registered layers and merges, for editors.

It describes the structure of a spec, but not what names refer to (sources, params, blocks, sizes).
Editors complete and check best if a node's layer chooses one branch by `if`, so that only the
options of that layer count, and if names are an `anyOf` of `const`, so that each has its own text.
"""

from __future__ import annotations

import json

from mimgraph.ir.declared_graph import LIMITED
from mimgraph.language.schema.declared import declared
from mimgraph.language.schema.nodes import nodes
from mimgraph.language.schema.values import values
from mimgraph.language.schema.words import (
    CLOSED,
    EXPRESSION,
    Json,
    keys,
    named,
    named_inputs,
    ref,
)

PATH = r"^(?!/)[^$\\:]+$"  # of a part, from the folder of the spec
AMOUNT = r"^\d+(\.\d+)?[KMGT]?$"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def text() -> str:
    """Return the schema as JSON, with a line for each definition."""
    whole = schema()
    defs = whole.pop("$defs")
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in defs.items())
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
