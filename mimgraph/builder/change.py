"""Change the options of declared things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mimgraph.ir import graph as ir
from mimgraph.ir.expression import plain


def with_options(given: Any, change: Callable[[ir.Option], ir.Option]) -> Any:
    """A node, or what it is given, with every option changed; itself where none is."""

    def having(**parts: Any) -> Any:
        found = {name: with_options(part, change) for name, part in parts.items() if part}
        same = all(found[name] is parts[name] for name in found)
        return given if same else replace(given, **found)

    match given:  # the usual ones first
        case ir.Option():
            return change(given)
        case dict():
            found = {key: with_options(value, change) for key, value in given.items()}
            return found if any(found[key] is not given[key] for key in given) else given
        case ir.Apply(options=options, lone=lone, activation=activation):
            return having(options=options, lone=lone, activation=activation)
        case ir.Node(operation=operation):
            return having(operation=operation)
        case ir.Chain(items):
            return having(items=items)
        case ir.Activation(options=options, lone=lone):
            return having(options=options, lone=lone)
        case ir.Call(params=params, lone=lone, repeat=repeat):
            return having(params=params, lone=lone, repeat=repeat)
        case ir.Each(operation=operation, options=options):
            return having(operation=operation, options=options)
        case ir.Repeat(times=times, each=each):
            times, each = with_options(times, change), with_options(each, change)
            return given._replace(times=times, each=each)
        case tuple():  # the items of a chain
            return tuple([with_options(item, change) for item in given])
    return given


def without_origins(given: Any) -> Any:
    """Return a node, or what it is given, with numbers that do not remember how they were written."""
    return with_options(given, _plain)


def _plain(option: ir.Option) -> ir.Option:
    value = plain(option.value)
    return option if value is option.value else option._replace(value=value)
