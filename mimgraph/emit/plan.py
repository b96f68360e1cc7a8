"""Plan the forward of a body: its steps in running order, on values that have no names yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from mimgraph.emit.dtypes import ModelDtypeOf, anchored
from mimgraph.emit.loops import (
    CallLoop,
    Folded,
    Folding,
    Reads,
    folding,
    is_long,
    is_one_call,
    is_there,
    repeat_loop,
    scan_loop,
    with_folds,
)
from mimgraph.emit.sizes import resolve_sizes
from mimgraph.emit.steps import (
    TRAINING,
    WHOLE,
    Guard,
    Loop,
    Result,
    Run,
    Step,
    inlined,
    is_intermediate,
    may_lack_a_source,
    runs,
    unread,
    values_in,
    values_read,
)
from mimgraph.emit.tree import Local
from mimgraph.emit.values import (
    Modules,
    Operands,
    UsedPorts,
    Values,
    activated,
    call_code,
    filled,
    handed_modules,
    module_arguments,
    module_code,
    owner_of,
    port_code,
    returned_ports,
)
from mimgraph.ir.code import (
    Call,
    Code,
    Constant,
    Dict,
    List,
    ModelDtype,
    Name,
    Operand,
    RuntimeSize,
    Subscript,
    Tuple,
    rebuild,
    walk,
)
from mimgraph.ir.lowering import RESULT, Lowering
from mimgraph.ir.typed_graph import Body, TypedNode, Value, given, implies
from mimgraph.ir.typed_operations import Leaf, Repeated, Scan, TypedOperation, Use, unwrap
from mimgraph.ir.types import DTYPES, TensorType

MOST = 6  # the targets that are still read at a glance


class Unpacked(NamedTuple):
    """`targets = code`, and the code that reads each port from the targets."""

    targets: tuple[Value, ...]
    code: Code
    ports: Mapping[str, Code]


def unpacked(
    node: str, call: Code, items: Mapping[Code, str], ports: Mapping[str, Code]
) -> Unpacked:
    """Return a call with a target for each of the `items` of the tuple that it returns.

    `items` has the code on RESULT of each item, with the port that it is, if any; `ports` the code of
    each port that is read. An item is named after the port that it is, and is `_` if no port needs it.
    Without items, or with many that are not all read, the tuple has one name.
    """
    readers = {item: [port for port, code in ports.items() if item in walk(code)] for item in items}
    read = [item for item in items if readers[item]]
    if len(read) > 1 and (len(items) <= MOST or len(items) == len(read)):
        named = {item: _target(node, port, readers[item]) for item, port in items.items()}
    elif len(read) == 1:
        named = {read[0]: Value(node, WHOLE)}
        call = _with(read[0], {RESULT: call})
    else:
        named = {RESULT: Value(node, WHOLE)}
    locals = {item: Local(value) for item, value in named.items()}
    read_by = {port: _with(code, locals) for port, code in ports.items()}
    return Unpacked(tuple(named.values()), call, read_by)


def _target(node: str, port: str, readers: list[str]) -> Value:
    """Return an item as the one port that is made of it, or as a value on the way to several."""
    if not readers:
        return unread(node)
    port = port or readers[0]
    return Value(node, port if readers == [port] else f"*{port}")


def _with(code: Code, parts: Mapping[Code, Code]) -> Code:
    """Return the code with other code in place of some of its parts."""
    return rebuild(code, parts.get)


def items_of(lowering: Lowering) -> Mapping[Code, str]:
    """Return the code on RESULT of each item of the tuple that the call of a layer or merge returns,
    with the port that it is, if any.

    The ports of an op of torch read every item; a module of the user's may return more than tensors.
    """
    if lowering.module is not None and lowering.module.own is not None:
        return {}
    parts = walk(*[port.code for port in lowering.ports.values()])
    found = [part for part in parts if _is_item(part)]
    if parts.count(RESULT) != len(found):
        return {}
    ports = {port.code: name for name, port in lowering.ports.items()}
    items = map(RESULT.at, range(len(set(found))))
    return {item: ports.get(item, "") for item in items}


def _is_item(code: Code) -> bool:
    match code:
        case Subscript(value, Constant(int())):
            return value == RESULT
    return False


# Turn the runs of a node into steps: calls on values that have no names yet.


Targets = tuple[Value, ...]
Sources = Mapping[str, Value]

# what the code of a lowering may have in place of what reads it in the forward
UNRESOLVED = frozenset([Operand, RuntimeSize, ModelDtype])


def _by_input(operation: TypedOperation, operands: Operands) -> Operands:
    """Return the operands of a block in the order of its inputs; None fills one that is never given."""
    names = operation.bodies[0].inputs
    if len(operands) == len(names):
        return operands
    counter = operation.counter if isinstance(operation, Repeated) else ""
    return {name: operands.get(name, Constant(None)) for name in names if name != counter}


class Calls:
    """Makes the steps of one body. The `twins` run them too, on inputs of other sizes."""

    def __init__(
        self, body: Body, values: Values, ports: UsedPorts, twins: tuple[Body, ...]
    ) -> None:
        self.body = body
        self.values = values
        self.ports = ports
        self.twins = twins
        self.dtypes = ModelDtypeOf(body, twins)
        self.taken = {*body.inputs, *body.by_name, *module_arguments(body).values()}

    def steps(self, run: Run) -> Iterable[Step]:
        """Return the steps that compute the used results of a node in one of its runs."""
        if run.result is Result.NONE:
            return self.none(run)
        if run.result is Result.FALLBACK:
            return self.fallback(run)
        node, times_read = run.node, self.values.times_read
        ports = [port for port in node.results if (node.name, port) in times_read]
        if not ports:  # only its module is used, by a share
            return ()
        sources = {key: self.values.resolve(value) for key, value in node.arguments.items()}
        folded = folding(run, self.body, self.values) if node.over is not None else None
        if folded is None:
            return self.called(run, ports, sources)
        return self.over(folded, ports, sources)

    def none(self, run: Run) -> Iterator[Step]:
        """Yield `y = None` for each result that is read where it is missing."""
        results = (Value(run.node.name, port) for port in run.node.results)
        nullable = (value for value in results if value in self.values.nullable)
        for value in dict.fromkeys(map(self.values.resolve, nullable)):
            if value.name not in self.body.inputs:
                yield Step((value,), Constant(None), (), guard=run.guard, node=run.node.name)

    def fallback(self, run: Run) -> Iterable[Step]:
        """Return what fills the place of a missing source."""
        node, leaf = run.node, unwrap(run.node.operation)
        assert isinstance(leaf, Leaf) and leaf.lowering.fallback is not None
        code = filled(leaf.lowering.fallback, module_code(owner_of(node), self.body), {})
        code = activated(leaf, code) if leaf.activation is not None else code
        return self.step(run, (Value(node.name, ""),), code)

    def called(self, run: Run, ports: list[str], sources: Sources) -> Iterable[Step]:
        """Return the steps that compute these results of a node on these sources."""
        node = run.node
        operation = unwrap(node.operation)
        operands: Operands = {key: self.values.code(value) for key, value in sources.items()}
        if operation.bodies:
            operands = _by_input(operation, operands)
        if isinstance(operation, Repeated):
            return self.repeated(run, operation, ports, operands, sources)
        if isinstance(operation, Scan):
            return self.scanned(run, operation, ports, operands, sources)
        module = module_code(owner_of(node), self.body)
        if isinstance(operation, Leaf):
            return self.leaf(run, operation, ports, module, operands)
        args = tuple(operands.values())
        handed: Modules = ()
        if isinstance(operation, Use):
            returned = tuple(operation.body.results)
            handed = handed_modules(operation.body, self.body)
        else:
            last = operation.items[-1] if operation.items else node
            returned = returned_ports(last, self.ports[owner_of(node)])
        return self.read_results(run, ports, returned, Call(module, args, handed))

    def over(self, folded: Folding, ports: list[str], sources: Sources) -> Iterable[Step]:
        """Return the steps of a node that runs over an axis, on sources without it."""
        before = self.folded(folded.before(self.body, self.values))
        inside = {key: folded.locals.get(value, value) for key, value in sources.items()}
        return with_folds(before, [*self.called(folded.run, ports, inside)])

    def leaf(
        self, run: Run, leaf: Leaf, ports: list[str], module: Code, operands: Operands
    ) -> Iterator[Step]:
        node, lowering = run.node, leaf.lowering
        if leaf.kind == "merge" and isinstance(lowering.call, Operand) and not leaf.activation:
            self.values.same[Value(node.name, "")] = node.arguments[lowering.call.key]
            return
        for key, code in lowering.steps.items():
            value = Value(node.name, f"*{key}")
            yield from self.step(run, (value,), filled(code, module, operands))
            operands = {**operands, key: Local(value)}
        if lowering.skipping is not None and may_lack_a_source(self.body, node):
            code = filled(lowering.skipping, module, operands)
            yield from self.results(run, (Value(node.name, ""),), self.finished(node, "", code))
        elif len(ports) == 1:
            made = lowering.module_for(self.ports[owner_of(node)])
            code = port_code(lowering, ports[0], module, operands, made)
            value = Value(node.name, ports[0])
            yield from self.results(run, (value,), self.finished(node, value.port, code))
        else:
            called = call_code(lowering, module, operands)
            codes = {port: filled(lowering.ports[port].code, module, operands) for port in ports}
            yield from self.several(run, called, items_of(lowering), codes)

    def finished(self, node: TypedNode, port: str, code: Code) -> Code:
        """Return the code of a result in its dtype; the default one has the node's activation."""
        operation = unwrap(node.operation)
        if isinstance(operation, Leaf):
            if operation.activation is not None and port == node.default:
                code = activated(operation, code)
            return self.dtypes.cast(node, operation, port, code)
        if isinstance(operation, Use) and operation.activation and port == node.default:
            return self.dtypes.block_result(node, operation, code)
        return code

    def several(
        self, run: Run, call: Code, items: Mapping[Code, str], ports: Mapping[str, Code]
    ) -> Iterator[Step]:
        """Yield these ports of one call, each by its code on RESULT, of which the `items` are known."""
        node = run.node
        made = unpacked(node.name, call, items, ports)
        found = {Value(node.name, port): code for port, code in made.ports.items()}
        found = {value: self.finished(node, value.port, code) for value, code in found.items()}
        is_plain = made.targets == tuple(found) and tuple(found.values()) == (*map(Local, found),)
        for step in self.step(run, made.targets, made.code):
            step.comment = self.comment(node, found) if is_plain and node.fold is None else ""
            yield step
        for value, code in found.items():
            if node.fold is not None or not isinstance(code, Local):
                yield from self.results(run, (value,), code)
            elif code.value != value:  # what the call returned
                self.values.same[value] = code.value

    def read_results(
        self, run: Run, ports: list[str], returned: tuple[str, ...], call: Code
    ) -> Iterable[Step]:
        """Return these ports of the call of a block or chain, which returns one or several by position."""
        node, (port, *others) = run.node, ports
        items: dict[Code, str] = {RESULT.at(i): name for i, name in enumerate(returned)}
        if others:
            codes = {name: code for code, name in items.items() if name in ports}
            return self.several(run, call, items, codes)
        code = call if len(returned) == 1 else call.at(returned.index(port))
        return self.results(run, (Value(node.name, port),), self.finished(node, port, code))

    def repeated(
        self, run: Run, repeated: Repeated, ports: list[str], operands: Operands, sources: Sources
    ) -> Iterator[Step]:
        """Yield one call or a loop; a block repeated zero times hands on what it is given."""
        node = run.node
        if not repeated.bodies:
            for name, port in repeated.carried.items():
                self.values.same[Value(node.name, port)] = sources[name]
            return
        for name in repeated.carried:
            yield from self.localised(sources[name])
        owner = owner_of(node)
        module = module_code(owner, self.body)
        if is_one_call(node, repeated, self.ports[owner]):
            code = Call(module, tuple(operands.values()))
            yield from self.results(run, (Value(node.name, ""),), code)
            return
        handed = handed_modules(repeated.bodies[0], self.body)
        reads = Reads(module, handed, operands, sources, self.taken)
        yield from self.looped(run, repeat_loop(node, repeated, reads, ports), ports)

    def scanned(
        self, run: Run, scan: Scan, ports: list[str], operands: Operands, sources: Sources
    ) -> Iterator[Step]:
        """Yield the empty lists, the loop over the steps, and the stacked results."""
        node = run.node
        for name in scan.carried:
            yield from self.localised(sources[name])
        module = module_code(owner_of(node), self.body)
        handed = handed_modules(scan.body, self.body)
        reads = Reads(module, handed, operands, sources, self.taken)
        yield from self.looped(run, scan_loop(node, scan, reads, ports), ports)

    def looped(self, run: Run, made: CallLoop, ports: list[str]) -> Iterator[Step]:
        """Yield a loop, before it what it reads and empty lists, and after it the stack of each list.

        Of its results the `ports` are read.
        """
        loop = made.loop
        for value, code in made.before.items():
            yield from self.step(run, (value,), code)
        for collected in loop.collected.values():
            yield from self.step(run, (collected,), List(()))
        yield from self.results(run, made.targets, made.call, loop)
        # the last value of a carried result that nothing reads goes with the list
        last = [value for value in loop.carried if value.port not in ports]
        for port, code in made.stacks.items():
            for step in self.results(run, (Value(run.node.name, port),), code):
                step.reads += tuple(last)
                yield step

    def localised(self, value: Value) -> Iterator[Step]:
        """Yield a local for a tensor of the module, for a loop to rebind, under any condition."""
        if value in self.values.owned:
            yield Step((value,), self.values.owned.pop(value), (), node=value.name)

    def results(
        self, run: Run, targets: Targets, code: Code, loop: Loop | None = None
    ) -> Iterable[Step]:
        """Return the step that computes results, with the axis that the node runs over, if any."""
        folded = folding(run, self.body, self.values) if run.node.over is not None else None
        if folded is None:
            return self.step(run, targets, code, loop)
        if len(targets) == 1 and loop is None and not is_long(code):
            (target,) = targets
            if is_there(run, run.node.presence_of(target.port)):
                return self.step(run, targets, folded.unfolded(target, code, self.values))
        steps = [replace(step, comment="") for step in self.step(run, targets, code, loop)]
        return [*steps, *self.folded(folded.after(targets, self.values))]

    def folded(self, found: Iterable[Folded]) -> list[Step]:
        """Return the steps that fold an axis or give it back."""
        return [step for run, value, code in found for step in self.step(run, (value,), code)]

    def step(
        self, run: Run, targets: Targets, code: Code, loop: Loop | None = None
    ) -> Iterable[Step]:
        """Return `targets = code`, unless `code` is written where its value is read."""
        node = run.node
        is_entry = isinstance(code, Subscript) and self.is_entry(node, targets, code)
        if is_entry or isinstance(code, Name):
            self.values.owned[targets[0]] = code
            return ()
        parts = walk(code)
        if not UNRESOLVED.isdisjoint(map(type, parts)):
            code = self.resolved(run, code, targets)
            parts = walk(code)
        if loop is not None:
            loop = self.counted(run, loop, parts, targets)
            parts = [*parts, *walk(loop.iterable), *map(Local, loop.collected.values())]
        reads = tuple(dict.fromkeys(values_in(parts)))
        comment = self.comment(node, targets) if len(targets) == 1 else ""
        return (Step(targets, code, reads, comment, loop, run.guard, node.name),)

    def resolved(self, run: Run, code: Code, targets: Targets) -> Code:
        """Return the code with an input in place of the anchor, and with what reads each size and the
        dtype of the model."""
        node = run.node
        code = anchored(code, (self.body, *self.twins))
        if RuntimeSize in map(type, walk(code)):
            code = resolve_sizes(code, self.readable(run, values_read(code), targets))
        if ModelDtype in map(type, walk(code)):
            folded = node.arguments.values() if node.over else ()
            code = self.dtypes.resolved(node, code, (*values_read(code), *folded))
        return code

    def counted(self, run: Run, loop: Loop, parts: Iterable[Code], targets: Targets) -> Loop:
        """Return the loop with the sizes in what it runs over read from its operands."""
        read = self.readable(run, values_in(parts), targets)
        if run.node.over is None:
            # before the loop the targets that it carries are what they start as
            carried = [(Local(target), self.body.type_of(target)) for target in loop.carried]
            read = [*carried, *read]
        return replace(loop, iterable=resolve_sizes(loop.iterable, read))

    def is_entry(self, node: TypedNode, targets: Targets, code: Code) -> bool:
        """Return whether the code is one entry of a tensor without a batch, `weight[0]`, read once."""
        match code:
            case Subscript(Name() | Local(), Constant(int())) if isinstance(node.operation, Leaf):
                once = not targets[0].port and self.values.times_read[targets[0]] == 1
                return once and not node.results[""].batched
        return False

    def comment(self, node: TypedNode, results: Iterable[Value]) -> str:
        """Return the shapes of results, if each is a tensor and the twins have the same."""
        shapes = []
        for value in results:
            type_ = node.results.get(value.port)
            if type_ is None or type_.dtype not in DTYPES:  # a recurrent layer's state is no tensor
                return ""
            shapes.append(str(type_))
            for twin in self.twins:
                if str(twin.type_of(value)) != shapes[-1]:
                    return ""
        is_one = len(shapes) > 1 and len({*shapes}) == 1
        return f"each {shapes[0]}" if is_one else ", ".join(shapes)

    def readable(
        self, run: Run, read: Iterable[Value], targets: Targets
    ) -> list[tuple[Code, TensorType]]:
        """Return what a step can read sizes from: its operands, and the inputs that are given.

        Of a node that runs over an axis, the sources without it come first: they have its batch.
        """
        folded = folding(run, self.body, self.values)
        before = [] if folded is None else [(folded.locals[folded.sized], folded.type)]
        found = [value for value in read if not is_intermediate(value) and value not in targets]
        found += [Value(name, "") for name in self.body.inputs if self.is_given(name, run.guard)]
        typed = [*before, *((value, self.body.type_of(value)) for value in found)]
        return [(Local(value), type_) for value, type_ in typed]

    def is_given(self, name: str, guard: Guard) -> bool:
        """Return whether an input is given where these conditions hold."""
        return name not in self.body.optional or any(
            condition.presence is not None
            and condition.holds
            and implies(condition.presence, given(name))
            for condition in guard
        )


