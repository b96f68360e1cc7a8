"""Lift a whole trace: what every body shares, and the calls that stay Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import nn

from mimgraph.importer.draft import Body, Op, Port, inner_nodes, used_bodies
from mimgraph.importer.lift.body import BodyLifter
from mimgraph.importer.lift.constants import Constant
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.packing import PackedOutput, PackedSource
from mimgraph.importer.lift.functions.table import plain_name
from mimgraph.importer.lift.leaves.embedding import set_vocabs
from mimgraph.importer.lift.leaves.tied import has_tied_weight
from mimgraph.importer.lift.scopes import dissolved_scopes
from mimgraph.importer.python_layers.layer import PythonLayer
from mimgraph.importer.trace.records import NOWHERE, Call, Place, Step, Trace, Value, values


@dataclass(eq=False)
class Opaque:
    """A module, or a function, that stays Python: its path, the reason, and the line at fault.

    `layer` is the registered layer that calls a function.
    """

    path: str
    reason: str
    message: str
    place: Place
    layer: str = ""


@dataclass(eq=False)
class LeftOut:
    """An output of the model that the graph does not have, or an input that forward does not read."""

    name: str
    reason: str
    message: str
    place: Place
    what: Literal["output", "input"] = "output"


@dataclass(eq=False)
class Lifter:
    """The state of one lift: where every value is made and read, and what was left as it is.

    `python_layers` are the registered layers of what stays Python; `home` is the Python module that
    they are said to be from.
    """

    model: nn.Module
    trace: Trace
    home: str
    closed: Mapping[str, Opaque] = field(default_factory=dict)  # modules that stay Python, by path
    refused: Mapping[Step, str] = field(default_factory=dict)  # functions that stay Python
    python_layers: dict[str, PythonLayer] = field(default_factory=dict)
    noise_in_training: bool = False  # so that random tensors are zero in evaluation
    vocabs: Mapping[str, int] = field(default_factory=dict)  # of the inputs, as the user gave them
    packed: dict[int, PackedSource] = field(default_factory=dict)  # by its data
    unpacked: dict[int, PackedOutput] = field(default_factory=dict)  # by its data, too
    states: dict[int, Port] = field(default_factory=dict)  # of recurrent layers, by torch's value
    constants: dict[str, Constant] = field(default_factory=dict)  # by the path of their node
    embeddings: list[tuple[Op, str]] = field(default_factory=list)  # and the inputs that they read
    opaque: list[Opaque] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    dissolved: set[str] = field(default_factory=set)  # paths of modules that are no blocks
    called: set[str] = field(default_factory=set)  # paths of modules that have nodes
    layers: set[str] = field(default_factory=set)  # of those that are no blocks
    uses: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    origins: dict[int, Value] = field(default_factory=dict)  # of unfolded values
    made_in: dict[int, tuple[Call, ...]] = field(default_factory=dict)
    read_in: dict[int, list[tuple[Call, ...]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        floats = (one.dtype for one in self.model.parameters() if one.is_floating_point())
        self.model_dtype = next(floats, torch.float32)

    def lift(self) -> Body:
        """Return the body of the whole model."""
        self.opaque += self.closed.values()
        self._locate(self.trace.root, ())
        self.dissolved = dissolved_scopes(self.trace.root)
        for value in self.trace.weights.values():
            value.sizes = value.sizes or value.shape
        calls = [item for item in self.trace.root.walk() if isinstance(item, Call)]
        calls = [one for one in calls if not has_tied_weight(self.trace.weights, one)]
        self.called = {one.path for one in calls}
        self.layers = {one.path for one in calls if one.is_closed}
        for value in values(self.trace.root.result):
            self._read(value, ())
        body = BodyLifter(self, self.trace.root, None).lift()
        set_vocabs(body, self.embeddings, self.vocabs)
        self._forget_unread(body)
        return body

    def _forget_unread(self, root: Body) -> None:
        """Drop the records of functions that stay Python, but whose results nothing reads."""
        nodes = (node for body in used_bodies(root) for node in inner_nodes(body.nodes))
        used = {node.op.name for node in nodes if node.op is not None}
        self.opaque = [one for one in self.opaque if not one.layer or one.layer in used]
        self.python_layers = {n: layer for n, layer in self.python_layers.items() if n in used}

    def _locate(self, call: Call, around: tuple[Call, ...]) -> None:
        """Record where the values inside a call are made and read."""
        within = (*around, call)
        for item in call.items:
            if isinstance(item, Call) and not item.is_closed:
                self._locate(item, within)
                continue
            for value in item.results:
                self.made_in.setdefault(id(value), within)
            for value in item.arguments:
                self._read(value, within)

    def _read(self, value: Value, within: tuple[Call, ...]) -> None:
        self.uses[id(value)] += 1
        self.read_in[id(value)].append(within)

    def made_inside(self, value: Value, call: Call) -> bool:
        """Return whether a value is made inside a call."""
        return call in self.made_in.get(id(value), ())

    def results(self, call: Call) -> list[Value]:
        """Return the values made inside a call that are read outside it, in order."""
        found: dict[int, Value] = {}
        for item in call.walk():
            if isinstance(item, Call) and not item.is_closed:
                continue
            for value in item.results:
                if any(call not in within for within in self.read_in[id(value)]):
                    found[id(value)] = value
        return [*found.values()]

    def leave_out_input(self, name: str) -> None:
        """Record that an input of the model is not one of the graph, as nothing reads it."""
        message = "forward does not read it, and the spec does not have it"
        self.left_out.append(LeftOut(name, "input", message, NOWHERE, "input"))

    def remove(self, name: str, error: CannotLift) -> None:
        """Record that an output of the model is not one of the graph."""
        self.left_out.append(LeftOut(name, error.reason, error.message, error.place))

    def stay_python(self, call: Call, error: CannotLift) -> None:
        """Let a call stay a module of Python."""
        call.opaque = error.message
        self.opaque.append(Opaque(call.path, error.reason, error.message, error.place))

    def record_function(self, call: Call, step: Step, error: CannotLift, layer: str) -> None:
        """Record that a function stays Python inside of a call."""
        name = plain_name(step.function)
        path = f"{call.path}.{name}" if call.path else name
        self.opaque.append(Opaque(path, error.reason, error.message, step.place, layer))
