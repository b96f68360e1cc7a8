"""A body to steps: what is called on which values, in which order, before any value has a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TypeAlias

from mimgraph.emit.classes.attributes import attribute
from mimgraph.emit.dtypes import (
    dtype_of_input,
    dtype_of_weight,
    follow,
    is_made,
    kept_dtype,
    nodes_apart,
    resolve_dtype,
)
from mimgraph.emit.forward.nullable import nullable, takes_none
from mimgraph.emit.forward.steps import (
    WHOLE,
    Condition,
    Guard,
    Loop,
    Step,
    is_intermediate,
    values_in,
)
from mimgraph.emit.sizes import resolve_sizes
from mimgraph.emit.tree import Local, fill
from mimgraph.ir.code import (
    Attribute,
    Binary,
    Call,
    Code,
    Constant,
    ModelDtype,
    Name,
    RuntimeSize,
    Subscript,
    call,
    named_constant,
    walk,
)
from mimgraph.ir.lowering import ANCHOR, INPUT, MODULE, RESULT, Lowering, Module
from mimgraph.ir.presence import ALWAYS, Presence, given, implies
from mimgraph.ir.typed import (
    Body,
    Each,
    Leaf,
    Repeated,
    Sequence,
    Shared,
    TypedNode,
    TypedOperation,
    Use,
    Value,
    inside,
    single_nodes,
    unwrap,
)
from mimgraph.ir.types import DTYPES, TensorType

RELU = call("F.relu", INPUT)
RELU_IN_PLACE = call("F.relu", INPUT, inplace=True)
LOOP_VARIABLES = ("layer", "block", "module", *(f"layer_{number}" for number in range(2, 1000)))


def item_code(node: TypedNode, module: Code, source: Code) -> Code:
    """What a layer in a chain computes from its one source."""
    assert isinstance(node.operation, Leaf)
    operands = {key: source for key in node.arguments}
    lowering, port = node.operation.lowering, node.default or ""
    code = _result(lowering, port, module, operands, lowering.module_for([port]))
    return activated(node.operation, code)


UsedPorts: TypeAlias = Mapping[str, set[str]]


def used_ports(body: Body) -> UsedPorts:
    """The results that are used of the module of each node, by the nodes that share it too."""
    read = set(body.outputs.values())
    owners: dict[str, str] = {}
    for node in body.nodes:
        read.update(node.arguments.values())
        for one in single_nodes(node):
            owners[one.name] = owner_of(one)
            if one is not node:
                read.add(Value(one.name, one.default or ""))
    found: dict[str, set[str]] = {owner: set() for owner in owners.values()}
    for value in read:
        if value.name in owners:
            found[owners[value.name]].add(value.port)
    return found


def owner_of(node: TypedNode) -> str:
    """The name of the node whose module a node calls."""
    return node.operation.owner if isinstance(node.operation, Shared) else node.name


def module_code(owner: str, body: Body) -> Code:
    """Return the code that reads the module of a node: `self.fc`, `self.emb["city"]`."""
    name, dot, item = owner.partition(".")
    module = Name(f"self.{attribute(name, body.by_name)}")
    return module.at(item) if dot else module


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
    """`code` with the node's activation around it.

    What is computed from sums and products is nobody else's, and no gradient reads it: a ReLU of it
    needs no memory of its own.
    """
    activation = operation.activation
    if activation is None:
        return code
    if activation == RELU and isinstance(code, Binary) and code.operator in ("+", "-", "*", "/"):
        activation = RELU_IN_PLACE
    return fill(activation, lambda key: code if key == "input" else None)


def call_code(lowering: Lowering, module: Code, operands: Mapping[str, Code]) -> Code:
    """The module's call, or the expression, on these operands."""
    if lowering.call is None:
        return Call(module, tuple(operands.values()))
    return _fill(lowering.call, module, operands, None)


def _fill(code: Code, module: Code, operands: Mapping[str, Code], result: Code | None) -> Code:
    special = {MODULE.key: module, RESULT.key: result}
    return fill(code, lambda key: operands.get(key, special.get(key)))