# All steps of a body.


class Plan:
    """The steps of a body. Several outputs are returned as a dict, in a block as a tuple.

    The `twins` run the same steps, on inputs of other sizes.
    """

    def __init__(
        self, body: Body, ports: UsedPorts, as_dict: bool, twins: Iterable[Body] = ()
    ) -> None:
        self.body = body
        self.values = Values(body)
        calls = Calls(body, self.values, ports, tuple(twins))
        self.steps: list[Step] = []
        for run in runs(body):
            self.steps += calls.steps(run)
        outputs = list(map(self.values.resolve, body.outputs.values()))
        if body.single_nodes is not body.nodes:
            self.steps = inlined(self.steps, body, outputs)
        self.kept = calls.dtypes.kept  # the attribute with a tensor that the forward needs, if any
        last = self.steps[-1] if self.steps else None
        is_result = last is not None and len(outputs) == 1 and last.targets == (*outputs,)
        if last and is_result and last.loop is None and not last.guard:
            (name,) = body.outputs
            self.steps[-1] = Step((), self._given(name, last.code), last.reads, node=last.node)
        else:
            self.steps += self._returns(as_dict)

    def _returns(self, as_dict: bool) -> Iterator[Step]:
        """Yield the return, and before it that in training if there are more outputs then."""
        training = self.body.training
        outputs = self.body.outputs.items()
        results = {name: self._given(name, self.values.read(value)) for name, value in outputs}
        always = {name: code for name, code in results.items() if name not in training}
        if training:
            yield self._return(results, as_dict, (TRAINING,))
        yield self._return(always, as_dict, ())

    def _given(self, name: str, code: Code) -> Code:
        """Return the code of an output, with its batch moved where the graph says so."""
        if name not in self.body.batch_dims:
            return code
        axis = self.body.batch_dims[name]
        return code.method("transpose" if axis == 1 else "movedim", 0, axis)

    def _return(self, results: Mapping[str, Code], as_dict: bool, guard: Guard) -> Step:
        code = next(iter(results.values()))
        if len(self.body.outputs) > 1:
            code = Dict(tuple(results.items())) if as_dict else Tuple(tuple(results.values()))
        return Step((), code, tuple(dict.fromkeys(values_read(code))), guard=guard)
