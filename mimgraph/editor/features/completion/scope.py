"""Find the names that can stand at the cursor: sources, params, sizes, blocks and their shapes, parts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from mimgraph.declare.tree import Mapping, Scalar, Tree, texts
from mimgraph.editor.features.completion.cursor import MARK, Cursor
from mimgraph.editor.features.completion.proposal import Proposal
from mimgraph.editor.features.uses import Uses
from mimgraph.editor.features.wording import result_text, type_text
from mimgraph.ir.typed_graph import Body
from mimgraph.language.files import ENDINGS, Place
from mimgraph.language.occurrences import scopes_of
from mimgraph.language.scopes import Scope, Scopes

MOST = 500  # entries of a folder that are looked at
DEEPEST = 2  # folders inside the folder of the spec


class Names(NamedTuple):
    """The names known at the cursor: `scope` is the spec or the block around it, `node` the node."""

    scopes: Scopes
    scope: Scope
    node: str
    body: Body | None

    @property
    def readable(self) -> list[str]:
        """The inputs and nodes that the node at the cursor can read without a cycle."""
        later = self._readers()
        nodes = [name for name in self.scope.nodes if name and MARK not in name]
        return [*self._inputs(), *(name for name in nodes if name not in later)]

    def _inputs(self) -> list[str]:
        return [name for name in self.scope.inputs if MARK not in name]

    def _readers(self) -> set[str]:
        """Return the node at the cursor and all that depend on it."""
        reads = {name: {*texts(tree)} for name, tree in self.scope.nodes.items()}
        found = {self.node}
        while more := {name for name, words in reads.items() if words & found} - found:
            found |= more
        return found if self.node else set()

    def sources(self) -> Iterator[Proposal]:
        """Yield the sources, with their shapes, and the ports of nodes with several results."""
        for name in self.readable:
            ports = self.ports(name)
            yield Proposal(
                name, "source", self.shape(name), rank=1 if name in self.scope.inputs else 0
            )
            for port, detail in ports.items():
                yield Proposal(f"{name}.{port}", "port", detail, rank=2)

    def shape(self, name: str) -> str:
        """Return the shape of an input or node; "" if it is not known."""
        if self.body is None:
            return ""
        if name in self.body.inputs:
            return type_text(self.body.inputs[name])
        node = self.body.by_name.get(name)
        return result_text(node) if node is not None else ""

    def ports(self, name: str) -> dict[str, str]:
        """Return the ports of a node, each with its shape; none of one with a single result."""
        node = None if self.body is None else self.body.by_name.get(name)
        if node is None:
            return {}
        found = {port: type_text(type_) for port, type_ in node.results.items() if port}
        return found if found.keys() != {"output"} else {}

    def params(self) -> Iterator[Proposal]:
        """Yield the params, as `$name`."""
        for name, value in self.scope.params.items():
            if MARK not in name:
                text = value.text if isinstance(value, Scalar) else ""
                yield Proposal(f"${name}", "param", text)

    def sizes(self) -> Iterator[Proposal]:
        """Yield the sizes of the inputs."""
        yield from (Proposal(name, "size") for name in sorted(self.scope.sizes) if MARK not in name)

    def blocks(self) -> Iterator[Proposal]:
        """Yield the blocks and parts that the scope at the cursor can use."""
        for name, scope in self.scopes.by_block.items():
            if name and MARK not in name and name != self.scope.block:
                yield Proposal(
                    name, "block", f"block of {', '.join(scope.inputs)}".removesuffix(" of ")
                )
        yield from (Proposal(name, "block", path) for name, path in self.scopes.parts.items())

    def block_options(self, name: str) -> Iterator[Proposal]:
        """Yield the params of a block as options."""
        scope = self.scopes.by_block.get(name)
        for param, value in scope.params.items() if scope else ():
            text = value.text if isinstance(value, Scalar) else ""
            is_needed = text in ("", "null")
            yield Proposal(
                param,
                "option",
                text or "required",
                "" if is_needed else text,
                rank=int(not is_needed),
            )


def names_at(cursor: Cursor, uses: Uses | None) -> Names:
    """Return the names known at the cursor."""
    scopes = scopes_of(cursor.tree)
    path = cursor.path
    block = path[1] if path[0] == "blocks" and len(path) > 1 else ""
    inside = path[2:] if block else path
    node = inside[1] if len(inside) > 1 and inside[0] == "nodes" else ""
    body = None
    if uses is not None:
        bodies = [uses.graph] if not block else uses.blocks.get(block, [])
        body = bodies[0].body if bodies else None
    return Names(scopes, scopes.by_block.get(block, Scope(block)), node, body)


def node_at(cursor: Cursor) -> Mapping | None:
    """Return the node around the cursor."""
    for index, step in enumerate(cursor.steps):
        before = cursor.steps[index - 1].key if index else ""
        if before == "nodes" and isinstance(step.around, Mapping) and index + 1 < len(cursor.steps):
            inner: Tree = cursor.steps[index + 1].around
            return inner if isinstance(inner, Mapping) else None
    return None


def part_paths(place: Place) -> Iterator[Proposal]:
    """Yield the paths of the specs in the folder of a spec, and in folders in it, without links."""
    folder = place.files.folder or "."
    for path in sorted(_paths(folder, "", 0)):
        yield Proposal(path, "path")


def _paths(folder: str, inside: str, depth: int) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            found = [one for one, _ in zip(entries, range(MOST), strict=False)]
    except OSError:
        return
    for entry in found:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        if entry.is_dir() and depth < DEEPEST:
            yield from _paths(entry.path, f"{inside}{entry.name}/", depth + 1)
        elif entry.name.endswith(ENDINGS) and entry.is_file():
            yield f"{inside}{entry.name}"
