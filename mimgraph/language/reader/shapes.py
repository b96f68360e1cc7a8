"""Read shapes and dtypes."""

from __future__ import annotations

from typing import Any

from mimgraph.ir.declared_graph import InputShape
from mimgraph.ir.declared_values import (
    FAULTY,
    LinearSize,
    Written,
    is_computed,
    parse_size,
    size_help,
)
from mimgraph.ir.expression import ExpressionError
from mimgraph.ir.names import name_fault
from mimgraph.ir.types import DTYPES, dtype_help
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.values import as_written, is_expression, read_text, read_value
from mimgraph.language.yaml_tree.tree import Scalar, Sequence, Tree


def read_shape(context: Context, tree: Tree) -> InputShape | None:
    """Return a shape of sizes, names and expressions; None if it cannot be read."""
    if isinstance(tree, Sequence):
        return read_sizes(context, tree)
    help = as_written("write [{}]", tree)
    context.wrong_type("a shape", "a list of sizes", tree, help=help)
    return None


def read_sizes(context: Context, tree: Sequence) -> InputShape | None:
    """Return the shape with the sizes of a list; None if one cannot be read."""
    dims = [_read_size(context, tree, item) for item in tree.items]
    if FAULTY in dims:
        return None
    return InputShape(tuple(dims), tuple(item.span for item in tree.items))


def _read_size(context: Context, shape: Sequence, item: Tree) -> Any:
    """Return an integer, a name, a `LinearSize` or a `Written`, or FAULTY for something else, which
    is reported."""
    value = _read_computed(context, item) if _is_computed(item) else read_value(context, item)
    if isinstance(value, str):
        reason = name_fault(value) if value != "N" else "N stands for the batch size"
        if reason is None:
            return value
        help = _help(shape, item) or reason
        context.fault("bad-name", f"{value!r} cannot name a size", item.span, help=help)
    elif type(value) is int:
        if value >= 1:
            return value
        help = _help(shape, item)
        context.fault("bad-option", "a size must be at least 1", item.span, help=help)
    elif isinstance(value, Written | LinearSize):
        return value
    elif value is not FAULTY:
        context.wrong_type("a size", "an integer or a name", item, help=_help(shape, item))
    return FAULTY


def _help(shape: Sequence, item: Tree) -> str:
    values = [one.value if isinstance(one, Scalar) else one for one in shape.items]
    return size_help(values, shape.items.index(item))


def _is_computed(item: Tree) -> bool:
    """Return whether a size is a text such as `8*H`, and not one `$(...)`."""
    text = item.value if isinstance(item, Scalar) else None
    return isinstance(text, str) and not is_expression(text) and is_computed(text)


def _read_computed(context: Context, item: Tree) -> Any:
    """Return the size that a text such as `8*H` is, or FAULTY, which is reported."""
    assert isinstance(item, Scalar)
    try:
        return parse_size(str(item.value), item.span, item.part)
    except ExpressionError as error:
        span = item.part(error.start, error.end) if error.start <= error.end else item.span
        context.fault(error.code, error.message, span, help=error.help)
        return FAULTY


def read_dtype(context: Context, tree: Tree | None, default: str) -> str | None:
    """Return the name of a dtype; None for something else, which is reported."""
    if tree is None:
        return default
    name = read_text(context, "dtype", tree)
    if name is None or name in DTYPES:
        return name
    help = dtype_help(name)
    context.fault("bad-option", f"no dtype is called {name!r}", tree.span, help=help)
    return None
