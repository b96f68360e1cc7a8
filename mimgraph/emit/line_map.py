"""Find the lines of the classes, methods and statements of an emitted file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mimgraph.emit.emit import File
from mimgraph.emit.format.statements import Function, Statement


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
