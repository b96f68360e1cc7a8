"""A body to the statements of its `forward`: what is called, what each local is called, when it dies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mimgraph.codegen.printer import Assign, Delete, For, Return, Statement
from mimgraph.codegen.sizes import resolve_sizes
from mimgraph.codegen.tree import Local, fill, rebuild
from mimgraph.ir.code import (
    Call,
    Code,
    Constant,
    Dict,
    Name,
    Subscript,
    Tuple,
    children,
)
from mimgraph.ir.lowering import MODULE, RESULT, Lowering, Module
from mimgraph.ir.typed import (
    Body,
    Leaf,
    Repeated,
    Sequence,
    Shared,
    TypedNode,
    Use,
    Value,
    unwrap,
)
from mimgraph.ir.types import DTYPES, TensorType

MAIN = "x"
AMBIGUOUS = ("l", "I", "O")  # names that linters refuse, and readers should
LOOP_VARIABLES = ("layer", "block", "module", *(f"layer_{number}" for number in range(2, 1000)))


@dataclass(slots=True)
class Step:
    """One assignment: `targets = code`, `times` over in a loop; `reads` are the values it needs."""

    targets: tuple[Value, ...]
    code: Code
    reads: tuple[Value, ...]
    comment: str = ""
    loop: Loop | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """`for variable in iterable`; each target that is carried starts as the value it is carried from."""

    variable: str
    iterable: Code
    carried: Mapping[Value, Value] = field(default_factory=dict)


def forward(body: Body, as_dict: bool) -> tuple[Statement, ...]:
    """The statements; several outputs are returned as a dict, in blocks as a tuple."""
    plan = _Plan(body)
    for node in body.order:
        plan.node(node)
    return _named(plan, as_dict)


def item_code(node: TypedNode, module: Code, source: Code) -> Code:
    """What a layer in a chain computes from its one source."""
    assert isinstance(node.operation, Leaf)
    operands = {key: source for key in node.arguments}
    lowering, port = node.operation.lowering, node.default or ""
    code = _result(lowering, port, module, operands, lowering.module_for([port]))
    return activated(node.operation, code)


def used_ports(body: Body) -> Mapping[str, set[str]]:
    """The results that are used of the module of each node, by the nodes that share it too."""
    read = {value for node in body.nodes for value in node.arguments.values()}
    read.update(body.outputs.values())
    owners = {node.name: _owner(node) for node in body.nodes}
    found: dict[str, set[str]] = {owner: set() for owner in owners.values()}
    for value in read:
        if value.name in owners:
            found[owners[value.name]].add(value.port)
    return found


def _owner(node: TypedNode) -> str:
    """The node whose module a node calls."""
    return node.operation.target if isinstance(node.operation, Shared) else node.name


def _result(
    lowering: Lowering,
    port: str,
    module: Code,
    operands: Mapping[str, Code],
    made: Module | None,
) -> Code:
    """The code of one port where no other is used, of a module that is `made` so."""
    if not lowering.ports:
        return call_code(lowering, module, operands)
    described = lowering.ports[port]
    if described.alone is not None and made is lowering.module:
        return _fill(described.alone, module, operands, None)
    return _fill(described.code, module, operands, call_code(lowering, module, operands))


def activated(operation: Leaf | Use, code: Code) -> Code:
    """`code` with the node's activation around it."""
    if operation.activation is None:
        return code
    return fill(operation.activation, lambda key: code if key == "input" else None)


def call_code(lowering: Lowering, module: Code, operands: Mapping[str, Code]) -> Code:
    """The module's call, or the expression, on these operands."""
    if lowering.call is None:
        return Call(module, tuple(operands.values()))
    return _fill(lowering.call, module, operands, None)


def _fill(code: Code, module: Code, operands: Mapping[str, Code], result: Code | None) -> Code:
    special = {MODULE.key: module, RESULT.key: result}
    return fill(code, lambda key: operands.get(key, special.get(key)))


