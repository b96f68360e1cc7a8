"""Say what a node is, for tables, pictures and diffs: its op and options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mimgraph.diagnostics.render import visible
from mimgraph.inspection.facts import ResolvedOption, own_default
from mimgraph.ir.dim import Size
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.typed_operations import Repeated, Scan, Shared, TypedOperation, unwrap

LONGEST = 48  # characters of the value of an option
_LONG_FRACTION = 6  # characters of a fraction that is not rounded

# the two widths that torch's classes take first, which one knows without their names; not with an
# arrow between them, as that is a change in the picture of a comparison
WIDTHS_IN = ("in_features", "in_channels", "input_size", "num_embeddings")
WIDTHS_OUT = ("out_features", "out_channels", "hidden_size", "hidden_features", "embedding_dim")
# formulas, patterns and dtypes, which say themselves what they are
_BARE = ("expr", "equation", "pattern", "dtype")
_UNSEEN = ("inplace", "broadcast")  # they change no result
_SHAPED = (
    "Reshape",
    "parameter",
    "buffer",
    "zeros",
    "ones",
    "random",
)  # one sees their `shape` below


def op_text(node: TypedNode, options: str = "") -> str:
    """Return the op of a node with these options: `Conv2d 3 to 16 + ReLU`, `LSTM.last`,
    `residual width=8 × 3, frozen`, `Linear, shares tail`; the options of a `seq` are its layers."""
    operation = unwrap(node.operation)
    text = node.op_name
    if node.default and node.default != own_default(operation):
        text += f".{node.default}"  # `take`
    if options:
        text = options if text == "seq" else f"{text} {options}"
    if operation.activation_name:
        text += f" + {operation.activation_name}"
    if operation.branches:
        first = operation.branches[0].operation
        one = replace(operation.branches[0], operation=unwrap(first))
        shares = f", shares {first.target}" if isinstance(first, Shared) else ""
        return f"{op_text(one, options)}, {each_text(operation)}{shares}"
    if isinstance(operation, Repeated):
        text += f" {repeat_text(operation)}"
    if isinstance(operation, Scan):
        text += f" × {_times_text(operation.length)}, {scan_text(operation)}"
    if node.over is not None:
        text += f", {node.over}"
    if isinstance(node.operation, Shared):
        return f"{text}, shares {node.operation.owner}"
    return ", ".join((text, *node.training_notes))


def each_text(operation: TypedOperation) -> str:
    """Return how many branches an `each` has: `each of 3`, `shared by 3` or `3 copies`."""
    number = len(operation.branches)
    if operation.sole is not None:
        return f"shared by {number}"
    return f"{number} copies" if operation.copies else f"each of {number}"


def scan_text(scan: Scan) -> str:
    """Return the scanned inputs, each with its axis unless that is 1, and those that each step hands to
    the next: `scan over x, m (axis 2), carry h`."""
    axes = (n if axis == 1 else f"{n} (axis {axis})" for n, axis in scan.axes.items())
    carry = f", carry {', '.join(scan.carried)}" if scan.carried else ""
    return f"scan over {', '.join(axes)}{carry}"


def repeat_text(repeated: Repeated) -> str:
    """Return how often a block is repeated: `× 3`, `× T shared`."""
    return f"× {_times_text(repeated.times)}{' shared' if repeated.shared else ''}"


def _times_text(times: Size) -> str:
    """Return a number of repeats: `6`, `T`, `(T - 1)`."""
    text = str(times)
    return text if text.isalnum() else f"({text})"


def options_text(op_name: str, options: Iterable[ResolvedOption]) -> str:
    """Return the given options of an op as torch names them, after the widths: `3 to 16, kernel_size=3`.

    An option that changes no result, or that is the shape of the result, is left out.
    """
    every = list(options)
    inner = [o.value for o in every if o.name in WIDTHS_IN and isinstance(o.value, int)]
    words = []
    for name, value, origin in every:
        is_shape = name == "shape" and op_name in _SHAPED
        if origin != "given" or name in _UNSEEN or is_shape:
            continue
        is_width = name in WIDTHS_OUT and inner
        words.append(f"{inner[0]} to {value}" if is_width else option_text(name, value))
    return ", ".join(words)


def arguments_text(arguments: Mapping[str, Any]) -> str:
    """Return the params that a use of a block gives: `width=32, stride=2, causal`."""
    return ", ".join(option_text(name, value) for name, value in arguments.items())


def option_text(name: str, value: Any) -> str:
    """Return an option as boxes show it: `stride=2`, the name alone if it is true, `init=normal` without
    inner options, values by name as einops takes them, `h=8, w=4`, and a dtype or formula alone."""
    if name in _BARE:
        return value_text(value)
    if value is True:
        return name
    if isinstance(value, Mapping):
        nested = [key for key, inner in value.items() if isinstance(inner, Mapping)]
        items = [] if nested else [option_text(*item) for item in value.items()]
        return ", ".join(items) if items else f"{name}={', '.join(map(str, nested))}"
    return f"{name}={_short_value(value)}"


def _short_value(value: Any) -> str:
    """Return a value with long fractions rounded: `0.0182`."""
    text = value_text(value)
    return f"{value:.3g}" if isinstance(value, float) and len(text) > _LONG_FRACTION else text


def value_text(value: Any, longest: int = LONGEST) -> str:
    """Return a value in YAML spelling, cut to `longest` characters."""
    if isinstance(value, list | tuple):
        text = f"[{', '.join(value_text(item, longest) for item in value)}]"
    elif isinstance(value, Mapping):
        items = (f"{key}: {value_text(item, longest)}" for key, item in value.items())
        text = f"{{{', '.join(items)}}}"
    else:
        text = str(value).lower() if isinstance(value, bool) else visible(str(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"
