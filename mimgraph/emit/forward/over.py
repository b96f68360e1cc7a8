"""Fold an axis of a node's sources into the batch where the node runs, and give it back to its results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from mimgraph.emit.forward.runs import Run
from mimgraph.emit.forward.steps import (
    Condition,
    Step,
    flat_of,
    is_intermediate,
    values_in,
    values_read,
)
from mimgraph.emit.forward.values import Values
from mimgraph.emit.tree import Local
from mimgraph.ir.code import Attribute, Call, Code, Constant, Subscript, rebuild, walk
from mimgraph.ir.typed_graph import Body, Fold, Presence, Value, implies
from mimgraph.ir.types import TensorType

MakeStep: TypeAlias = Callable[[Run, tuple[Value, ...], Code], Iterable[Step]]


class Folding(NamedTuple):
    """One way in which a node runs over an axis: its sources with the local that each is folded into.

    `sized` is a source that is given whenever the node runs, `type` the type that it is folded to.
    """

    run: Run
    fold: Fold
    locals: Mapping[Value, Value]
    sized: Value
    type: TensorType

    def before(self, body: Body, values: Values, step: MakeStep) -> Iterator[Step]:
        """Yield the steps that fold the sources; of one that may be missing, None."""
        for value, local in self.locals.items():
            code = self.fold.fold_code(values.read(value))
            presence = body.presence_of(value)
            if is_there(self.run, presence):
                yield from step(self.run, (local,), code)
            else:
                yield from step(under(self.run, presence), (local,), code)
                missing = under(self.run, presence, holds=False)
                yield from step(missing, (local,), Constant(None))

    def unfolded(self, target: Value, code: Code, values: Values) -> Code:
        """Return the code of a result with the axis; one without a batch has none."""
        type_ = self.run.node.results[target.port]
        if not type_.batched:
            return code
        shape = Attribute(values.read(self.sized), "shape")
        return self.fold.unfold_code(code, shape, type_.rank)

    def after(self, targets: Iterable[Value], values: Values, step: MakeStep) -> Iterator[Step]:
        """Yield the steps that give the axis back to results that are read, where they exist."""
        for target in targets:
            code = self.unfolded(target, Local(target), values)
            if target in values.times_read and code != Local(target):
                presence = self.run.node.presence_of(target.port)
                there = self.run if is_there(self.run, presence) else under(self.run, presence)
                yield from step(there, (target,), code)


def folding(run: Run, body: Body, values: Values) -> Folding | None:
    """Return how a node folds an axis of its sources where it runs so; None if it has no `over`."""
    node, fold = run.node, run.node.fold
    if fold is None:
        return None
    batched = (value for value in node.arguments.values() if body.type_of(value).batched)
    sources = map(values.resolve, batched)
    locals = {value: flat_of(node.name, _named(value, body)) for value in sources}
    sized = next(value for value in locals if is_there(run, body.presence_of(value)))
    return Folding(run, fold, locals, sized, fold.fold(body.type_of(sized)))


def _named(value: Value, body: Body) -> str:
    """Return the name of a source, with its port unless that is the default one."""
    node = body.by_name.get(value.name)
    is_default = node is not None and value.port == node.default
    has_port = value.port and not is_default and not is_intermediate(value)
    return f"{value.name}_{value.port}" if has_port else value.name


def is_there(run: Run, presence: Presence) -> bool:
    """Return whether a value of this presence exists wherever a node runs so."""
    known = (c.presence for c in run.guard if c.presence is not None and c.holds)
    return any(implies(one, presence) for one in (run.node.presence, *known))


def is_long(code: Code) -> bool:
    """Return whether code fills a line, so that the axis is given back in the next one: a call of
    several values, of which one result may be read."""
    match code:
        case Call(args=args) | Subscript(Call(args=args)):
            return sum(bool(values_read(arg)) for arg in args) > 1
    return False


def under(run: Run, presence: Presence, holds: bool = True) -> Run:
    """Return the run under one more condition."""
    return run._replace(guard=(*run.guard, Condition(presence, holds)))


def with_folds(before: Iterable[Step], steps: list[Step]) -> list[Step]:
    """Return the steps after those that fold their sources, which are written where they are read if
    that is in one place."""
    kept: list[Step] = []
    for fold in before:
        (local,) = fold.targets
        readers = [index for index, step in enumerate(steps) if local in _needs(step)]
        reader = steps[readers[0]] if len(readers) == 1 else None
        once = reader is not None and values_in(walk(reader.code)).count(local) == 1
        if reader is None or not once or reader.loop is not None or fold.guard != reader.guard:
            kept.append(fold)
        else:
            steps[readers[0]] = _with_code(reader, local, fold.code)
    return kept + steps


def _needs(step: Step) -> tuple[Value, ...]:
    """Return the values that a step reads, also to start a loop."""
    return (*step.reads, *(step.loop.carried.values() if step.loop else ()))


def _with_code(step: Step, local: Value, code: Code) -> Step:
    """Return the step with code in place of a local."""
    found = rebuild(step.code, lambda part: code if part == Local(local) else None)
    return replace(step, code=found, reads=tuple(dict.fromkeys(values_read(found))))
