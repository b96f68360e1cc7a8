"""Write the statements of a `forward`: assignments, loops, `del` and `return`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce

from mimgraph.emit.liveness import Fork, Path, Paths
from mimgraph.emit.local_names import LocalNames
from mimgraph.emit.plan import Plan
from mimgraph.emit.steps import Loop, Step
from mimgraph.emit.tree import Assign, Delete, Expr, For, If, Return, Statement
from mimgraph.ir.code import Binary, Code, Constant, Name, rebuild
from mimgraph.ir.typed_graph import Presence, Value


def forward(plan: Plan) -> tuple[Statement, ...]:
    """Return the statements of a plan.

    Several outputs are returned as a dict or, in a block, as a tuple. No local outlives its last use:
    it is deleted, or the value that replaces it takes its name.
    """
    paths = Paths(plan.steps, plan.body.inputs)
    return tuple(_Writer(plan, paths).block(paths.whole))


class _Writer:
    """Writes steps as statements, those under one condition together."""

    def __init__(self, plan: Plan, paths: Paths) -> None:
        self.steps = plan.steps
        self.paths = paths
        self.names = LocalNames(plan, paths)

    def block(self, path: Path) -> Iterator[Statement]:
        """Yield the statements of a path."""
        for part in path:
            if isinstance(part, Fork):
                yield from self.fork(part)
            else:
                yield from self.step(part)

    def fork(self, fork: Fork) -> Iterator[Statement]:
        """Yield an `if`, and an `else` unless the `if` returns."""
        then, otherwise = (
            (*self.deleted(self.paths.gone(fork, holds), side), *self.block(side))
            for side, holds in ((fork.then, True), (fork.otherwise, False))
        )
        if then and isinstance(then[-1], Return):
            otherwise = ()
        if then:
            yield If(_test(fork.presence, self.names.arguments), then, otherwise)
        elif otherwise:
            yield If(_test(fork.presence, self.names.arguments, holds=False), otherwise)

    def deleted(self, gone: Iterable[Value], path: Path) -> Iterator[Statement]:
        """Yield the `del` of locals that this way does not need, but for one that its first step rebinds."""
        first = path[0] if path else None
        made = self.steps[first].targets if isinstance(first, int) else ()
        anew = {self.names.name(target) for target in made}
        names = dict.fromkeys(map(self.names.name, gone))
        yield from _deleted(tuple(name for name in names if name not in anew))

    def step(self, index: int) -> Iterator[Statement]:
        """Yield the statements of a step, and the `del` of locals that nothing needs after it."""
        step, names = self.steps[index], self.names
        code = rebuild(step.code, names.named)
        unread = self.paths.unread[index]
        if not step.targets:
            yield Return(code, step.node)
            return
        if unread and code == Constant(None):
            return
        targets = tuple([names.name(target) for target in step.targets])
        assign = Assign(targets, code, step.comment, step.node)
        dying = dict.fromkeys(map(names.name, names.dying[index]))
        dead = tuple([name for name in dying if name not in targets])
        if step.loop is not None:
            handed = self.handed(step, step.loop, dead)
            yield from self.copies(step, step.loop)
            yield from _deleted(handed)
            body: tuple[Statement, ...] = (assign, *self.appended(step.loop))
            yield For(step.loop.variables, rebuild(step.loop.iterable, names.named), body)
            dead = tuple(name for name in dead if name not in handed)
            unread = [value for value in unread if not step.loop.is_inside(value)]
        elif targets != (getattr(code, "id", None),):  # a value that keeps its name
            yield assign
        yield from _deleted(tuple(dict.fromkeys((*dead, *map(names.name, unread)))))

    def appended(self, loop: Loop) -> Iterator[Expr]:
        """Yield `steps.append(y)` for each result that a loop collects."""
        for result, collected in loop.collected.items():
            append = Name(self.names.name(collected)).method(
                "append", Name(self.names.name(result))
            )
            yield Expr(append)

    def copies(self, step: Step, loop: Loop) -> Iterator[Assign]:
        """Yield `y = x` for what a loop carries from a value of another name."""
        for target, before in loop.carried.items():
            name, value = self.names.name(target), self.names.name(before)
            if name != value:
                yield Assign((name,), Name(value), node=step.node)

    def handed(self, step: Step, loop: Loop, dead: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of values that die as soon as they are handed to a loop."""
        carried = set(map(self.names.name, loop.carried.values()))
        read = set(map(self.names.name, step.reads))
        return tuple(name for name in dead if name in carried - read)


def _deleted(names: tuple[str, ...]) -> Iterator[Delete]:
    if names:
        yield Delete(names)


def _test(presence: Presence | None, names: Mapping[str, str], *, holds: bool = True) -> Code:
    """Return the code that tests whether a value is there, `audio is not None`, or is missing."""
    if presence is None:
        assert holds  # whatever runs in evaluation runs in training too
        return Name("self.training")
    is_or_not, inner, outer = ("is not", "and", "or") if holds else ("is", "or", "and")
    clauses = [
        _joined(inner, [Binary(is_or_not, Name(names[n]), Constant(None)) for n in sorted(clause)])
        for clause in sorted(presence, key=sorted)
    ]
    return _joined(outer, clauses)


def _joined(operator: str, parts: Sequence[Code]) -> Code:
    return reduce(lambda left, right: Binary(operator, left, right), parts)
