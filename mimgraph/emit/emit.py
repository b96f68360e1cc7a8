"""A typed graph to the source of a stand-alone file: its classes drafted, lifted, printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from keyword import kwlist
from typing import Any, NamedTuple, TypeVar

from mimgraph.emit.aliases import with_aliases
from mimgraph.emit.classes.attributes import attribute, renamed
from mimgraph.emit.classes.construct import construct_leaf, repeated
from mimgraph.emit.classes.draft import Draft, skeleton
from mimgraph.emit.classes.frozen import freeze, frozen
from mimgraph.emit.classes.parametrize import Lifted, lift
from mimgraph.emit.classes.user_classes import OwnClasses, import_lines
from mimgraph.emit.dtypes import (
    follow,
    is_made,
    kept_dtype,
    kept_tensor,
    resolve_dtype,
)
from mimgraph.emit.emitted_helpers import REFUSED, helpers
from mimgraph.emit.format.printer import module_text
from mimgraph.emit.format.statements import Assign, Class, For, Return, Statement
from mimgraph.emit.forward.call_code import item_code, owner_of
from mimgraph.emit.forward.forward import forward
from mimgraph.emit.forward.local_names import argument_names
from mimgraph.emit.forward.values import UsedPorts, used_ports
from mimgraph.emit.imports import codes, imports, used_names
from mimgraph.emit.sizes import resolve_sizes
from mimgraph.emit.tree import Construct
from mimgraph.ir.code import Call, Code, Constant, Dict, Name, Subscript, walk
from mimgraph.ir.lowering import Module
from mimgraph.ir.names import EMITTED
from mimgraph.ir.presence import ALWAYS
from mimgraph.ir.typed import (
    Body,
    Each,
    Leaf,
    Repeated,
    Sequence,
    Shared,
    TypedGraph,
    TypedNode,
    TypedOperation,
    Use,
    single_nodes,
    unwrap,
)
from mimgraph.ir.types import TensorType
from mimgraph.ir.walks import bodies, twins, used_bodies

SUPER = Name("super().forward")
X = Name("x")

Thing = TypeVar("Thing")
Key = TypeVar("Key")


class File(NamedTuple):
    """The text and the classes in it; what it imports of the user's, by the names in the text; the
    layers that need that; and the name of the class of each body and chain item that has one."""

    text: str
    classes: tuple[Class, ...]
    own: Mapping[str, Any]
    layers: Mapping[str, type]
    names: Mapping[Body | TypedNode, str]


def emit(graph: TypedGraph) -> File:
    """Every class of the graph, inner ones first."""
    emitter = _Emitter(graph)
    classes = emitter.run()
    names = used_names(classes).union(*map(_words, emitter.aliases))
    used = helpers(names)
    words = names.union(*map(_words, used.values()))
    lines = imports(words)
    if own := emitter.own.imported:
        lines = (*lines, "", *import_lines(own))
    beside = list(used.values())
    if emitter.aliases and used:  # an alias may stand for one of these
        beside.append("\n".join(emitter.aliases))
    elif emitter.aliases:
        lines = (*lines, "", *emitter.aliases)
    text = module_text(lines, classes, tuple(beside))
    return File(text, classes, own, emitter.layers, emitter.names())


class _Emitter:
    """The classes of a file, each made once those that it uses are there."""

    def __init__(self, graph: TypedGraph) -> None:
        self.graph = graph
        self.taken = {graph.name, *EMITTED, *kwlist}  # a block `none` would be the class `None`
        self.own = OwnClasses()
        self.layers: dict[str, type] = {}  # the registered ones that are used
        self.constructs: dict[int, tuple[Construct, Module]] = {}  # by identity, so both are kept
        self.twins = twins(graph.body)
        self.made_items: set[TypedNode] = set()
        self.classes: list[Class] = []
        self.aliases: tuple[str, ...] = ()  # the lines that define them, `F_ = F`
        # the class of each body and chain item that has one, and which of its uses that is
        self.made: dict[Body | TypedNode, tuple[Lifted, int]] = {}

    def run(self) -> tuple[Class, ...]:
        every = list(bodies(self.graph.body))
        self.made_items = _made_items(every, self.twins)
        # layers in chains use no class of the file, so theirs are made once for all of it
        self.define_items({i: t for i, t in self.wrapped(every) if isinstance(i.operation, Leaf)})
        for group in _by_height(every):
            self.define_items({i: t for i, t in self.wrapped(group) if i not in self.made})
            uses = [body for body in group if body is not self.graph.body]
            # a block of the user's and one of the catalogue may share a name, but no params
            for (family, _), members in _grouped(uses, _family).items():
                self.define(_class_name(family), {body: self.draft(body) for body in members})
        self.define_main()
        return tuple(self.classes)

    def names(self) -> dict[Body | TypedNode, str]:
        """The class of each body and chain item that has one."""
        made = {thing: lifted.definition.name for thing, (lifted, _) in self.made.items()}
        return {**made, self.graph.body: self.graph.name}

    def define_main(self) -> None:
        body = self.graph.body
        ports = used_ports(body)
        is_stage = self.graph.is_stage
        inits = self.inits(body, ports)
        attributes = _renamed(body, inits)
        statements = forward(body, ports, as_dict=not is_stage)
        draft = Draft(
            base=_base(attributes),
            inits=inits + _kept(body, statements),
            attributes=attributes,
            inputs=tuple(body.inputs),
            returns=_returned(self.graph),
            statements=statements,
            params={},
            defaults={},
            dims={},
            keyword_only=not is_stage,
            may_leave_out=True,
            frozen=frozen(body),
            doc=_document(self.graph),
            optional=body.optional,
        )
        definition = lift(self.graph.name, [draft], self.taken).definition
        definition, self.aliases = with_aliases(definition, body.inputs)
        self.classes.append(definition)

    def define(self, name: str, drafts: Mapping[Any, Draft]) -> None:
        """A class for each distinct skeleton among the uses of one name."""
        for members in _grouped(drafts, lambda thing: _class_key(drafts[thing])).values():
            lifted = lift(self.name(name), [drafts[thing] for thing in members], self.taken)
            self.classes.append(lifted.definition)
            self.made |= {thing: (lifted, use) for use, thing in enumerate(members)}

    def name(self, wanted: str, arguments: Collection[str] = ()) -> str:
        """Return a class name that is free and hidden by no argument."""
        name, number = wanted, 1
        while name in self.taken or name in arguments:
            number += 1
            name = f"{wanted}{number}"
        self.taken.add(name)
        return name

    def own_name(self, wanted: str) -> str:
        """Return a free class name that no constructor's argument hides."""
        every = bodies(self.graph.body)
        return self.name(wanted, {name for body in every for name in (*body.params, *body.dims)})

    def class_name(self, leaf: Leaf, module: Module) -> str:
        """The class of a layer's module: one of torch, or the user's own."""
        if module.own is None:
            return f"nn.{module.name}"
        self.layers[leaf.name] = module.own
        return self.own.name_of(module.own, self.own_name)

    def leaf(self, leaf: Leaf, module: Module) -> Construct:
        """The call that makes a layer's module, one for all nodes of the very same."""
        known = self.constructs.get(id(module))
        if known is None:
            made = construct_leaf(leaf, module, self.class_name(leaf, module))
            known = self.constructs[id(module)] = made, module
        return known[0]

    # blocks

    def draft(self, body: Body) -> Draft:
        """The class of a block as this use needs it."""
        kinds = [
            "Tensor" if body.presence_of(value) == ALWAYS else "Tensor | None"
            for value in body.outputs.values()
        ]
        returns = kinds[0] if len(kinds) == 1 else f"tuple[{', '.join(kinds)}]"
        statements: tuple[Statement, ...] = ()
        attributes: tuple[tuple[str, str], ...] = ()
        if body.is_chain:
            (node,) = body.nodes
            assert isinstance(node.operation, Sequence)
            base = "nn.Sequential"
            inits = tuple(("", self.item(item)) for item in node.operation.items)
        else:
            ports = used_ports(body)
            inits = self.inits(body, ports)
            attributes = _renamed(body, inits)
            base = _base(attributes)
            statements = forward(body, ports, as_dict=False, twins=self.twins.get(body, ()))
            inits += _kept(body, statements)
        arguments = argument_names(body)
        return Draft(
            base,
            inits,
            tuple(arguments.values()),
            returns,
            statements,
            body.params,
            body.defaults,
            body.dims,
            self.graph.body.params,
            attributes=attributes,
            frozen=frozen(body),
            doc=body.doc,
            optional=frozenset(arguments[name] for name in body.optional),
        )

    def inits(self, body: Body, ports: UsedPorts) -> tuple[tuple[str, Code], ...]:
        """The modules of a body, in the order of the text."""
        found = []
        for node in body.nodes:
            made = self.module(node.operation, ports.get(node.name, ()))
            if made is not None:
                found.append((attribute(node.name, body.by_name), freeze(made, node)))
        return tuple(found)

    def module(self, operation: TypedOperation, ports: Iterable[str]) -> Code | None:
        """The code that makes a node's module, if it has one, for the ports that are used."""
        match operation:
            case Leaf(lowering=lowering):
                leaf = lowering.module_for(ports)
                return self.leaf(operation, leaf) if leaf else None
            case Sequence(items):
                return Call(Name("nn.Sequential"), tuple(map(self.item, items)))
            case Use(body, arguments):
                return self.construct(body, arguments)
            case Repeated():
                return self.repeat(operation)
            case Each(items):
                made = {i.name: self.module(i.operation, (i.default or "",)) for i in items}
                return self.each([(name, one) for name, one in made.items() if one is not None])
            case Shared():
                return None
        raise TypeError(operation)

    def each(self, items: list[tuple[str, Code]]) -> Code | None:
        """Return a module or learned tensor for each port; names that torch refuses go into a dict
        class of our own."""
        if not items:
            return None
        learned = all(isinstance(x, Construct) and x.class_name == "nn.Parameter" for _, x in items)
        kind = "ParameterDict" if learned else "ModuleDict"
        if not any(name in REFUSED[kind] for name, _ in items):
            return Call(Name(f"nn.{kind}"), (Dict(tuple(items)),))
        kept = [(key, Constant(name)) for key, name in renamed(dict(items)).items()]
        return Call(Name(f"_{kind}"), (Dict(tuple(items)), Dict(tuple(kept))))

    def construct(self, body: Body, arguments: Mapping[str, Any]) -> Construct:
        """The call that makes a body's module."""
        lifted, use = self.made[body]
        return lifted.construct(use, arguments)

    def class_of(self, body: Body) -> str:
        """The name of a body's class."""
        lifted, _ = self.made[body]
        return lifted.definition.name

    def repeat(self, operation: Repeated, container: str | None = None) -> Code | None:
        """The code that makes the module of each time, in a container, or that of all times."""
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
        threaded = len(operation.bodies[0].inputs) == len(operation.bodies[0].outputs) == 1
        usual = "nn.Sequential" if threaded else "nn.ModuleList"
        return repeated(container or usual, uses, operation.times)

    # chains

    def item(self, node: TypedNode) -> Code:
        """An item of a chain: a module that is called as `m(x)`."""
        return freeze(self.thawed_item(node), node)

    def thawed_item(self, node: TypedNode) -> Code:
        """The same, as it is before it is frozen."""
        operation, ports = node.operation, (node.default or "",)
        if node not in self.made:
            return self.module(operation, ports) or Call(Name("nn.Identity"))
        lifted, use = self.made[node]
        name = lifted.definition.name
        match operation:  # a subclass has the constructor of its base
            case Leaf(lowering=lowering) if lifted.definition.base != "nn.Module":
                module = lowering.module_for(ports)
                assert module is not None
                return construct_leaf(operation, module, name)
            case Repeated(shared=False) if (made := self.repeat(operation, name)) is not None:
                return made
            case Use(body, arguments) | Repeated((body, *_), (arguments, *_)):
                return replace(self.construct(body, arguments), class_name=name)
            case _:
                return lifted.construct(use, {})

    def wrapped(self, group: Iterable[Body]) -> Iterator[tuple[TypedNode, TensorType]]:
        """Yield the items of chains that cannot be called as `m(x)`, each with the type that it is
        fed."""
        for body in group:
            for node, type_ in _items(body):
                if node in self.made_items or _needs_class(node):
                    yield node, type_

    def define_items(self, types: Mapping[TypedNode, TensorType]) -> None:
        """Classes for items of chains, each with the type that it is fed."""
        for name, members in _grouped(types, self.item_name).items():
            self.define(name, {node: self.item_draft(node, types[node]) for node in members})

    def item_name(self, node: TypedNode) -> str:
        """`LastLSTM`, `ReLULinear`, `Select`, `Chunk0`, `RepeatedResidual`."""
        port = (node.default or "").capitalize()
        match node.operation:
            case Leaf(name=name, activation_name=activation):
                parts = (name, port) if port.isdecimal() else (port, name)
                return activation + "".join(parts)
            case Use(body):
                return f"{port}{self.class_of(body)}"
            case Repeated((body, *_)):
                return f"{port}Repeated{self.class_of(body)}"
        raise TypeError(node)

    def item_draft(self, node: TypedNode, type_: TensorType) -> Draft:
        """The class of such an item: a subclass that overrides `forward`, or a module of its own."""
        whole = Call(SUPER, (X,))
        statements: tuple[Statement, ...]
        match node.operation:
            case Leaf() as leaf:
                return self.leaf_draft(node, leaf, type_)
            case Use(body):
                base = self.class_of(body)
                index = list(body.outputs).index(node.default or "")
                statements = (Return(Subscript(whole, Constant(index))),)
            case Repeated((body, *_)) as repeated:
                base = self.class_of(body) if repeated.shared else "nn.ModuleList"
                statements = _loop(repeated, node.default or "")
            case _:
                raise TypeError(node)
        return Draft(base, (), ("x",), "Tensor", statements, {}, {}, {})

    def leaf_draft(self, node: TypedNode, leaf: Leaf, type_: TensorType) -> Draft:
        """Return the class of a layer in a chain; it reads the dtype of the model from its own
        tensors."""
        module, inits = leaf.lowering.module, tuple[tuple[str, Code], ...]()
        base = self.class_name(leaf, module) if module else "nn.Module"
        code = item_code(node, SUPER, X)
        if node in self.made_items:
            if module:  # whose constructor has no place for that tensor
                base, inits = "nn.Module", (("layer", self.leaf(leaf, module)),)
                code = item_code(node, Name("self.layer"), X)
            code = follow(code)
        dtype = kept_dtype()
        code = resolve_dtype(resolve_sizes(code, [(X, type_)]), dtype)
        inits += kept_tensor(dtype, walk(code))
        return Draft(base, inits, ("x",), "Tensor", (Return(code),), {}, {}, {})


