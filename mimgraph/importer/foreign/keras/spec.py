"""Write a body as plain data, as `graph.to_dict()` returns it: a graph or a block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mimgraph.importer.foreign.keras.body import Body, Node, Sources, free
from mimgraph.importer.foreign.keras.chains import join_chains
from mimgraph.importer.foreign.keras.value import Length, Value, Weight, prefixed, size
from mimgraph.importer.foreign.model import Note

_IMAGE, _OTHERS = ("H", "W", "D"), ("T", "S", "L", "K")


class Written(NamedTuple):
    """The entries of the nodes that the results need, the sources of the results, the weights by the
    keys of these nodes, and the notes at their paths."""

    nodes: dict[str, Any]
    sources: list[str]
    weights: dict[str, Weight]
    notes: list[Note]


def as_block(body: Body, results: Sequence[Value]) -> tuple[list[str], dict[str, Any], Written]:
    """Return the names of a block's outputs, the block, and what it was written from."""
    written = _written(body, results)
    ports = _ports(results)
    block: dict[str, Any] = {"inputs": list(body.inputs), "nodes": written.nodes}
    named = dict(zip(ports, written.sources, strict=True))
    block["outputs"] = named if len(named) > 1 else written.sources[0]
    return ports, block, written


def as_spec(name: str, body: Body, results: Mapping[str, Value]) -> tuple[dict[str, Any], Written]:
    """Return the spec of a whole model with these outputs, and what it was written from."""
    written = _written(body, list(results.values()))
    spec: dict[str, Any] = {"name": name}
    moved = [
        f"{public} {_keras_shape(value)}" for public, value in results.items() if value.channel
    ]
    if moved:
        spec["doc"] = (
            f"Outputs with the channels first, which in Keras have them last: {', '.join(moved)}."
        )
    spec["inputs"] = _named_lengths(body.inputs)
    if body.shared.blocks:
        spec["blocks"] = dict(body.shared.blocks)
    spec["nodes"] = written.nodes
    public = dict(zip(results, written.sources, strict=True))
    if all(name == source for name, source in public.items()):
        spec["outputs"] = written.sources if len(public) > 1 else written.sources[0]
    else:
        spec["outputs"] = public
    return spec, written


def _keras_shape(value: Value) -> str:
    sizes = (one if isinstance(one, int) else "?" for one in map(size, value.shape))
    return f"({', '.join(['N', *map(str, sizes)])})"


def _written(body: Body, results: Sequence[Value]) -> Written:
    """Return the nodes that the results need, as the spec has them."""
    wanted = [value.source for value in results]
    kept = {source.partition(".")[0] for source in wanted}
    nodes, renamed, paths = join_chains(_needed(body, wanted), kept)
    entries, weights = {}, {}
    for node in nodes.values():
        entries[node.name] = _entry(node, renamed)
        weights.update(prefixed(node.name, node.weights))
    notes = [note._replace(node=_path(note.node, nodes, paths)) for note in body.notes]
    return Written(entries, [_renamed(source, renamed) for source in wanted], weights, notes)


def _path(noted: str, nodes: Mapping[str, Node], paths: Mapping[str, str]) -> str:
    """Return the path of a node for a note; "" if the node is left out."""
    name, dot, inner = noted.partition(".")
    found = paths.get(name, name if name in nodes else "")
    return f"{found}{dot}{inner}" if found else ""


def _needed(body: Body, wanted: Sequence[str]) -> dict[str, Node]:
    """Return the nodes on which the results depend."""
    open_, needed = list(wanted), set()
    while open_:
        name = open_.pop().partition(".")[0]
        if name in needed or name not in body.nodes:
            continue
        needed.add(name)
        node = body.nodes[name]
        open_ += node.reads()
        if "share" in node.entry:
            open_.append(node.entry["share"])
    return {name: node for name, node in body.nodes.items() if name in needed}


def _entry(node: Node, renamed: Mapping[str, str]) -> dict[str, Any]:
    """Return the entry of a node with its sources."""
    entry = dict(node.entry)
    if node.sources:
        feeds = _feeds(node.sources, renamed)
        if "seq" in entry:
            return {"from": feeds, **entry}
        first = next(iter(entry))
        entry = {first: entry.pop(first), "from": feeds, **entry}
    return entry


def _feeds(sources: Sources, renamed: Mapping[str, str]) -> Any:
    if isinstance(sources, Mapping):
        return {argument: _renamed(source, renamed) for argument, source in sources.items()}
    found = [_renamed(source, renamed) for source in sources]
    return found[0] if len(found) == 1 else found


def _renamed(source: str, renamed: Mapping[str, str]) -> str:
    """Return a source with the new name of its node."""
    name, dot, port = source.partition(".")
    return f"{renamed.get(name, name)}{dot}{port}"


def _ports(results: Sequence[Value]) -> list[str]:
    """Return a name for each output of a block, that of its node where it can be."""
    ports: dict[str, None] = {}
    for value in results:
        ports[free(value.source.replace(".", "_"), ports)] = None
    return list(ports)


def _named_lengths(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the inputs with names for the sizes that the file leaves open."""
    names: dict[Length, str] = {}
    written = {}
    for name, entry in inputs.items():
        shape = []
        sizes = [size(one) for one in entry["shape"]]
        open_axes = [one for one in sizes if isinstance(one, Length)]
        for one in sizes:
            if isinstance(one, Length) and one not in names:
                wanted = _IMAGE if len(sizes) > 2 and len(open_axes) > 1 else _OTHERS
                taken = set(names.values())
                names[one] = next((n for n in wanted if n not in taken), free(wanted[0], taken))
            shape.append(names[one] if isinstance(one, Length) else one)
        full = {**entry, "shape": shape}
        written[name] = shape if full.keys() == {"shape"} else full
    return written
