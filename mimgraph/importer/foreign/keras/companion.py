"""Keep a layer that cannot be converted as a layer of the user's, and write the file that registers it."""

from __future__ import annotations

import json
import re
from typing import Any

from mimgraph.importer.foreign.keras.body import free
from mimgraph.importer.foreign.keras.rules import Use
from mimgraph.importer.foreign.keras.value import Size, Value, size
from mimgraph.ir.names import class_fault
from mimgraph.ops import registry

MOST_TEXT = 2_000  # characters of a layer's config
_HEADER = '''\
"""Layers of the Keras model that mimgraph cannot convert: write their `forward`.

The shapes are those of the Keras model, with the channels last.
"""

from torch import Tensor, nn

import mimgraph as mg
'''


def opaque(use: Use, why: str) -> tuple[Value, ...]:
    """Add a node of a layer that the user must register, and return its results."""
    layer, shared = use.layer, use.body.shared
    values = [use.body.at(value, None) for value in [*use.values, *_more(use)]]
    if not values:
        layer.refuse("unknown-layer", "it cannot be converted, and reads no tensor")
    cls = _class_name(use)
    shapes = use.shapes or (None,)
    if cls not in shared.opaque:
        shared.opaque[cls] = _stub(use, cls, values, shapes)
    reason = "Lambda" if layer.kind == "Lambda" else "unknown layer"
    reason = "option" if why else reason
    message = why or f"mimgraph has no layer for {layer.kind}"
    guess = "" if use.shapes else "; its result is taken to have the shape of its input"
    advice = f"register a layer {cls}, as the companion file begins to"
    use.body.note("opaque", reason, f"{layer.name}: {message}{guess}: {advice}", layer.name)
    node = use.add({"layer": cls}, [value.source for value in values])
    sources = [node] if len(shapes) == 1 else [f"{node}.{port}" for port in range(len(shapes))]
    return tuple(
        Value(source, _result_shape(shape, values[0]), values[0].dtype)
        for source, shape in zip(sources, shapes, strict=True)
    )


def companion(classes: dict[str, str]) -> str | None:
    """Return the text of the file that registers the layers; None if there are none."""
    return _HEADER + "".join(classes.values()) if classes else None


def _more(use: Use) -> list[Value]:
    return [value for value in use.kwargs.values() if isinstance(value, Value)]


def _class_name(use: Use) -> str:
    """Return the name of the class: that of the layer's, or of the layer where a class has several."""
    kinds = use.layer.kind
    wanted = use.layer.name if kinds == "Lambda" or use.layer.is_operation else kinds
    words = [word for word in re.split(r"[\W_]+", wanted, flags=re.ASCII) if word]
    name = "".join(word[0].upper() + word[1:] for word in words) or "Layer"
    name = f"Keras{name}" if name[0].isdigit() or class_fault(name) else name
    name = f"Keras{name}" if registry.find("layer", name) is not None else name
    known = use.body.shared.opaque
    text = f"# {_one_line(use.layer.name)}\n"
    taken = [other for other, stub in known.items() if text not in stub]
    return free(name, taken)


def _result_shape(shape: tuple[int | None, ...] | None, value: Value) -> tuple[Size, ...]:
    """Return the shape of a result; an unknown size is that of the input at the same axis."""
    if shape is None:
        return value.shape
    sizes: list[Size] = list(value.shape) + [None] * len(shape)
    return tuple(sizes[axis] if given is None else given for axis, given in enumerate(shape[1:]))


def _stub(
    use: Use, cls: str, values: list[Value], shapes: tuple[tuple[int | None, ...] | None, ...]
) -> str:
    """Return the text of a class that says what it is, and raises where the user must write code."""
    names = [f"x{number or ''}" for number in range(len(values))]
    results = [_shape_text(_result_shape(shape, values[0]), values[0]) for shape in shapes]
    shape = results[0] if len(results) == 1 else f"({', '.join(results)})"
    result = "Tensor" if len(results) == 1 else f"tuple[{', '.join(['Tensor'] * len(results))}]"
    config = json.dumps(_readable(use.layer.options), default=str)[:MOST_TEXT]
    title = f"{use.layer.kind} {use.layer.name} of the Keras model: {config}"
    arguments = ", ".join(f"{name}: Tensor" for name in names)
    return f"""

# {_one_line(use.layer.name)}
class {cls}(nn.Module):
    __doc__ = {title!a}

    def forward(self, {arguments}) -> {result}:
        raise NotImplementedError({f"write the forward of {cls}"!a})


mg.register({cls}, shape=lambda {", ".join(names)}: {shape})
"""


def _shape_text(shape: tuple[Size, ...], value: Value) -> str:
    """Return the code of a shape; a size of the input is read from it."""
    ours = [size(own) for own in value.shape]
    parts = []
    for axis, one in enumerate(size(given) for given in shape):
        known = isinstance(one, int)
        at = ours.index(one) if one in ours else min(axis, len(ours) - 1)
        parts.append(str(one) if known else f"x[{at}]")
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _readable(options: Any) -> Any:
    """Return the config without the bytecode of functions, which nothing here may read."""
    if isinstance(options, dict):
        if options.get("class_name") == "__lambda__":
            return "a lambda, whose bytecode is not read"
        return {key: _readable(item) for key, item in options.items()}
    return [_readable(item) for item in options] if isinstance(options, list) else options


def _one_line(text: str) -> str:
    """Return a text that can stand in a comment."""
    return ascii(text)[1:-1]
