"""Turn a finished draft into a declared graph, with spans at the lines of the user's Python."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mimgraph.importer.draft import (
    Body,
    Expression,
    Input,
    Node,
    Op,
    Operation,
    Output,
    Port,
    Repeat,
    Seq,
    Share,
    Use,
)
from mimgraph.importer.trace.records import Place, Value
from mimgraph.ir import declared_graph as ir
from mimgraph.ir import declared_graph as ops
from mimgraph.ir.declared_values import Option, Template, Written, parse_size
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import parse
from mimgraph.ops import registry
from mimgraph.source import PythonFile, SourceFile, Span

_NAME = re.compile(r"(?<![\w.$])([A-Za-z_]\w*)(?![\w(])")


def declare(root: Body, blocks: Mapping[str, Body], name: str, doc: str, file: str) -> ir.Graph:
    """Return the declared graph of a draft; `file` is that of the user's class."""
    declaring = _Declaring(file)
    origin = declaring.span(root.call.place if root.call else Place("", 0))
    return ir.Graph(
        name,
        origin,
        inputs=tuple(map(declaring.input, root.inputs)),
        blocks={key: declaring.block(key, body) for key, body in blocks.items()},
        nodes=tuple(map(declaring.node, root.nodes)),
        outputs=tuple(map(declaring.output, _public_outputs(root))),
        doc=doc,
    )


def _public_outputs(root: Body) -> list[Output]:
    """Return the outputs; the only tensor that forward returns, not in a dict or list, has its node's name."""
    if root.call is not None and isinstance(root.call.result, Value) and len(root.outputs) == 1:
        return [replace(one, name=one.port.node.name) for one in root.outputs]
    return root.outputs


