"""Write a layer in YAML for the help of faults, from its example or from Python code of the user.

`activation: Softmax` lacks an option; `Softmax(dim=1)` and `F.relu` are Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Literal

from mimgraph.ir.declared_values import Option
from mimgraph.ops import registry
from mimgraph.ops.op import Op

Form = Literal["node", "item", "activation"]  # where a layer is written

LONGEST = 200  # characters of Python that are read
_PYTHON = re.compile(r"((?:[A-Za-z_]\w*\.)*)([A-Za-z_]\w*)(\(.*\))?", re.ASCII | re.DOTALL)
_PLAIN = (int, float, str)


def as_written(op: Op, options: Mapping[str, str], form: Form) -> str:
    """Return a layer with these options as YAML: `activation: {Softmax: -1}`."""
    listed = ", ".join(f"{name}: {value}" for name, value in options.items())
    if form == "node":
        return f"{{layer: {op.name}, {listed}, ...}}" if listed else f"{{layer: {op.name}, ...}}"
    inside = next(iter(options.values())) if [*options] == [op.lone_option] else f"{{{listed}}}"
    text = f"{{{op.name}: {inside}}}" if listed else op.name
    return f"activation: {text}" if form == "activation" else text


def with_required(op: Op, given: Mapping[str, Option], form: Form) -> str:
    """Return a layer as YAML with all required options: those given, the others as in its example."""
    shown: dict[str, str] = {}
    for spec in op.required:
        value = given[spec.name].value if spec.name in given else None
        shown[spec.name] = str(value) if type(value) in _PLAIN else "..."
        # 0 is the batch
        if spec.name not in given or (spec.name.startswith("dim") and value == 0):
            shown[spec.name] = op.shown(spec.name)
    return as_written(op, shown, form)


def python_name(text: str) -> str:
    """Return `Softmax` for `nn.Softmax(dim=1)`; return any other text unchanged."""
    found = _PYTHON.fullmatch(text) if len(text) <= LONGEST else None
    return found[2] if found else text


def from_python(text: str, form: Form) -> str:
    """Return a layer written in Python (`nn.Linear(10, 5)`, `F.relu`) as YAML; "" for other texts."""
    found = _PYTHON.fullmatch(text) if len(text) <= LONGEST else None
    op = torch_layer(found[2]) if found else None
    if found is None or op is None:
        return ""
    return as_written(op, _options(op, found[3] or "()"), form)


def torch_layer(name: str) -> Op | None:
    """Return the layer for a class or function of torch: `LogSoftmax` for `log_softmax`."""
    wanted = name.replace("_", "").lower()
    names = (known for known in registry.names("layer") if known.lower() == wanted)
    return registry.find("layer", name) or registry.find("layer", next(names, ""))


def named_elsewhere(name: str) -> Op | None:
    """Return the op with that name in torch or Keras: the merge `concat` for `cat`."""
    from mimgraph.ops.elsewhere import ours, plain  # a check starts faster without it

    op = ours().get(plain(name), "")
    return registry.find("layer", op) or registry.find("merge", op)


def _options(op: Op, arguments: str) -> dict[str, str]:
    """Return the options of a Python call in torch's order, `...` for values that are not literals."""
    try:
        call = ast.parse(f"f{arguments}", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {"...": "..."}
    if not isinstance(call, ast.Call):
        return {"...": "..."}
    named = {word.arg: _value(word.value) for word in call.keywords if word.arg in op.options}
    given = [_value(argument) for argument in call.args]
    required = [spec.name for spec in op.required if spec.name not in named]
    order = list(op.by_position) or required
    if len(given) >= len(op.sizes) + len(required) or not op.by_position:
        given = given[len(op.sizes) :]
    options = dict(zip(order, given, strict=False))
    return options | {name: value for name, value in named.items() if name is not None}


def _value(node: ast.expr) -> str:
    """Return a Python literal as YAML."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return "..."
    return _yaml(value)


def _yaml(value: object) -> str:
    """Return a value as YAML, `...` for one that YAML would read differently."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    plain = isinstance(value, int | float) or (isinstance(value, str) and value.isidentifier())
    return str(value) if plain else "..."
