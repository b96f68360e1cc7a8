"""A body to the statements of its `forward`: assignments, loops, what is deleted, what is returned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import groupby

from mimgraph.codegen.inline import inlined
from mimgraph.codegen.naming import Branches, needed_by
from mimgraph.codegen.plan import Condition, Plan, Step
from mimgraph.codegen.printer import Assign, Delete, For, If, Return, Statement
from mimgraph.ir.code import Binary, Code, Constant, Dict, Name, Tuple
from mimgraph.ir.presence import Presence
from mimgraph.ir.typed import Body, Value


def forward(body: Body, as_dict: bool) -> tuple[Statement, ...]:
    """The statements; several outputs are returned as a dict, in blocks as a tuple."""
    plan = Plan(body)
    needed = _needed_in_eval(body)
    for node in body.order:
        if node.name in needed:
            plan.node(node)
    with plan.under(None):  # in training
        for node in body.order:
            if node.name not in needed:
                plan.node(node)
    return _named(plan, as_dict)


def _needed_in_eval(body: Body) -> set[str]:
    """The nodes that run always; the others, if any, only for outputs that training has."""
    if not body.training:
        return set(body.by_name)
    stack = [value.name for name, value in body.outputs.items() if name not in body.training]
    found: set[str] = set()
    while stack:
        name = stack.pop()
        if name in body.by_name and name not in found:
            found.add(name)
            stack.extend(value.name for value in body.by_name[name].arguments.values())
    return found


def _named(plan: Plan, as_dict: bool) -> tuple[Statement, ...]:
    """Steps as statements. If one local dies at a statement its result takes its name, so a branch
    carries one name: that of its last node, `x` on the run that ends in the result."""
    body = plan.body
    outputs = {name: plan.value(value) for name, value in body.outputs.items()}
    steps, final = _split_final(inlined(plan.steps, body, outputs.values()), outputs)
    last_use = _last_use(steps, final, outputs.values())
    names = Branches(plan, steps, last_use, final, outputs)
    writer = _Writer(steps, names, last_use)
    in_training = [index for index, step in enumerate(steps) if TRAINING in step.guard]
    always = [index for index in range(len(steps)) if index not in set(in_training)]
    statements = list(writer.block(always, 0))
    results = {name: plan.read(value) for name, value in outputs.items()}
    if body.training:
        both = Return(_returned(final, results, names, as_dict))
        statements.append(If(Name("self.training"), (*writer.block(in_training, 1), both)))
        results = {name: code for name, code in results.items() if name not in body.training}
    statements.append(Return(_returned(final, results, names, as_dict)))
    return tuple(statements)


TRAINING = Condition(None)


def _split_final(steps: list[Step], outputs: Mapping[str, Value]) -> tuple[list[Step], Step | None]:
    """The last step stands in the return if it makes the one result."""
    if len(outputs) == 1 and steps:
        (value,) = outputs.values()
        last = steps[-1]
        if last.targets == (value,) and last.loop is None and not last.guard:
            return steps[:-1], last
    return steps, None


def _last_use(steps: list[Step], final: Step | None, outputs: Iterable[Value]) -> dict[Value, int]:
    """The index of the last step that reads each value; the return counts as one more."""
    found: dict[Value, int] = {}
    for index, step in enumerate(steps):
        for value in needed_by(step):
            found[value] = index
    for value in final.reads if final else outputs:
        found[value] = len(steps)
    return found


class _Writer:
    """Writes steps as statements, those of one condition together."""

    def __init__(self, steps: list[Step], names: Branches, last_use: Mapping[Value, int]) -> None:
        self.steps = steps
        self.names = names
        self.last_use = last_use

    def block(self, indices: list[int], depth: int) -> Iterator[Statement]:
        """The statements of steps that stand below `depth` conditions."""
        for presence, group in groupby(indices, key=lambda index: self.condition(index, depth)):
            run = list(group)
            if presence is None:
                for index in run:
                    yield from self.step(index)
                continue
            where = {
                holds: [index for index in run if self.steps[index].guard[depth].holds is holds]
                for holds in (True, False)
            }
            then, otherwise = (
                _unrepeated(self.block(where[holds], depth + 1)) for holds in (True, False)
            )
            if then:
                yield If(_is_there(presence), then, otherwise)
            elif otherwise:
                yield If(_is_missing(presence), otherwise)

    def condition(self, index: int, depth: int) -> Presence | None:
        """What a step depends on at this depth."""
        guard = self.steps[index].guard
        return guard[depth].presence if len(guard) > depth else None

    def step(self, index: int) -> Iterator[Statement]:
        step, names = self.steps[index], self.names
        targets = tuple(names.name(target) for target in step.targets)
        code = names.code(step.code)
        assign = Assign(targets, code, step.comment)
        if step.loop is None:
            if targets != (getattr(code, "id", None),):  # a value that keeps its name
                yield assign
        else:
            for target, before in step.loop.carried.items():
                if names.name(target) != names.name(before):
                    yield Assign((names.name(target),), Name(names.name(before)))
            yield For((step.loop.variable,), names.code(step.loop.iterable), (assign,))
        dead = [names.name(v) for v in names.dying(step, index, self.last_use)]
        unread = [names.name(v) for v in step.targets if v not in self.last_use]
        gone = (*(name for name in dict.fromkeys(dead) if name not in targets), *unread)
        if gone:
            yield Delete(gone)


def _unrepeated(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Values of one name that are missing together are None once."""
    found: list[Statement] = []
    for statement in statements:
        if statement not in found:
            found.append(statement)
    return tuple(found)


def _is_there(presence: Presence) -> Code:
    """`audio is not None`; of several inputs any of the sets that are enough."""
    clauses = [
        _joined("and", [Binary("is not", Name(name), Constant(None)) for name in sorted(clause)])
        for clause in sorted(presence, key=sorted)
    ]
    return _joined("or", clauses)


def _is_missing(presence: Presence) -> Code:
    clauses = [
        _joined("or", [Binary("is", Name(name), Constant(None)) for name in sorted(clause)])
        for clause in sorted(presence, key=sorted)
    ]
    return _joined("and", clauses)


def _joined(operator: str, parts: Sequence[Code]) -> Code:
    return reduce(lambda left, right: Binary(operator, left, right), parts)


def _returned(
    final: Step | None, results: Mapping[str, Code], names: Branches, as_dict: bool
) -> Code:
    if final is not None:
        return names.code(final.code)
    values = {name: names.code(code) for name, code in results.items()}
    if len(values) == 1 and len(names.outputs) == 1:
        return next(iter(values.values()))
    return Dict(tuple(values.items())) if as_dict else Tuple(tuple(values.values()))
