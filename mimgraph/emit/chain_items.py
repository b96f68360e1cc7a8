"""Draft the classes of chain items that torch has no module for, as an item is called as `m(x)`.

A layer without a module becomes an `nn.Module`; one with a further argument or result, a block with
several results and a repeat that needs a loop become subclasses that override `forward`. The last item
returns the ports of the chain that are read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import NamedTuple, TypeAlias

from mimgraph.emit.drafts import Draft
from mimgraph.emit.dtypes import follow, kept_dtype, kept_tensor, resolve_dtype, stays_float32
from mimgraph.emit.loops import is_sequential, iteration
from mimgraph.emit.modules import Inits, Modules, with_ports
from mimgraph.emit.sizes import resolve_sizes
from mimgraph.emit.tree import Assign, Expr, For, Return, Statement
from mimgraph.emit.values import activated, call_code, filled, owner_of, port_code, used_ports
from mimgraph.ir.code import Attribute, Call, Code, List, Name, Tuple, call, rebuild, walk
from mimgraph.ir.names import legal_name
from mimgraph.ir.typed_graph import Body, Fold, TypedNode
from mimgraph.ir.typed_operations import STEPS, Leaf, Repeated, Use, unwrap
from mimgraph.ir.types import TensorType
from mimgraph.ops.registry import is_model

Ports: TypeAlias = tuple[str, ...]

SUPER = Name("super().forward")
X = Name("x")
RESULT = Name("result")
NUMBERS = Name("numbers")


class Returned(NamedTuple):
    """The code of each port that an item returns; several are read from `result`, which is `whole`.

    `length` is that of `whole` where it is a tuple of known length.
    """

    parts: tuple[Code, ...]
    whole: Code | None = None
    length: int = 0

    def map(self, change: Callable[[Code], Code]) -> Returned:
        """Return it with changed code."""
        whole = None if self.whole is None else change(self.whole)
        return self._replace(parts=tuple(map(change, self.parts)), whole=whole)

    def map_parts(self, change: Callable[[str, Code], Code], ports: Ports) -> Returned:
        """Return it with the code of each port changed."""
        return self._replace(parts=tuple(map(change, ports, self.parts)))

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The `forward`; it hands `whole` on if that is a tuple of the ports."""
        if self.whole is None:
            return (Return(self.parts[0]),)
        if self.parts == tuple(map(RESULT.at, range(self.length))):
            return (Return(self.whole),)
        return Assign((RESULT.id,), self.whole), Return(Tuple(self.parts))


def returned_by_layer(node: TypedNode, ports: Ports, module: Code) -> Returned:
    """Return what a layer computes from its one source, `x`."""
    leaf = node.operation
    assert isinstance(leaf, Leaf)
    lowering = leaf.lowering
    operands = {key: X for key in node.arguments}
    if len(ports) == 1:
        code = port_code(lowering, ports[0], module, operands, lowering.module_for(ports))
        found = Returned((code,))
    else:
        is_own = lowering.module is not None and lowering.module.own is not None
        found = Returned(
            tuple(filled(lowering.ports[port].code, module, operands, RESULT) for port in ports),
            call_code(lowering, module, operands),
            0 if is_own else len(lowering.ports),  # the user's may return more than tensors
        )
    default = node.default
    if leaf.activation is None:
        return found
    return found.map_parts(lambda p, code: activated(leaf, code) if p == default else code, ports)


def returned_by_block(body: Body, ports: Ports) -> Returned:
    """Return the outputs of a block that are ports of its item."""
    names, whole = list(body.results), Call(SUPER, (X,))
    if len(names) == 1:
        return Returned((whole,))
    if len(ports) == 1:
        return Returned((whole.at(names.index(ports[0])),))
    return Returned(tuple(RESULT.at(names.index(port)) for port in ports), whole, len(names))


