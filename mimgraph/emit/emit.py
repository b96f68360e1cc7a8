"""Emit a typed graph as the source of a stand-alone file: draft its classes, merge them, print them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from mimgraph.emit.attributes import TAKEN, renamed
from mimgraph.emit.chain_items import ChainItems
from mimgraph.emit.classes import lift
from mimgraph.emit.drafts import Draft, skeleton
from mimgraph.emit.forward import forward
from mimgraph.emit.frozen import frozen
from mimgraph.emit.header import HELPERS, helpers, import_lines, imports, used_names, words_in
from mimgraph.emit.modules import Inits, Modules
from mimgraph.emit.plan import Plan
from mimgraph.emit.printer import module_text
from mimgraph.emit.tree import Class, Function, Statement
from mimgraph.emit.values import argument_names, module_arguments, used_ports
from mimgraph.ir.code import Call, Code, Name, rebuild
from mimgraph.ir.lowering import Maker
from mimgraph.ir.names import EMITTED
from mimgraph.ir.typed_graph import ALWAYS, Body, TypedGraph, TypedNode
from mimgraph.ir.typed_walks import bodies, twins, used_bodies


def docstring(graph: TypedGraph) -> str:
    """Return the text: the doc of the spec, its inputs and outputs, the docs of these."""
    body = graph.body
    inputs, outputs = [], []
    for name, type_ in body.inputs.items():
        dtype = "" if type_.dtype == "float32" else f" {type_.dtype}"
        inputs.append(f"{name} {type_}{dtype}{' (optional)' if name in body.optional else ''}")
    for name, type_ in body.output_types.items():
        outputs.append(f"{name} {type_}{' (in training)' if name in body.training else ''}")
    line = f"Input{'s' if len(inputs) > 1 else ''}: {', '.join(inputs)}."
    line += f" Output{'s' if len(outputs) > 1 else ''}: {', '.join(outputs)}."
    if graph.constraints:
        line += f" At run time {', '.join(map(str, graph.constraints))}."
    paragraphs = [body.doc, line] if body.doc else [line]
    for name, doc in {**graph.input_docs, **graph.output_docs}.items():
        paragraphs.append(f"{name}: {doc}")
    return "\n\n".join(paragraphs)


# Give aliases to the globals that a forward's arguments hide, as an input may be called `F`.


def with_aliases(definition: Class, inputs: Collection[str]) -> tuple[Class, tuple[str, ...]]:
    """Return the class whose forward uses aliases for the globals that its inputs hide, and the
    lines that define them, such as `F_ = F`."""
    hidden = {name: _alias(name, inputs) for name in inputs if name in EMITTED}
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
        return replace(function, body=tuple(s.rebuilt(read) for s in function.body))

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
    emitter.run()
    classes, aliases, own = emitter.classes, emitter.aliases, emitter.modules.own
    names = used_names(classes) | words_in(aliases)
    used = {} if names.isdisjoint(HELPERS) else helpers(names)
    lines = imports(names | words_in(used.values()))
    if own:
        lines = (*lines, "", *import_lines(own))
    beside = list(used.values())
    if aliases and used:  # an alias may stand for one of these
        beside.append("\n".join(aliases))
    elif aliases:
        lines = (*lines, "", *aliases)
    text = module_text(lines, classes, beside)
    return File(text, tuple(classes), own, emitter.modules.layers, emitter.names)


class _Emitter:
    """Makes the classes of a file, each once those that it uses are there."""

    def __init__(self, graph: TypedGraph) -> None:
        self.graph = graph
        self.every = bodies(graph.body)
        self.twins = twins(graph.body)
        self.modules = Modules(graph)
        self.items = ChainItems(self.modules, self.every, self.twins)
        self.classes: list[Class] = []
        self.aliases: tuple[str, ...] = ()  # lines such as `F_ = F`, for names that inputs hide
        self.names: dict[Body | TypedNode, str] = {graph.body: graph.name}

    def run(self) -> None:
        """Make all classes, that of the graph last."""
        *blocks, main = self.every
        # layers in chains use no class of the file, so theirs are made once for all of it
        self.define_items(self.every, lambda item: not item.operation.bodies)
        for group in _by_height(blocks):
            self.define_items(group, lambda item: item not in self.modules.made)
            # a block of the user's and one of the registry may share a name, but no params
            for (family, _), members in _grouped(group, _family).items():
                self.define(_class_name(family), {body: self.draft_block(body) for body in members})
        self.define_items([main], lambda item: item not in self.modules.made)
        made = lift(self.graph.name, [self.draft_graph()], self.modules.taken).definition
        if not EMITTED.isdisjoint(main.inputs):
            made, self.aliases = with_aliases(made, main.inputs)
        self.classes.append(made)

    def define_items(self, group: Iterable[Body], chosen: Callable[[TypedNode], bool]) -> None:
        """Define the classes of the chosen chain items in these bodies."""
        if not self.items.chains:
            return
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
            self.names |= dict.fromkeys(members, free)

    def draft_graph(self) -> Draft:
        """Return the class of the whole graph."""
        graph, body = self.graph, self.graph.body
        returns = "tuple[Tensor, ...]" if graph.is_stage else "dict[str, Tensor]"
        return replace(
            self.draft(body, as_dict=not graph.is_stage),
            returns="Tensor" if len(body.outputs) == 1 else returns,
            keyword_only=not graph.is_stage,
            may_leave_out=True,
            doc=docstring(graph),
        )

    def draft_block(self, body: Body) -> Draft:
        """Return the class of a block as this use needs it."""
        if body.is_chain:
            (node,) = body.nodes
            (value,) = body.outputs.values()
            items = self.modules.items(node.operation.steps, [value.port])
            draft = _draft(body, "nn.Sequential", tuple(("", item) for item in items), ())
        else:
            draft = self.draft(body)
        return replace(draft, returns=_returned(body), spec_params=self.graph.body.params)

    def draft(self, body: Body, as_dict: bool = False) -> Draft:
        """Return the class of a body that is no chain, by the nodes in it."""
        ports = used_ports(body)
        inits = self.modules.inits(body, ports)
        plan = Plan(body, ports, as_dict, self.twins.get(body, ()))
        draft = _draft(body, "nn.Module", inits + plan.kept, forward(plan))
        if TAKEN.isdisjoint(body.by_name):
            return draft
        made = dict(inits)
        kept = [(key, name) for key, name in renamed(body.by_name).items() if name in made]
        return replace(draft, base="_Keyed", attributes=tuple(kept)) if kept else draft


def _draft(body: Body, base: str, inits: Inits, statements: tuple[Statement, ...]) -> Draft:
    """Return the class of a body with these modules and this forward."""
    arguments = argument_names(body)
    return Draft(
        base,
        inits,
        inputs=tuple(arguments.values()),
        returns="Tensor",
        statements=statements,
        params=body.params,
        defaults=body.defaults,
        dims=body.dims,
        modules=tuple(module_arguments(body).values()),
        frozen=frozen(body),
        doc=body.doc,
        optional=frozenset(map(arguments.__getitem__, body.optional)),
    )


def _returned(body: Body) -> str:
    """Return the annotation of a block's result."""
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
    """Return blocks in groups: those that use no block, those that use only these, and so on."""
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
