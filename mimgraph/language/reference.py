"""Describe layers, merges, options and the keys of a spec, as text or JSON, for `mimgraph layers`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.ir.option_types import describe as describe_type
from mimgraph.language.keys import KEYS, OPTIONS, Key
from mimgraph.language.places import PLACES
from mimgraph.ops import registry
from mimgraph.ops.op import Op, dotted
from mimgraph.ops.signature import REQUIRED, OptionSpec
from mimgraph.ops.spelling import named_elsewhere, python_name, torch_layer

KINDS = ("layer", "merge", "tensor")  # the kinds of op that a spec can name
EVERY_KEY = {**KEYS, **OPTIONS}


def listing(format: str = "text") -> str:
    """Return a list of every op and every key, a line each; the format `json` gives the same as
    data."""
    ops = _every_op()
    keys = [key for key in EVERY_KEY if registry.find("tensor", key) is None]
    if format == "json":
        return json.dumps([*map(data, ops), *map(_key_data, keys)], indent=2)
    width = max(len(op.name) for op in ops)
    lines: list[str] = []
    for kind in KINDS:
        families = sorted({op.family for op in ops if op.kind == kind})
        for family in families:
            lines += ["", f"{kind}s: {family}"] if lines else [f"{kind}s: {family}"]
            members = [op for op in ops if (op.kind, op.family) == (kind, family)]
            members.sort(key=lambda op: op.name)
            lines += [f"  {op.name:<{width}}  {op.summary}" for op in members]
    lines += ["", "keys of a spec"]
    return "\n".join(lines + [f"  {key:<{width}}  {EVERY_KEY[key].about}" for key in keys])


def describe(name: str, format: str = "text") -> str:
    """Return one op, key or option in full; `KeyError` with the nearest name if there is none.

    `take` is a key and a merge: both are described, the key first.
    """
    op = next((found for kind in KINDS if (found := registry.find(kind, name))), None)
    key = name if name in EVERY_KEY and (op is None or op.kind != "tensor") else None
    if key is not None and format == "json":
        return json.dumps(_key_data(key) | ({"merge": data(op)} if op else {}), indent=2)
    if key is not None:
        return "\n\n".join([_key_text(key), *([_op_text(op)] if op else [])])
    if op is not None:
        return json.dumps(data(op), indent=2) if format == "json" else _op_text(op)
    takers = _takers(name)
    if takers:
        facts = {"name": name, "kind": "option", "option_of": takers}
        return json.dumps(facts, indent=2) if format == "json" else _option_text(name, takers)
    message, help = f"no layer, merge or key is called {name!r}", _did_you_mean(name)
    raise KeyError(f"{message}, {help}" if help else message)


def _did_you_mean(wrong: str) -> str:
    """Return a question with the op of that name in torch or Keras, `nn.Linear` or `cat`, or the
    nearest name."""
    bare = python_name(wrong)
    op = torch_layer(bare) or named_elsewhere(bare)
    return f"did you mean {op.name}?" if op else suggestion(bare, _names(bare))


def _names(wrong: str) -> list[str]:
    """Return all names; those with a capital or small first letter like the wrong name come
    first."""
    ops = [name for kind in KINDS for name in registry.names(kind)]
    known = sorted([*ops, *EVERY_KEY], key=lambda name: name[:1].isupper() != wrong[:1].isupper())
    options = [name for op in _every_op() for name in op.options]
    return [*known, *dict.fromkeys(options)]


def _every_op() -> list[Op]:
    return [op for kind in KINDS for op in registry.ops(kind).values()]


def _op_text(op: Op) -> str:
    lines = [f"{op.kind} {op.name}", ""]
    lines += op.doc.splitlines()
    lines += ["", f"sources: {', '.join(_inputs(op)) or 'none'}"]
    if op.kind == "tensor":
        lines.append(f"explained in: {_explained(KEYS[op.name])}")
    if bare := _bare_option(op):
        lines.append(f"a bare value in a seq: {bare}")
    if op.ports:
        lines.append(f"ports: {', '.join(op.ports)}")
    if op.options:
        rows = [(o.name, _default(o), _type(op, o)) for o in op.options.values()]
        lines += ["", "options", *_columns(rows)]
    inputs, node = op.example
    if node:
        from mimgraph.ops.python_text import python_example  # the list of all ops has no examples

        lines += ["", "example", "  inputs:", *(f"    {line}" for line in inputs)]
        lines += ["  nodes:", f"    y: {node}"]
        lines += ["", "example in Python", *(f"  {line}" for line in python_example(inputs, node))]
    return "\n".join(lines)


def _type(op: Op, option: OptionSpec) -> str:
    """Return the type of an option in words, and the release of torch that added it, if it is new."""
    text = describe_type(option.annotation)
    since = op.since.get(option.name)
    return text if since is None else f"{text}; from torch {dotted(since)}"


def _columns(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    return [f"  {one:<{widths[0]}}  {two:<{widths[1]}}  {three}" for one, two, three in rows]


def _key_text(name: str) -> str:
    key = EVERY_KEY[name]
    lines = [f"key {name}", "", key.about, ""]
    lines += [f"allowed in: {', '.join(places)}"] if (places := _places(name)) else []
    takers = [one["name"] for one in _takers(name)]
    lines += [f"an option of: {', '.join(takers)}"] if takers else []
    lines += [f"explained in: {_explained(key)}", "", "example"]
    lines += [f"  {line}" for line in key.example.splitlines()]
    for path, text in key.files.items():
        lines += ["", f"with {path}", *(f"  {line}" for line in text.splitlines())]
    return "\n".join(lines)


def _option_text(name: str, takers: Sequence[Mapping[str, Any]]) -> str:
    rows = [(one["name"], one["default"], one["type"]) for one in takers]
    layer = torch_layer(name)
    more = ["", f"the layer of this name: {layer.name}"] if layer else []
    return "\n".join([f"option {name}", "", "an option of", *_columns(rows), *more])


def _places(name: str) -> list[str]:
    """Return the places where a key is allowed."""
    return [place for place, keys in PLACES.items() if name in keys]


def _explained(key: Key) -> str:
    """Return where the README explains a key."""
    return f"README, What the language has, {key.paragraph}"


def _takers(name: str) -> list[dict[str, Any]]:
    """Return the ops that have an option of that name, with its default and type."""
    found = [(op, op.options[name]) for op in _every_op() if name in op.options]
    return [
        {
            "name": op.name,
            "kind": op.kind,
            "default": _default(option),
            "type": describe_type(option.annotation),
        }
        for op, option in found
    ]


def _key_data(name: str) -> dict[str, Any]:
    """Return `{name, kind, summary, places, option_of, explained, example}` of a key."""
    key = EVERY_KEY[name]
    return {
        "name": name,
        "kind": "key",
        "summary": key.about,
        "places": _places(name),
        "option_of": _takers(name),
        "explained": _explained(key),
        "example": key.example,
        **({"files": dict(key.files)} if key.files else {}),
    }


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


def _bare_option(op: Op) -> str | None:
    """Return the option that a bare value in a seq gives; a seq has no merges."""
    return op.lone_option if op.kind == "layer" else None


def data(op: Op) -> dict[str, Any]:
    """Return `{name, kind, family, options, bare, inputs, ports, summary}` of one op."""
    return {
        "name": op.name,
        "kind": op.kind,
        "family": op.family,
        "options": [_option_data(op, option) for option in op.options.values()],
        "bare": _bare_option(op),
        "inputs": list(op.inputs.names),
        "ports": list(op.ports),
        "summary": op.summary,
        **({"explained": _explained(KEYS[op.name])} if op.kind == "tensor" else {}),
    }


def _option_data(op: Op, option: OptionSpec) -> dict[str, Any]:
    required = option.default is REQUIRED
    return {
        "name": option.name,
        "default": None if required else _plain(option.default),
        "required": required and not option.inferred,
        "inferred": option.inferred,
        "type": describe_type(option.annotation),
        "since": dotted(op.since[option.name]) if option.name in op.since else None,
    }


def _plain(value: Any) -> Any:
    """Return a value itself if JSON can hold it, else its text."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | dict | None) else str(value)
