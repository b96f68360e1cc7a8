"""Recognize an activation that is given as torch's own: `nn.ReLU`, `nn.GELU(approximate="tanh")`, `F.relu`.

Torch is not imported: what the user gives has brought it along.
"""

from __future__ import annotations

from typing import Any

from mimgraph.ops.op import Op
from mimgraph.ops.spelling import torch_layer
from mimgraph.support.arguments import plain


def torch_activation(given: object) -> tuple[str, dict[str, Any]] | None:
    """Return the name and the options of the layer that a class, module or function of torch stands for;
    None for anything else.

    A module with weights is refused by a `TypeError`: the compiled model would have others.
    """
    if isinstance(given, type):
        return (given.__name__, {}) if _is_module(given) else None
    if _is_module(type(given)):
        return _of_module(given)
    name = getattr(given, "__name__", "")
    op = torch_layer(name) if _is_of_torch(given) else None
    return None if op is None else (op.name, {})


def _is_module(given: type) -> bool:
    return any(
        base.__name__ == "Module" and base.__module__ == "torch.nn.modules.module"
        for base in given.__mro__
    )


def _is_of_torch(given: object) -> bool:
    """Return whether this is a function of torch; a built-in one, `torch.tanh`, names no module."""
    home = getattr(given, "__module__", None) or type(getattr(given, "__self__", None)).__module__
    return callable(given) and f"{home}.".startswith(("torch.", "builtins."))


def _of_module(given: Any) -> tuple[str, dict[str, Any]]:
    name = type(given).__name__
    if next(given.parameters(), None) is not None:
        message = f"an activation has weights of its own: write layers.{name}, not the module"
        raise TypeError(f"{message} {given!r}")
    op = torch_layer(name)
    return name, {} if op is None else _options(op, given)


def _options(op: Op, given: Any) -> dict[str, Any]:
    """Return the options of a torch module that differ from the defaults."""
    values = {key: plain(getattr(given, key)) for key in op.options if hasattr(given, key)}
    return {key: value for key, value in values.items() if value != op.defaults[key]}
