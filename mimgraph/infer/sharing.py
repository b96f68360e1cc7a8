"""Find the module that a `share` uses again, and check that its inputs fit that module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.text import choices_of, code, put, write
from mimgraph.infer.sources import unknown_port
from mimgraph.infer.state import Context, Fed, Joint, Owner
from mimgraph.infer.structure import calls
from mimgraph.ir.axes_help import projected
from mimgraph.ir.code import Code
from mimgraph.ir.declared_graph import Apply, Call, Chain, Node, Share, Source
from mimgraph.ir.dim import Dim, substitute, symbol, symbols
from mimgraph.ir.typed_graph import NEVER, Body, TypedNode, Value, port_type
from mimgraph.ir.typed_operations import Leaf, Shared, TypedOperation, unwrap
from mimgraph.ir.typed_walks import used_bodies
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry
from mimgraph.source import Span


def module_owner(context: Context, node: Node, path: str) -> Owner | None:
    """Return the owner of the module that a node uses: itself unless it shares; None after a
    report."""
    if not isinstance(node.operation, Share):
        return Owner(node.name, None, node, context, node.over)
    found: Owner | None = Owner(node.name, None, node, context)
    followed: list[tuple[Share, Node]] = []
    while found is not None and isinstance(share := found.declared.operation, Share):
        followed.append((share, found.declared))
        if share in context.owners:
            found = context.owners[share]
            break
        context.owners[share] = None  # shares that form a ring are reported
        found = _target(context, found.context, share, path)
    for share, sharing in reversed(followed):
        context.owners[share] = found
        if found is not None and sharing.over is not None:
            found = found._replace(over=sharing.over)
    return found


def _target(user: Context, context: Context, share: Share, path: str) -> Owner | None:
    """Return the node that one share names, which may share in turn; `user` is the body of the node
    that is typed, and `context` the one that the share is in."""
    scope = context.scope_of(share.target)
    if scope is None:
        _report_nowhere(context, share, path)
        return None
    if (
        scope is not user
        and not user.state.alone
        and any(True for _ in calls((scope.scope.nodes[share.target],)))
    ):
        _report_block(user, share, path)
        return None
    context, target = scope, scope.scope.nodes[share.target]
    if target.operation is None:
        return None
    if _is_constant(target):
        help = f"read it: {code(f'from: {target.name}')}"
        message = f"{target.name} has no module to share"
        context.state.fault("bad-option", message, share.span, path, help=help)
        return None
    if target.has_branches:
        item = _item(context, share, target, path)
        return Owner(target.name, item.name, item.declared, scope) if item is not None else None
    if share.item is not None:
        message = f"no node is called {share.text!r}"
        help = f"{target.name} has only one module: write {put(f'share: {target.name}')}"
        if isinstance(target.operation, Chain | Call):
            help = "only a whole node is shared: make what you share a separate node"
        context.state.fault("unknown-source", message, share.span, path, help=help)
        return None
    return Owner(target.name, None, target, scope)


def _report_nowhere(context: Context, share: Share, path: str) -> None:
    """Report a share of a node that neither the graph nor a block around this use has."""
    if context.around is None:  # another fault says so
        return
    message = f"no node outside this use of the block is called {share.target!r}"
    help = f"the graph or block that uses it needs a node called {share.target}"
    context.state.fault(
        "unknown-source", message, share.target_span, path, labels=context.uses, help=help
    )


def _report_block(context: Context, share: Share, path: str) -> None:
    """Report a share, inside of a block, of a node outside that is itself a block or has one."""
    message = f"{share.text} is or has a block, and a block can share only outer layers"
    help = "share one of its layers, made a separate node, or call the block outside"
    context.state.fault("unknown-source", message, share.span, path, help=help)


def check_kind(context: Context, node: Node, owner: Owner, typed: TypedNode, path: str) -> bool:
    """Return whether a module can be handed to a block that shares it; report it if not: a tensor is
    fed, and a merge of many modules is called outside."""
    share = node.operation
    if owner.context is context or context.state.alone or not isinstance(share, Share):
        return True
    operation = unwrap(typed.operation)
    if any(True for _ in used_bodies(operation)):
        _report_block(context, share, path)
        return False
    if isinstance(operation, Leaf) and operation.kind == "tensor":
        message = f"{share.text} is a tensor, which has no module to share"
        fed = code(f"from: {{..., {owner.name}: {owner.name}}}")
        help = f"give the block an input, and connect it: {fed}"
        context.state.fault("unknown-source", message, share.span, path, help=help)
        return False
    return True


def _is_constant(node: Node) -> bool:
    """Return whether a node makes a tensor of nothing but its options, such as zeros of a shape."""
    operation = node.operation
    if not isinstance(operation, Apply) or operation.kind != "tensor" or node.sources:
        return False
    op = registry.find("tensor", operation.name)
    return op is not None and op.inputs.kind != "none"


def _item(context: Context, share: Share, target: Node, path: str) -> TypedNode | None:
    """Return the item of an `each` whose module is shared."""
    typed = context.typed.get(target.name)
    if typed is None:
        return None
    sole = typed.operation.sole
    if sole is not None and (share.item is None or share.item in typed.results):
        return sole
    if share.item is None:
        message = f"{target.name} has several modules: choose one"
        ports = choices_of([f"{target.name}.{port}" for port in typed.results])
        help = f"share one of {', '.join(ports)}"
        context.state.fault("unknown-port", message, share.span, path, help=help)
        return None
    found = unwrap(typed.operation).branch(share.item)
    if found is None:
        ports = tuple(typed.results)
        help = write(target.name)
        unknown_port(context.state, target.name, share.item, share.item_span, ports, path, help)
    return found


def nodes_that_share(context: Context) -> list[str]:
    """Return the nodes that may use modules of others."""
    return [
        name
        for name, typed in context.typed.items()
        if typed is not None
        and typed.presence != NEVER
        and (isinstance(typed.operation, Shared) or typed.operation.branches)
    ]


def check_share(context: Context, name: str) -> None:
    """Check that a node that shares, or each item of its `each`, has inputs of the sizes that the
    shared module was made for; if one does not fit, report it and drop the node's type."""
    typed = context.typed[name]
    if typed is None:
        return
    for position, item in enumerate(typed.operation.branches or (typed,)):
        if not isinstance(item.operation, Shared):
            continue
        owner = context.scope_of(item.operation.target)
        if owner is not None and owner is not context:
            owner.borrowers.append((context, name, item, position))
        elif owner is not None and not _fits_module(context, owner, name, item, position):
            context.typed[name] = None