def _kept(body: Body, statements: tuple[Statement, ...]) -> tuple[tuple[str, Code], ...]:
    """Return the tensor from which a body reads the dtype of the model if it can read it from
    nothing else."""
    return kept_tensor(kept_dtype(body), walk(*codes(statements)))


def _made_items(every: Iterable[Body], twins: Mapping[Body, Iterable[Body]]) -> set[TypedNode]:
    """Return the items of chains that make float32 of their source whatever dtype the model has."""
    found: set[TypedNode] = set()
    for body in every:
        made = {node.name: items for node, items, _ in _chains(body)}
        for run in (body, *twins.get(body, ())):
            for node, items, type_ in _chains(run):
                fed = type_
                for item, as_run in zip(made[owner_of(node)], items, strict=True):
                    if _is_made(as_run, fed):
                        found.add(item)
                    assert as_run.type is not None
                    fed = as_run.type
    return found


def _chains(body: Body) -> Iterator[tuple[TypedNode, tuple[TypedNode, ...], TensorType]]:
    """Yield the chains that a body runs, shared ones too, each with its items and its source."""
    for node in chain.from_iterable(map(single_nodes, body.nodes)):
        operation = unwrap(node.operation)
        if isinstance(operation, Sequence):
            (value,) = node.arguments.values()
            yield node, operation.items, body.type_of(value)


