"""Emit a typed graph as the source of a stand-alone file: draft its classes, merge them, print them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from mimgraph.emit.attributes import renamed
from mimgraph.emit.chain_items import ChainItems
from mimgraph.emit.classes import lift
from mimgraph.emit.drafts import Draft, skeleton
from mimgraph.emit.dtypes import has_weight, kept_dtype, kept_tensor
from mimgraph.emit.forward import forward
from mimgraph.emit.frozen import frozen, partly_frozen
from mimgraph.emit.header import codes, helpers, import_lines, imports, used_names
from mimgraph.emit.modules import Inits, Modules
from mimgraph.emit.printer import module_text
from mimgraph.emit.tree import Class, Function, Statement, rebuild_statement
from mimgraph.emit.values import argument_names, module_arguments, used_ports
from mimgraph.ir.code import Call, Code, Name, rebuild, walk
from mimgraph.ir.lowering import Maker
from mimgraph.ir.names import EMITTED
from mimgraph.ir.typed_graph import ALWAYS, Body, TypedGraph, TypedNode
from mimgraph.ir.typed_walks import bodies, twins, used_bodies
from mimgraph.ir.types import TensorType


def docstring(graph: TypedGraph) -> str:
    """Return the text: the doc of the spec, its inputs and outputs, the docs of these."""
    body = graph.body
    inputs = ", ".join(
        f"{name} {type_}{_noted(type_)}{' (optional)' if name in body.optional else ''}"
        for name, type_ in body.inputs.items()
    )
    outputs = ", ".join(
        f"{name} {type_}{' (in training)' if name in body.training else ''}"
        for name, type_ in body.output_types.items()
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
    """Return the dtype, where it is not the usual one."""
    return "" if type_.dtype == "float32" else f" {type_.dtype}"


# Give aliases to the globals that a forward's arguments hide, as an input may be called `F`.


def with_aliases(definition: Class, inputs: Collection[str]) -> tuple[Class, tuple[str, ...]]:
    """Return the class whose forward uses aliases for the globals that its inputs hide, and the
    lines that define them, such as `F_ = F`."""
    hidden = {name: _alias(name, inputs) for name in inputs if name in EMITTED}
    if not hidden:
        return definition, ()
    used: dict[str, None] = {}

    def other(name: str) -> Name | None:
        first, dot, rest = name.partition(".")
        if first not in hidden:
            return None
        used[first] = None
        return Name(hidden[first] + dot + rest)

    def read(part: Code) -> Code | None:
        match part:
            case Name(id) if "." in id:  # a bare name is the input itself
                return other(id)
            case Call(Name(id), args, keywords):  # tensors are not called
                function = other(id) or part.function
                named = tuple((key, rebuild(value, read)) for key, value in keywords)
                return Call(function, tuple(rebuild(arg, read) for arg in args), named)
        return None

    def aliased(function: Function) -> Function:
        if function.name != "forward":
            return function
        return replace(function, body=tuple(rebuild_statement(s, read) for s in function.body))

    found = replace(definition, body=tuple(map(aliased, definition.body)))
    return found, tuple(f"{hidden[name]} = {name}" for name in used)


def _alias(name: str, inputs: Collection[str]) -> str:
    alias = f"{name}_"
    while alias in inputs:
        alias += "_"
    return alias


# The file and its classes.


Thing = TypeVar("Thing")
Key = TypeVar("Key", bound=Hashable)


class File(NamedTuple):
    """The text of a file and the classes in it.

    `own` is what it imports of the user's, by the names in the text, and `layers` are the registered
    layers that need that. `names` are the classes of the bodies and chain items that have one.
    """

    text: str
    classes: tuple[Class, ...]
    own: Mapping[str, Any]
    layers: Mapping[str, Maker]
    names: Mapping[Body | TypedNode, str]


def emit(graph: TypedGraph) -> File:
    """Return the file that defines every class of the graph, inner ones first."""
    emitter = _Emitter(graph)
    classes, aliases = emitter.run()
    names = used_names(classes).union(*map(_words, aliases))
    used = helpers(names)
    words = names.union(*map(_words, used.values()))
    lines = imports(words)
    if own := emitter.modules.own.imported:
        lines = (*lines, "", *import_lines(own))
    beside = list(used.values())
    if aliases and used:  # an alias may stand for one of these
        beside.append("\n".join(aliases))
    elif aliases:
        lines = (*lines, "", *aliases)
    text = module_text(lines, classes, tuple(beside))
    return File(text, classes, own, emitter.modules.layers, emitter.names())


class _Emitter:
    """Makes the classes of a file, each once those that it uses are there."""

    def __init__(self, graph: TypedGraph) -> None:
        self.graph = graph
        self.every = bodies(graph.body)
        self.twins = twins(graph.body)
        self.modules = Modules(graph)
        self.items = ChainItems(self.modules, self.every, self.twins)
        self.classes: list[Class] = []

    def run(self) -> tuple[tuple[Class, ...], tuple[str, ...]]:
        """Return the classes, and the lines that define aliases for hidden names: `F_ = F`."""
        # layers in chains use no class of the file, so theirs are made once for all of it
        self.define_items(self.every, lambda item: not item.operation.bodies)
        for group in _by_height(self.every):
            self.define_items(group, lambda item: item not in self.modules.made)
            uses = [body for body in group if body is not self.graph.body]
            # a block of the user's and one of the registry may share a name, but no params
            for (family, _), members in _grouped(uses, _family).items():
                self.define(_class_name(family), {body: self.draft(body) for body in members})
        main = lift(self.graph.name, [self.draft_main()], self.modules.taken).definition
        main, aliases = with_aliases(main, self.graph.body.inputs)
        return (*self.classes, main), aliases

    def names(self) -> dict[Body | TypedNode, str]:
        """Return the class of each body and chain item that has one."""
        made = self.modules.made.items()
        names = {thing: lifted.definition.name for thing, (lifted, _) in made}
        return {**names, self.graph.body: self.graph.name}

    def define_items(self, group: Iterable[Body], chosen: Callable[[TypedNode], bool]) -> None:
        """Define the classes of the chosen chain items in these bodies."""
        every = self.items.needing_a_class(group)
        types = {item: type_ for item, type_ in every if chosen(item)}
        for name, members in _grouped(types, self.items.class_name).items():
            self.define(name, {item: self.items.draft(item, types[item]) for item in members})

    def define(self, name: str, drafts: Mapping[Any, Draft]) -> None:
        """Define a class for each distinct skeleton among the uses of one name."""
        for members in _grouped(drafts, lambda thing: _class_key(drafts[thing])).values():
            free = self.modules.free_name(name)
            lifted = lift(free, [drafts[thing] for thing in members], self.modules.taken)
            self.classes.append(lifted.definition)
            self.modules.made |= {thing: (lifted, use) for use, thing in enumerate(members)}

    def draft_main(self) -> Draft:
        """Return the class of the whole graph."""
        graph, body = self.graph, self.graph.body
        ports = used_ports(body)
        inits = self.modules.inits(body, ports)
        attributes = _renamed(body, inits)
        statements = forward(body, ports, as_dict=not graph.is_stage)
        return Draft(
            base=_base(attributes),
            inits=inits + _kept(body, statements),
            attributes=attributes,
            inputs=tuple(body.inputs),
            returns=_returned(graph),
            statements=statements,
            params={},
            defaults={},
            dims={},
            keyword_only=not graph.is_stage,
            may_leave_out=True,
            frozen=frozen(body),
            partly_frozen=partly_frozen(body),
            doc=docstring(graph),
            optional=body.optional,
        )

    def draft(self, body: Body) -> Draft:
        """Return the class of a block as this use needs it."""
        statements: tuple[Statement, ...] = ()
        attributes: tuple[tuple[str, str], ...] = ()
        if body.is_chain:
            (node,) = body.nodes
            base = "nn.Sequential"
            (value,) = body.outputs.values()
            items = self.modules.items(node.operation.steps, [value.port])
            inits = tuple(("", item) for item in items)
        else:
            ports = used_ports(body)
            inits = self.modules.inits(body, ports)
            attributes = _renamed(body, inits)
            base = _base(attributes)
            statements = forward(body, ports, as_dict=False, twins=self.twins.get(body, ()))
            inits += _kept(body, statements)
        arguments = argument_names(body)
        return Draft(
            base=base,
            inits=inits,
            attributes=attributes,
            inputs=tuple(arguments.values()),
            modules=tuple(module_arguments(body).values()),
            returns=_returned_by_block(body),
            statements=statements,
            params=body.params,
            defaults=body.defaults,
            dims=body.dims,
            spec_params=self.graph.body.params,
            frozen=frozen(body),
            partly_frozen=partly_frozen(body),
            doc=body.doc,
            optional=frozenset(arguments[name] for name in body.optional),
        )


def _kept(body: Body, statements: tuple[Statement, ...]) -> Inits:
    """Return the tensor from which a body reads the dtype of the model if nothing else has it."""
    if has_weight(body):
        return ()
    return kept_tensor(kept_dtype(body), walk(*codes(statements)))


def _renamed(body: Body, inits: Iterable[tuple[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return the nodes that the class keeps under another attribute, each with that attribute."""
    made = {name for name, _ in inits}
    return tuple((key, name) for key, name in renamed(body.by_name).items() if name in made)


