"""Read MLnode's JSON of a model into a spec."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mimgraph.importer.foreign.located import Located, read_file
from mimgraph.importer.foreign.mlnode.bodies import Bodies
from mimgraph.importer.foreign.mlnode.file import check_version, read_body
from mimgraph.importer.foreign.mlnode.inputs import read_inputs
from mimgraph.importer.foreign.model import ForeignModel
from mimgraph.ir.names import class_fault

LAYERS = "_layers."  # the ModuleDict of MLnode's module


def is_mlnode(data: object) -> bool:
    """Return whether plain data has the form of an MLnode file."""
    return isinstance(data, dict) and "mlnode_schema_version" in data


def read_mlnode(path: str | Path) -> ForeignModel:
    """Return the model in a `.mlnode.json` file.

    Blocks and JSON layers become blocks, a Python layer is opaque: the companion registers it. The file
    has no weights, and nothing of it is run.

    >>> read_mlnode("model.mlnode.json").spec["nodes"]["fc"]
    {'layer': 'Linear', 'from': 'input', 'in_features': 10, 'out_features': 5}
    """
    data = read_file(path)
    data.of(dict, "a model must be a mapping with nodes and edges")
    check_version(data)
    bodies = Bodies(data.get("custom_layers"))
    body = read_body(data)
    scope = bodies.scope(body)
    spec: dict[str, Any] = {"name": _class_name(data)}
    spec["inputs"] = read_inputs(data, body, scope.names)
    if bodies.blocks:
        spec["blocks"] = bodies.blocks
    spec |= {"nodes": scope.nodes, "outputs": scope.names[body.output]}
    keys = {ours: LAYERS + theirs for ours, theirs in scope.keys.items()}
    return ForeignModel(spec, None, keys, tuple(bodies.notes), bodies.companion())


def _class_name(data: Located) -> str:
    """Return the name in the metadata as that of a class, or Model."""
    metadata = data.get("metadata")
    name = metadata.get("name") if metadata and isinstance(metadata.value, dict) else None
    words = re.split(r"[^A-Za-z0-9]+", str(name.value or "") if name else "")
    joined = "".join(word[:1].upper() + word[1:] for word in words)[:100]
    return joined if joined.isidentifier() and not class_fault(joined) else "Model"
