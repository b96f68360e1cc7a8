"""Name the tensors that a call returns, and write the rule of their shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mimgraph.importer.python_layers.size_text import Axis, size_text
from mimgraph.importer.trace.records import Value, values


class Results(NamedTuple):
    """The tensors that a call returns, by the ports that a layer has for them.

    `is_nested` says that the ports count the tensors inside nested tuples and dicts. `form` is a tuple
    or dict of ports and None as the call returns it, or the port "" of a single tensor.
    """

    ports: Mapping[str, Value]
    form: Any
    is_nested: bool


def results_of(returned: Any, kind: type | None) -> Results:
    """Return the results of a call whose forward returned an object of this type."""
    if isinstance(returned, Value):
        return Results({"": returned}, "", False)
    if isinstance(returned, dict) and _has_ports(returned, kind):
        ports = {key: part for key, part in returned.items() if part is not None}
        return Results(ports, {key: key if key in ports else None for key in returned}, False)
    if type(returned) in (list, tuple) and _are_tensors(returned):
        numbered = {str(n): part for n, part in enumerate(returned)}
        ports = {key: part for key, part in numbered.items() if part is not None}
        return Results(ports, tuple(k if k in ports else None for k in numbered), False)
    ports = {str(n): value for n, value in enumerate(values(returned))}
    return Results(ports, tuple(ports), True)


def _has_ports(returned: Mapping[Any, Any], kind: type | None) -> bool:
    """Return whether a layer has the keys of a mapping, or the fields of a named tuple, as its ports."""
    has_keys = kind is not None and (issubclass(kind, Mapping) or hasattr(kind, "_fields"))
    names = (isinstance(key, str) and re.fullmatch(r"\w+", key, re.ASCII) for key in returned)
    return has_keys and all(names) and _are_tensors(returned.values())


def _are_tensors(parts: Any) -> bool:
    return all(part is None or isinstance(part, Value) for part in parts)


def shape_rule(sources: Mapping[str, Value], results: Results) -> str | None:
    """Return a lambda from the shapes of the sources to the shapes of the results; None if it cannot
    be written, as where a result has no batch and a source has one."""
    batched = any(value.is_batched for value in sources.values())
    if any(value.is_batched != batched for value in results.ports.values()):
        return None
    axes = [
        Axis(f"{name}[{axis}]", size)
        for name, value in sources.items()
        for axis, size in enumerate(value.sizes[value.is_batched :])
    ]
    shapes = dict[str, str]()
    for port, value in results.ports.items():
        sizes = [size_text(size, axes) for size in value.sizes[value.is_batched :]]
        if None in sizes:
            return None
        shapes[port] = _tuple(map(str, sizes))
    return f"lambda {', '.join(sources)}: {_in_form(results.form, shapes)}"


def _in_form(form: Any, shapes: Mapping[str, str]) -> str:
    if isinstance(form, dict):
        return f"{{{', '.join(f'{k!r}: {shapes.get(k)}' for k in form)}}}"
    if isinstance(form, tuple):
        return _tuple("None" if port is None else shapes[port] for port in form)
    return shapes[form]


def _tuple(parts: Iterator[str] | Any) -> str:
    given = [*parts]
    return f"({given[0]},)" if len(given) == 1 else f"({', '.join(given)})"