def check_borrowers(context: Context) -> None:
    """Check the nodes in blocks that share modules of this body, once all of it is typed."""
    for inner, name, item, position in context.borrowers:
        _fits_module(inner, context, name, item, position)
    context.borrowers.clear()


def _fits_module(
    context: Context, owner: Context, name: str, typed: TypedNode, position: int
) -> bool:
    """Return whether the module of the target, in the body of its `owner`, fits the inputs of this
    node; report it if not."""
    shared = typed.operation
    assert isinstance(shared, Shared)
    target = owner.typed.get(shared.target)
    if target is not None and target.operation.branches:
        target = target.operation.branch(shared.item or "")
    if target is None or _comparable(owner, target) == _comparable(context, typed):
        return True
    node, wants = context.scope.nodes[name], _types_text(owner, target)
    source = node.sources[min(position, len(node.sources) - 1)] if node.sources else None
    types = (*_source_types(context, typed), *_source_types(owner, target))
    help = projected(types[0], types[1].dims, source.text) if source and len(types) == 2 else ""
    context.state.fault(
        "shape-mismatch",
        f"{shared.owner} is shared, so its input must be {wants}",
        source.span if source else node.span,
        context.path + name,
        note=_types_text(context, typed),
        labels=(Label(owner.scope.nodes[shared.target].span, wants), *context.uses),
        help=help,
    )
    return False


def joint_inputs(context: Context, shares: Iterable[str]) -> dict[str, Joint]:
    """Return, by node, what the nodes with the same block give it that the node does not; `shares` are
    the nodes that share, and what they share is among the keys too."""
    groups: dict[str, list[str]] = {}
    optional: dict[str, frozenset[str]] = {}
    for name in shares:
        typed = context.typed[name]
        if typed is not None and isinstance(shared := typed.operation, Shared):
            target = shared.target
            optional[target] = optional.get(target, frozenset()) | _optional_inputs(typed)
            if not shared.item:
                groups.setdefault(target, [target]).append(name)
    found: dict[str, Joint] = {}
    for target, group in groups.items():
        members = {name: _inputs_of(context.typed.get(name)) for name in group}
        every: dict[str, TensorType] = {}
        for inputs in members.values():
            every = {**inputs, **every}
        for name, inputs in members.items():
            span = context.scope.nodes[name].span if name in context.scope.nodes else None
            lacks = every.keys() - inputs.keys()
            if lacks and inputs and span is not None:
                kept = {key: _never_given(key, every[key], span) for key in lacks}
                found[name] = Joint(kept=kept)
                optional[target] |= lacks
    for name, some in optional.items():
        own = context.typed.get(name)
        if own is not None and not some <= _optional_inputs(own):
            found[name] = found.get(name, Joint())._replace(optional=some)
    return found


