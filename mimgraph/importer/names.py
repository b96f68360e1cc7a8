"""Give every node, input and param of a draft a name that is legal, and its own."""

from __future__ import annotations

import re

from mimgraph.importer.draft import Body
from mimgraph.ir.names import free_name, legal_name


def name_body(body: Body) -> None:
    """Give the nodes, inputs and outputs of a body legal names, each another; modules keep theirs if they
    can."""
    taken = {*body.params}
    for one in body.inputs:
        one.name = unique(one.name, taken)
    kept = [node for node in body.nodes if node.attribute]
    others = [node for node in body.nodes if not node.attribute]
    for node in (*kept, *others):
        node.name = unique(node.attribute or node.name, taken)
    _name_outputs(body)


def _name_outputs(body: Body) -> None:
    """Give an output whose name says nothing the name of its node, as a lone one has in a block."""
    nodes = [one.port.node.name for one in body.outputs if not one.port.name]
    alone = len(body.outputs) == 1
    for output in body.outputs:
        name = output.port.node.name
        unnamed = re.fullmatch(r"output|out\d+", output.name) or (alone and body.call_path)
        if unnamed and not output.port.name and nodes.count(name) == 1:
            output.name = name


def unique(wanted: str, taken: set[str]) -> str:
    """Return a legal name like the wanted one that is not taken, and take it."""
    name = legal_name(wanted)
    name = name if name not in taken else free_name(name, taken)
    taken.add(name)
    return name
