"""Functions of `keras.ops` and operators between tensors, as the file names their classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mimgraph.importer.foreign.keras.arrays import kept
from mimgraph.importer.foreign.keras.layers.activations import formula
from mimgraph.importer.foreign.keras.layers.merging import concatenated, merged
from mimgraph.importer.foreign.keras.layers.reshaping import permuted, reshaped
from mimgraph.importer.foreign.keras.rules import Result, Unsupported, Use, operation
from mimgraph.importer.foreign.keras.value import Value, size

_OPERATORS = {
    "Add": ("add", "{0} + {1}"),
    "Subtract": ("subtract", "{0} - {1}"),
    "Multiply": ("multiply", "{0} * {1}"),
    "Divide": ("divide", "{0} / {1}"),
    "TrueDivide": ("divide", "{0} / {1}"),
    "Maximum": ("maximum", "maximum({0}, {1})"),
    "Minimum": ("minimum", "minimum({0}, {1})"),
    "Power": ("", "{0} ** {1}"),
    "Greater": ("", "{0} > {1}"),
    "GreaterEqual": ("", "{0} >= {1}"),
    "Less": ("", "{0} < {1}"),
    "LessEqual": ("", "{0} <= {1}"),
    "Equal": ("", "{0} == {1}"),
    "NotEqual": ("", "{0} != {1}"),
}
_BOOL = ("Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual")
_FUNCTIONS = {
    "Negative": "-x",
    "Absolute": "abs(x)",
    "Abs": "abs(x)",
    "Exp": "exp(x)",
    "Log": "log(x)",
    "Sqrt": "sqrt(x)",
    "Rsqrt": "1 / sqrt(x)",
    "Square": "x ** 2",
    "Reciprocal": "1 / x",
    "Sin": "sin(x)",
    "Cos": "cos(x)",
    "Sign": "sign(x)",
    "Floor": "floor(x)",
    "Ceil": "ceil(x)",
    "Erf": "erf(x)",
}


@operation(*_OPERATORS)
def _operator(use: Use) -> Value:
    """Merge two tensors; write a tensor and a number as a formula."""
    merge, expr = _OPERATORS[use.layer.kind]
    given = [*use.args, *(use.kwargs[key] for key in ("x1", "x2", "x", "y") if key in use.kwargs)]
    if len(given) != 2:
        use.layer.refuse("wrong-arity", "it joins two values")
    values = [one for one in given if isinstance(one, Value)]
    if merge and len(values) == 1 and any(isinstance(one, dict) for one in given):
        return _with_constant(use, merge, given)
    numbers = [one for one in given if isinstance(one, int | float) and not isinstance(one, bool)]
    dtype = "bool" if use.layer.kind in _BOOL else "float32"
    if len(values) == 2 and merge and values[0].rank == values[1].rank:
        return merged(use, merge, values)
    if len(values) == 2 and values[0].shape == values[1].shape:
        first, second = use.body.at(values[0], None), use.body.at(values[1], None)
        entry = {"merge": "formula", "expr": expr.format("a", "b")}
        node = use.add(entry, {"a": first.source, "b": second.source})
        return first._replace(source=node, dtype=dtype)
    if len(values) != 1 or len(numbers) != 1:
        raise Unsupported("it joins tensors of different numbers of axes, or a constant tensor")
    texts = ["x" if isinstance(one, Value) else _number(one) for one in given]
    return formula(use._replace(args=tuple(values)), expr.format(*texts))._replace(dtype=dtype)


def _with_constant(use: Use, merge: str, given: list[Any]) -> Value:
    """Return a tensor joined with a constant one, which is a buffer without a batch."""
    (value,) = (use.body.at(one, None) for one in given if isinstance(one, Value))
    (item,) = (one for one in given if not isinstance(one, Value))
    config = item.get("config") if item.get("class_name") in ("__tensor__", "__numpy__") else None
    numbers = config.get("value") if isinstance(config, dict) else None
    shape = _shape(numbers)
    if isinstance(numbers, list) and shape and shape[0] == 1 and len(shape) == value.rank:
        numbers, shape = numbers[0], shape[1:]  # an axis for the batch
    if not shape or len(shape) > len(value.shape):
        raise Unsupported("its constant is no tensor without a batch")
    pairs = zip(reversed(shape), reversed([size(one) for one in value.shape]), strict=False)
    if any(mine not in (1, theirs) for mine, theirs in pairs):
        raise Unsupported("its constant makes the tensor larger")
    name = use.add({"buffer": shape, "init": numbers}, [], {"": kept(numbers)}, "_constant")
    sources = [value.source if isinstance(one, Value) else name for one in given]
    return value._replace(source=use.add({"merge": merge, "broadcast": True}, sources))


def _shape(numbers: Any) -> list[int] | None:
    """Return the sizes of nested lists of numbers; None for anything else."""
    if type(numbers) in (int, float):
        return []
    if not isinstance(numbers, list) or not numbers:
        return None
    inner = [_shape(one) for one in numbers]
    return (
        None
        if inner[0] is None or any(one != inner[0] for one in inner)
        else [len(inner), *inner[0]]
    )


def _number(given: float) -> str:
    """Return a number as a formula has it, in parentheses if it is negative."""
    if not abs(given) < 1e30:
        raise Unsupported("it has a number that is not finite")
    return repr(given) if given >= 0 else f"({given!r})"


def _function(expr: str) -> Callable[[Use], Result]:
    def rule(use: Use) -> Value:
        return formula(use, expr)

    return rule


for _name, _expr in _FUNCTIONS.items():
    operation(_name)(_function(_expr))


@operation("Mean", "Sum", "Max", "Min", "Amax", "Amin", "Prod")
def _reduction(use: Use) -> Value:
    """Reduce axes, of which none may be the batch."""
    value = use.body.plain(use.value)
    given = use.layer.options.get("axis")
    axes = given if isinstance(given, list) else [given]
    if not all(type(axis) is int and -value.rank < axis < value.rank for axis in axes) or 0 in axes:
        raise Unsupported("it reduces the batch, or every axis")
    theirs = {axis % value.rank for axis in axes if axis is not None}
    dims = sorted(value.axes.index(axis) for axis in theirs)
    keep = use.layer.flag("keepdims")
    name = {"Amax": "Max", "Amin": "Min"}.get(use.layer.kind, use.layer.kind)
    entry: dict[str, Any] = {"layer": name, "dim": dims[0] if len(dims) == 1 else dims}
    if keep:
        entry["keepdim"] = True
    else:
        value = use.body.at(value, None) if value.rank - len(dims) > 2 else value
        dims = sorted(value.axes.index(axis) for axis in theirs)
        entry["dim"] = dims[0] if len(dims) == 1 else dims
    shape = tuple(
        1 if axis in theirs else one
        for axis, one in enumerate(value.shape, 1)
        if keep or axis not in theirs
    )
    channel = value.channel if keep else None
    if not keep and value.channel is not None and value.rank - len(dims) > 2:
        raise Unsupported("it leaves channels among other axes")
    node = use.add(entry, value)
    return value._replace(source=node, shape=shape, channel=channel, mask=None)


@operation("Reshape")
def _reshape(use: Use) -> Value:
    target = use.layer.options.get("newshape")
    given = target if isinstance(target, list) else []
    rest = [one if type(one) is int else 0 for one in given[1:]]
    if given[:1] not in ([-1], [None]) or not rest or 0 in rest or -1 in rest:
        raise Unsupported(
            "its shape does not begin with an open batch, or leaves another size open"
        )
    return reshaped(use, rest)


@operation("Transpose")
def _transpose(use: Use) -> Value:
    axes = use.layer.integers("axes")
    if axes[:1] != [0] or sorted(axes) != [*range(use.value.rank)]:
        raise Unsupported("it moves the batch")
    return permuted(use, axes[1:])


@operation("Concatenate")
def _concatenate(use: Use) -> Value:
    return concatenated(use, use.layer.options.get("axis", -1))


@operation("Stack")
def _stack(use: Use) -> Value:
    values = [use.body.at(one, None) for one in use.values]
    axis = use.layer.options.get("axis", 0)
    rank = values[0].rank + 1 if values else 0
    if type(axis) is not int or len(values) < 2 or not -rank < axis < rank or axis % rank == 0:
        raise Unsupported("it stacks along the batch")
    shape = list(values[0].shape)
    shape.insert(axis % rank - 1, len(values))
    entry = {"merge": "stack", "dim": axis % rank}
    return values[0]._replace(
        source=use.add(entry, [one.source for one in values]), shape=tuple(shape), mask=None
    )


@operation("ExpandDims")
def _expand(use: Use) -> Value:
    value, axis = use.body.at(use.value, None), use.layer.integer("axis")
    axis = axis % (value.rank + 1)
    if axis == 0:
        raise Unsupported("it adds an axis before the batch")
    shape = [*value.shape[: axis - 1], 1, *value.shape[axis - 1 :]]
    node = use.add({"layer": "Unsqueeze", "dim": axis}, value)
    return value._replace(source=node, shape=tuple(shape), mask=None)


@operation("Squeeze")
def _squeeze(use: Use) -> Value:
    value, axis = use.body.at(use.value, None), use.layer.options.get("axis")
    if type(axis) is not int or axis % value.rank == 0:
        raise Unsupported("its axis is not one axis behind the batch")
    shape = list(value.shape)
    del shape[axis % value.rank - 1]
    node = use.add({"layer": "Squeeze", "dim": axis % value.rank}, value)
    return value._replace(source=node, shape=tuple(shape), mask=None)


@operation("Matmul")
def _matmul(use: Use) -> Value:
    values = [use.body.at(one, None) for one in use.values]
    if len(values) != 2 or values[0].rank != values[1].rank or values[0].rank < 3:
        raise Unsupported("it multiplies something else than two batches of matrices")
    first, second = values
    node = use.add({"merge": "matmul"}, [first.source, second.source])
    return first._replace(source=node, shape=(*first.shape[:-1], second.shape[-1]), mask=None)


@operation("Clip")
def _clip(use: Use) -> Value:
    own = use.layer
    entry = {"layer": "Clamp", "min": own.number("x_min"), "max": own.number("x_max")}
    return use.value._replace(source=use.add(entry, use.value))


@operation("Cast")
def _cast(use: Use) -> Value:
    dtype = use.layer.text("dtype")
    node = use.add({"layer": "Cast", "dtype": dtype}, use.value)
    return use.value._replace(source=node, dtype=dtype)


@operation("GetItem")
def _item(use: Use) -> Value:
    """Cut a range or select an index along each axis of the key but the batch."""
    value = use.body.at(use.value, None)
    key = use.args[1] if len(use.args) > 1 else use.kwargs.get("key")
    parts = key if isinstance(key, list) else [key]
    if len(parts) > value.rank or not _is_whole(parts[0]):
        raise Unsupported("it indexes the batch")
    cuts = [(axis, part) for axis, part in enumerate(parts) if not _is_whole(part)]
    for part in parts:
        if type(part) is not int:
            _slice(part)  # before a node is made
    for number, (axis, part) in enumerate(reversed(cuts), 1):  # an index drops its axis
        suffix = "" if number == len(cuts) else "_part"
        value = _cut(use, value, axis, part, suffix)
    return value


def _cut(use: Use, value: Value, axis: int, part: Any, suffix: str) -> Value:
    """Return the value with a range or an index of one axis."""
    shape = list(value.shape)
    if type(part) is int:
        del shape[axis - 1]
        node = use.add({"layer": "Select", "dim": axis, "index": part}, value, suffix=suffix)
        return value._replace(source=node, shape=tuple(shape), mask=None)
    start, stop, step = _slice(part)
    length = size(shape[axis - 1])
    shape[axis - 1] = None
    if isinstance(length, int):
        bounds = slice(start, stop, step).indices(length)
        start, stop, shape[axis - 1] = *bounds[:2], len(range(*bounds))
    ends = (("start", start), ("end", stop), ("step", step))
    entry = {"layer": "Slice", "dim": axis, **{key: end for key, end in ends if end is not None}}
    node = use.add(entry, value, suffix=suffix)
    return value._replace(source=node, shape=tuple(shape), mask=None)


def _slice(part: Any) -> tuple[int | None, int | None, int | None]:
    """Return the ends and step of a slice as the file has it."""
    config = part.get("config") if isinstance(part, dict) else None
    if isinstance(config, dict):
        config = [config.get(key) for key in ("start", "stop", "step")]
    if not isinstance(config, list) or len(config) != 3:
        raise Unsupported("its index is not a number or a range")
    if not all(one is None or type(one) is int for one in config) or (config[2] or 1) < 1:
        raise Unsupported("its range has no whole numbers, or a step below 1")
    return config[0], config[1], config[2]


def _is_whole(part: Any) -> bool:
    return isinstance(part, dict) and _slice(part) == (None, None, None)
