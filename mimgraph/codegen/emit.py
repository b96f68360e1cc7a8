"""A typed graph to the source of a stand-alone file: its classes drafted, lifted, printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mimgraph.codegen.construct import construct_leaf, repeated
from mimgraph.codegen.forward import forward, item_code, used_ports
from mimgraph.codegen.lift import Draft, Lifted, lift, skeleton
from mimgraph.codegen.printer import (
    Assign,
    Class,
    Expr,
    For,
    Return,
    Statement,
    module_text,
)
from mimgraph.codegen.sizes import resolve_sizes
from mimgraph.codegen.tree import Construct
from mimgraph.ir.code import Call, Code, Constant, Name, Subscript, children
from mimgraph.ir.typed import (
    Body,
    Leaf,
    Repeated,
    Sequence,
    Shared,
    TypedGraph,
    TypedNode,
    TypedOperation,
    Use,
    bodies,
)
from mimgraph.ir.types import TensorType

SUPER = Name("super().forward")
X = Name("x")


def source(graph: TypedGraph) -> str:
    """The file, as text: every class of the graph, inner ones first."""
    emitter = _Emitter(graph)
    return module_text(*emitter.run())


class _Emitter:
    def __init__(self, graph: TypedGraph) -> None:
        self.graph = graph
        self.taken = {graph.name, "Tensor"}
        self.classes: list[Class] = []
        self.lifted: dict[int, tuple[Lifted, int]] = {}  # by the id of a body or chain item

    def run(self) -> tuple[tuple[str, ...], tuple[Class, ...]]:
        inner = [body for body in bodies(self.graph.body) if body is not self.graph.body]
        for group in _by_height([*inner, self.graph.body]):
            self.items_of(group)
            uses = [body for body in group if body is not self.graph.body]
            # a block of the user's and one of the catalogue may share a name, but no params
            for (family, _), members in _grouped(uses, _family).items():
                self.define(_class_name(family), members, self.draft)
        self.define_main()
        return _imports(self.classes), tuple(self.classes)

    def define_main(self) -> None:
        body = self.graph.body
        several = len(body.outputs) > 1
        draft = Draft(
            base="nn.Module",
            inits=self.inits(body),
            inputs=tuple(body.inputs),
            returns="dict[str, Tensor]" if several else "Tensor",
            statements=forward(body, as_dict=True),
            params={},
            defaults={},
            dims={},
            keyword_only=True,
            doc=_document(self.graph),
        )
        self.classes.append(lift(self.graph.name, [draft]).definition)

    def define(self, name: str, things: list[Any], draft: Any) -> None:
        """A class for each distinct skeleton among the uses of one name."""
        drafts = {id(thing): draft(thing) for thing in things}
        for members in _grouped(things, lambda thing: _class_key(drafts[id(thing)])).values():
            lifted = lift(self.name(name), [drafts[id(thing)] for thing in members])
            self.classes.append(lifted.definition)
            for use, thing in enumerate(members):
                self.lifted[id(thing)] = (lifted, use)

    def name(self, wanted: str) -> str:
        """A class name that is free."""
        name, number = wanted, 1
        while name in self.taken:
            number += 1
            name = f"{wanted}{number}"
        self.taken.add(name)
        return name

    # blocks

    def draft(self, body: Body) -> Draft:
        """The class of a block as this use needs it."""
        common: dict[str, Any] = {
            "inputs": tuple(body.inputs),
            "params": body.params,
            "defaults": body.defaults,
            "dims": body.dims,
            "doc": body.doc,
        }
        if body.is_chain:
            (node,) = body.nodes
            assert isinstance(node.operation, Sequence)
            inits = tuple(("", self.item(item)) for item in node.operation.items)
            return Draft("nn.Sequential", inits, returns="Tensor", statements=(), **common)
        count = len(body.outputs)
        returns = "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"
        statements = forward(body, as_dict=False)
        return Draft(
            "nn.Module", self.inits(body), returns=returns, statements=statements, **common
        )

    def inits(self, body: Body) -> tuple[tuple[str, Code], ...]:
        """The modules of a body, in the order of the text."""
        found, ports = [], used_ports(body)
        for node in body.nodes:
            made = self.module(node.operation, ports.get(node.name, ()))
            if made is not None:
                found.append((node.name, made))
        return tuple(found)

    def module(self, operation: TypedOperation, ports: Iterable[str]) -> Code | None:
        """The code that makes a node's module, if it has one, for the ports that are used."""
        match operation:
            case Leaf(lowering=lowering):
                made = lowering.module_for(ports)
                return construct_leaf(operation, made) if made else None
            case Sequence(items):
                return Call(Name("nn.Sequential"), tuple(map(self.item, items)))
            case Use(body, arguments):
                return self.construct(body, arguments)
            case Repeated():
                return self.repeat(operation)
            case Shared():
                return None
        raise TypeError(operation)

    def construct(self, body: Body, arguments: Mapping[str, Any]) -> Construct:
        lifted, use = self.lifted[id(body)]
        return lifted.construct(use, arguments)

    def repeat(self, operation: Repeated) -> Code | None:
        if not operation.bodies:
            return None
        uses = [
            self.construct(body, arguments)
            for body, arguments in zip(operation.bodies, operation.arguments, strict=True)
        ]
        if operation.shared:
            return uses[0]
        threaded = len(operation.bodies[0].inputs) == len(operation.bodies[0].outputs) == 1
        return repeated("nn.Sequential" if threaded else "nn.ModuleList", uses)

    # chains

    def item(self, node: TypedNode) -> Code:
        """An item of a chain: a module that is called as `m(x)`."""
        operation = node.operation
        if id(node) in self.lifted:
            lifted, use = self.lifted[id(node)]
            if isinstance(operation, Leaf):
                module = operation.lowering.module_for([node.default or ""])
                if module is not None:
                    return construct_leaf(operation, module, lifted.definition.name)
            made = lifted.construct(use, {})
            if isinstance(operation, Use):
                inner = self.construct(operation.body, operation.arguments)
                return Construct(made.class_name, inner.arguments, inner.positional, inner.defaults)
            if isinstance(operation, Repeated):
                inner = self.construct(operation.bodies[0], operation.arguments[0])
                return Construct(made.class_name, inner.arguments, inner.positional, inner.defaults)
            return made
        made_module = self.module(operation, [node.default or ""])
        return made_module if made_module is not None else Call(Name("nn.Identity"))

    def items_of(self, group: Iterable[Body]) -> None:
        """Classes for the items that are not modules called as `m(x)`."""
        wrapped = [
            (node, type_)
            for body in group
            for node, type_ in _items(body)
            if _needs_class(node) and id(node) not in self.lifted
        ]
        types = {id(node): type_ for node, type_ in wrapped}
        nodes = [node for node, _ in wrapped]
        for name, members in _grouped(nodes, self.item_name).items():
            self.define(name, members, lambda node: self.item_draft(node, types[id(node)]))

    def item_name(self, node: TypedNode) -> str:
        """`LastLSTM`, `ReLULinear`, `Select`, `Chunk0`, `RepeatedResidual`."""
        operation = node.operation
        if isinstance(operation, Leaf):
            port = (node.default or "").capitalize()
            parts = (operation.name, port) if port.isdecimal() else (port, operation.name)
            return operation.activation_name + "".join(parts)
        if isinstance(operation, Use):
            return f"{(node.default or '').capitalize()}{self.lifted[id(operation.body)][0].definition.name}"
        assert isinstance(operation, Repeated)
        return f"Repeated{self.lifted[id(operation.bodies[0])][0].definition.name}"

    def item_draft(self, node: TypedNode, type_: TensorType) -> Draft:
        """The class of such an item: a subclass that overrides `forward`, or a module of its own."""
        operation = node.operation
        statements: tuple[Statement, ...]
        if isinstance(operation, Leaf):
            module = operation.lowering.module
            base = f"nn.{module.name}" if module else "nn.Module"
            code = resolve_sizes(item_code(node, SUPER, X), [(X, type_)])
            statements = (Return(code),)
        elif isinstance(operation, Use):
            base = self.lifted[id(operation.body)][0].definition.name
            index = list(operation.body.outputs).index(node.default or "")
            statements = (Return(Subscript(Call(SUPER, (X,)), Constant(index))),)
        else:
            assert isinstance(operation, Repeated)
            base = self.lifted[id(operation.bodies[0])][0].definition.name
            times = Call(Name("range"), (Constant(len(operation.bodies), "times"),))
            call = Assign(("x",), Call(SUPER, (X,)))
            statements = (For(("_",), times, (call,)), Return(X))
        return Draft(base, (), ("x",), "Tensor", statements, {}, {}, {})


