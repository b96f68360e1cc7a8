"""The language as a JSON Schema (draft 2020-12), made from the catalogue: what an editor knows of specs.

It tells of the structure, and not of what names mean: sources, params, blocks, shapes. How it is
built is what makes an editor useful: the key that says what a node does chooses one branch (`if`),
so completion and faults are of that layer alone; names are `anyOf` of `const`, so each has its text.
"""

from __future__ import annotations

import json

from mimgraph.language.schema.declared import declared
from mimgraph.language.schema.nodes import nodes
from mimgraph.language.schema.values import values
from mimgraph.language.schema.words import CLOSED, Json, keys, named, named_inputs, ref

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def text() -> str:
    """The schema as JSON, a line for each definition."""
    whole = schema()
    defs = whole.pop("$defs")
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in defs.items())
    return f'{json.dumps(whole, indent=2)[:-2]},\n  "$defs": {{\n{lines}\n  }}\n}}\n'


def schema() -> Json:
    """The schema of a spec, with the layers and merges that are registered."""
    return {
        "$schema": DIALECT,
        "description": "A model of named inputs, layers and merges.",
        **_spec(),
        "$defs": {**declared(), **nodes(), **values()},
    }


def _spec() -> Json:
    """A spec. That its chains may hold blocks is decided by whether it has any."""
    return {
        **CLOSED,
        "properties": keys(
            mimgraph={"enum": [1, "1"]},
            name=ref("class_name"),
            doc={"type": "string"},
            params=ref("params"),
            inputs=named_inputs(ref("input")),
            blocks=named(ref("block_of_spec")),
            nodes={},
            outputs=ref("outputs"),
        ),
        "required": ["inputs", "nodes", "outputs"],
        "if": {"required": ["blocks"]},
        "then": {"properties": {"nodes": named(ref("node_beside_blocks"))}},
        "else": {"properties": {"nodes": named(ref("node"))}},
    }