class _Plan:
    """The steps of a body, on values that have no names yet."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.steps: list[Step] = []
        fed = (value for node in body.nodes for value in node.arguments.values())
        self.count = Counter((*fed, *body.outputs.values()))
        self.used = set(self.count)
        self.ports = used_ports(body)
        self.same: dict[Value, Value] = {}  # what a repeat of no times hands on
        self.owned: dict[Value, Code] = {}  # tensors of the module itself, which need no local
        self.by_name = body.by_name

    def value(self, value: Value) -> Value:
        while value in self.same:
            value = self.same[value]
        return value

    def read(self, value: Value) -> Code:
        """A value as an operand."""
        value = self.value(value)
        return self.owned.get(value, Local(value))

    def type_of(self, value: Value) -> TensorType:
        if value.name in self.body.inputs:
            return self.body.inputs[value.name]
        return self.by_name[value.name].results[value.port]

    def node(self, node: TypedNode) -> None:
        ports = [port for port in node.results if Value(node.name, port) in self.used]
        if not ports:  # only its module is used, by a share
            return
        operation = unwrap(node.operation)
        module = Name(f"self.{_owner(node)}")
        operands: dict[str, Code] = {key: self.read(value) for key, value in node.arguments.items()}
        match operation:
            case Leaf():
                self.leaf(node, operation, ports, module, operands)
            case Sequence():
                self.step(node, (Value(node.name, ""),), Call(module, tuple(operands.values())))
            case Use():
                self.use(node, operation, ports, Call(module, tuple(operands.values())))
            case Repeated():
                self.repeated(node, operation, ports, module, operands)

    def localise(self, value: Value) -> None:
        """Give a tensor of the module a local, for a loop to rebind."""
        if value in self.owned:
            self.steps.append(Step((value,), self.owned.pop(value), ()))

    def step(
        self, node: TypedNode, targets: tuple[Value, ...], code: Code, loop: Loop | None = None
    ) -> None:
        if isinstance(code, Name) or self.is_entry(node, targets, code):
            self.owned[targets[0]] = code
            return
        comment = ""
        if len(targets) == 1 and targets[0].port in node.results:
            type_ = node.results[targets[0].port]
            if type_.dtype in DTYPES:  # the state of a recurrent layer is no single tensor
                comment = str(type_)
        at_hand = [
            value for value in _locals(code) if value.port[:1] != "*" and value not in targets
        ]
        at_hand += [Value(name, "") for name in self.body.inputs]
        sized = resolve_sizes(code, [(Local(value), self.type_of(value)) for value in at_hand])
        reads = tuple(dict.fromkeys(_locals(sized)))
        self.steps.append(Step(targets, sized, reads, comment, loop))

    def is_entry(self, node: TypedNode, targets: tuple[Value, ...], code: Code) -> bool:
        """Whether it is one entry of a tensor without a batch, `weight[0]`, and used once: that is
        written where it is used."""
        match code, node.operation:
            case Subscript(Name() | Local(), Constant(int())), Leaf() if not targets[0].port:
                return self.count[targets[0]] == 1 and not node.results[""].batched
        return False

    def before(
        self, node: TypedNode, lowering: Lowering, module: Code, operands: Mapping[str, Code]
    ) -> Mapping[str, Code]:
        """The operands, and a local for each step that comes before the call."""
        found = dict(operands)
        for key, code in lowering.steps.items():
            value = Value(node.name, f"*{key}")
            self.step(node, (value,), _fill(code, module, found, None))
            found[key] = Local(value)
        return found

    def leaf(
        self,
        node: TypedNode,
        leaf: Leaf,
        ports: list[str],
        module: Code,
        operands: Mapping[str, Code],
    ) -> None:
        lowering = leaf.lowering
        operands = self.before(node, lowering, module, operands)
        if len(ports) == 1:
            made = lowering.module_for(self.ports[_owner(node)])
            code = _result(lowering, ports[0], module, operands, made)
            if ports[0] == node.default:
                code = activated(leaf, code)
            self.step(node, (Value(node.name, ports[0]),), code)
            return
        whole = Value(node.name, "*")
        self.step(node, (whole,), call_code(lowering, module, operands))
        for port in ports:
            code = _fill(lowering.ports[port].code, module, operands, Local(whole))
            if port == node.default:
                code = activated(leaf, code)
            self.step(node, (Value(node.name, port),), code)

    def use(self, node: TypedNode, use: Use, ports: list[str], code: Code) -> None:
        """A block's results: one, all of several at once, or some, read by their position."""
        names = tuple(use.body.outputs)
        if len(names) == 1:
            self.step(node, (Value(node.name, ""),), activated(use, code))
            return
        if len(ports) == len(names) and use.activation is None:
            self.step(node, tuple(Value(node.name, name) for name in names), code)
            return
        if len(ports) > 1:
            whole = Value(node.name, "*")
            self.step(node, (whole,), code)
            code = Local(whole)
        for port in ports:
            read: Code = Subscript(code, Constant(names.index(port)))
            if port == node.default:
                read = activated(use, read)
            self.step(node, (Value(node.name, port),), read)

    def repeated(
        self,
        node: TypedNode,
        repeated: Repeated,
        ports: list[str],
        module: Code,
        operands: Mapping[str, Code],
    ) -> None:
        """No times hand the input on; one threaded input is one call; the rest is a loop."""
        single = len(node.results) == 1
        if not repeated.bodies:
            for name in repeated.carried:
                port = "" if single else name
                self.same[Value(node.name, port)] = self.value(node.arguments[name])
            return
        for name in repeated.carried:
            self.localise(self.value(node.arguments[name]))
        first = repeated.bodies[0]
        if len(operands) == 1 and single and not repeated.shared:
            self.step(node, (Value(node.name, ""),), Call(module, tuple(operands.values())))
            return
        names = tuple(first.outputs)
        targets = (Value(node.name, ""),) if single else tuple(Value(node.name, n) for n in names)
        carried = {
            (targets[0] if single else Value(node.name, name)): self.value(node.arguments[name])
            for name in repeated.carried
        }
        args = tuple(
            Local(targets[0] if single else Value(node.name, name))
            if name in repeated.carried
            else operand
            for name, operand in operands.items()
        )
        if repeated.shared:
            times = Call(Name("range"), (Constant(len(repeated.bodies), "times"),))
            loop = Loop("_", times, carried)
            code = Call(module, args)
        else:
            taken = {*self.body.inputs, *self.by_name}
            variable = next(name for name in LOOP_VARIABLES if name not in taken)
            loop = Loop(variable, module, carried)
            code = Call(Name(variable), args)
        self.used.update(targets)
        self.step(node, targets, code, loop)