def loop(repeated: Repeated, ports: Ports, source: TensorType) -> tuple[Statement, ...]:
    """Return the `forward` of a repeated item, whose block is fed this type.

    The results of a block with several outputs are read by their position.
    """
    body, kept = repeated.bodies[0], repeated.collected
    collects = kept is not None and STEPS in ports
    read_of = {port: kept or "" if collects and port == STEPS else port for port in ports}
    module = SUPER if repeated.shared else Name("self")
    run = iteration(repeated, module, (X, X), NUMBERS, ("x", "results", STEPS, NUMBERS.id))
    args = tuple(run.number if name == repeated.counter else X for name in body.inputs)
    call_, whole = Call(run.function, args), Name("results")
    read: dict[str, Code] = {name: whole.at(index) for index, name in enumerate(body.outputs)}
    handed_on = {port: X for port in repeated.carried.values()}
    if handed_on.keys() >= set(read_of.values()):
        (port,) = handed_on
        each = [Assign(("x",), call_.at([*read].index(port)) if port else call_)]
    else:
        kept_on = [Assign(("x",), read[name]) for name in repeated.carried]
        each = [Assign(("results",), call_), *kept_on]
    found = {port: {**read, **handed_on}[name] for port, name in read_of.items()}
    before = [Assign((NUMBERS.id,), run.numbers)] if run.numbers is not None else []
    iterable = resolve_sizes(run.iterable, [(X, source)])
    if not collects:
        return *before, For(run.variables, iterable, (*each,)), _return([*found.values()])
    collected = Expr(Name(STEPS).method("append", found[STEPS]))
    stack = call("torch.stack", Name(STEPS), int(body.results[read_of[STEPS]].batched))
    steps = For(run.variables, iterable, (*each, collected))
    return *before, Assign((STEPS,), List(())), steps, _return([*{**found, STEPS: stack}.values()])


def over(
    node: TypedNode, ports: Ports, fold: Fold, inner: tuple[Statement, ...]
) -> tuple[Statement, ...]:
    """Return the `forward` of an item that runs over an axis; `inner` is that without it."""
    *before, last = inner
    types = [node.results[port] for port in ports]
    assert isinstance(last, Return)
    if not before and len(ports) == 1 and walk(last.value).count(X) == 1:
        inside = rebuild(last.value, lambda part: fold.fold_code(X) if part == X else None)
        shape, (type_,) = Attribute(X, "shape"), types
        return (Return(fold.unfold_code(inside, shape, type_.rank) if type_.batched else inside),)
    rows = Assign(("x",), fold.fold_code(X))
    if not any(type_.batched for type_ in types):
        return rows, *inner
    parts: tuple[Code, ...] = (last.value,)
    if isinstance(last.value, Tuple):
        parts = last.value.items
    elif len(ports) > 1:
        before.append(Assign((RESULT.id,), last.value))
        parts = tuple(map(RESULT.at, range(len(ports))))
    kept, shape_ = Assign(("shape",), Attribute(X, "shape")), Name("shape")
    unfolded = [
        fold.unfold_code(part, shape_, type_.rank) if type_.batched else part
        for part, type_ in zip(parts, types, strict=True)
    ]
    return kept, rows, *before, _return(unfolded)


def _return(parts: list[Code]) -> Return:
    return Return(parts[0] if len(parts) == 1 else Tuple(tuple(parts)))


# Which items need a class, and its draft.


Chain: TypeAlias = tuple[TypedNode, tuple[TypedNode, ...], TensorType]  # its items and its source


class ChainItems:
    """The items of all chains of a graph, and which of them need a class."""

    def __init__(
        self, modules: Modules, every: Collection[Body], twins: Mapping[Body, Iterable[Body]]
    ) -> None:
        self.modules = modules
        # the chains that a body runs, if any, and the ports that each item of them returns
        self.chains: dict[Body, list[Chain]] = {}
        self.ports: dict[TypedNode, Ports] = {}
        for body in chain(every, *twins.values()):
            if found := list(_chains(body)):
                self.chains[body] = found
        for body, chains in self.chains.items():
            used = used_ports(body)
            for node, items, _ in chains:
                self.ports.update(with_ports(items, used[owner_of(node)]))
        self.cast: set[TypedNode] = set()
        for body in every if self.chains else ():
            self.cast.update(self._to_cast(body, twins.get(body, ())))

    def needing_a_class(self, group: Iterable[Body]) -> Iterator[tuple[TypedNode, TensorType]]:
        """Yield the items in these bodies that need a class, each with the type that it is fed."""
        for body in group:
            for node, items, source in self.chains.get(body, ()):
                if node.operation.steps:  # else shared, so another node makes them
                    for item, type_ in _fed(items, source):
                        if item in self.cast or self._needs_class(item):
                            yield item, type_

    def _to_cast(self, body: Body, twins: Iterable[Body]) -> Iterator[TypedNode]:
        """Yield the items whose result is float32 whatever dtype the model has."""
        made = {node.name: items for node, items, _ in self.chains.get(body, ())}
        for run in (body, *twins):
            for node, items, source in self.chains.get(run, ()):
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
        if dtype in walk(*returned.statements):
            inits += kept_tensor(dtype)
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


def _chains(body: Body) -> Iterator[Chain]:
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
