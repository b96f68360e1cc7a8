"""Modules of an `each` called where their results are used: a list of them needs no locals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mimgraph.emit.forward.steps import Step, values_read
from mimgraph.emit.tree import Local
from mimgraph.ir.code import Call, rebuild
from mimgraph.ir.typed import Body, Leaf, Value, unwrap

LOOKUPS = ("Embedding", "EmbeddingBag")


Waiting = dict[str, list[Step]]  # the calls of each `each`


def inlined(steps: list[Step], body: Body, outputs: Iterable[Value]) -> list[Step]:
    """The steps, the calls of an `each` inside the one that reads them all, once and in order.

    They read inputs only, so nothing lives longer. A step between keeps its place behind them,
    unless they are lookups, for which it does not matter.
    """
    if not any(node.operation.branches for node in body.nodes):
        return steps
    readers = Counter(outputs)
    for step in steps:
        readers.update(values_read(step.code))
        readers.update(step.loop.carried.values() if step.loop else ())
    sizes = Counter(step.targets[0].name.partition(".")[0] for step in steps)
    found: list[Step] = []
    waiting: Waiting = {}
    for step in steps:
        if each := _each_of(step, readers, body):
            waiting.setdefault(each, []).append(step)
            continue
        taken = _taken(step, waiting, sizes, body)
        calls = [call for name in taken for call in waiting.pop(name)]
        for name in [name for name in waiting if not _may_wait(name, waiting, step, body)]:
            found += waiting.pop(name)
        found.append(_with_calls(step, calls) if calls else step)
    return found + [call for calls in waiting.values() for call in calls]


def _taken(step: Step, waiting: Waiting, sizes: Mapping[str, int], body: Body) -> list[str]:
    """Each `each` whose calls can stand in the step, one after the other as they run now."""
    read = _reads(step, waiting)
    names = list(dict.fromkeys(value.name.partition(".")[0] for value in read))
    in_order = [call.targets[0] for name in names for call in waiting[name]] == read
    whole = all(len(waiting[name]) == sizes[name] for name in names)
    fixed = [name for name in waiting if not _looks_up(body, name)]
    as_before = [name for name in names if name in fixed] in ([], fixed)
    return names if in_order and whole and as_before and _is_plain(step) else []


def _may_wait(name: str, waiting: Waiting, step: Step, body: Body) -> bool:
    """Whether the calls of an `each` may stand behind a step."""
    return _looks_up(body, name) and not _reads(step, {name: waiting[name]})


def _each_of(step: Step, readers: Counter[Value], body: Body) -> str:
    """The `each` of which it is a call on an input, read once; else nothing."""
    name, is_item, _ = step.targets[0].name.partition(".")
    called = isinstance(step.code, Call) and len(step.targets) == 1 and _is_plain(step)
    once = readers[step.targets[0]] == 1
    from_inputs = all(value.name in body.inputs for value in step.reads)
    return name if is_item and called and once and from_inputs else ""


def _is_plain(step: Step) -> bool:
    """Whether it is done once and always."""
    return step.loop is None and not step.guard


def _looks_up(body: Body, name: str) -> bool:
    """Whether an `each` is of tables, which give the same at any time."""
    items = [unwrap(item.operation) for item in body.by_name[name].operation.branches]
    return all(isinstance(item, Leaf) and item.name in LOOKUPS for item in items)


def _reads(step: Step, waiting: Waiting) -> list[Value]:
    """What the step reads of the results that wait, in its order."""
    made = {call.targets[0] for calls in waiting.values() for call in calls}
    carried = step.loop.carried.values() if step.loop else ()
    return [value for value in (*values_read(step.code), *carried) if value in made]


def _with_calls(step: Step, calls: list[Step]) -> Step:
    """The step with the calls in place of their results."""
    made = {call.targets[0]: call.code for call in calls}
    code = rebuild(
        step.code, lambda part: made.get(part.value) if isinstance(part, Local) else None
    )
    return replace(step, code=code, reads=tuple(dict.fromkeys(values_read(code))))
