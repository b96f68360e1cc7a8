"""Check the options that Python code gives by position; the help for torch's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ops.op import Op
from mimgraph.support.arguments import shown


def position_fault(
    owner: str, names: Sequence[str], args: Sequence[object], named: Mapping[str, object]
) -> tuple[DiagnosticCode, str] | None:
    """Return the code and message for too many options by position, or for one given twice."""
    if len(args) > len(names):
        taken = f"{len(names)} option{'s' if len(names) > 1 else ''} by position, not {len(args)}"
        return "wrong-type", f"{owner} takes {taken if names else 'its options by name'}"
    twice = next((name for name in names[: len(args)] if name in named), None)
    return ("duplicate-key", f"{twice} is given twice") if twice else None


def written_right(op: Op, args: Sequence[Any], named: Mapping[str, Any]) -> str:
    """Return the help for plain data by position: the calls that may be meant, in torch's order and in ours."""
    calls = [_call(op, order, args, named) for order in (op.torch_order, op.by_position)]
    inferred = [name for name in op.torch_order[: len(args)] if name in op.computed]
    if calls[0] and inferred:
        verb = "is" if len(inferred) == 1 else "are"
        calls[0] += f": {' and '.join(inferred)} {verb} inferred from the input"
    meant = "; or ".join(filter(None, calls))
    return f"write {meant}" if meant else f"by position: {', '.join(op.python_positional)}"


def _call(op: Op, order: Sequence[str], args: Sequence[Any], named: Mapping[str, Any]) -> str:
    """Return the call with the values in this order; "" if the op does not take them so."""
    given = dict(zip(order, args, strict=False))
    own = {name: value for name, value in named.items() if name in op.options}
    options = {name: value for name, value in given.items() if name not in op.computed} | own
    if (
        len(args) > len(order)
        or not given.keys().isdisjoint(own)
        or not all(op.options[name].accepts(value) for name, value in options.items())
        or any(option.name not in options for option in op.required)
    ):
        return ""
    written = [shown(options.pop(name)) for name in op.python_positional]
    written += [f"{name}={shown(value)}" for name, value in options.items()]
    written += ["..."] if len(own) < len(named) else []
    return f"layers.{op.name}({', '.join(written)})"
