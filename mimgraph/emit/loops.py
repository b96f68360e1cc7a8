"""Write the loops that run a repeated or scanned block, and what runs a node over an axis."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, count
from typing import NamedTuple, TypeAlias

from mimgraph.emit.steps import (
    Condition,
    Loop,
    Run,
    Step,
    flat_of,
    is_intermediate,
    list_of,
    unread,
    values_in,
    values_read,
    with_code,
)
from mimgraph.emit.tree import Local
from mimgraph.emit.values import Modules, Values
from mimgraph.ir.code import (
    Attribute,
    Call,
    Code,
    Constant,
    Name,
    Subscript,
    call,
    named_constant,
    walk,
)
from mimgraph.ir.dim import Size
from mimgraph.ir.names import EMITTED, free_name
from mimgraph.ir.typed_graph import Body, Fold, Presence, TypedNode, Value, implies
from mimgraph.ir.typed_operations import STEPS, Repeated, Scan
from mimgraph.ir.types import TensorType


class Reads(NamedTuple):
    """What a loop reads: the module that each step calls, and the operands of its node.

    Each step is `handed` the modules that it shares. `sources` are the values that the operands start
    as; a variable of the loop is none of the `taken` names.
    """

    module: Code
    handed: Modules
    operands: Mapping[str, Code]
    sources: Mapping[str, Value]
    taken: Collection[str]


class CallLoop(NamedTuple):
    """A loop whose body is `targets = call`.

    `before` are values that it reads, each with its code, and `stacks` the code of each port that
    stacks what the steps collected.
    """

    targets: tuple[Value, ...]
    call: Code
    loop: Loop
    before: Mapping[Value, Code]
    stacks: Mapping[str, Code]


def is_one_call(node: TypedNode, repeated: Repeated, used: Collection[str]) -> bool:
    """Return whether the module runs every time by itself: an `nn.Sequential` of one input and result.

    `used` are the ports of the module that are read.
    """
    return is_sequential(repeated, used) and len(node.arguments) == 1 and not repeated.first


def is_sequential(repeated: Repeated, used: Collection[str]) -> bool:
    """Return whether the modules of all steps need no loop, as each is called on the result before."""
    body = repeated.bodies[0]
    single = len(body.inputs) == len(body.outputs) == 1 and not body.borrowed
    return single and not repeated.shared and STEPS not in used


class Iteration(NamedTuple):
    """`for variables in iterable:`, in which each step calls `function`.

    `number` is that of the step as a tensor; it may be read from all `numbers`, made before.
    """

    variables: tuple[str, ...]
    iterable: Code
    function: Code
    number: Code
    numbers: Code | None = None


def iteration(
    repeated: Repeated,
    module: Code,
    beside: tuple[Code, Code],
    numbers: Code,
    taken: Collection[str],
) -> Iteration:
    """Return how the module of a repeated block runs.

    Numbers of steps are made `beside` a tensor, given as it is before the loop and as the loop starts;
    `numbers` is what they are called. A variable is none of the `taken` names.
    """
    index = free_variable((repeated.counter, "index"), taken) if repeated.counter else "_"
    if repeated.shared:
        counted = (
            step_numbers(repeated, beside[1]) if repeated.counter else range_of(repeated.times)
        )
        return Iteration((index,), counted, module, Name(index))
    layer = free_variable(("layer", "block", "module"), {*taken, index})
    modules = module.method("values") if repeated.first else module
    if not repeated.counter:
        return Iteration((layer,), modules, Name(layer), Name(index))
    made = step_numbers(repeated, beside[0])
    enumerated = call("enumerate", modules)
    return Iteration((index, layer), enumerated, Name(layer), numbers.at(Name(index)), made)


def repeat_loop(
    node: TypedNode, repeated: Repeated, reads: Reads, ports: Collection[str]
) -> CallLoop:
    """Return `for layer in module: a, b = layer(a, b, c)`, which carries `a` and `b` on.

    The result of each step is collected if `STEPS` is among the `ports` that are read.
    """
    results = {name: Value(node.name, port) for name, port in repeated.carried.items()}
    inside = {**reads.operands, **{name: Local(result) for name, result in results.items()}}
    first, numbers = next(iter(reads.operands)), Value(node.name, "*numbers")
    beside = reads.operands[first], inside[first]
    run = iteration(repeated, reads.module, beside, Local(numbers), reads.taken)
    inside[repeated.counter] = run.number
    args = tuple(inside[name] for name in repeated.bodies[0].inputs)
    carried = {result: reads.sources[name] for name, result in results.items()}
    names = {numbers: "numbers"}
    collected: dict[Value, Value] = {}
    if repeated.collected is not None and STEPS in ports:
        steps = list_of(node.name, STEPS)
        collected[Value(node.name, repeated.collected)] = steps
        names[steps] = STEPS
    targets = tuple(Value(node.name, port) for port in repeated.bodies[0].results)
    needed = [one for one in targets if one in {*carried, *collected} or one.port in ports]
    code, targets = _needed(Call(run.function, args, reads.handed), targets, needed)
    loop = Loop(run.variables, run.iterable, carried, collected, names)
    before = {numbers: run.numbers} if run.numbers is not None else {}
    stacks = {STEPS: stack(node, STEPS, STEPS, 0)} if STEPS in ports else {}
    return CallLoop(targets, code, loop, before, stacks)


def _needed(
    code: Code, targets: tuple[Value, ...], needed: list[Value]
) -> tuple[Code, tuple[Value, ...]]:
    """Return a call and its results; if only one of several is needed, that one, by its index."""
    if len(needed) == 1 < len(targets):
        return code.at(targets.index(needed[0])), (needed[0],)
    return code, targets


def free_variable(names: Collection[str], taken: Collection[str]) -> str:
    """Return the first of the names that is not taken, else the first with a number."""
    first = next(iter(names))
    every = chain(names, map((first + "_{}").format, count(2)))
    return next(name for name in every if name not in taken and name not in EMITTED)


def range_of(times: Size) -> Code:
    """Return `range(times)`."""
    return Call(Name("range"), (named_constant("times", times),))


def step_numbers(repeated: Repeated, source: Code) -> Code:
    """Return the numbers of the steps as a tensor beside a source: `torch.arange(6, device=x.device)`."""
    first, times = repeated.first, repeated.times
    bounds = (first, first + times) if first else (named_constant("times", times),)
    return call("torch.arange", *bounds, device=Attribute(source, "device"))


def scan_loop(node: TypedNode, scan: Scan, reads: Reads, ports: Collection[str]) -> CallLoop:
    """Return `for x_t in x.unbind(1): y, h = module(x_t, h)`, which carries `h` on and collects `y`.

    Of the results only those of the `ports` that are read are collected.
    """
    stacked = {port: name for port, name in scan.stacked.items() if port in ports}
    results = {name: _result(node, scan, name) for name in scan.body.outputs}
    lists = {
        results[name]: list_of(node.name, name) for name in results if name in stacked.values()
    }
    carried = {results[name]: reads.sources[name] for name in scan.carried}
    variables = {name: free_name(f"{name}_t", reads.taken) for name in scan.axes}
    iterables = [reads.operands[name].method("unbind", axis) for name, axis in scan.axes.items()]
    iterable = iterables[0] if len(iterables) == 1 else call("zip", *iterables, strict=True)
    inside = {**reads.operands}
    inside |= {name: Name(variable) for name, variable in variables.items()}
    inside |= {name: Local(results[name]) for name in scan.carried}
    targets = tuple(results.values())
    needed = [one for one in targets if one in lists or one in carried]
    code, targets = _needed(
        Call(reads.module, tuple(inside.values()), reads.handed), targets, needed
    )
    targets = tuple(one if one in needed else unread(node.name) for one in targets)
    names = {one: name for name, one in results.items()}
    names |= {one: "steps" if len(lists) == 1 else f"{names[y]}_steps" for y, one in lists.items()}
    loop = Loop(tuple(variables.values()), iterable, carried, lists, names)
    stacks = {port: stack(node, port, name, scan.axis) for port, name in stacked.items()}
    return CallLoop(targets, code, loop, {}, stacks)


def stack(node: TypedNode, port: str, collected: str, axis: int) -> Code:
    """Return `torch.stack(steps, 1)`, the port of a result that a loop has collected.

    `axis` does not count the batch.
    """
    dim = axis + node.results[port].batched
    return call("torch.stack", Local(list_of(node.name, collected)), dim)


def _result(node: TypedNode, scan: Scan, output: str) -> Value:
    """Return what an output of the block is in the loop: the port of a carried output, which has its
    last value, or the result of one step."""
    return Value(node.name, output if output in scan.carried else f"*{output}")


# Fold an axis of a node's sources into the batch where the node runs, and give it back to its
# results.


Folded: TypeAlias = tuple[Run, Value, Code]  # `value = code`, in a run


class Folding(NamedTuple):
    """One way in which a node runs over an axis: its sources with the local that each is folded into.

    `sized` is a source that is given whenever the node runs, `type` the type that it is folded to.
    """

    run: Run
    fold: Fold
    locals: Mapping[Value, Value]
    sized: Value
    type: TensorType

    def before(self, body: Body, values: Values) -> Iterator[Folded]:
        """Yield what folds the sources; of one that may be missing, None."""
        for value, local in self.locals.items():
            code = self.fold.fold_code(values.read(value))
            presence = body.presence_of(value)
            if is_there(self.run, presence):
                yield self.run, local, code
            else:
                yield under(self.run, presence), local, code
                yield under(self.run, presence, holds=False), local, Constant(None)

    def unfolded(self, target: Value, code: Code, values: Values) -> Code:
        """Return the code of a result with the axis; one without a batch has none."""
        type_ = self.run.node.results[target.port]
        if not type_.batched:
            return code
        shape = Attribute(values.read(self.sized), "shape")
        return self.fold.unfold_code(code, shape, type_.rank)

    def after(self, targets: Iterable[Value], values: Values) -> Iterator[Folded]:
        """Yield what gives the axis back to results that are read, where they exist."""
        for target in targets:
            code = self.unfolded(target, Local(target), values)
            if target in values.times_read and code != Local(target):
                presence = self.run.node.presence_of(target.port)
                there = self.run if is_there(self.run, presence) else under(self.run, presence)
                yield there, target, code


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
            steps[readers[0]] = with_code(reader, {local: fold.code})
    return kept + steps


def _needs(step: Step) -> tuple[Value, ...]:
    """Return the values that a step reads, also to start a loop."""
    return (*step.reads, *(step.loop.carried.values() if step.loop else ()))