class Plan:
    """The steps of a body, on values that have no names yet."""

    def __init__(self, body: Body, ports: UsedPorts, twins: Iterable[Body] = ()) -> None:
        self.body = body
        self.twins = tuple(twins)  # as shares of its module have it, on other sizes
        self.steps: list[Step] = []
        fed = (value for node in body.nodes for value in node.arguments.values())
        self.count = Counter((*fed, *body.outputs.values()))
        self.used = set(self.count)
        self.ports = ports
        self.same: dict[Value, Value] = {}  # one value under two names
        self.guard: Guard = ()  # of the steps that are made just now
        self.nullable = set(nullable(body))
        # tensors of the module itself, which need no local
        self.owned: dict[Value, Code] = dict(self.learned())

    def learned(self) -> Iterator[tuple[Value, Code]]:
        """The learned tensors of modules that are read, each as its module's attribute."""
        for value in self.count:
            node = self.body.by_name.get(value.name)
            if node is not None and value.port not in node.results:
                yield value, _weight(node, value.port, self.body)

    def value(self, value: Value) -> Value:
        while value in self.same:
            value = self.same[value]
        return value

    def read(self, value: Value) -> Code:
        """A value as an operand."""
        value = self.value(value)
        return self.owned.get(value, Local(value))

    def node(self, node: TypedNode) -> None:
        """A node, or each item of it as a node of its own."""
        for one in single_nodes(node):
            if one is not node:
                port, made = (
                    Value(node.name, one.name.partition(".")[2]),
                    Value(one.name, one.default or ""),
                )
                self.same[port] = made
                self.count[made] = self.count[port]
                self.used |= {made} if port in self.used else set()
                self.nullable |= {made} if port in self.nullable else set()
            self.single(one)

    @contextmanager
    def under(self, presence: Presence, holds: bool = True) -> Iterator[None]:
        """What is made inside is done where this holds."""
        before = self.guard
        if presence != ALWAYS:
            self.guard = (*before, Condition(presence, holds))
        yield
        self.guard = before

    @contextmanager
    def in_training(self, only: bool) -> Iterator[None]:
        """What is made inside is done in training only."""
        before = self.guard
        if only:
            self.guard = (*before, Condition(None))
        yield
        self.guard = before

    def single(self, node: TypedNode) -> None:
        """A node where it is there, and None where it is not, if that is read."""
        if node.presence == ALWAYS:
            self.filled(node)
            return
        with self.under(node.presence):
            self.filled(node)
        values = (Value(node.name, port) for port in node.results)
        missing = dict.fromkeys(self.value(v) for v in values if v in self.nullable & self.used)
        with self.under(node.presence, holds=False):
            for value in missing:
                if value.name not in self.body.inputs:
                    self.add(Step((value,), Constant(None), (), node=node.name))

    def filled(self, node: TypedNode) -> None:
        """A node, and beside a source that may be missing what fills its place."""
        operation = unwrap(node.operation)
        fallback = operation.lowering.fallback if isinstance(operation, Leaf) else None
        if fallback is None or not isinstance(operation, Leaf):
            self.with_arguments(node, frozenset())
            return
        presence = self.body.presence_of(node.arguments["input"])
        with self.under(presence):
            self.with_arguments(node, frozenset())
        if presence != ALWAYS:
            anchor, code = self.anchored(fallback, node.results[""].dtype)
            operands = {ANCHOR.key: Local(anchor)}
            code = _fill(code, module_code(owner_of(node), self.body), operands, None)
            with self.under(presence, holds=False):
                self.step(node, (Value(node.name, ""),), activated(operation, code))

    def with_arguments(self, node: TypedNode, gone: frozenset[str]) -> None:
        """The node for each of the ways in which its masks, lengths and states are given or not;
        one that may be None is passed in any case."""
        for keys in sorted(node.without, key=lambda keys: (len(keys), sorted(keys))):
            presence = self.body.presence_of(node.arguments[min(keys)])
            decided = any(condition.presence == presence for condition in self.guard)
            if not decided and not takes_none(node, keys):
                with self.under(presence):
                    self.with_arguments(node, gone)
                with self.under(presence, holds=False):
                    self.with_arguments(node, gone | keys)
                return
        whole = node.without.get(gone)
        if whole is None:
            self.made(node)
            return
        operation = whole.operation
        if isinstance(node.operation, Shared):
            operation = replace(node.operation, operation=operation)
        self.made(replace(whole, name=node.name, operation=operation, presence=node.presence))

    def anchored(self, code: Code, dtype: str) -> tuple[Value, Code]:
        """An input that is always given, at best of that dtype, which then is not said."""
        body = self.body
        always = [name for name in body.inputs if name not in body.optional]
        alike = [name for name in always if body.inputs[name].dtype == dtype]
        if alike and isinstance(code, Call):
            code = replace(code, keywords=tuple(k for k in code.keywords if k[0] != "dtype"))
        return Value((alike or always)[0], ""), code

    def add(self, step: Step) -> None:
        step.guard = self.guard
        self.steps.append(step)

    def made(self, node: TypedNode) -> None:
        ports = [port for port in node.results if (node.name, port) in self.used]
        if not ports:  # only its module is used, by a share
            return
        operation = unwrap(node.operation)
        module = module_code(owner_of(node), self.body)
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
            code = self.owned.pop(value)
            self.steps.append(Step((value,), code, (), node=value.name))  # whatever the guard

    def step(
        self, node: TypedNode, targets: tuple[Value, ...], code: Code, loop: Loop | None = None
    ) -> None:
        if isinstance(code, Name) or self.is_entry(node, targets, code):
            self.owned[targets[0]] = code
            return
        comment = self.comment(node, targets[0]) if len(targets) == 1 else ""
        parts = walk(code)
        if RuntimeSize in map(type, parts):
            code = resolve_sizes(code, self.at_hand(values_in(parts), targets))
            parts = walk(code)
        if ModelDtype in map(type, parts):
            code = resolve_dtype(code, self.model_dtype(node, values_in(parts)))
            parts = walk(code)
        reads = tuple(dict.fromkeys(values_in(parts)))
        self.add(Step(targets, code, reads, comment, loop, node=node.name))

    def comment(self, node: TypedNode, target: Value) -> str:
        """The shape of a tensor, where the twins have the same."""
        type_ = node.results.get(target.port)
        if type_ is None or type_.dtype not in DTYPES:  # a recurrent layer's state is no tensor
            return ""
        told = str(type_)
        disagree = self.twins and any(str(twin.type_of(target)) != told for twin in self.twins)
        return "" if disagree else told

    def at_hand(
        self, read: Iterable[Value], targets: tuple[Value, ...]
    ) -> list[tuple[Code, TensorType]]:
        """What a step can read sizes from: what it reads anyway, and the inputs."""
        found = [value for value in read if not is_intermediate(value) and value not in targets]
        found += [Value(name, "") for name in self.body.inputs if self.is_given(name)]
        return [(Local(value), self.body.type_of(value)) for value in found]

    def model_dtype(self, node: TypedNode, read: Iterable[Value]) -> Code:
        """Return the code by which a step that reads these values gets the dtype of the model.

        It is that of an input of the graph, as those are what the caller has; in a block, where
        autocast may have changed the inputs, first that of a weight.
        """
        if node.name in self.apart:
            return Name("torch.float32")
        of_input = dtype_of_input(self.body, self.twins, read)
        is_graph = self.body.family == ""
        found = (of_input, self.weight_dtype) if is_graph else (self.weight_dtype, of_input)
        return found[0] or found[1] or kept_dtype(self.body)

    @cached_property
    def apart(self) -> frozenset[str]:
        return nodes_apart(self.body)

    @cached_property
    def weight_dtype(self) -> Code | None:
        return dtype_of_weight(self.body)

    def followed(self, node: TypedNode, leaf: Leaf, port: str, code: Code) -> Code:
        """Return the code of a result, cast to the dtype of the model if torch makes float32 of it,
        here or in a twin."""
        if node.results[port].dtype != "float32" or not node.arguments:
            return code
        made = self.is_made(self.body, node, leaf, port) or any(
            self.is_made(twin, node, leaf, port) for twin in self.twins
        )
        return follow(code) if made and node.name not in self.apart else code

    def is_made(self, body: Body, node: TypedNode, leaf: Leaf, port: str) -> bool:
        """Return whether torch makes float32 of what a body feeds the node of that name."""
        if body is not self.body:
            twin = body.by_name.get(node.name)
            operation = None if twin is None else unwrap(twin.operation)
            if twin is None or not isinstance(operation, Leaf):  # one of an each
                return False
            node, leaf = twin, operation
        return is_made(leaf, port, map(body.type_of, node.arguments.values()))

    def is_given(self, name: str) -> bool:
        """Whether an input is there where steps are made just now."""
        return name not in self.body.optional or any(
            condition.presence is not None
            and condition.holds
            and implies(condition.presence, given(name))
            for condition in self.guard
        )

    def may_miss(self, node: TypedNode) -> bool:
        """Whether a merge runs although one of its sources is missing."""
        sources = map(self.body.presence_of, node.arguments.values())
        return not all(implies(node.presence, presence) for presence in sources)

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
        if lowering.steps:
            operands = self.before(node, lowering, module, operands)
        if lowering.skipping is not None and self.may_miss(node):
            code = activated(leaf, _fill(lowering.skipping, module, operands, None))
            self.step(node, (Value(node.name, ""),), self.followed(node, leaf, "", code))
            return
        if len(ports) == 1:
            made = lowering.module_for(self.ports[owner_of(node)])
            code = _result(lowering, ports[0], module, operands, made)
            if ports[0] == node.default:
                code = activated(leaf, code)
            code = self.followed(node, leaf, ports[0], code)
            self.step(node, (Value(node.name, ports[0]),), code)
            return
        whole = Value(node.name, WHOLE)
        self.step(node, (whole,), call_code(lowering, module, operands))
        for port in ports:
            code = _fill(lowering.ports[port].code, module, operands, Local(whole))
            if port == node.default:
                code = activated(leaf, code)
            code = self.followed(node, leaf, port, code)
            if code == Local(whole):  # this port is what the call returned
                self.same[Value(node.name, port)] = whole
            else:
                self.step(node, (Value(node.name, port),), code)

    def use(self, node: TypedNode, use: Use, ports: list[str], code: Code) -> None:
        """A block's results: one, all of several at once, or some, read by their position."""
        names = tuple(use.body.outputs)
        if len(names) == 1:
            self.step(node, (Value(node.name, ""),), self.activated(node, use, code))
            return
        if len(ports) == len(names) and use.activation is None:
            self.step(node, tuple(Value(node.name, name) for name in names), code)
            return
        if len(ports) > 1:
            whole = Value(node.name, WHOLE)
            self.step(node, (whole,), code)
            code = Local(whole)
        for port in ports:
            read: Code = Subscript(code, Constant(names.index(port)))
            if port == node.default:
                read = self.activated(node, use, read)
            self.step(node, (Value(node.name, port),), read)

    def activated(self, node: TypedNode, use: Use, code: Code) -> Code:
        """Return a block's default result with its activation, cast if it makes floats of whole numbers."""
        assert node.default is not None
        before, after = use.body.results[node.default], node.results[node.default]
        code = activated(use, code)
        return follow(code) if before.dtype != after.dtype == "float32" else code

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
        if len(operands) == 1 and single and not repeated.shared and not repeated.first:
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
            times = Call(Name("range"), (named_constant("times", repeated.times),))
            loop = Loop("_", times, carried)
            code = Call(module, args)
        else:
            taken = {*self.body.inputs, *self.body.by_name}
            variable = next(name for name in LOOP_VARIABLES if name not in taken)
            modules = module.method("values") if repeated.first else module
            loop = Loop(variable, modules, carried)
            code = Call(Name(variable), args)
        self.used.update(targets)
        self.step(node, targets, code, loop)


def _weight(node: TypedNode, path: str, body: Body) -> Code:
    """A learned tensor of a node's module by its dotted name: `self.stage[1].conv.weight`."""
    if isinstance(node.operation, Each):
        item, _, path = path.partition(".")
        (node,) = (one for one in single_nodes(node) if one.name == f"{node.name}.{item}")
    found = module_code(owner_of(node), body)
    operation: TypedOperation | None = unwrap(node.operation)
    for part in path.split("."):
        match operation:
            case Each():
                found = found.at(part)
            case _ if part.isdecimal():
                found = found.at(int(part))
            case Use(block) | Repeated((block, *_)):
                found = Attribute(found, attribute(part, block.by_name))
            case _:
                found = Attribute(found, part)
        operation = inside(operation, part)
    return found
