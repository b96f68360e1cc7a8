"""The catalogue as text and data: all ops by family, or one with its options, sources and shape rule."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import mimgraph.layers
import mimgraph.merges  # noqa: F401 - both tell the catalogue what there is
from mimgraph import catalogue
from mimgraph.catalogue import REQUIRED, Op, OptionSpec
from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.option_types import describe as describe_type

KINDS = ("layer", "merge", "tensor")  # those that a spec can name


def listing(format: str = "text") -> str:
    """Every op, a line each; `json` gives the same as data."""
    ops = [op for kind in KINDS for op in catalogue.ops(kind).values()]
    if format == "json":
        return json.dumps([data(op) for op in ops], indent=2)
    width = max(len(op.name) for op in ops)
    lines: list[str] = []
    for kind in KINDS:
        families = sorted({op.family for op in ops if op.kind == kind})
        for family in families:
            lines += ["", f"{kind}s: {family}"] if lines else [f"{kind}s: {family}"]
            members = sorted((o for o in ops if (o.kind, o.family) == (kind, family)), key=_by_name)
            lines += [f"  {op.name:<{width}}  {op.summary}" for op in members]
    return "\n".join(lines)


def _by_name(op: Op) -> str:
    return op.name


def describe(name: str, format: str = "text") -> str:
    """One op in full; `KeyError` with the nearest name if there is none."""
    op = next((found for kind in KINDS if (found := catalogue.find(kind, name))), None)
    if op is None:
        near = nearest(name, [name for kind in KINDS for name in catalogue.names(kind)])
        raise KeyError(
            f"no layer or merge is called {name!r}" + (f", did you mean {near}?" if near else "")
        )
    if format == "json":
        return json.dumps(data(op), indent=2)
    lines = [f"{op.kind} {op.name}", ""]
    lines += op.doc.splitlines()
    lines += ["", f"sources: {', '.join(_inputs(op)) or 'none'}"]
    if bare := _bare(op):
        lines.append(f"a bare value in a seq: {bare}")
    if op.ports:
        lines.append(f"ports: {', '.join(op.ports)}")
    if op.options:
        rows = [(o.name, _default(o), describe_type(o.annotation)) for o in op.options.values()]
        widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
        lines += ["", "options"]
        lines += [f"  {n:<{widths[0]}}  {d:<{widths[1]}}  {t}" for n, d, t in rows]
    inputs, node = op.example
    if node:
        lines += ["", "example", "  inputs:", *(f"    {line}" for line in inputs)]
        lines += ["  nodes:", f"    y: {node}"]
    return "\n".join(lines)


def _default(option: OptionSpec) -> str:
    if option.inferred:
        return "inferred"
    return "required" if option.default is REQUIRED else json.dumps(_plain(option.default))


def _inputs(op: Op) -> list[str]:
    spec = op.inputs
    if spec.kind == "many":
        return ["any number"]
    if spec.kind == "named":
        return ["any number, by name"]
    return [f"{name} (optional)" if name in spec.optional else name for name in spec.names]


def _bare(op: Op) -> str | None:
    """Return the option that a bare value is, in a seq, where only layers stand."""
    return op.lone_option if op.kind == "layer" else None


def data(op: Op) -> dict[str, Any]:
    """`{name, kind, family, options, bare, inputs, ports, summary}` of one op."""
    return {
        "name": op.name,
        "kind": op.kind,
        "family": op.family,
        "options": [_option_data(option) for option in op.options.values()],
        "bare": _bare(op),
        "inputs": list(op.inputs.names),
        "ports": list(op.ports),
        "summary": op.summary,
    }


def _option_data(option: OptionSpec) -> dict[str, Any]:
    required = option.default is REQUIRED
    return {
        "name": option.name,
        "default": None if required else _plain(option.default),
        "required": required and not option.inferred,
        "inferred": option.inferred,
        "type": describe_type(option.annotation),
    }


def _plain(value: Any) -> Any:
    """What JSON has no word for, as text."""
    if isinstance(value, float) and value not in (value, float("inf"), float("-inf")):
        return str(value)
    if isinstance(value, Iterable) and not isinstance(value, str | dict):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | dict | None) else str(value)