def _is_made(node: TypedNode, source: TensorType) -> bool:
    """Return whether an item of a chain makes float32 of what it is fed, whatever dtype the model has."""
    leaf, type_ = node.operation, node.type
    if not isinstance(leaf, Leaf) or type_ is None or type_.dtype != "float32":
        return False
    return is_made(leaf, node.default or "", [source])


def _renamed(body: Body, inits: Iterable[tuple[str, Code]]) -> tuple[tuple[str, str], ...]:
    """Return the nodes that the class keeps under another attribute, each with that attribute."""
    made = {name for name, _ in inits}
    return tuple((key, name) for key, name in renamed(body.by_name).items() if name in made)


def _base(attributes: Collection[tuple[str, str]]) -> str:
    """Return the base class of a body's class."""
    return "_Keyed" if attributes else "nn.Module"


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _returned(graph: TypedGraph) -> str:
    """What the module returns."""
    if len(graph.body.outputs) == 1:
        return "Tensor"
    return "tuple[Tensor, ...]" if graph.is_stage else "dict[str, Tensor]"


def _loop(repeated: Repeated, port: str) -> tuple[Statement, ...]:
    """The `forward` of a repeated item of a chain. Of several outputs, one is the result, and the
    one of the input's name, if there is any, is handed on."""
    loop, call = partial(For, ("layer",), Name("self")), Call(Name("layer"), (X,))
    if repeated.shared:
        times = Constant(len(repeated.bodies), "times")
        loop, call = partial(For, ("_",), Call(Name("range"), (times,))), Call(SUPER, (X,))
    names = list(repeated.bodies[0].outputs)
    if len(names) == 1:
        return loop((Assign(("x",), call),)), Return(X)
    read = {name: Constant(index) for index, name in enumerate(names)}
    if port in repeated.carried:
        return loop((Assign(("x",), Subscript(call, read[port])),)), Return(X)
    whole = Name("results")
    handed_on = (Assign(("x",), Subscript(whole, read[name])) for name in repeated.carried)
    body = (Assign(("results",), call), *handed_on)
    return loop(body), Return(Subscript(whole, read[port]))


