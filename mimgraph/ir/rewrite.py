"""Rebuild declared nodes with other options or names; unchanged parts stay the same objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import is_
from typing import Any, NamedTuple, TypeAlias, TypeVar

from mimgraph.ir.declared_graph import (
    Activation,
    AppliedOperation,
    Apply,
    Call,
    Chain,
    Each,
    Node,
    Operation,
    Repeat,
    Scan,
)
from mimgraph.ir.declared_values import Option, Written


def _same_name(kind: str, name: str, path: str) -> str:
    return name


def _same_call(call: Call) -> Call:
    return call


Options: TypeAlias = Mapping[str, Option]
Part = TypeVar("Part", Activation, Apply, Call, Chain, Each, Node, Repeat, Scan)


class Rewriter(NamedTuple):
    """Changes every option with `option`, every name of a layer, merge, activation or block with
    `name`, and then every use of a block with `call`.

    `name` is called with the kind of the named thing (`"layer"`, `"block"`), its name, and the
    dotted name of the node; where it returns None, the node has no operation. `given` is called
    with a kind, a name and a path, too, and with the options by name, of which it returns those to keep.
    """

    option: Callable[[Option], Option] | None = None
    name: Callable[[str, str, str], str | None] = _same_name
    call: Callable[[Call], Call] = _same_call
    given: Callable[[str, str, str, Options], Options] | None = None

    def nodes(self, nodes: tuple[Node, ...], path: str = "") -> tuple[Node, ...]:
        """Return the nodes rebuilt, whose dotted names begin with `path`."""
        found = tuple([self.node(node, path) for node in nodes])
        return nodes if all(map(is_, found, nodes)) else found

    def node(self, node: Node, path: str = "") -> Node:
        """Return the node rebuilt."""
        declared = node.operation
        if declared is None:
            return node
        operation = self._operation(declared, path + node.name)
        freeze, over = self._switch(node.freeze), self._lone(node.over)
        training = node.training
        if training is not None and self.option is not None:
            training = training.map(self.option)
        return _changed(node, operation=operation, freeze=freeze, over=over, training=training)

    def _operation(self, operation: Operation, path: str) -> Operation | None:
        if isinstance(operation, Each):
            applied = self._applied(operation.operation, path)
            if applied is None:
                return None
            options = self._kept(operation.operation, self._options(operation.options), path)
            times = self._lone(operation.times)
            return _changed(operation, operation=applied, options=options, times=times)
        return self._applied(operation, path)

    def _applied(self, operation: AppliedOperation, path: str) -> AppliedOperation | None:
        if isinstance(operation, Call):
            return self._call(operation, path)
        if isinstance(operation, Chain):
            items = self.nodes(operation.items, f"{path}." if path else "")
            return _changed(operation, items=items)
        return self._apply(operation, path) if isinstance(operation, Apply) else operation

    def _call(self, call: Call, path: str) -> Call | None:
        block = self.name("block", call.block, path)
        if block is None:
            return None
        params, lone = self._kept(call, self._options(call.params), path), self._lone(call.lone)
        repeat, scan = self._repeat(call, path), self._scan(call.scan)
        changed = _changed(call, block=block, params=params, lone=lone, repeat=repeat, scan=scan)
        return self.call(changed)

    def _apply(self, apply: Apply, path: str) -> Apply | None:
        activation = apply.activation
        if activation is not None:
            function = self.name("activation", activation.name, path)
            if function is None:
                return None
            options = self._kept(activation, self._options(activation.options), path)
            lone = self._lone(activation.lone)
            activation = _changed(activation, name=function, options=options, lone=lone)
        name = self.name(apply.kind, apply.name, path)
        if name is None:
            return None
        options = self._kept(apply, self._options(apply.options), path)
        lone = self._lone(apply.lone)
        return _changed(apply, name=name, options=options, lone=lone, activation=activation)

    def _options(self, options: Mapping[str, Option]) -> Mapping[str, Option]:
        if self.option is None or not options:
            return options
        found = {key: self.option(option) for key, option in options.items()}
        return options if all(found[key] is options[key] for key in options) else found

    def _kept(
        self, operation: AppliedOperation | Activation, options: Options, path: str
    ) -> Options:
        """Return the options of an operation that `given` keeps; the same object if it keeps all."""
        if self.given is None or not options:
            return options
        match operation:
            case Apply(kind, name):
                found = self.given(kind, name, path, options)
            case Call(name):
                found = self.given("block", name, path, options)
            case Activation(name):
                found = self.given("activation", name, path, options)
            case _:
                return options
        return options if len(found) == len(options) else found

    def _switch(self, value: bool | Written) -> bool | Written:
        if self.option is None or isinstance(value, bool):
            return value
        given = self.option(Option(value, value.span, value.span)).value
        return given if isinstance(given, bool | Written) else value

    def _lone(self, lone: Option | None) -> Option | None:
        return lone if lone is None or self.option is None else self.option(lone)

    def _repeat(self, call: Call, path: str) -> Repeat | None:
        repeat = call.repeat
        if repeat is None:
            return None
        each = self._kept(call, self._options(repeat.each), path)
        return _changed(repeat, times=self._lone(repeat.times), each=each)

    def _scan(self, scan: Scan | None) -> Scan | None:
        if scan is None:
            return None
        return _changed(scan, axes=self._options(scan.axes), axis=self._lone(scan.axis))


def _changed(part: Part, **fields: Any) -> Part:
    """Return the part with these fields; itself if they are the same objects."""
    same = all(getattr(part, name) is value for name, value in fields.items())
    if same:
        return part
    return part._replace(**fields) if isinstance(part, Repeat | Scan) else replace(part, **fields)


def with_keys(nodes: tuple[Node, ...], keys: Mapping[str, str]) -> tuple[Node, ...]:
    """Return the nodes with other keys for the blocks that they use."""
    rename = Rewriter(name=lambda kind, name, _: keys[name] if kind == "block" else name)
    return rename.nodes(nodes) if keys else nodes
