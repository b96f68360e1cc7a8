"""`each`: one operation on every source. What its ports are called, and what each is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mimgraph.diagnostics import Label
from mimgraph.infer.options import given_twice
from mimgraph.infer.scope import Fed, State
from mimgraph.ir.graph import Apply, Call, Chain, Each, Option, Share, Source
from mimgraph.ir.names import port_fault

One = Apply | Chain | Call | Share


def port_of(source: Source) -> str:
    """The name of a source's port: that it is given, or its own last one."""
    own = (source.port or source.name).rpartition(".")[2]
    return own if source.argument is None else source.argument


def _is_named(fed: Fed) -> bool:
    """Return whether the name of the port was given, or comes from a source that is known."""
    return fed.source.argument is not None or fed.type is not None


def by_port(state: State, fed: Iterable[Fed], path: str) -> dict[str, Fed] | None:
    """The sources by the ports that they become; None where two have one name, or a bad one."""
    fed = tuple(fed)
    if any(one.source.port == "*" for one in fed):  # of a node that is faulty
        return None
    found: dict[str, Fed] = {}
    before = len(state.report.diagnostics)
    for one in fed:
        name = port_of(one.source)
        span = one.source.argument_span or one.source.span
        if name in found:
            first = found[name].source
            message = f"{name} is the name of two ports"
            labels = (Label(first.argument_span or first.span, "first given here"),)
            help = "name the ports: each: {a: ..., b: ...}"
            state.fault("duplicate-name", message, span, path, labels=labels, help=help)
        elif _is_named(one) and (reason := port_fault(name)) is not None:
            message = f"{name!r} cannot be the name of a port"
            state.fault("bad-name", message, span, path, help=reason)
        else:
            found[name] = one._replace(source=one.source._replace(argument=None))
    return found if len(state.report.diagnostics) == before else None


def is_given_twice(state: State, each: Each, path: str) -> bool:
    """Report the options that stand beside `each` and in its `with`; return whether there is one."""
    beside: Mapping[str, Option] = {}
    if isinstance(each.operation, Apply):
        beside = each.operation.options
    elif isinstance(each.operation, Call):
        beside = each.operation.params
    return bool(each.options) and given_twice(beside, each.options, state.report, path)


def given(each: Each, columns: Mapping[str, list[Any]], index: int) -> One:
    """The operation on the source number `index`, with its own of the options."""
    own = {
        name: each.options[name]._replace(
            value=column[index], span=each.options[name].item(index), in_with=True
        )
        for name, column in columns.items()
    }
    return with_options(each.operation, own) if own else each.operation


def with_options(operation: One, options: Mapping[str, Option]) -> One:
    """The operation with further options, which a layer, merge or block can have."""
    if isinstance(operation, Apply):
        return replace(operation, options={**operation.options, **options})
    if isinstance(operation, Call):
        return replace(operation, params={**operation.params, **options})
    return operation


def as_text(each: Each) -> One:
    """The operation as far as the text tells: with the first of each list that is written out."""
    values = {name: option.value for name, option in each.options.items()}
    written = {name: value for name, value in values.items() if isinstance(value, list) and value}
    return given(each, written, 0)