def _class_key(draft: Draft) -> Any:
    """What uses of one class share. A subclass keeps the constructor of its base, so the constants
    of its `forward` are part of it."""
    own = draft.base in ("nn.Module", "nn.Sequential", "_Keyed")
    return skeleton(draft) if own else (draft.base, draft.statements)


def _needs_class(node: TypedNode) -> bool:
    """Whether an item of a chain is more than a module called as `m(x)`."""
    operation = node.operation
    if isinstance(operation, Leaf):
        return operation.lowering.module is None or item_code(node, SUPER, X) != Call(SUPER, (X,))
    if isinstance(operation, Use):
        return len(operation.body.outputs) > 1
    if isinstance(operation, Repeated) and operation.bodies:
        return operation.shared or len(operation.bodies[0].outputs) > 1
    return False


def _items(body: Body) -> Iterator[tuple[TypedNode, TensorType]]:
    """Every item of the chains of a body, with the type that it is fed."""
    for node in chain.from_iterable(map(single_nodes, body.nodes)):
        if isinstance(node.operation, Sequence):
            (value,) = node.arguments.values()
            type_ = body.type_of(value)
            for item in node.operation.items:
                yield item, type_
                assert item.type is not None
                type_ = item.type


def _by_height(found: list[Body]) -> list[list[Body]]:
    """Bodies in groups: those that use no block, those that use only these, and so on."""
    heights: dict[Body, int] = {}
    groups: dict[int, list[Body]] = {}
    for body in found:  # inner ones come first
        inner = [heights[b] for node in body.nodes for b in used_bodies(node.operation)]
        heights[body] = height = 1 + max(inner, default=0)
        groups.setdefault(height, []).append(body)
    return [groups[height] for height in sorted(groups)]


