"""Write the code that makes the module of each node: a call of a torch class, or of one of the file."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from keyword import kwlist
from typing import Any, TypeAlias

from mimgraph.emit.attributes import attribute, renamed
from mimgraph.emit.classes import Lifted
from mimgraph.emit.frozen import freeze
from mimgraph.emit.header import REFUSED, importable
from mimgraph.emit.loops import is_sequential
from mimgraph.emit.tree import Construct, same_constant
from mimgraph.emit.values import UsedPorts, returned_ports
from mimgraph.ir.code import (
    Call,
    Code,
    Comprehension,
    Constant,
    Dict,
    List,
    Name,
    Unpacked,
    call,
    code,
    named_constant,
)
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
    unwrap,
)
from mimgraph.ir.typed_walks import bodies, join
from mimgraph.ops import registry
from mimgraph.ops.op import REQUIRED, Op


def construct(op: Op | None, module: Module, class_name: str) -> Construct:
    """Return `nn.Conv2d(...)` with every argument: a constant, or a layer that the module is made with.

    A module that is no layer by itself, the model inside of a feature extractor, has the op's options.
    """
    assert op is not None
    arguments: list[tuple[str, Code]] = []
    for name, value in module.arguments.items():
        if isinstance(value, Module):
            inner = registry.find("layer", value.name) or op
            arguments.append((name, construct(inner, value, value.class_name)))
        else:
            arguments.append((name, named_constant(name, value)))
    positional, defaults = _spelling(op, tuple(module.arguments), module.own is not None)
    if module.positional is not None:
        positional = module.positional
    return Construct(class_name, tuple(arguments), positional, defaults)


@lru_cache
def _spelling(op: Op, names: tuple[str, ...], own: bool) -> tuple[int, tuple[tuple[str, Any], ...]]:
    """Return how many arguments people write by position, and those with a default, each with it.

    Those that the input decides and the first option go by position: `nn.Conv2d(3, 16, kernel_size=3)`,
    but `nn.Softmax(dim=1)`. In the user's own class an option that takes no lone value may be
    keyword-only.
    """
    first = next((option for option in op.options.values() if not option.inferred), None)
    defaults: list[tuple[str, Any]] = []
    positional = 0
    for index, name in enumerate(names):
        option = op.options.get(name)
        has_default = option is not None and option.default is not REQUIRED
        if option is not None and has_default:
            defaults.append((name, option.default))
        if option is None or option.inferred:
            goes = name != "dim"
        else:
            is_plain = option.takes_lone or not (has_default or own)
            goes = name != "dim" and option is first and is_plain
        positional += goes and positional == index
    # a function that changes a module takes only that by position: weight_norm(module, dim=0)
    return 1 if names[:1] == ("module",) else positional, tuple(defaults)


def construct_subclass(leaf: Leaf, module: Module, class_name: str) -> Construct:
    """Return what makes a subclass of the module's class: `weight_norm(ReLULinear(5, 5))`."""
    op = registry.find(leaf.kind, leaf.name)
    if module.changed is module:
        return construct(op, module, class_name)
    inner = construct_subclass(leaf, module.changed, class_name)
    made = construct(op, module, module.class_name)
    (key, _), *others = made.arguments
    return replace(made, arguments=((key, inner), *others))


def repeated(container: str, uses: list[Construct], times: int) -> Code:
    """Return `nn.Sequential` or `nn.ModuleList` over uses in a row.

    Equal ones are a comprehension, one argument that grows by equal steps a range, two runs of equal
    ones one after the other, and others a comprehension over a tuple.
    """
    if uses and len({use.class_name for use in uses}) == 1:
        varying = _varying(uses)
        if not varying:
            return _container(container, [_times(uses, times)])
        if len(uses) > 2:
            runs = _runs(uses)
            steps = _range(uses, varying)
            if steps is not None:
                return _container(container, [_comprehension(uses, varying, steps)])
            if len(runs) > 2 or len(runs) == len(uses):
                rows = tuple(_row(use, varying) for use in uses)
                return _container(container, [_comprehension(uses, varying, code(rows))])
            return _container(container, [_run(run) for run in runs])
    return _container(container, list[Code](uses))


def _container(name: str, items: list[Code]) -> Code:
    """Return the container: `nn.Sequential` takes its items as arguments, `nn.ModuleList` a list."""
    if name == "nn.Sequential":
        return Call(Name(name), tuple(items))
    if len(items) == 1 and isinstance(items[0], Unpacked):
        return Call(Name(name), (items[0].value,))
    return Call(Name(name), (List(tuple(items)),))


def _value(use: Construct, name: str) -> Any:
    argument = dict(use.arguments)[name]
    assert isinstance(argument, Constant)
    return argument.value


def _varying(uses: list[Construct]) -> tuple[str, ...]:
    """Return the arguments that differ between the uses."""
    return tuple(
        name
        for name, _ in uses[0].arguments
        if not all(same_constant(_value(use, name), _value(uses[0], name)) for use in uses)
    )