class _Declaring:
    """Makes records of the declared graph; a file of the user's is opened once."""

    def __init__(self, file: str) -> None:
        self.files: dict[str, SourceFile] = {}
        self.file = file

    def span(self, place: Place) -> Span:
        """Return the span of a line, without its indentation."""
        path = place.file or self.file
        if path not in self.files:
            self.files[path] = PythonFile(path)
        file = self.files[path]
        line = file.line(place.line).rstrip() if place.line else ""
        start = len(line) - len(line.lstrip()) + 1
        number = max(place.line, 1)
        return Span(file, number, start, number, max(len(line) + 1, start))

    def option(self, value: Any, span: Span) -> Option:
        return Option(self.value(value, span), span, span)

    def options(self, given: Mapping[str, Any], span: Span) -> dict[str, Option]:
        return {name: self.option(value, span) for name, value in given.items()}

    def value(self, value: Any, span: Span) -> Any:
        """Return a value as a spec has it: named sizes and params are expressions."""

        def part(start: int, end: int) -> Span:
            return span

        match value:
            case Dim() | Expression():
                text = value.text if isinstance(value, Expression) else str(value)
                return Written(parse(text), span, part)
            case list() | tuple():
                return [self.value(one, span) for one in value]
            case dict():
                return {key: self.value(one, span) for key, one in value.items()}
            case str() if "$" in value:
                return Template(value, part, formula=True)
        return value

    def input(self, given: Input) -> ir.Input:
        span = self.span(Place("", 0))
        dims = tuple(
            parse_size(str(size), span, lambda start, end: span) if isinstance(size, Dim) else size
            for size in given.sizes[1:]
        )
        shape = ir.InputShape(dims, (span,) * len(dims))
        vocab = None if given.vocab is None else Option(given.vocab, span, span)
        return ir.Input(given.name, span, shape, given.dtype, vocab, optional=given.optional)

    def block(self, key: str, body: Body) -> ir.Block:
        span = self.span(body.call.place if body.call else Place("", 0))
        return ir.Block(
            key,
            span,
            self.options(body.params, span),
            tuple(self.block_input(one, span) for one in body.inputs),
            tuple(map(self.node, body.nodes)),
            tuple(map(self.output, body.outputs)),
            is_chain=body.is_chain,
            doc=body.doc,
        )

    @staticmethod
    def block_input(given: Input, span: Span) -> ir.BlockInput:
        pattern = None
        if given.pattern is not None:
            pattern = ir.InputShape(given.pattern, (span,) * len(given.pattern))
        return ir.BlockInput(given.name, span, pattern, optional=given.optional)

    def output(self, given: Output) -> ir.Output:
        span = self.span(Place("", 0))
        source = self.source(given.port, None, span)
        return ir.Output(given.name, source, span, given.only_training)

    @staticmethod
    def source(port: Port, argument: str | None, span: Span) -> ir.Source:
        return ir.Source(port.node.name, port.name or None, span, argument)

    def node(self, given: Node) -> ir.Node:
        span = self.span(given.place)
        operation, sources = self.operation(given.operation, span), given.sources
        arguments: Sequence[str | None] = [one.argument for one in sources]
        if given.is_op("formula"):
            operation, arguments = self.formula(given, span)
        elif len(sources) == 1 and isinstance(given.operation, Use | Share):
            arguments = [None]
        read = tuple(
            self.source(one.port, argument, span)
            for one, argument in zip(sources, arguments, strict=True)
        )
        is_tensor = given.op is not None and given.op.kind == "tensor"
        return ir.Node(
            given.name,
            span,
            operation,
            read if read or is_tensor else None,
            take=ir.Take(given.take, span) if given.take else None,
            freeze=given.freeze,
            over=None if given.over is None else self.option(given.over, span),
        )

    def operation(self, given: Operation, span: Span) -> ops.Operation:
        match given:
            case Op(kind, name, options, activation):
                made = self.options(options, span)
                return ops.Apply(kind, name, span, made, None, self.activation(activation, span))
            case Seq(items):
                return ops.Chain(tuple(map(self.item, range(len(items)), items)), span)
            case Use(_, arguments, block, repeat):
                params = self.options(arguments, span)
                return ops.Call(block, span, params, repeat=self.repeat(repeat, span))
            case Share(target):
                return ops.Share(target.name, span)

    def item(self, index: int, given: Node) -> ir.Node:
        """Return an item of a chain; it is named by its position."""
        span = self.span(given.place)
        operation = self.operation(given.operation, span)
        match operation:
            case _ if given.freeze:
                pass  # stands beside options by their names
            case ops.Apply(name=name, options=options) if operation.activation is None:
                left, lone = _lone(_lone_option(name), options)
                operation = replace(operation, options=left, lone=lone)
            case ops.Call(params=params, repeat=None):
                assert isinstance(given.operation, Use)
                left, lone = _lone(next(iter(given.operation.body.params), None), params)
                operation = replace(operation, params=left, lone=lone)
        return ir.Node(str(index), span, operation, freeze=given.freeze)

    def repeat(self, given: Repeat | None, span: Span) -> ops.Repeat | None:
        if given is None:
            return None
        times = None if given.each else self.option(given.times, span)
        return ops.Repeat(times, given.shared, self.options(given.each, span), span)

    def activation(
        self, given: tuple[str, dict[str, Any]] | None, span: Span
    ) -> ops.Activation | None:
        if given is None:
            return None
        left, lone = _lone(_lone_option(given[0]), self.options(given[1], span))
        return ops.Activation(given[0], left, lone, span)

    def formula(self, given: Node, span: Span) -> tuple[ops.Apply, list[str]]:
        """Return a formula in which its sources have their own names, with these names."""
        assert isinstance(given.operation, Op)
        names = dict[str, str]()
        for one in given.sources:
            wanted = (
                f"{one.port.node.name}_{one.port.name}" if one.port.name else one.port.node.name
            )
            while wanted in names.values():
                wanted += "_"
            names[one.argument or ""] = wanted
        text = _NAME.sub(lambda m: names.get(m[1], m[1]), given.operation.options["expr"])
        options = {**given.operation.options, "expr": text}
        made = self.operation(Op("merge", "formula", options, given.operation.activation), span)
        assert isinstance(made, ops.Apply)
        return made, [*names.values()]


def _lone_option(layer: str) -> str | None:
    """Return the option of a layer that a value without a name is for."""
    op = registry.find("layer", layer)
    return None if op is None else op.lone_option


def _lone(
    name: str | None, options: Mapping[str, Option]
) -> tuple[Mapping[str, Option], Option | None]:
    """Return the options, and the value of the only one if that needs no name."""
    if [*options] != [name] or isinstance(options[name or ""].value, dict):
        return options, None
    return {}, options[name or ""]