def _class_key(draft: Draft) -> Any:
    """What uses of one class share. A subclass keeps the constructor of its base, so the constants
    of its `forward` are part of it."""
    own = draft.base in ("nn.Module", "nn.Sequential")
    return skeleton(draft) if own else (draft.base, draft.statements)


def _needs_class(node: TypedNode) -> bool:
    """Whether an item of a chain is more than a module called as `m(x)`."""
    operation = node.operation
    if isinstance(operation, Leaf):
        return operation.lowering.module is None or item_code(node, SUPER, X) != Call(SUPER, (X,))
    if isinstance(operation, Use):
        return len(operation.body.outputs) > 1
    return isinstance(operation, Repeated) and operation.shared and bool(operation.bodies)


def _items(body: Body) -> Iterator[tuple[TypedNode, TensorType]]:
    """Every item of the chains of a body, with the type that it is fed."""
    for node in body.nodes:
        if isinstance(node.operation, Sequence):
            (value,) = node.arguments.values()
            type_ = body.type_of(value)
            for item in node.operation.items:
                yield item, type_
                assert item.type is not None
                type_ = item.type


def _by_height(found: list[Body]) -> list[list[Body]]:
    """Bodies in groups: those that use no block, those that use only these, and so on."""
    heights: dict[int, int] = {}
    groups: dict[int, list[Body]] = {}
    for body in found:  # inner ones come first
        inner = [heights[id(b)] for node in body.nodes for b in _direct(node.operation)]
        heights[id(body)] = height = 1 + max(inner, default=0)
        groups.setdefault(height, []).append(body)
    return [groups[height] for height in sorted(groups)]


