"""Find the variables in which the user's code holds the sources of a call, to name them in messages."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import NamedTuple

from mimgraph.builder.handles.records import Record, Reference
from mimgraph.builder.user_line import running_call, user_frame
from mimgraph.ir.names import name_fault
from mimgraph.source import Span


class Variable(NamedTuple):
    """The name of a variable, and its place if it is on the first line of the call."""

    name: str
    place: Span | None


def variable_names(sources: Iterable[object]) -> dict[Record, Variable]:
    """Return the variable of each source that the running call reads, `h` in `merges.concat(h, x)`:
    the node of an unnamed layer has a name that the user never wrote."""
    frame, call = user_frame(), running_call()
    known = {**frame.f_globals, **frame.f_locals}
    records = {one.record for one in sources if isinstance(one, Reference)}
    found: dict[Record, Variable] = {}
    for variable in _variables(call, frame.f_code):
        one = known.get(variable.name)
        if isinstance(one, Reference) and one.port is None and one.record in records:
            found.setdefault(one.record, variable)
    return found


def _variables(call: Span, code: CodeType) -> Iterator[Variable]:
    """Yield the variables that are arguments of a call, or operands; without its source line, as at a
    prompt, those that the code reads."""
    text = call.excerpt().text
    if not text:
        names = code.co_varnames + code.co_cellvars + code.co_freevars + code.co_names
        yield from (Variable(name, None) for name in names if name_fault(name) is None)
        return
    try:
        expression = ast.parse(text, mode="eval").body
    except SyntaxError:  # the line is only a part of a call
        return
    is_exact = call[1:3] != call[3:5]
    for operand in _operands(expression):
        if isinstance(operand, ast.Name) and name_fault(operand.id) is None:
            start = len(text.encode()[: operand.col_offset].decode())
            place = call._replace(
                column=call.column + start,
                end_line=call.line,
                end_column=call.column + start + len(operand.id),
            )
            yield Variable(operand.id, place if is_exact and operand.lineno == 1 else None)


def _operands(expression: ast.expr) -> Iterator[ast.expr]:
    """Yield the arguments of a call, those in a list one by one, or the operands of an operator."""
    match expression:
        case ast.Call(args=args, keywords=keywords):
            for one in (*args, *(keyword.value for keyword in keywords)):
                yield from one.elts if isinstance(one, ast.List | ast.Tuple) else (one,)
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.Compare(left=left, comparators=others):
            yield from (left, *others)
        case ast.UnaryOp(operand=value) | ast.Subscript(value=value):
            yield value