def _grouped(things: Iterable[Thing], key: Callable[[Thing], Key]) -> dict[Key, list[Thing]]:
    """Things by key, in the order of the first of each."""
    groups: dict[Key, list[Thing]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return groups


def _family(body: Body) -> tuple[str, tuple[str, ...]]:
    return body.family, tuple(body.params)


def _class_name(family: str) -> str:
    """`dense_layer` as `DenseLayer`, and `_3x3` as `Block3x3`."""
    name = "".join(part[:1].upper() + part[1:] for part in family.split("_"))
    return name if name.isidentifier() else f"Block{name}"


def _document(graph: TypedGraph) -> str:
    """What the class's docstring says: the spec's doc, inputs, outputs, what must hold."""
    body = graph.body
    inputs = ", ".join(
        f"{name} {type_}{_noted(type_)}{' (optional)' if name in body.optional else ''}"
        for name, type_ in body.inputs.items()
    )
    outputs = ", ".join(
        f"{name} {body.type_of(value)}{' (in training)' if name in body.training else ''}"
        for name, value in body.outputs.items()
    )
    plural = ["s" if len(things) > 1 else "" for things in (body.inputs, body.outputs)]
    lines = [f"Input{plural[0]}: {inputs}. Output{plural[1]}: {outputs}."]
    if graph.constraints:
        lines.append(f"At run time {', '.join(map(str, graph.constraints))}.")
    docs = {**graph.input_docs, **graph.output_docs}
    described = [f"{name}: {doc}" for name, doc in docs.items()]
    paragraphs = [body.doc] if body.doc else []
    return "\n\n".join([*paragraphs, " ".join(lines), *described])


def _noted(type_: TensorType) -> str:
    """The dtype, where it is not the usual one."""
    return "" if type_.dtype == "float32" else f" {type_.dtype}"