def _base(attributes: Collection[tuple[str, str]]) -> str:
    """Return the base class of a body's class."""
    return "_Keyed" if attributes else "nn.Module"


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _returned(graph: TypedGraph) -> str:
    """Return the annotation of the model's result."""
    if len(graph.body.outputs) == 1:
        return "Tensor"
    return "tuple[Tensor, ...]" if graph.is_stage else "dict[str, Tensor]"


def _returned_by_block(body: Body) -> str:
    kinds = [
        "Tensor" if body.presence_of(value) == ALWAYS else "Tensor | None"
        for value in body.outputs.values()
    ]
    return kinds[0] if len(kinds) == 1 else f"tuple[{', '.join(kinds)}]"


def _class_key(draft: Draft) -> Hashable:
    """Return what uses of one class share.

    A subclass keeps the constructor of its base, so for it the constants of its `forward` count too.
    """
    own = draft.base in ("nn.Module", "nn.Sequential", "_Keyed")
    return skeleton(draft) if own else (draft.base, draft.statements)


def _by_height(every: list[Body]) -> list[list[Body]]:
    """Return bodies in groups: those that use no block, those that use only these, and so on."""
    heights: dict[Body, int] = {}
    groups: dict[int, list[Body]] = {}
    for body in every:  # inner ones come first
        inner = [heights[b] for node in body.nodes for b in used_bodies(node.operation)]
        heights[body] = height = 1 + max(inner, default=0)
        groups.setdefault(height, []).append(body)
    return [groups[height] for height in sorted(groups)]


def _grouped(things: Iterable[Thing], key: Callable[[Thing], Key]) -> dict[Key, list[Thing]]:
    """Return things by key, in the order of the first of each."""
    groups: dict[Key, list[Thing]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return groups


def _family(body: Body) -> tuple[str, tuple[str, ...]]:
    return body.family, tuple(body.params)


def _class_name(family: str) -> str:
    """Return `DenseLayer` for `dense_layer`, and `Block3x3` for `_3x3`."""
    name = "".join(part[:1].upper() + part[1:] for part in family.split("_"))
    return name if name.isidentifier() else f"Block{name}"
