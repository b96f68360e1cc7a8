"""Lift one call of a module: a node for each layer, function and module that its forward calls."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mimgraph.importer.draft import Body, Input, Node, Op, Output, Port, Share, Source, Use
from mimgraph.importer.lift import constants, opaque
from mimgraph.importer.lift.collapse import is_layer
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.folded import call_folded, lift_folded
from mimgraph.importer.lift.frozen import is_frozen
from mimgraph.importer.lift.functions.table import handler
from mimgraph.importer.lift.leaves.states import name_states
from mimgraph.importer.lift.leaves.table import leaf
from mimgraph.importer.lift.names import assigned_name, family_of, snake
from mimgraph.importer.lift.typing import agree, dtype_name, results_of, type_of
from mimgraph.importer.lift.weights import weight_port
from mimgraph.importer.names import unique
from mimgraph.importer.returned import named
from mimgraph.importer.trace.records import Call, Place, Step, Value
from mimgraph.ir.types import TensorType

if TYPE_CHECKING:
    from mimgraph.importer.lift.lifter import Lifter


class BodyLifter:
    """Makes the body of one call. A value that is made outside becomes an input when it is first read."""

    def __init__(self, lifter: Lifter, call: Call, parent: BodyLifter | None) -> None:
        self.lifter = lifter
        self.call = call
        self.parent = parent
        self.body = Body(family_of(call), call=call)
        self.ports: dict[int, Port] = {}  # by value
        self.types: dict[Port, TensorType] = {}
        self.nodes_by_path: dict[str, Node] = {}  # of the modules that were called
        self.bodies: dict[int, BodyLifter] = {}  # of the blocks, by their body
        self.folds: dict[int, Value] = {}  # what folded tensors stand for
        self.as_batch: set[int] = set()  # folded tensors that are read as they are
        self.broken: dict[int, CannotLift] = {}  # values that no node computes, if they are read
        self._last_on_line = {
            item.place: item for item in call.items if isinstance(item, Step) and item.place.file
        }
        if parent is None:
            for name, value in lifter.trace.inputs.items():
                self._add_input(name, value)

    # the whole body

    def lift(self) -> Body:
        """Return the body."""
        self._items(self.call)
        if self.parent is None:
            self._public_outputs()
        else:
            self._outputs()
        name_states(self.body)
        self.body.remove_unread()
        if self.parent is None:
            self._remove_unread_inputs()
        return self.body

    def _remove_unread_inputs(self) -> None:
        """Leave out the inputs of the model that nothing reads; a spec may not have such."""
        for one in [*self.body.inputs]:
            if not self.body.readers(one):
                self.body.inputs.remove(one)
                self.lifter.leave_out_input(one.name)

    def _items(self, call: Call) -> None:
        """Lift what a call calls; what fails does no harm if nothing reads it."""
        for item in call.items:
            try:
                self.step(item) if isinstance(item, Step) else self.module(item)
            except CannotLift as error:
                error.call = error.call or call
                error.place = error.place if error.place.file else item.place
                if error.call is not call:
                    raise
                self.broken |= {id(value): error for value in item.results}

    def _outputs(self) -> None:
        """Add an output for each value that is read outside, with its name in a dict that forward returns."""
        names = dict[int, str]()
        if isinstance(self.call.result, dict):
            names = {id(v): str(k) for k, v in self.call.result.items() if isinstance(v, Value)}
        taken = set[str]()
        for value in self.lifter.results(self.call):
            name = names.get(id(value))
            if id(value) in self.folds and self.parent is not None:
                self.parent.folds[id(value)] = self.folds[id(value)]
                value = self.folds[id(value)]
            port = self.source(value)
            port_name = "" if port.name.isdecimal() else port.name
            name = name or port_name or port.node.name
            self.body.outputs.append(Output(unique(name, taken), port, value=value))

    def _public_outputs(self) -> None:
        """Give the results of the whole model, each under the name of its place in what forward returns."""
        errors = list[CannotLift]()
        for name, value in named(self.call.result, Value):
            try:
                self.body.outputs.append(Output(name, self.source(value), value=value))
            except CannotLift as error:
                errors.append(error)
                self.lifter.remove(name, error)
        if not self.body.outputs:
            none = CannotLift("output", "the model returns no tensor", self.call, self.call.place)
            raise errors[0] if errors else none

    # sources

    def source(self, value: Value) -> Port:
        """Return the port of a value in this body."""
        if self.fold_of(value) is not None:
            message = f"a tensor {list(value.sizes)} with another axis in its batch"
            raise CannotLift("batch", message)
        if id(value) in self.broken:
            raise self.broken[id(value)]
        if id(value) in self.ports:
            return self.ports[id(value)]
        port: Port | None
        if value.is_weight and not value.fixed:
            port = weight_port(self, value)
        elif value.fixed and (self.parent is None or not self._is_from_outside(value)):
            port = constants.declare(self, value)
        else:
            port = None
        if port is None:
            if self.parent is None:
                raise CannotLift(
                    "value", f"a tensor {list(value.sizes)} comes from nowhere", self.call
                )
            name = unique(self._input_name(value), {one.name for one in self.body.inputs})
            port = Port(self._add_input(name, value))
        self.bind(value, port)
        return port

    def fold_of(self, value: Value) -> Value | None:
        """Return the tensor that a folded one stands for; None if a value is not folded here."""
        if id(value) in self.as_batch:
            return None
        if id(value) not in self.folds and self.parent is not None:
            return self.parent.fold_of(value)
        return self.folds.get(id(value))

    def _is_from_outside(self, value: Value) -> bool:
        """Return whether a fixed value is made by a caller; one that nothing makes is made where it is
        read, a buffer where its module is."""
        if value.kind == "result":
            return not self.lifter.made_inside(value, self.call)
        if value.kind == "buffer":
            return not f"{value.path}.".startswith(f"{self.call.path}." if self.call.path else "")
        return value.kind == "input"

    def _add_input(self, name: str, value: Value) -> Input:
        name = unique(name, self.body.names)
        made = Input(name, value.sizes, str(value.dtype).removeprefix("torch."), value=value)
        self.body.inputs.append(made)
        self.bind(value, Port(made))
        return made

    def _input_name(self, value: Value) -> str:
        """Return the parameter of forward that takes a value; a plain name for one that comes otherwise."""
        try:
            signature = inspect.signature(type(self.call.module).forward)
            bound = signature.bind(self.call.module, *self.call.args, **self.call.kwargs)
            given: Mapping[str, Any] = bound.arguments
        except (TypeError, ValueError):
            given = {}
        value = self.lifter.origins.get(id(value), value)
        for name, argument in given.items():
            if argument is value:
                return name
            if isinstance(argument, Mapping):
                for key, part in argument.items():
                    if part is value:
                        return str(key)
        return value.path.rpartition(".")[2] or "x"

    def make_sources(self, values: Iterable[Value]) -> None:
        """Make the ports of all values first: a port may get its name when another one is made."""
        for value in values:
            self.source(value)

    # nodes

    def add(
        self,
        operation: Op | Use | Share,
        sources: Sequence[Value | Port] | Mapping[str, Value | Port] = (),
        *,
        name: str,
        place: Place,
        attribute: str = "",
        path: str = "",
        maker: Step | Call | None = None,
    ) -> Node:
        """Add a node that reads values or ports, in order or by argument."""
        named_pairs: list[tuple[str | None, Value | Port]]
        if isinstance(sources, Mapping):
            named_pairs = [*sources.items()]
        else:
            named_pairs = [(None, one) for one in sources]
        self.make_sources(one for _, one in named_pairs if isinstance(one, Value))
        read = [
            Source(one if isinstance(one, Port) else self.source(one), argument)
            for argument, one in named_pairs
        ]
        node = Node(name, operation, read, attribute, path, place, maker=maker)
        self.body.nodes.append(node)
        return node

    def layer(
        self, step: Step, layer: str, sources: Any, hint: str = "", /, **options: Any
    ) -> Node:
        """Add a layer for a step, and let its result stand for the step's."""
        return self._op(step, "layer", layer, sources, hint, options)

    def merge(
        self, step: Step, merge: str, sources: Any, hint: str = "", /, **options: Any
    ) -> Node:
        """Add a merge for a step, and let its result stand for the step's."""
        return self._op(step, "merge", merge, sources, hint, options)

    def tensor(
        self, step: Step, tensor: str, sources: Any, hint: str = "", /, **options: Any
    ) -> Node:
        """Add a tensor such as `zeros` for a step, and let its result stand for the step's."""
        return self._op(step, "tensor", tensor, sources, hint, options)

    def _op(
        self, step: Step, kind: str, op: str, sources: Any, hint: str, options: dict[str, Any]
    ) -> Node:
        sources = [sources] if isinstance(sources, Value | Port) else sources
        name = self.name_of(step, hint or snake(op))
        node = self.checked(step, Op(kind, op, options), sources, name)
        if len(step.results) == 1:
            self.result(step, Port(node))
        return node

    def checked(
        self,
        step: Step,
        op: Op,
        sources: Sequence[Value | Port] | Mapping[str, Value | Port],
        name: str,
    ) -> Node:
        """Add a node if the rule of its op takes its sources; raise `CannotLift` if it refuses them."""
        node = self.add(op, sources, name=name, place=step.place, maker=step)
        read = [(one.argument, self.types[one.port]) for one in node.sources]
        try:
            found = results_of(op, read, step.place)
        except CannotLift:
            self.body.nodes.remove(node)
            raise
        for index, (port, type_) in enumerate(found.items()):
            self.types[Port(node, port)] = type_
            if index == 0:
                self.types.setdefault(Port(node), type_)
        return node

    def intermediate(
        self,
        step: Step,
        op: Op,
        sources: Sequence[Value | Port] | Mapping[str, Value | Port] = (),
        hint: str = "",
    ) -> Port:
        """Add a node for a part of a step, and return its result."""
        return Port(self.checked(step, op, sources, hint or snake(op.name)))

    def result(self, step: Step, port: Port, index: int = 0) -> None:
        """Let a port be the result of a step. It is cast to torch's dtype; other sizes than torch's raise
        `CannotLift`."""
        value = step.results[index]
        found, wanted = self.types[port], dtype_name(value.dtype, self.lifter.model_dtype)
        if not agree(found, value):
            message = f"a result {found} where torch gives {list(value.sizes)}"
            raise CannotLift("size", message, place=step.place)
        if found.dtype != wanted:
            port = self.intermediate(step, Op("layer", "Cast", {"dtype": wanted}), [port], "cast")
        self.bind(value, port)

    def bind(self, value: Value, port: Port) -> None:
        """Let a port stand for a value."""
        self.ports[id(value)] = port
        self.types.setdefault(port, type_of(value, self.lifter.model_dtype))

    def rename_port(self, old: Port, new: Port) -> None:
        """Let what reads one port, or stands for it, be another port of the same node."""
        for node in self.body.nodes:
            node.sources = [s._replace(port=new) if s.port == old else s for s in node.sources]
        self.ports = {key: new if port == old else port for key, port in self.ports.items()}
        if old in self.types:
            self.types[new] = self.types[old]

    def type_of(self, given: Value | Port) -> TensorType:
        """Return the type of a value or port."""
        return self.types[given if isinstance(given, Port) else self.source(given)]

    def is_used(self, value: Value) -> bool:
        """Return whether something reads a value."""
        return self.lifter.uses[id(value)] > 0

    def alias(self, step: Step, value: Value) -> None:
        """Let the result of a step be one of its arguments, unchanged."""
        self.bind(step.results[0], self.source(value))

    def name_of(self, step: Step, hint: str) -> str:
        """Return the variable that the user's code assigns the step to, if it is the last of its line."""
        if self._last_on_line.get(step.place) is step:
            return assigned_name(step.place) or hint
        return hint

    # steps and modules

    def step(self, step: Step) -> None:
        """Lift the call of a function; what depends on sizes alone only when it is read."""
        if step.results and all(value.fixed for value in step.results):
            return
        if step.results and all(id(value) in self.ports for value in step.results):
            return  # lifted with another step
        self.lift_step(step)

    def lift_step(self, step: Step) -> None:
        """Lift the call of a function by its handler."""
        refused = self.lifter.refused.get(step)
        try:
            if refused is not None:
                raise CannotLift("language", refused, place=step.place)
            lift = lift_folded if any(map(self.fold_of, step.arguments)) else handler(step)
            lift(self, step)
        except CannotLift as error:
            if not opaque.declare_function(self, step, error):
                raise

    def module(self, call: Call) -> None:
        """Lift the call of a module: a layer, a block, or a module that stays Python."""
        try:
            return self._declare(call)
        except CannotLift as error:
            if call.opaque or error.call not in (None, call):  # it is a fault of a source
                raise
            if self._first_call(call) is not None:  # which must stay Python, too
                error.call = call
                raise
            self.lifter.stay_python(call, error)
        self._declare(call)

    def _declare(self, call: Call) -> None:
        is_folded = any(map(self.fold_of, call.arguments))
        dissolves = is_layer(call) or call.path in self.lifter.dissolved
        if not call.is_closed and dissolves:
            self._items(call)
        elif is_folded and call_folded(self, call):
            return
        elif call.opaque:
            opaque.declare_module(self, call)
        elif call.is_closed:
            leaf(self, call)(self, call)
        else:
            self.block(call)

    def attribute(self, call: Call) -> str:
        """Return the path of a module in the module of this body: `layers.0`."""
        prefix = f"{self.call.path}." if self.call.path else ""
        is_made_here = call.path.startswith("?")
        return call.path[len(prefix) :] if call.path.startswith(prefix) and not is_made_here else ""

    def module_node(self, call: Call, operation: Op | Use, sources: Any, name: str = "") -> Node:
        """Add the node of a module; a second call of one that has weights shares the first node."""
        attribute = self.attribute(call)
        made_in_forward = call.path[1:].lower() if call.path.startswith("?") else ""
        name = name or made_in_forward or (attribute or call.path).replace(".", "_")
        first = self._first_call(call)
        made: Op | Use | Share = operation
        if first is not None:
            made, attribute = Share(first), ""
        node = self.add(
            made,
            sources,
            name=name,
            place=call.place,
            attribute=attribute,
            path=call.path,
            maker=call,
        )
        is_inside = self.parent is not None and is_frozen(self.call)
        node.freeze = attribute != "" and is_frozen(call) and not is_inside
        self.nodes_by_path.setdefault(call.path, node)
        return node

    def _first_call(self, call: Call) -> Node | None:
        """Return the node of an earlier call of the same module, if it has weights to share."""
        has_weights = next(iter(call.module.state_dict()), None) is not None
        return self.nodes_by_path.get(call.path) if has_weights else None

    def block(self, call: Call) -> None:
        """Add the use of the body of a module."""
        inner = BodyLifter(self.lifter, call, self)
        body = inner.lift()
        if not body.outputs:
            return
        self.make_sources(one.value for one in body.inputs if one.value is not None)
        sources = [self.source(one.value) for one in body.inputs if one.value is not None]
        for one, port in zip(
            body.outputs, (inner.source(o.value) for o in body.outputs if o.value), strict=True
        ):
            if isinstance(port.node, Input) and one.value is not None:  # it hands an input on
                self.bind(one.value, self.source(port.node.value))  # type: ignore[arg-type]
        named = dict(zip((one.name for one in body.inputs), sources, strict=True))
        if not body.nodes:
            return
        if not body.inputs:
            return self._inline(call, body)
        node = self.module_node(call, Use(body), named)
        self.bodies[id(body)] = inner
        declared = self._declared_outputs(node)
        for one in body.outputs:
            if one.name not in declared:
                message = f"its result {one.name} is read after another call than the first alone"
                raise CannotLift("call", message, call, call.place)
            if one.value is not None and id(one.value) not in self.ports:
                self.bind(one.value, Port(node, one.name if len(declared) > 1 else ""))

    def _inline(self, call: Call, body: Body) -> None:
        """Add the nodes of a module that reads no tensor: a block needs an input."""
        known = {node.path for node in self.body.nodes if node.path}
        if any(node.path in known for node in body.nodes):
            raise CannotLift("call", "it reads no tensor and is called twice", call, call.place)
        attribute = self.attribute(call)
        for node in body.nodes:
            if attribute and node.attribute:
                node.attribute = f"{attribute}.{node.attribute}"
            self.body.nodes.append(node)
        for one in body.outputs:
            if one.value is not None:
                self.bind(one.value, one.port)

    def _declared_outputs(self, node: Node) -> list[str]:
        """Return the names of the results of a block, of its first call if this is a later one."""
        operation = node.operation
        used = operation.target.operation if isinstance(operation, Share) else operation
        return [one.name for one in used.body.outputs] if isinstance(used, Use) else []
