"""Write the `forward` of a chain item that needs a class: it returns ports, several as a tuple."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from mimgraph.emit.format.statements import Assign, Expr, For, Return, Statement
from mimgraph.emit.forward.call_code import activated, call_code, filled, port_code
from mimgraph.emit.forward.loops import iteration
from mimgraph.emit.sizes import resolve_sizes
from mimgraph.ir.code import Attribute, Call, Code, List, Name, Tuple, call, rebuild, walk
from mimgraph.ir.typed_graph import Body, Fold, TypedNode
from mimgraph.ir.typed_operations import STEPS, Leaf, Repeated
from mimgraph.ir.types import TensorType

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