def _inputs_of(typed: TypedNode | None) -> Mapping[str, TensorType]:
    """Return the inputs of the block of a node; none if it is no block."""
    bodies = () if typed is None else unwrap(typed.operation).bodies
    return bodies[0].inputs if bodies else {}


def _never_given(name: str, type_: TensorType, span: Span) -> Fed:
    """Return the source of an input that is never given."""
    return Fed(Value(name, ""), type_, Source(name, None, span), span, NEVER)


def _optional_inputs(typed: TypedNode) -> frozenset[str]:
    """Return the inputs of a node's block that may be missing."""
    return frozenset().union(*(body.optional for body in used_bodies(unwrap(typed.operation))))


def _types_text(context: Context, typed: TypedNode) -> str:
    """Return the types of the sources of a node as a message shows them."""
    return ", ".join(
        f"{type_} with vocab {type_.vocab}" if type_.vocab is not None else str(type_)
        for type_ in _source_types(context, typed)
    )


def _source_types(context: Context, typed: TypedNode) -> Iterator[TensorType]:
    """Yield the types of the sources of a node, of those that are known."""
    for value in typed.arguments.values():
        made = context.typed.get(value.name)
        type_ = port_type(made, value.port) if made else context.inputs.get(value.name)
        if made is None and value.name in context.left_out:
            type_ = context.left_out[value.name]
        if type_ is not None:
            yield type_ if typed.over is None else typed.over.fold(type_)


def _comparable(context: Context, typed: TypedNode) -> Any:
    """Return a key that is equal for two nodes if one module can serve both.

    That is how the module is made and, for a chain or block, its `forward`, with sizes named by the
    axes that they are read from.
    """
    names: dict[str, Dim] = {}
    types = (*_inputs_of(typed).values(), *_source_types(context, typed))
    for type_ in types:
        for name in (name for dim in type_.dims for name in sorted(symbols(dim))):
            names.setdefault(name, symbol(f"size{len(names)}"))
    operation = unwrap(typed.operation)
    if isinstance(operation, Leaf):
        return _construction(operation)
    return _comparable_operation(operation, names)


def _construction(leaf: Leaf) -> Any:
    """Return the class of a layer's module and its arguments."""
    module = leaf.lowering.module
    return module and (module.name, dict(module.arguments))


def _comparable_operation(operation: TypedOperation, names: Mapping[str, Dim]) -> Any:
    """Return how a module is made, with its `forward`."""
    operation = unwrap(operation)
    if isinstance(operation, Leaf):
        lowering = operation.lowering
        ports = [(port.code, port.alone) for port in lowering.ports.values()]
        return _construction(operation), _comparable_code(
            (lowering.call, ports, operation.activation), names
        )
    items = [_comparable_operation(item.operation, names) for item in operation.items]
    bodies = [_comparable_body(body, names) for body in operation.bodies]
    return items, bodies, _comparable_code(operation.traits, names)


def have_same_nodes(one: TypedNode, other: TypedNode) -> bool:
    """Return whether the blocks of two nodes compute their outputs by the same nodes."""
    first, second = (unwrap(node.operation).bodies for node in (one, other))
    return len(first) == len(second) and all(
        before.outputs == after.outputs
        and _comparable_body(before, {}) == _comparable_body(after, {})
        for before, after in zip(first, second, strict=True)
    )


def _comparable_body(body: Body, names: Mapping[str, Dim]) -> Any:
    """Return the nodes of a body by name in a form that can be compared."""
    return {
        node.name: (dict(node.arguments), _comparable_operation(node.operation, names))
        for node in body.nodes
    }


def _comparable_code(value: Any, names: Mapping[str, Dim]) -> Any:
    """Return code in a form that can be compared: sizes renamed, without the text that they came from."""
    if isinstance(value, Dim):
        return substitute(value, names)
    if isinstance(value, Code):
        kept = (getattr(value, name) for name in value.__match_args__ if name != "written")
        return type(value), [_comparable_code(item, names) for item in kept]
    return (
        [_comparable_code(item, names) for item in value]
        if isinstance(value, list | tuple)
        else value
    )
