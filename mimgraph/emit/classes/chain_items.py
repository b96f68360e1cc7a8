"""Draft the classes of chain items that torch has no module for, as an item is called as `m(x)`.

A layer without a module becomes an `nn.Module`; one with a further argument or result, a block with
several results and a repeat that needs a loop become subclasses that override `forward`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from mimgraph.emit.classes.draft import Draft
from mimgraph.emit.classes.modules import Inits, Modules
from mimgraph.emit.dtypes import follow, kept_dtype, kept_tensor, resolve_dtype, stays_float32
from mimgraph.emit.format.statements import Assign, Expr, For, Return, Statement
from mimgraph.emit.forward.call_code import item_code, owner_of
from mimgraph.emit.forward.loops import is_sequential, iteration
from mimgraph.emit.sizes import resolve_sizes
from mimgraph.ir.code import (
    Attribute,
    Call,
    Code,
    List,
    Name,
    call,
    rebuild,
    walk,
)
from mimgraph.ir.fold import Fold
from mimgraph.ir.typed import STEPS, Body, Leaf, Repeated, TypedNode, Use, unwrap
from mimgraph.ir.types import TensorType

SUPER = Name("super().forward")
X = Name("x")
NUMBERS = Name("numbers")


class ChainItems:
    """The items of all chains of a graph, and which of them need a class."""

    def __init__(
        self, modules: Modules, every: Collection[Body], twins: Mapping[Body, Iterable[Body]]
    ) -> None:
        self.modules = modules
        self.chains = {body: tuple(_chains(body)) for body in chain(every, *twins.values())}
        self.cast = {item for body in every for item in self._to_cast(body, twins.get(body, ()))}

    def needing_a_class(self, group: Iterable[Body]) -> Iterator[tuple[TypedNode, TensorType]]:
        """Yield the items in these bodies that need a class, each with the type that it is fed."""
        for body in group:
            for node, items, source in self.chains[body]:
                if node.operation.steps:  # else shared, so another node makes them
                    for item, type_ in _fed(items, source):
                        if item in self.cast or _needs_class(item):
                            yield item, type_

    def _to_cast(self, body: Body, twins: Iterable[Body]) -> Iterator[TypedNode]:
        """Yield the items whose result is float32 whatever dtype the model has."""
        made = {node.name: items for node, items, _ in self.chains[body]}
        for run in (body, *twins):
            for node, items, source in self.chains[run]:
                ours = made.get(
                    owner_of(node), items
                )  # its own if the owner is outside of the block
                for item, (as_run, type_) in zip(ours, _fed(items, source), strict=True):
                    if _stays_float32(as_run, type_):
                        yield item

    def class_name(self, node: TypedNode) -> str:
        """Return the name that an item's class should have.

        Such as `LastLSTM`, `ReLULinear`, `Select`, `Chunk0`, `RepeatedResidual` and `OverConv2d`.
        """
        return f"{'Over' if node.over else ''}{self._name(node)}"

    def _name(self, node: TypedNode) -> str:
        port = (node.default or "").capitalize()
        match node.operation:
            case Leaf(name=name, activation_name=activation):
                parts = (name, port) if port.isdecimal() else (port, name)
                return activation + "".join(parts)
            case Use(body):
                return f"{port}{self.modules.class_of(body)}"
            case Repeated((body, *_)):
                return f"{port}Repeated{self.modules.class_of(body)}"
        raise TypeError(node)

    def draft(self, node: TypedNode, type_: TensorType) -> Draft:
        """Return the class of an item that is fed this type."""
        if node.fold is None:
            return self._draft(node, type_)
        draft = self._draft(node, node.fold.fold(type_))
        return replace(draft, statements=_over(node, node.fold, draft.statements))

    def _draft(self, node: TypedNode, type_: TensorType) -> Draft:
        """Return the class of an item without its `over`."""
        statements: tuple[Statement, ...]
        match node.operation:
            case Leaf() as leaf:
                return self._leaf(node, leaf, type_)
            case Use(body):
                base = self.modules.class_of(body)
                code: Code = Call(SUPER, (X,))
                if len(body.outputs) > 1:
                    code = code.at(list(body.outputs).index(node.default or ""))
                statements = (Return(code),)
            case Repeated((body, *_)) as repeated:
                base = self.modules.class_of(body) if repeated.shared else "nn.ModuleList"
                statements = _loop(repeated, node.default or "", type_)
            case _:
                raise TypeError(node)
        return Draft(base, (), ("x",), "Tensor", statements, {}, {}, {})

    def _leaf(self, node: TypedNode, leaf: Leaf, type_: TensorType) -> Draft:
        """Return the class of a layer, which reads the dtype of the model from its own tensors."""
        module, inits = leaf.lowering.module, Inits()
        base = self.modules.class_name(leaf, module) if module else "nn.Module"
        code = item_code(node, SUPER, X)
        if node in self.cast:
            if module:  # whose constructor has no place for that tensor
                base, inits = "nn.Module", (("layer", self.modules.leaf(leaf, module)),)
                code = item_code(node, Name("self.layer"), X)
            code = follow(code)
        dtype = kept_dtype()
        code = resolve_dtype(_sized(code, type_), dtype)
        inits += kept_tensor(dtype, walk(code))
        return Draft(base, inits, ("x",), "Tensor", (Return(code),), {}, {}, {})


def _needs_class(node: TypedNode) -> bool:
    """Return whether an item is more than a module called as `m(x)`."""
    operation = node.operation
    if node.fold is not None:
        return True
    if isinstance(operation, Leaf):
        return operation.lowering.module is None or item_code(node, SUPER, X) != Call(SUPER, (X,))
    if isinstance(operation, Repeated) and operation.bodies:
        return not is_sequential(operation, (node.default or "",))
    return bool(operation.bodies) and len(operation.bodies[0].outputs) > 1


def _stays_float32(node: TypedNode, source: TensorType) -> bool:
    """Return whether the result of an item is float32 whatever dtype the model has."""
    leaf, type_ = node.operation, node.type
    if not isinstance(leaf, Leaf) or type_ is None or type_.dtype != "float32":
        return False
    return stays_float32(leaf, node.default or "", [source])


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
        assert item.type is not None
        source = item.type


def _over(node: TypedNode, fold: Fold, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """Return the `forward` of an item that runs over an axis; `statements` run it without."""
    *before, last = statements
    assert isinstance(last, Return) and node.type is not None
    rank, is_batched = node.type.rank, node.type.batched
    if not before and walk(last.value).count(X) == 1:
        inside = rebuild(last.value, lambda part: fold.fold_code(X) if part == X else None)
        shape = Attribute(X, "shape")
        return (Return(fold.unfold_code(inside, shape, rank) if is_batched else inside),)
    rows = Assign(("x",), fold.fold_code(X))
    if not is_batched:
        return rows, *statements
    kept = Assign(("shape",), Attribute(X, "shape"))
    return kept, rows, *before, Return(fold.unfold_code(last.value, Name("shape"), rank))


def _loop(repeated: Repeated, port: str, source: TensorType) -> tuple[Statement, ...]:
    """Return the `forward` of a repeated item, whose block is fed this type.

    The results of a block with several outputs are read by their position.
    """
    body = repeated.bodies[0]
    collects = port == STEPS and repeated.collected is not None
    port = repeated.collected or "" if collects else port
    module = SUPER if repeated.shared else Name("self")
    run = iteration(repeated, module, (X, X), NUMBERS, ("x", "results", STEPS, NUMBERS.id))
    args = tuple(run.number if name == repeated.counter else X for name in body.inputs)
    call_, whole = Call(run.function, args), Name("results")
    read = {name: whole.at(index) for index, name in enumerate(body.outputs)}
    if port in repeated.carried.values():
        each = [Assign(("x",), call_.at([*read].index(port)) if port else call_)]
        result: Code = X
    else:
        handed_on = [Assign(("x",), read[name]) for name in repeated.carried]
        each, result = [Assign(("results",), call_), *handed_on], read[port]
    before = [Assign((NUMBERS.id,), run.numbers)] if run.numbers is not None else []
    if not collects:
        return *before, For(run.variables, _sized(run.iterable, source), (*each,)), Return(result)
    collected = Expr(Name(STEPS).method("append", result))
    loop = For(run.variables, _sized(run.iterable, source), (*each, collected))
    stack = call("torch.stack", Name(STEPS), int(body.results[port].batched))
    return *before, Assign((STEPS,), List(())), loop, Return(stack)


def _sized(code: Code, source: TensorType) -> Code:
    """Return the code of an item that is fed this type, with sizes read from its source."""
    return resolve_sizes(code, [(X, source)])