def _direct(operation: TypedOperation) -> Iterator[Body]:
    """The bodies that an operation uses itself."""
    match operation:
        case Use(body):
            yield body
        case Repeated(repeated_bodies):
            yield from repeated_bodies
        case Sequence(items):
            for item in items:
                yield from _direct(item.operation)
        case _:
            return


def _grouped(things: Iterable[Any], key: Any) -> dict[Any, list[Any]]:
    """Things by key, in the order of the first of each."""
    groups: dict[Any, list[Any]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return groups


def _family(body: Body) -> tuple[str, tuple[str, ...]]:
    return body.family, tuple(body.params)


def _class_name(family: str) -> str:
    """`dense_layer` as `DenseLayer`."""
    return "".join(part[:1].upper() + part[1:] for part in family.split("_")) or "Block"


def _document(graph: TypedGraph) -> str:
    """What the class's docstring says: the spec's doc, inputs, outputs, what must hold."""
    body = graph.body
    inputs = ", ".join(f"{name} {type_}{_noted(type_)}" for name, type_ in body.inputs.items())
    outputs = ", ".join(f"{name} {body.type_of(value)}" for name, value in body.outputs.items())
    plural = ["s" if len(things) > 1 else "" for things in (body.inputs, body.outputs)]
    lines = [f"Input{plural[0]}: {inputs}. Output{plural[1]}: {outputs}."]
    if graph.constraints:
        lines.append(f"At run time {', '.join(map(str, graph.constraints))}.")
    described = [f"{name}: {doc}" for name, doc in graph.input_docs.items()]
    paragraphs = [body.doc] if body.doc else []
    return "\n\n".join([*paragraphs, " ".join(lines), *described])


def _noted(type_: TensorType) -> str:
    """The dtype, where it is not the usual one."""
    return "" if type_.dtype == "float32" else f" {type_.dtype}"


def _imports(classes: Iterable[Class]) -> tuple[str, ...]:
    """The import lines that the code needs, and no other."""
    names: set[str] = set()
    for definition in classes:
        names.add(definition.base.partition(".")[0])
        for function in definition.body:
            names |= {p.annotation for p in function.parameters} | {function.returns}
            for statement in function.body:
                names |= set(_names(statement))
    words = {
        word
        for name in names
        for word in name.replace("[", " ").replace("]", " ").replace(",", " ").split()
    }
    lines = ["import torch"] if "torch" in words else []
    if "F" in words:
        lines.append("import torch.nn.functional as F")
    lines.append("from torch import Tensor, nn" if "Tensor" in words else "from torch import nn")
    return tuple(lines)


def _names(statement: Statement) -> Iterator[str]:
    """The first part of every name in a statement."""
    match statement:
        case Assign(_, value) | Return(value) | Expr(value):
            yield from _roots(value)
        case For(_, iterable, body):
            yield from _roots(iterable)
            for inner in body:
                yield from _names(inner)
        case _:
            return


def _roots(code: Code) -> Iterator[str]:
    stack = [code]
    while stack:
        node = stack.pop()
        if isinstance(node, Name):
            yield node.id.partition(".")[0]
        stack.extend(children(node))
