"""Turn the bodies of a file, its model, blocks and custom layers, into nodes and blocks of a spec."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from mimgraph.importer.foreign.located import Located, refuse
from mimgraph.importer.foreign.mlnode.expressions import translated
from mimgraph.importer.foreign.mlnode.file import MAX_DEPTH, Body, Edge, Node, read_body
from mimgraph.importer.foreign.mlnode.nodes import (
    Source,
    by_port,
    has_module,
    layer_or_merge,
    one_source,
    reduction,
)
from mimgraph.importer.foreign.model import Note
from mimgraph.ir.names import free_name, input_fault, name_fault
from mimgraph.ops.registry import find

MAX_NAME = 60
PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)
PORTS = {"LSTMCell": ("hidden", "cell")}  # a Split has numbers


class Scope(NamedTuple):
    """A body in the spec: the names by id, the nodes, and the keys of the weights, ours to MLnode's."""

    names: dict[str, str]
    nodes: dict[str, Any]
    keys: dict[str, str]


class Block(NamedTuple):
    """A block of the spec: its name, the ids of its inputs in order, and the keys of its weights."""

    name: str
    inputs: tuple[str, ...]
    keys: dict[str, str]


class Bodies:
    """All bodies of a file, the blocks that they become, and notes on parts that the spec lacks."""

    def __init__(self, layers: Located | None) -> None:
        found = layers.of(dict, "custom_layers must be a mapping").value if layers else {}
        self.layers: dict[str, Located] = found
        self.blocks: dict[str, Any] = {}
        self.notes: list[Note] = []
        self._made: dict[str, Block] = {}  # by the text of what it was made from
        self._paths: dict[str, str] = {}  # of the classes of opaque layers, by their names
        self._depth = 0

    def scope(self, body: Body, params: tuple[str, ...] = ()) -> Scope:
        """Return a body as nodes; a custom layer declares `params`."""
        needed = {node.id for node in body.needed()}
        scope = Scope({}, {}, {})
        for id in body.nodes:
            if id in needed:
                scope.names[id] = _free(id, scope)
            elif body.nodes[id].type != "Input" or id in body.inputs:
                self.notes.append(Note("left-out", "unused", "no output needs it", id))
        owners: dict[str, Node] = {}
        for id in scope.names:
            node = body.nodes[id]
            if id in body.inputs:
                _check_input(node)
            else:
                self._add(translated(node, params), body, scope, owners)
        if body.nodes[body.output].outputs:
            refuse(
                "unknown-port",
                f"{body.output:.40} has several outputs",
                body.nodes[body.output].span,
            )
        return scope

    def companion(self) -> str | None:
        """Return the Python file that registers the opaque layers, if there are any."""
        if not self._paths:
            return None
        pairs = [(name, path.rpartition(".")[0]) for name, path in self._paths.items()]
        imports = [f"from {module} import {name}\n" for name, module in pairs]
        registered = [f"mg.register({name})\n" for name, _ in pairs]
        return "".join(["import mimgraph as mg\n", *imports, "\n", *registered])

    def _add(self, node: Node, body: Body, scope: Scope, owners: dict[str, Node]) -> None:
        """Add the node of the spec, and before it the merge that joins its sources, if it needs one."""
        name = scope.names[node.id]
        sources = [Source(_source(body, scope, one), one.target_port) for one in node.edges]
        if not self._takes_several(node) and (merge := reduction(node, sources)):
            joined = _free(f"{node.id}_input", scope)
            scope.nodes[joined] = merge
            sources = [Source(joined, "")]
        made, keys = self._made_of(node, sources)
        owner = owners.setdefault(node.shared_id, node)
        if node.shared_id and owner is not node and has_module(node):
            if (owner.type, owner.params) != (node.type, node.params):
                message = f"{node.id:.40} shares {owner.id:.40}, but differs from it"
                refuse("bad-option", message, node.span)
            made, keys = {"share": scope.names[owner.id], "from": made["from"]}, {}
        scope.nodes[name] = made
        scope.keys.update({f"{name}{ours}": theirs for ours, theirs in keys.items()})

    def _made_of(self, node: Node, sources: list[Source]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the node of the spec, and the keys below it."""
        if node.type == "Block":
            block = self._block(node)
            keys = {f".{ours}": f"{node.id}/{theirs}" for ours, theirs in block.keys.items()}
            return {"block": block.name, "from": one_source(node, sources)}, keys
        if node.type == "custom" and node.data.get("path") is None:
            block = self._layer(node)
            inner = f"{node.id}._layers."
            keys = {f".{ours}": inner + theirs for ours, theirs in block.keys.items()}
            return self._use(node, block, sources), keys
        if node.type == "custom":
            return self._opaque(node, sources), {"": node.id}
        if node.data.get("hf_model") or node.data.get("hf_config"):
            refuse("unknown-layer", "a model of Hugging Face cannot be read", node.span)
        return layer_or_merge(node, sources), {"": node.id} if has_module(node) else {}

    def _use(self, node: Node, block: Block, sources: list[Source]) -> dict[str, Any]:
        if len(block.inputs) == 1:
            return {"block": block.name, "from": one_source(node, sources), **node.params}
        by_id = by_port(node, sources, block.inputs)
        return {"block": block.name, "from": [by_id[id] for id in block.inputs], **node.params}

    def _takes_several(self, node: Node) -> bool:
        """Return whether a node is a block, or a custom layer of several inputs."""
        if node.type == "custom" and node.data.get("path") is None:
            return len(self._layer(node).inputs) > 1
        return node.type == "Block"

    def _block(self, node: Node) -> Block:
        written = node.data.get("block")
        if written is None or written.value is None:
            message = f"{node.id:.40} names a block that is not in the file"
            refuse("unknown-block", message, node.span, "save the model with its blocks expanded")
        name = "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", node.id))
        return self._kept(name, written.of(dict, "a block must be a mapping"), True)

    def _layer(self, node: Node) -> Block:
        """Return the block of a custom layer of the file."""
        name = node.data.get("layer")
        written = self.layers.get(str(name.value)) if name else None
        if name is None or written is None:
            message = f"{node.id:.40} names a custom layer that is not in the file"
            refuse("unknown-block", message, name.span if name else node.span)
        block = self._kept(str(name.value), written.of(dict, "a layer must be a mapping"), False)
        declared = self.blocks[block.name].get("params", {})
        for param in node.params:
            if param not in declared:
                refuse("unknown-option", f"{name.value:.40} has no param {param:.40}", node.span)
        return block

    def _kept(self, wanted: str, written: Located, is_block: bool) -> Block:
        """Return the block for a definition, one for all definitions that are equal."""
        text = json.dumps([is_block, written.plain()], sort_keys=True)
        if text not in self._made:
            if self._depth == MAX_DEPTH:
                refuse("too-large", f"more than {MAX_DEPTH} blocks inside each other", written.span)
            self._depth += 1
            self._made[text] = self._new(wanted, written, is_block)
            self._depth -= 1
        return self._made[text]

    def _new(self, wanted: str, written: Located, is_block: bool) -> Block:
        params = {} if is_block else _params(written)
        body = read_body(written, is_block)
        scope = self.scope(body, tuple(params))
        unused = [id for id in body.inputs if id not in scope.names]
        if unused:
            refuse("unused-input", f"the input {unused[0]:.40} is not used", written.span)
        name = _identifier(wanted)
        if find("layer", name):
            name += "Block"
        name = free_name(name, self.blocks)
        block: dict[str, Any] = {"params": params} if params else {}
        block["inputs"] = [scope.names[id] for id in body.inputs]
        block |= {"nodes": scope.nodes, "outputs": scope.names[body.output]}
        self.blocks[name] = block
        return Block(name, tuple(body.inputs), scope.keys)

    def _opaque(self, node: Node, sources: list[Source]) -> dict[str, Any]:
        """Return the use of a Python class, which the companion registers."""
        path = node.data.value["path"]
        text = str(path.of(str, "path must be a text").value)
        name = text.rpartition(".")[2]
        if not PATH.fullmatch(text) or len(text) > 200 or find("layer", name):
            refuse("bad-name", f"{text:.40} is not the path of a class", path.span)
        if self._paths.setdefault(name, text) != text:
            refuse("duplicate-name", f"two classes are called {name}", path.span)
        self.notes.append(Note("opaque", name, f"it is the Python class {text}", node.id))
        return {"layer": name, "from": one_source(node, sources), **node.params}


def _params(written: Located) -> dict[str, Any]:
    """Return the params of a custom layer with their defaults; null if it has none."""
    found: dict[str, Any] = {}
    declared = written.get("params")
    for name, param in (
        declared.of(dict, "params must be a mapping").value.items() if declared else ()
    ):
        default = param.of(dict, f"the param {name:.40} must be a mapping").get("default")
        found[name] = None if default is None else default.plain()
        if default is not None and (default.value is None or isinstance(default.value, dict)):
            refuse(
                "bad-option", f"the default of {name:.40} cannot be one of a block", default.span
            )
    return found


def _check_input(node: Node) -> None:
    if node.edges:
        refuse("wrong-arity", f"the input {node.id:.40} has a source", node.span)


def _source(body: Body, scope: Scope, edge: Edge) -> str:
    """Return the source that an edge names."""
    node, name = body.nodes[edge.source], scope.names[edge.source]
    if not edge.source_port and not node.outputs:
        return name
    if edge.source_port not in node.outputs:
        shown = ", ".join(node.outputs) or "none"
        refuse(
            "unknown-port",
            f"{node.id:.40} has no port {edge.source_port:.40}",
            edge.span,
            f"its ports: {shown}",
        )
    index = node.outputs.index(edge.source_port)
    if node.type == "Split":
        return f"{name}.{index}"
    ports = PORTS.get(node.type, ("",))
    if index >= len(ports):
        refuse("unknown-port", f"{node.id:.40} has one result", edge.span)
    return f"{name}.{ports[index]}" if ports[index] else name


def _free(id: str, scope: Scope) -> str:
    """Return a name for a node that is free in its scope."""
    return free_name(_identifier(id), {*scope.names.values(), *scope.nodes})


def _identifier(id: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]+", "_", id[:MAX_NAME])
    name = name if name[:1].isalpha() else f"n{name}"
    return f"{name}_" if name_fault(name) or input_fault(name) else name
