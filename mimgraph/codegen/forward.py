"""A body to the statements of its `forward`: assignments, loops, what is deleted, what is returned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mimgraph.codegen.inline import inlined
from mimgraph.codegen.naming import Branches, needed_by
from mimgraph.codegen.plan import Plan, Step
from mimgraph.codegen.printer import Assign, Delete, For, Return, Statement
from mimgraph.ir.code import Code, Dict, Name, Tuple
from mimgraph.ir.typed import Body, Value


def forward(body: Body, as_dict: bool) -> tuple[Statement, ...]:
    """The statements; several outputs are returned as a dict, in blocks as a tuple."""
    plan = Plan(body)
    for node in body.order:
        plan.node(node)
    return _named(plan, as_dict)


def _named(plan: Plan, as_dict: bool) -> tuple[Statement, ...]:
    """Steps as statements. If one local dies at a statement its result takes its name, so a branch
    carries one name: that of its last node, `x` on the run that ends in the result."""
    body = plan.body
    outputs = {name: plan.value(value) for name, value in body.outputs.items()}
    steps, final = _split_final(inlined(plan.steps, body, outputs.values()), outputs)
    last_use = _last_use(steps, final, outputs.values())
    names = Branches(plan, steps, last_use, final, outputs)
    statements: list[Statement] = []
    for index, step in enumerate(steps):
        statements.extend(_statements(step, index, names, last_use, body))
    results = {name: plan.read(value) for name, value in outputs.items()}
    statements.append(Return(_returned(final, results, names, as_dict)))
    return tuple(statements)


def _split_final(steps: list[Step], outputs: Mapping[str, Value]) -> tuple[list[Step], Step | None]:
    """The last step stands in the return if it makes the one result."""
    if len(outputs) == 1 and steps:
        (value,) = outputs.values()
        last = steps[-1]
        if last.targets == (value,) and last.loop is None:
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


def _statements(
    step: Step, index: int, names: Branches, last_use: Mapping[Value, int], body: Body
) -> Iterable[Statement]:
    targets = tuple(names.name(target) for target in step.targets)
    assign = Assign(targets, names.code(step.code), step.comment)
    if step.loop is None:
        yield assign
    else:
        for target, before in step.loop.carried.items():
            if names.name(target) != names.name(before):
                yield Assign((names.name(target),), Name(names.name(before)))
        yield For((step.loop.variable,), names.code(step.loop.iterable), (assign,))
    dead = [names.name(v) for v in names.dying(step, index, last_use)]
    unread = [names.name(v) for v in step.targets if v not in last_use]
    gone = (*(name for name in dict.fromkeys(dead) if name not in targets), *unread)
    if gone:
        yield Delete(gone)


def _returned(
    final: Step | None, results: Mapping[str, Code], names: Branches, as_dict: bool
) -> Code:
    if final is not None:
        return names.code(final.code)
    values = {name: names.code(code) for name, code in results.items()}
    if len(values) == 1:
        return next(iter(values.values()))
    return Dict(tuple(values.items())) if as_dict else Tuple(tuple(values.values()))
