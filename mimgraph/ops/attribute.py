"""Look an op up as an attribute, `layers.Linear`, and explain a name that is none."""

from __future__ import annotations

from mimgraph.diagnostics.nearest import nearest, suggestion
from mimgraph.ops import registry
from mimgraph.ops.custom import plugins
from mimgraph.ops.custom.module_signature import is_plugin
from mimgraph.ops.op import Op
from mimgraph.ops.spelling import named_elsewhere, torch_layer
from mimgraph.support.plugins import BrokenPlugin

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
        op = plugins.find(kind, name)
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
    names = sorted({*registry.names(kind), *plugins.names(kind)})
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
