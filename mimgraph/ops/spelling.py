"""Find the op that was meant: by torch's or Keras's name, as an attribute, as YAML or Python; and write it in YAML."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Literal

from mimgraph.diagnostics.nearest import nearest, suggestion
from mimgraph.ir.declared_values import Option
from mimgraph.ops import registry
from mimgraph.ops.custom import registration
from mimgraph.ops.custom.module_signature import is_plugin
from mimgraph.ops.op import Op
from mimgraph.support.plugins import BrokenPlugin

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


# Look an op up as an attribute, `layers.Linear`, and explain a name that is none.


HOMES = {"layer": "layers", "merge": "merges"}


def attribute(kind: str, name: str) -> Op:
    """Return the op that `layers.NAME` or `merges.NAME` stands for; an `AttributeError` says what was
    probably meant."""
    op = registry.find(kind, name)
    if op is not None and not is_plugin(op):
        return op
    message = f"module 'mimgraph.{HOMES[kind]}' has no attribute {name!r}"
    if name.startswith("_"):  # Python and editors ask for such names
        raise AttributeError(message)
    try:
        op = registration.find(kind, name)
    except BrokenPlugin as broken:
        raise AttributeError(f"{message}: {broken}") from broken.__cause__
    if op is not None:
        return op
    raise AttributeError(f"{message}{_meant(kind, name)}")


def op_called(name: str) -> Op | None:
    """Return the layer or merge with this name, here or in torch or Keras: `Linear` for `Dense`."""
    return torch_layer(name) or _merge(name) or named_elsewhere(name)


def known_op(name: str) -> str:
    """Return the layer or merge with this name, here or in torch or Keras, as Python writes it:
    `layers.Linear` for `Dense`; "" if there is none."""
    op = op_called(name)
    return "" if op is None else f"{HOMES[op.kind]}.{op.name}"


def with_parentheses(op: Op) -> str:
    """Return a layer as Python makes one: `layers.ReLU()`, and `layers.Linear(...)`, which needs options."""
    return f"{HOMES[op.kind]}.{op.name}({'...' if op.required else ''})"


def _meant(kind: str, name: str) -> str:
    """Return the hint behind the message; "" if no name is similar."""
    if name in ("Input", "Sequential"):
        return f": did you mean mg.{name}?"
    names = sorted({*registry.names(kind), *registration.names(kind)})
    near = known_op(name) or nearest(name, names) or ""
    if near:
        return f": did you mean {near.removeprefix(f'{HOMES[kind]}.')}?"
    hint = suggestion(name, names)
    return f": {hint}" if hint else ""


def _merge(name: str) -> Op | None:
    """Return the merge with this name in snake case or as a class: `multiply` for `Multiply`."""
    wanted = name.replace("_", "").lower()
    names = (known for known in registry.names("merge") if known.replace("_", "") == wanted)
    return registry.find("merge", next(names, ""))