def _runs(uses: list[Construct]) -> list[list[Construct]]:
    """Return the uses with equal neighbours together."""
    runs: list[list[Construct]] = []
    for use in uses:
        if runs and not _varying([runs[-1][-1], use]):
            runs[-1].append(use)
        else:
            runs.append([use])
    return runs


def _run(uses: list[Construct]) -> Code:
    return uses[0] if len(uses) == 1 else _times(uses, len(uses))


def _times(uses: list[Construct], times: int) -> Code:
    """Return equal uses as a comprehension; a single use too, so that its class is that of several."""
    counter = Call(Name("range"), (named_constant("times", times),))
    return Unpacked(Comprehension(uses[0], ("_",), counter))


def _range(uses: list[Construct], varying: tuple[str, ...]) -> Code | None:
    """Return `range(...)` if one whole number goes up or down by equal steps."""
    if len(varying) != 1:
        return None
    values = [_value(use, varying[0]) for use in uses]
    if any(not isinstance(value, int) or isinstance(value, bool) for value in values):
        return None
    step = values[1] - values[0]
    if any(b - a != step for a, b in itertools.pairwise(values)):
        return None
    bounds = [values[0], values[-1] + step] + ([step] if step != 1 else [])
    names = (varying[0], f"{varying[0]}_stop", f"{varying[0]}_step")
    numbers = tuple(Constant(int(v), n) for v, n in zip(bounds, names, strict=False))
    return Call(Name("range"), numbers)


def _row(use: Construct, varying: tuple[str, ...]) -> Any:
    values = tuple(_value(use, name) for name in varying)
    return values[0] if len(values) == 1 else values


def _comprehension(uses: list[Construct], varying: tuple[str, ...], iterable: Code) -> Code:
    arguments = tuple(
        (name, Name(name) if name in varying else value) for name, value in uses[0].arguments
    )
    return Unpacked(Comprehension(replace(uses[0], arguments=arguments), varying, iterable))


# Write the code that gives layers of a module their adapters, by the library peft.


def with_adapters(made: Code, node: TypedNode) -> Code:
    """Return the code that makes a node's module, whose layers have adapters if the node has `lora`."""
    lora = None if node.training is None else node.training.lora
    if lora is None:
        return made
    paths = {path: _attributes(node.operation, path) for path, _ in lora.targets}
    is_renamed = any(path != real for path, real in paths.items())
    ends = paths.values() if is_renamed else lora.on
    options = {"lora_alpha": lora.alpha, "lora_dropout": lora.dropout}
    config = call(
        "peft.LoraConfig",
        r=lora.rank,
        **{name: value for name, value in options.items() if value is not None},
        target_modules=List(tuple(Constant(one, "target_modules") for one in ends)),
    )
    return call("peft.inject_adapter_in_model", config, made)


def _attributes(operation: TypedOperation, path: str) -> str:
    """Return the path of a layer by attributes, which are not always the names of nodes."""
    key, _, rest = path.partition(".")
    operation = unwrap(operation)
    if isinstance(operation, Leaf) or not key:
        return path
    found = operation.part(key)
    if found is None:
        return path
    name = key
    if operation.bodies and not operation.key(0):
        name = attribute(key, operation.bodies[0].by_name)
    if not isinstance(found, Body):
        return join(name, _attributes(found.operation, rest))
    inner, _, rest = rest.partition(".")
    node = found.part(inner)
    if not isinstance(node, TypedNode):
        return path
    return join(name, attribute(inner, found.by_name), _attributes(node.operation, rest))


def trained(made: Code, node: TypedNode) -> Code:
    """Return the code that makes a node's module, with its adapters, or without gradients."""
    if not node.freeze and node.training is None:
        return made
    return freeze(with_adapters(made, node), node)


# The modules of a graph.


Inits: TypeAlias = tuple[tuple[str, Code], ...]


class Modules:
    """The code that makes modules, and the classes that it calls."""

    def __init__(self, graph: TypedGraph) -> None:
        self.graph = graph
        self.taken = {graph.name, *EMITTED, *kwlist}  # a block `none` would be the class `None`
        # what the file imports of the user's, by its name in the file: a class or function, or the
        # class around it
        self.own: dict[str, Any] = {}
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
        thing, inner = importable(module.own)
        name = next((name for name, one in self.own.items() if one is thing), None)
        if name is None:  # no argument of a constructor may hide it
            every = bodies(self.graph.body)
            hidden = {name for body in every for name in (*body.params, *body.dims)}
            name = self.free_name(thing.__name__, hidden)
            self.own[name] = thing
        return f"{name}{inner}"  # `Gate`, or `Layers.Gate` for one in a class

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
                found.append((attribute(node.name, body.by_name), trained(made, node)))
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
                return self.construct_body(body, arguments)
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
            op = registry.find(leaf.kind, leaf.name)
            made = construct(op, module, self.class_name(leaf, module))
            known = self._constructs[id(module)] = made, module
        return known[0]

    def construct_body(self, body: Body, arguments: Mapping[str, Any]) -> Construct:
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
            self.construct_body(body, arguments)
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
            trained(self._item(item, ports), item) for item, ports in with_ports(items, used)
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
                return replace(self.construct_body(body, arguments), class_name=name)
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
