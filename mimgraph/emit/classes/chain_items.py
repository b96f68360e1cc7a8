"""Draft the classes of chain items that torch has no module for, as an item is called as `m(x)`.

A layer without a module becomes an `nn.Module`; one with a further argument or result, a block with
several results and a repeat that needs a loop become subclasses that override `forward`. The last item
returns the ports of the chain that are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from mimgraph.emit.classes.draft import Draft
from mimgraph.emit.classes.item_forward import (
    SUPER,
    Ports,
    X,
    loop,
    over,
    returned_by_block,
    returned_by_layer,
)
from mimgraph.emit.classes.modules import Inits, Modules, with_ports
from mimgraph.emit.dtypes import follow, kept_dtype, kept_tensor, resolve_dtype, stays_float32
from mimgraph.emit.format.statements import Return, Statement
from mimgraph.emit.forward.call_code import owner_of
from mimgraph.emit.forward.loops import is_sequential
from mimgraph.emit.forward.values import used_ports
from mimgraph.emit.imports import codes
from mimgraph.emit.sizes import resolve_sizes
from mimgraph.ir.code import Call, Code, Name, walk
from mimgraph.ir.names import legal_name
from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import Leaf, Repeated, Use, unwrap
from mimgraph.ir.types import TensorType
from mimgraph.ops.registry import is_model


class ChainItems:
    """The items of all chains of a graph, and which of them need a class."""

    def __init__(
        self, modules: Modules, every: Collection[Body], twins: Mapping[Body, Iterable[Body]]
    ) -> None:
        self.modules = modules
        self.chains = {body: tuple(_chains(body)) for body in chain(every, *twins.values())}
        self.ports = {item: ports for body in self.chains for item, ports in self._ports(body)}
        self.cast = {item for body in every for item in self._to_cast(body, twins.get(body, ()))}

    def needing_a_class(self, group: Iterable[Body]) -> Iterator[tuple[TypedNode, TensorType]]:
        """Yield the items in these bodies that need a class, each with the type that it is fed."""
        for body in group:
            for node, items, source in self.chains[body]:
                if node.operation.steps:  # else shared, so another node makes them
                    for item, type_ in _fed(items, source):
                        if item in self.cast or self._needs_class(item):
                            yield item, type_

    def _ports(self, body: Body) -> Iterator[tuple[TypedNode, Ports]]:
        """Yield the items of the chains that a body runs, each with the ports that it returns."""
        used = used_ports(body) if self.chains[body] else {}
        for node, items, _ in self.chains[body]:
            yield from with_ports(items, used[owner_of(node)])

    def _to_cast(self, body: Body, twins: Iterable[Body]) -> Iterator[TypedNode]:
        """Yield the items whose result is float32 whatever dtype the model has."""
        made = {node.name: items for node, items, _ in self.chains[body]}
        for run in (body, *twins):
            for node, items, source in self.chains[run]:
                ours = made.get(
                    owner_of(node), items
                )  # its own if the owner is outside of the block
                for item, (as_run, type_) in zip(ours, _fed(items, source), strict=True):
                    if any(_stays_float32(as_run, type_, port) for port in self.ports[as_run]):
                        yield item

    def class_name(self, node: TypedNode) -> str:
        """Return the name that an item's class should have.

        Such as `LastLSTM`, `ReLULinear`, `Select`, `Chunk0`, `Chunk` with all its ports,
        `RepeatedResidual` and `OverConv2d`.
        """
        return f"{'Over' if node.over else ''}{self._name(node)}"

    def _name(self, node: TypedNode) -> str:
        ports = self.ports[node]
        is_whole = len(ports) == len(node.results) > 1
        port = "" if is_whole else "".join(map(str.capitalize, ports))
        match node.operation:
            case Leaf(name=name, activation_name=activation):
                if is_model(name):  # `torchvision.resnet18`
                    name = legal_name(name.rpartition(".")[2].title().replace("_", ""))
                parts = (name, port) if port.isdecimal() else (port, name)
                return activation + "".join(parts)
            case Use(body):
                return f"{port}{self.modules.class_of(body)}"
            case Repeated((body, *_)):
                return f"{port}Repeated{self.modules.class_of(body)}"
        raise TypeError(node)

    def draft(self, node: TypedNode, type_: TensorType) -> Draft:
        """Return the class of an item that is fed this type."""
        ports = self.ports[node]
        fed = type_ if node.fold is None else node.fold.fold(type_)
        draft = self._draft(node, ports, fed)
        if len(ports) > 1:
            draft = replace(draft, returns=f"tuple[{', '.join('Tensor' for _ in ports)}]")
        if node.fold is None:
            return draft
        return replace(draft, statements=over(node, ports, node.fold, draft.statements))

    def _draft(self, node: TypedNode, ports: Ports, type_: TensorType) -> Draft:
        """Return the class of an item without its `over`."""
        statements: tuple[Statement, ...]
        match node.operation:
            case Leaf() as leaf:
                return self._leaf(node, leaf, ports, type_)
            case Use(body):
                base = self.modules.class_of(body)
                statements = returned_by_block(body, ports).statements
            case Repeated((body, *_)) as repeated:
                base = self.modules.class_of(body) if repeated.shared else "nn.ModuleList"
                statements = loop(repeated, ports, type_)
            case _:
                raise TypeError(node)
        return Draft(base, (), ("x",), "Tensor", statements, {}, {}, {})

    def _leaf(self, node: TypedNode, leaf: Leaf, ports: Ports, type_: TensorType) -> Draft:
        """Return the class of a layer, which reads the dtype of the model from its own tensors."""
        module, inits, function = leaf.lowering.module, Inits(), SUPER
        base = self.modules.class_name(leaf, module.changed) if module else "nn.Module"
        # whose constructor has no place for that tensor, or that a function makes
        if module and (node in self.cast or is_model(leaf.name)):
            base, inits = "nn.Module", (("layer", self.modules.leaf(leaf, module)),)
            function = Name("self.layer")

        def cast(port: str, code: Code) -> Code:
            return follow(code) if _stays_float32(node, type_, port) else code

        returned = returned_by_layer(node, ports, function)
        if node in self.cast:
            returned = returned.map_parts(cast, ports)
        dtype = kept_dtype()
        returned = returned.map(
            lambda code: resolve_dtype(resolve_sizes(code, [(X, type_)]), dtype)
        )
        inits += kept_tensor(dtype, walk(*codes(returned.statements)))
        return Draft(base, inits, ("x",), "Tensor", returned.statements, {}, {}, {})

    def _needs_class(self, node: TypedNode) -> bool:
        """Return whether an item is more than a module called as `m(x)`."""
        operation, ports = node.operation, self.ports[node]
        if node.fold is not None:
            return True
        if isinstance(operation, Leaf):
            plain = (Return(Call(SUPER, (X,))),)
            returned = returned_by_layer(node, ports, SUPER)
            return operation.lowering.module is None or returned.statements != plain
        if isinstance(operation, Repeated) and operation.bodies:
            return not is_sequential(operation, ports)
        return bool(operation.bodies) and ports != tuple(operation.bodies[0].results)


def _stays_float32(node: TypedNode, source: TensorType, port: str) -> bool:
    """Return whether a result of an item is float32 whatever dtype the model has."""
    leaf, type_ = node.operation, node.results[port]
    if not isinstance(leaf, Leaf) or type_.dtype != "float32":
        return False
    return stays_float32(leaf, port, [source])


def _chains(body: Body) -> Iterator[tuple[TypedNode, tuple[TypedNode, ...], TensorType]]:
    """Yield the chains that a body runs, shared ones too, each with its items and its source."""
    for node in body.single_nodes:
        if items := unwrap(node.operation).steps:
            (value,) = node.arguments.values()
            yield node, items, body.type_of(value)


def _fed(items: Iterable[TypedNode], source: TensorType) -> Iterator[tuple[TypedNode, TensorType]]:
    """Yield the items of a chain, each with the type that it is fed."""
    for item in items:
        yield item, source
        source = item.type or source  # without a default result it is the last