def _locals(code: Code) -> Iterable[Value]:
    """The values that a tree reads, in order."""
    stack = [code]
    while stack:
        node = stack.pop()
        if isinstance(node, Local):
            yield node.value
        else:
            stack.extend(reversed(tuple(children(node))))


# naming


def _named(plan: _Plan, as_dict: bool) -> tuple[Statement, ...]:
    """Steps as statements. If one local dies at a statement its result takes its name, so a branch
    carries one name: that of its last node, `x` on the run that ends in the result."""
    body = plan.body
    outputs = {name: plan.value(value) for name, value in body.outputs.items()}
    steps, final = _split_final(plan.steps, outputs)
    last_use = _last_use(steps, final, outputs.values())
    names = _Branches(plan, steps, last_use, final, outputs)
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
        for value in _read_by(step):
            found[value] = index
    for value in final.reads if final else outputs:
        found[value] = len(steps)
    return found


def _read_by(step: Step) -> Iterable[Value]:
    """What a step needs from before it."""
    if step.loop is None:
        return step.reads
    outside = [value for value in step.reads if value not in step.targets]
    return (*step.loop.carried.values(), *outside)


class _Branches:
    """The name of every local."""

    def __init__(
        self,
        plan: _Plan,
        steps: list[Step],
        last_use: Mapping[Value, int],
        final: Step | None,
        outputs: Mapping[str, Value],
    ) -> None:
        self.inputs = plan.body.inputs
        self.in_block = plan.body.family != ""
        self.branch: dict[Value, int] = {}
        self.members: list[list[Value]] = []
        self.kept: dict[int, Value] = {}  # by branch: what a loop rebinds keeps its name
        self.readers = Counter(value for step in steps for value in _read_by(step))
        self.readers.update(final.reads if final else outputs.values())
        self.fed: set[Value] = set()  # what the inputs become, not tensors of the module alone
        for index, step in enumerate(steps):
            if any(value in self.fed or value.name in self.inputs for value in _read_by(step)):
                self.fed.update(step.targets)
            dying = self.dying(step, index, last_use)
            for target in step.targets:
                self.join(target, self.heir(step, target, dying))
                if step.loop is not None and len(step.targets) > 1:
                    self.keep(step, step.loop, target, index, last_use)
        self.names = self.choose(plan, self.main(final, outputs, last_use, len(steps)))

    def dying(self, step: Step, index: int, last_use: Mapping[Value, int]) -> list[Value]:
        """The locals that no later step needs, in the order in which they are read."""
        return [
            value
            for value in dict.fromkeys(_read_by(step))
            if last_use[value] == index and value.name not in self.inputs
        ]

    def heir(self, step: Step, target: Value, dying: list[Value]) -> Value | None:
        """The dying local whose name the target takes."""
        if step.loop is not None and target in step.loop.carried:
            before = step.loop.carried[target]
            return before if before in dying and not _stays(step, step.loop, target) else None
        if len(dying) != 1 or len(step.targets) != 1 or self.readers[dying[0]] > 1:
            return None  # what several steps read has a name of its own
        return dying[0]

    def keep(
        self, step: Step, loop: Loop, target: Value, index: int, last_use: Mapping[Value, int]
    ) -> None:
        """Of several values that a loop carries, each keeps a plain name that it came with.

        So a block rebinds its inputs; those of the whole graph are not touched.
        """
        before = loop.carried.get(target)
        if before is None or before.port or _stays(step, loop, target):
            return
        if last_use[before] == index and (self.in_block or before.name not in self.inputs):
            self.kept[self.branch[target]] = before

    def join(self, value: Value, heir: Value | None) -> None:
        if heir is None:
            self.branch[value] = len(self.members)
            self.members.append([value])
        else:
            self.branch[value] = self.branch[heir]
            self.members[self.branch[heir]].append(value)

    def main(
        self,
        final: Step | None,
        outputs: Mapping[str, Value],
        last_use: Mapping[Value, int],
        end: int,
    ) -> int | None:
        """The branch that ends in the one result."""
        if len(outputs) != 1:
            return None
        read = final.reads if final else tuple(outputs.values())
        dying = [value for value in dict.fromkeys(read) if value in self.branch]
        return self.branch[dying[0]] if len(dying) == 1 and dying[0] in self.fed else None

    def choose(self, plan: _Plan, main: int | None) -> list[str]:
        taken = {*self.inputs, *_loop_names(plan.steps), *AMBIGUOUS}
        ports: dict[str, set[str]] = {}
        for value in self.branch:
            ports.setdefault(value.name, set()).add(value.port)
        wanted = []
        for index, members in enumerate(self.members):
            last = self.kept.get(index, members[-1])
            if last.name in self.inputs:
                wanted.append(last.name)
                continue
            port = last.port.lstrip("*")
            several = len(ports[last.name]) > 1 and port
            wanted.append(f"{last.name}_{port}" if several else last.name)
        if main is not None and MAIN not in taken:
            others = (name for index, name in enumerate(wanted) if index != main)
            if MAIN not in others:
                wanted[main] = MAIN
        names = []
        for index, name in enumerate(wanted):
            unique, number = name, 1
            if index in self.kept and name in self.inputs:
                names.append(name)
                continue
            while unique in taken:
                number += 1
                unique = f"{name}_{number}"
            taken.add(unique)
            names.append(unique)
        return names

    def name(self, value: Value) -> str:
        return value.name if value.name in self.inputs else self.names[self.branch[value]]

    def code(self, code: Code) -> Code:
        """`code` with every local by its name."""
        return rebuild(
            code, lambda part: Name(self.name(part.value)) if isinstance(part, Local) else None
        )


def _stays(step: Step, loop: Loop, target: Value) -> bool:
    """Whether what a target is carried from is needed in the loop beside it."""
    before = loop.carried[target]
    others = (value for other, value in loop.carried.items() if other != target)
    return before in others or before in step.reads


def _loop_names(steps: list[Step]) -> set[str]:
    return {step.loop.variable for step in steps if step.loop is not None}


def _statements(
    step: Step, index: int, names: _Branches, last_use: Mapping[Value, int], body: Body
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
    final: Step | None, results: Mapping[str, Code], names: _Branches, as_dict: bool
) -> Code:
    if final is not None:
        return names.code(final.code)
    values = {name: names.code(code) for name, code in results.items()}
    if len(values) == 1:
        return next(iter(values.values()))
    return Dict(tuple(values.items())) if as_dict else Tuple(tuple(values.values()))
