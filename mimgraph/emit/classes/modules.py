"""Write the code that makes the module of each node: a call of a torch class, or of one of the file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from keyword import kwlist
from typing import Any, TypeAlias

from mimgraph.emit.classes.adapters import with_adapters
from mimgraph.emit.classes.attributes import attribute, renamed
from mimgraph.emit.classes.construct import construct_leaf, construct_subclass, repeated
from mimgraph.emit.classes.frozen import freeze
from mimgraph.emit.classes.parametrize import Lifted
from mimgraph.emit.classes.user_classes import OwnClasses
from mimgraph.emit.emitted_helpers import REFUSED
from mimgraph.emit.forward.loops import is_sequential
from mimgraph.emit.forward.values import UsedPorts, returned_ports
from mimgraph.emit.tree import Construct
from mimgraph.ir.code import Call, Code, Comprehension, Constant, Dict, List, Name, named_constant
from mimgraph.ir.lowering import Maker, Module
from mimgraph.ir.names import EMITTED
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode
from mimgraph.ir.typed_operations import (
    Each,
    Leaf,
    Repeated,
    Scan,
    Sequence,
    Shared,
    TypedOperation,
    Use,
)
from mimgraph.ir.typed_walks import bodies

Inits: TypeAlias = tuple[tuple[str, Code], ...]


class Modules:
    """The code that makes modules, and the classes that it calls."""

    def __init__(self, graph: TypedGraph) -> None:
        self.graph = graph
        self.taken = {graph.name, *EMITTED, *kwlist}  # a block `none` would be the class `None`
        self.own = OwnClasses()
        # the registered ones that are used, by their names; `merge NAME` of merges
        self.layers: dict[str, Maker] = {}
        # the class of each body and chain item that has one, and which of its uses that is
        self.made: dict[Body | TypedNode, tuple[Lifted, int]] = {}
        self._constructs: dict[int, tuple[Construct, Module]] = {}  # by identity, so both are kept

    # names of classes

    def free_name(self, wanted: str, hidden: Collection[str] = ()) -> str:
        """Return a class name that is free, and none of the hidden ones, and take it."""
        name, number = wanted, 1
        while name in self.taken or name in hidden:
            number += 1
            name = f"{wanted}{number}"
        self.taken.add(name)
        return name

    def class_name(self, leaf: Leaf, module: Module) -> str:
        """Return the class of a layer's module: one of torch, or the user's own."""
        if module.own is None:
            return module.class_name
        self.layers[leaf.name if leaf.kind == "layer" else f"{leaf.kind} {leaf.name}"] = module.own
        return self.own.name_of(module.own, self._own_name)

    def _own_name(self, wanted: str) -> str:
        """Return a free class name that no argument of a constructor hides."""
        every = bodies(self.graph.body)
        return self.free_name(
            wanted, {name for body in every for name in (*body.params, *body.dims)}
        )

    def class_of(self, body: Body) -> str:
        """Return the name of a body's class."""
        lifted, _ = self.made[body]
        return lifted.definition.name

    # modules

    def inits(self, body: Body, ports: UsedPorts) -> Inits:
        """Return the modules of a body by attribute, in the order of the spec."""
        found = []
        for node in body.nodes:
            made = self.module(node.operation, ports.get(node.name, ()))
            if made is not None:
                found.append(
                    (attribute(node.name, body.by_name), freeze(with_adapters(made, node), node))
                )
        return tuple(found)

    def module(self, operation: TypedOperation, ports: Iterable[str]) -> Code | None:
        """Return the code that makes the module of an operation for the ports that are used, if it has one."""
        match operation:
            case Leaf(lowering=lowering):
                module = lowering.module_for(ports)
                return self.leaf(operation, module) if module else None
            case Sequence(items=items):
                return Call(Name("nn.Sequential"), self.items(items, [*ports]))
            case Use(body=body, arguments=arguments) | Scan(body=body, arguments=arguments):
                return self.construct(body, arguments)
            case Repeated():
                sequential = operation.bodies and is_sequential(operation, [*ports])
                return self.repeated(operation, "nn.Sequential" if sequential else "nn.ModuleList")
            case Each():
                return self.each(operation)
            case Shared():
                return None

    def each(self, each: Each) -> Code | None:
        """Return the modules of all items of an `each` in a container, or the one that they share."""
        items = each.items[:1] if each.one_module else each.items
        every = {item.name: self.module(item.operation, [item.default or ""]) for item in items}
        made = {name: one for name, one in every.items() if one is not None}
        if each.one_module:
            return next(iter(made.values()), None)
        return self.copies([*made.values()]) if each.counted else self.by_port(made)

    # its parts

    def leaf(self, leaf: Leaf, module: Module) -> Construct:
        """Return the call that makes a layer's module, one for all nodes with the very same."""
        known = self._constructs.get(id(module))
        if known is None:
            made = construct_leaf(leaf, module, self.class_name(leaf, module))
            known = self._constructs[id(module)] = made, module
        return known[0]

    def construct(self, body: Body, arguments: Mapping[str, Any]) -> Construct:
        """Return the call that makes a body's module."""
        lifted, use = self.made[body]
        return lifted.construct(use, arguments)

    def by_port(self, items: dict[str, Code]) -> Code | None:
        """Return a dict of modules or learned tensors by port.

        It is a class of the file if torch's refuses one of the names.
        """
        if not items:
            return None
        learned = all(
            isinstance(x, Construct) and x.class_name == "nn.Parameter" for x in items.values()
        )
        kind = "ParameterDict" if learned else "ModuleDict"
        entries = Dict(tuple(items.items()))
        if REFUSED[kind].isdisjoint(items):
            return Call(Name(f"nn.{kind}"), (entries,))
        kept = tuple((key, Constant(name)) for key, name in renamed(items).items())
        return Call(Name(f"_{kind}"), (entries, Dict(kept)))

    def copies(self, made: list[Code]) -> Code | None:
        """Return a list of the modules or learned tensors of copies on one source."""
        if not made:
            return None
        calls = [one for one in made if isinstance(one, Construct)]
        learned = {call.class_name == "nn.Parameter" for call in calls} == {True}
        kind = "nn.ParameterList" if learned else "nn.ModuleList"
        if len(calls) == len(made):
            return repeated(kind, calls, len(calls))
        counter = Call(Name("range"), (named_constant("times", len(made)),))
        alike = all(one == made[0] for one in made)
        listed = Comprehension(made[0], ("_",), counter) if alike else List(tuple(made))
        return Call(Name(kind), (listed,))

    def repeated(self, operation: Repeated, container: str) -> Code | None:
        """Return the code that makes the module of each time, in a container, or that of all times."""
        if not operation.bodies:
            return None
        uses = [
            self.construct(body, arguments)
            for body, arguments in zip(operation.bodies, operation.arguments, strict=True)
        ]
        if operation.shared:
            return uses[0]
        if operation.first:  # a list would count from 0
            numbered = {str(number): use for number, use in enumerate(uses, operation.first)}
            return Call(Name("nn.ModuleDict"), (Dict(tuple(numbered.items())),))
        assert isinstance(operation.times, int)
        return repeated(container, uses, operation.times)

    def items(self, items: tuple[TypedNode, ...], used: Collection[str]) -> tuple[Code, ...]:
        """Return the code that makes the items of a chain whose `used` ports are read: modules that are
        called as `m(x)`."""
        return tuple(
            freeze(with_adapters(self._item(item, ports), item), item)
            for item, ports in with_ports(items, used)
        )

    def _item(self, node: TypedNode, ports: tuple[str, ...]) -> Code:
        operation = node.operation
        if node not in self.made:
            return self.module(operation, ports) or Call(Name("nn.Identity"))
        lifted, use = self.made[node]
        name = lifted.definition.name
        match operation:  # a subclass has the constructor of its base
            case Leaf(lowering=lowering) if lifted.definition.base != "nn.Module":
                module = lowering.module_for(ports)
                assert module is not None
                return construct_subclass(operation, module, name)
            case Repeated(shared=False) if (made := self.repeated(operation, name)) is not None:
                return made
            case Use(body, arguments) | Repeated((body, *_), (arguments, *_)):
                return replace(self.construct(body, arguments), class_name=name)
            case _:
                return lifted.construct(use, {})


def with_ports(
    items: tuple[TypedNode, ...], used: Collection[str]
) -> Iterator[tuple[TypedNode, tuple[str, ...]]]:
    """Yield each item of a chain with the ports that it returns: the last one all that are `used` of
    the chain, the others their default."""
    for index, item in enumerate(items, 1):
        is_last = index == len(items)
        yield item, returned_ports(item, used) if is_last else (item.default or "",)
