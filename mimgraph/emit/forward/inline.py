"""Inline the calls of an `each` into the step that reads them all: `torch.cat((self.emb["a"](a), ...))`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mimgraph.emit.forward.steps import Step, values_read
from mimgraph.emit.tree import Local
from mimgraph.ir.code import Call, rebuild
from mimgraph.ir.typed_graph import Body, Value

LOOKUPS = ("Embedding", "EmbeddingBag")


Waiting = dict[str, list[Step]]  # the calls that may be inlined, by the name of their `each`


def inlined(steps: list[Step], body: Body, outputs: Iterable[Value]) -> list[Step]:
    """Return the steps with the calls of each `each` inside the step that reads them in order.

    The calls read only inputs, so nothing lives longer. They still run before any step that stands
    between, unless they are lookups, whose order does not matter.
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
    """Return the names of the `each`s whose calls can stand in the step, in the order they run now."""
    read = _reads(step, waiting)
    names = list(dict.fromkeys(value.name.partition(".")[0] for value in read))
    in_order = [call.targets[0] for name in names for call in waiting[name]] == read
    whole = all(len(waiting[name]) == sizes[name] for name in names)
    fixed = [name for name in waiting if not _looks_up(body, name)]
    as_before = [name for name in names if name in fixed] in ([], fixed)
    return names if in_order and whole and as_before and _is_plain(step) else []


def _may_wait(name: str, waiting: Waiting, step: Step, body: Body) -> bool:
    """Return whether the calls of an `each` may run after a step."""
    return _looks_up(body, name) and not _reads(step, {name: waiting[name]})


def _each_of(step: Step, readers: Counter[Value], body: Body) -> str:
    """Return the `each` whose call on an input the step is, if it is read once; else ""."""
    name, is_item, _ = step.targets[0].name.partition(".")
    called = isinstance(step.code, Call) and len(step.targets) == 1 and _is_plain(step)
    once = readers[step.targets[0]] == 1
    from_inputs = all(value.name in body.inputs for value in step.reads)
    return name if is_item and called and once and from_inputs else ""


def _is_plain(step: Step) -> bool:
    """Return whether a step runs once and under no condition."""
    return step.loop is None and not step.guard


def _looks_up(body: Body, name: str) -> bool:
    """Return whether an `each` is of embeddings, which give the same at any time."""
    branches = body.by_name[name].operation.branches
    return all(one.op_name in LOOKUPS for one in branches)


def _reads(step: Step, waiting: Waiting) -> list[Value]:
    """Return the results of waiting calls that the step reads, in its order."""
    made = {call.targets[0] for calls in waiting.values() for call in calls}
    carried = step.loop.carried.values() if step.loop else ()
    return [value for value in (*values_read(step.code), *carried) if value in made]


def _with_calls(step: Step, calls: list[Step]) -> Step:
    """Return the step with the calls in place of their results."""
    made = {call.targets[0]: call.code for call in calls}
    code = rebuild(
        step.code, lambda part: made.get(part.value) if isinstance(part, Local) else None
    )
    return replace(step, code=code, reads=tuple(dict.fromkeys(values_read(code))))
