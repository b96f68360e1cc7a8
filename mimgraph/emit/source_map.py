"""Map each node, by its dotted name, to the emitted code that makes, runs and defines it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import NamedTuple, TypeAlias

from mimgraph.emit.attributes import attribute
from mimgraph.emit.emit import File, emit
from mimgraph.emit.tree import Assign, For, Function, Return, Statement
from mimgraph.emit.values import owner_of
from mimgraph.ir.code import Dict
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode
from mimgraph.ir.typed_operations import TypedOperation
from mimgraph.source import Excerpt, SourceFile, Span


class Lines(NamedTuple):
    """A range of lines, the last included."""

    first: int
    last: int


class Method(NamedTuple):
    """A method as parsed, and each statement as written and as parsed, also inside loops."""

    read: ast.FunctionDef
    statements: tuple[tuple[Statement, ast.stmt], ...]


class Located(NamedTuple):
    """A class as parsed, and its methods by name."""

    read: ast.ClassDef
    methods: Mapping[str, Method]


def located(file: File) -> Mapping[str, Located]:
    """Return the classes of a graph by name.

    Written and parsed statements are walked side by side, as they are the same trees.
    """
    read = {d.name: d for d in ast.parse(file.text).body if isinstance(d, ast.ClassDef)}
    return {
        written.name: Located(read[written.name], dict(_methods(written.body, read[written.name])))
        for written in file.classes
    }


def lines_of(read: ast.stmt | ast.expr | ast.arg) -> Lines:
    """Return the lines of something parsed."""
    assert read.end_lineno is not None
    return Lines(read.lineno, read.end_lineno)


def _methods(written: tuple[Function, ...], read: ast.ClassDef) -> Iterator[tuple[str, Method]]:
    functions = [found for found in read.body if isinstance(found, ast.FunctionDef)]
    for ours, theirs in zip(written, functions, strict=True):
        body = theirs.body[1:] if ours.doc else theirs.body
        yield ours.name, Method(theirs, tuple(_pairs(ours.body, body)))


def _pairs(
    written: tuple[Statement, ...], read: list[ast.stmt]
) -> Iterator[tuple[Statement, ast.stmt]]:
    for ours, theirs in zip(written, read, strict=True):
        yield ours, theirs
        for part in ("body", "orelse"):
            yield from _pairs(getattr(ours, part, ()), getattr(theirs, part, []))


# The excerpts of a graph.


Excerpts: TypeAlias = tuple[Excerpt, ...]
Found: TypeAlias = Iterator[tuple[str, Excerpts]]
RESULTS = ""  # the key of a body's outputs, beside the names of its nodes


def excerpts(graph: TypedGraph) -> Mapping[str, Excerpts]:
    """Return the code of every input, node, chain item and output, by its id in a picture.

    For a node that is what makes its module, what runs it, and its classes. Of equal repeats, and of
    the branches of an `each`, the first stands for all. What is inside a merge or a share is in its class.
    """
    return dict(_Finder(graph).graph())


class _Finder:
    """Walks a graph as it is drawn, with the emitted file beside it."""

    def __init__(self, graph: TypedGraph) -> None:
        self.body_of_graph = graph.body
        written = emit(graph)
        self.names = written.names
        self.file = SourceFile(f"{graph.name}.py", written.text)
        self.located = located(written)
        self.definitions = {
            name: _excerpt(self.file, name, lines_of(found.read))
            for name, found in self.located.items()
        }
        self.classes: dict[Body, _Class] = {}

    def graph(self) -> Found:
        body = self.body_of_graph
        main = self.class_of(body)
        yield from main.inputs()
        yield from self.body(body, "", ())
        yield from ((f"output {name}", main.results(name)) for name in body.outputs)

    def class_of(self, body: Body) -> _Class:
        if body not in self.classes:
            self.classes[body] = _Class(self.file, self.located[self.names[body]], body)
        return self.classes[body]

    def body(self, body: Body, path: str, ran: Excerpts) -> Found:
        """Yield the nodes of a body; the items of a chain block are run by what runs the block."""
        found = self.class_of(body)
        for node in body.nodes:
            owner = owner_of(node).partition(".")[0]
            made = found.made.get(attribute(owner, body.by_name))
            if body.is_chain:
                yield from self.inside(node.operation, path, made, ran)
            else:
                yield from self.node(node, f"{path}{node.name}", made, found.ran[node.name])

    def node(self, node: TypedNode, id_: str, made: _Made | None, ran: Excerpts) -> Found:
        """Yield a node, and the nodes drawn inside it."""
        making = (made.excerpt,) if made else ()
        yield id_, (*making, *ran, *self.classes_of(node))
        yield from self.inside(node.operation, f"{id_}.", made, ran)

    def inside(
        self, operation: TypedOperation, path: str, made: _Made | None, ran: Excerpts
    ) -> Found:
        if operation.merge:
            return
        if made and operation.branches:
            yield from self.first_branch(operation, path, made, ran)
        elif made:
            for index, item in enumerate(operation.steps):
                part = made.part((index, len(operation.steps)))
                yield from self.node(item, f"{path}{index}", part, ran)
        if operation.bodies and not operation.key(0):
            yield from self.body(operation.bodies[0], path, ran)
        elif operation.bodies and made:
            yield from self.repeats(operation, path, made, ran)

    def first_branch(
        self, operation: TypedOperation, path: str, made: _Made, ran: Excerpts
    ) -> Found:
        """Yield the nodes drawn inside an `each`: the first branch stands for all."""
        first, *others = operation.branches
        if operation.sole is None:
            path, made = f"{path}{first.name}.", made.part((0, 1 + len(others)))
        yield from self.inside(first.operation, path, made, ran)

    def repeats(self, operation: TypedOperation, path: str, made: _Made, ran: Excerpts) -> Found:
        """Yield the first of each run of equal repeats, and what it is made of."""
        bodies = operation.bodies
        runs = [next(run) for _, run in groupby(range(len(bodies)), key=bodies.__getitem__)]
        for index, start in enumerate(runs):
            body, id_ = bodies[start], f"{path}{operation.key(start)}"
            part = made.part((index, len(runs)), (start, len(bodies)))
            yield id_, (part.excerpt, *ran, self.definitions[self.names[body]])
            yield from self.body(body, f"{id_}.", ran)

    def classes_of(self, node: TypedNode) -> Excerpts:
        """Return the classes of a chain item, of a block, and of all nodes inside a closed box."""
        operation = node.operation
        closed = operation.merge or operation.branches
        opened: tuple[Body | TypedNode, ...] = (node, *operation.modules)
        things = _beneath(node) if closed else opened
        names = dict.fromkeys(self.names[thing] for thing in things if thing in self.names)
        return tuple(self.definitions[name] for name in names)


def _beneath(node: TypedNode) -> Iterable[Body | TypedNode]:
    """Return a node and all it is made of, each once, the outer first."""
    found: dict[Body | TypedNode, None] = {}
    waiting: list[Body | TypedNode] = [node]
    while waiting:
        thing = waiting.pop()
        if thing in found:
            continue
        found[thing] = None
        if isinstance(thing, Body):
            waiting += reversed(thing.nodes)
        else:
            waiting += reversed((*thing.operation.items, *thing.operation.bodies))
    return found


class _Class:
    """The code of the class of a body, by the names of its nodes."""

    def __init__(self, file: SourceFile, found: Located, body: Body) -> None:
        self.file = file
        self.found = found
        self.body = body

    def method(self, name: str) -> tuple[str, Method | None]:
        """Return a method with its whole name, if the class has it: a chain has no forward."""
        return f"{self.found.read.name}.{name}", self.found.methods.get(name)

    def inputs(self) -> Found:
        """Yield the arguments of the forward, after `self`."""
        place, forward = self.method("forward")
        arguments = [*forward.read.args.args[1:], *forward.read.args.kwonlyargs] if forward else ()
        for argument in arguments:
            yield argument.arg, (_excerpt(self.file, place, lines_of(argument)),)

    @cached_property
    def made(self) -> Mapping[str, _Made]:
        """Return the code that makes the module of each node, by its attribute.

        The only node of a chain is the class itself.
        """
        place, init = self.method("__init__")
        found: dict[str, _Made] = {}
        for ours, theirs in init.statements if init else ():
            name = ours.targets[0] if isinstance(ours, Assign) else ""
            found.setdefault(name.removeprefix("self."), _Made(self.file, place, theirs))
        return found

    @cached_property
    def ran(self) -> Mapping[str, Excerpts]:
        """Return the statements that run each node, or that read it if it is written in them."""
        found: dict[str, list[Lines]] = {RESULTS: []}
        for ours, theirs in self.statements:
            if (name := _node(ours).partition(".")[0]) or isinstance(ours, Return):
                found.setdefault(name, []).append(lines_of(theirs))
        readers: dict[str, list[str]] = {}
        for node in self.body.nodes:
            for value in node.arguments.values():
                readers.setdefault(value.name.partition(".")[0], []).append(node.name)
        for value in self.body.outputs.values():
            readers.setdefault(value.name.partition(".")[0], []).append(RESULTS)
        for node in reversed(self.body.order):
            reading = (lines for name in readers.get(node.name, ()) for lines in found[name])
            found.setdefault(node.name, list(reading))
        return {name: self.excerpts(lines) for name, lines in found.items()}

    def results(self, output: str) -> Excerpts:
        """Return the statements that return an output."""
        found = [
            lines_of(theirs)
            for ours, theirs in self.statements
            if isinstance(ours, Return)
            and not (isinstance(ours.value, Dict) and output not in dict(ours.value.items))
        ]
        return self.excerpts(found)

    @property
    def statements(self) -> tuple[tuple[Statement, ast.stmt], ...]:
        _, forward = self.method("forward")
        return forward.statements if forward else ()

    def excerpts(self, found: Iterable[Lines]) -> Excerpts:
        """Return lines of the forward, each once, those with no others between them together."""
        together: list[Lines] = []
        for first, last in sorted(found):
            if together and first <= together[-1].last + 1:
                before = together.pop()
                first, last = before.first, max(before.last, last)
            together.append(Lines(first, last))
        place, _ = self.method("forward")
        return tuple(_excerpt(self.file, place, lines) for lines in together)


@dataclass(frozen=True)
class _Made:
    """The code that makes a module: a statement, or a part of one."""

    file: SourceFile
    place: str
    read: ast.stmt | ast.expr

    @cached_property
    def excerpt(self) -> Excerpt:
        """A statement with its lines, or a part without the text around it."""
        if isinstance(self.read, ast.stmt):
            return _excerpt(self.file, self.place, lines_of(self.read))
        first, last = lines_of(self.read)
        assert self.read.end_col_offset is not None
        start, end = self.read.col_offset + 1, self.read.end_col_offset + 1
        return Span(self.file, first, start, last, end).excerpt(self.place)

    def part(self, *places: tuple[int, int]) -> _Made:
        """Return the code of a module in a container, by its index and the count of modules there.

        Return the code of the container if no module has its own.
        """
        for index, count in places:
            for row in self.rows:
                if len(row) == count:
                    return _Made(self.file, self.place, row[index])
        return self

    @cached_property
    def rows(self) -> tuple[list[ast.expr], ...]:
        """The arguments of a container, and the items of a list or dict that is the only one."""
        call = self.read.value if isinstance(self.read, ast.Assign | ast.Expr) else self.read
        while isinstance(call, ast.Call):
            match call:
                case ast.Call(func=ast.Attribute(value=made, attr="requires_grad_")):
                    call = made
                case ast.Call(args=[ast.List(elts=items) | ast.Dict(values=items)] as args):
                    return args, items
                case ast.Call(args=args):
                    return (args,)
        return ()


def _node(statement: Statement) -> str:
    """Return the node that a statement is part of; that of a loop is the one that runs in it."""
    match statement:
        case For(body=(first, *_)):
            return _node(first)
        case Assign(node=node) | Return(node=node):
            return node
    return ""


def _excerpt(file: SourceFile, place: str, lines: Lines) -> Excerpt:
    """Return the excerpt of whole lines."""
    first, last = lines
    return Span(file, first, 1, last, len(file.line(last)) + 1).excerpt(place)
