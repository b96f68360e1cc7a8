"""Walks over the typed graph: its distinct bodies, the names of its weights, the nodes that run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import chain

from mimgraph.ir.dims.dim import symbols
from mimgraph.ir.lazy import ShapesUnknown
from mimgraph.ir.typed.graph import Body, TypedNode
from mimgraph.ir.typed.operations import Leaf, Shared, TypedOperation, unwrap


def weight_names(operation: TypedOperation) -> Iterator[str]:
    """Yield the dotted name of every learned tensor of a node's module, which may be a shared
    one."""
    yield from _weight_names(unwrap(operation), "", is_top=True)


def _weight_names(operation: TypedOperation, before: str, is_top: bool = False) -> Iterator[str]:
    if isinstance(operation, Leaf) and operation.lowering.module is not None:
        with suppress(ShapesUnknown):
            yield from (before + name for name in operation.lowering.module.weights if name)
    for key, node in operation.inner():
        # a branch may share a module and yet gives its weights
        inner = unwrap(node.operation) if is_top and operation.branches else node.operation
        yield from _weight_names(inner, f"{before}{key}." if key else before)


def used_bodies(operation: TypedOperation) -> Iterator[Body]:
    """Yield the bodies that an operation runs, also those that its items run."""
    yield from operation.bodies
    for item in operation.items:
        yield from used_bodies(item.operation)


def inner_nodes(operation: TypedOperation) -> Iterator[TypedNode]:
    """Yield every node inside an operation, at any depth. A body that runs several times counts once."""
    seen: set[Body] = set()

    def walk(operation: TypedOperation) -> Iterator[TypedNode]:
        fresh = [body for body in dict.fromkeys(operation.bodies) if body not in seen]
        seen.update(fresh)
        for node in (*operation.items, *(node for body in fresh for node in body.nodes)):
            yield node
            yield from walk(node.operation)

    return walk(operation)


def with_items(nodes: Iterable[TypedNode]) -> Iterator[TypedNode]:
    """Yield the nodes of a body, each with the items that it runs, at any depth."""
    for node in nodes:
        yield node
        yield from with_items(unwrap(node.operation).items)


def used_ops(body: Body) -> set[tuple[str, str]]:
    """Return the kind and name of every layer and merge at or below a body."""
    found: set[tuple[str, str]] = set()
    for node in chain.from_iterable(one.nodes for one in bodies(body)):
        operation = node.operation
        if type(operation) is Leaf:
            found.add((operation.kind, operation.name))
        else:
            items = (item.operation for item in with_items([node]))
            found.update(item.op for item in items if isinstance(item, Leaf))
    return found


def bodies(body: Body) -> list[Body]:
    """Return `body` and every distinct body below it, each once, inner ones first."""
    found: dict[Body, None] = {}

    def walk(current: Body) -> None:
        for node in current.nodes:
            for inner in used_bodies(node.operation):
                if inner not in found:
                    walk(inner)
        found[current] = None

    walk(body)
    return list(found)


def twins(body: Body) -> Mapping[Body, Mapping[Body, None]]:
    """Return the twins of each body at or below `body`: bodies of the same module that a share runs.

    A block that is shared on inputs of other sizes has a body for each; its module is made once.
    """
    found: dict[Body, dict[Body, None]] = {}

    @cache
    def opened(body: Body) -> dict[str, TypedOperation]:
        """Return the operations that may use bodies, by the names of their nodes."""
        operations = {one.name: one.operation for one in body.single_nodes}
        return {n: o for n, o in operations.items() if not isinstance(unwrap(o), Leaf)}

    def pair(made: Body, run: Body) -> None:
        owners = opened(made)
        for name, operation in opened(run).items():
            owner = owners.get(operation.owner if isinstance(operation, Shared) else name)
            if owner is None:  # it is outside of this block, and has no bodies
                continue
            for one, other in zip(used_bodies(owner), used_bodies(unwrap(operation)), strict=True):
                if one is not other and other not in found.setdefault(one, {}):
                    found[one][other] = None
                    pair(one, other)

    for made in bodies(body):
        pair(made, made)
    return found


def loop_sizes(body: Body) -> frozenset[str]:
    """Return the names of the sizes known only at run time that count the steps of a loop."""
    return frozenset(
        name
        for one in bodies(body)
        for node in one.nodes
        for operation in _with_items(node.operation)
        for name in symbols(operation.loops)
    )


def _with_items(operation: TypedOperation) -> Iterator[TypedOperation]:
    """Yield an operation and all that its items run."""
    whole = unwrap(operation)
    yield whole
    for item in whole.items:
        yield from _with_items(item.operation)


def needed_in_eval(body: Body) -> set[str]:
    """Return the names of the nodes that run in evaluation; others run only for training's outputs."""
    if not body.training:
        return set(body.by_name)
    return running(body, (name for name in body.outputs if name not in body.training))


def running(body: Body, outputs: Iterable[str]) -> set[str]:
    """Return the names of the nodes that run for these outputs."""
    stack = [body.outputs[name] for name in outputs]
    found: set[str] = set()
    while stack:
        value = stack.pop()
        node = body.by_name.get(value.name.partition(".")[0])
        if node is None or node.name in found:
            continue
        if value.port in node.results:  # else a learned tensor, for which it need not run
            found.add(node.name)
            stack.extend(node.arguments.values())
    return found


def join(*path: str) -> str:
    """Return the parts of a dotted path that are not empty, joined."""
    return ".".join(filter(None, path))


def is_part(key: str, part: str) -> bool:
    """Return whether a tensor is a part of the model, or inside of it."""
    return key == part or key.startswith(f"{part}.")


def ends_with(path: str, end: str) -> bool:
    """Return whether a path is `end`, or ends with it after a dot."""
    return path == end or path.endswith(f".{end}")
