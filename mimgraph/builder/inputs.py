"""Declare an input of the graph, and check what Python code gives: sizes, a dtype, the inputs of a model."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias

from mimgraph.builder.declare_layer import option
from mimgraph.builder.handles.records import Record
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.builder.node_names import check_name
from mimgraph.builder.tracing.watched import Watched
from mimgraph.builder.user_line import raise_faults, spec_error, user_line
from mimgraph.diagnostics import Diagnostic, Report
from mimgraph.infer.graph import Given, infer_input
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_values import PARAMS, is_computed, parse_size, size_help
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import ExpressionError
from mimgraph.ir.names import input_fault, name_fault
from mimgraph.ir.types import DTYPES, MAX_AXES, dtype_help
from mimgraph.ops.layer_call import is_source
from mimgraph.source import Span
from mimgraph.support.arguments import as_plain, dtype_name, shown, wrong
from mimgraph.support.entry_point import entry_point

if TYPE_CHECKING:
    import torch

VALUES = 'name the axis itself, and put the value of a variable k into the text: f"{k}*H"'


@entry_point
def Input(
    name: str,
    shape: Iterable[SupportsIndex | str | Dim] | None = None,
    dtype: str | torch.dtype | type | None = None,
    vocab: SupportsIndex | None = None,
    doc: str = "",
    optional: bool = False,
) -> Tensor:
    """Declare an input of the graph; `shape` has sizes or names of sizes, without the batch.

    A size may be linear in a name: `(3, "8*H", "8*W")` are images that can be halved three times.
    `vocab` is the number of categories: it makes the dtype int64, and the shape () unless given.
    The caller of the module may leave out an `optional` input.
    """
    span, report = user_line(), Report()
    check_name(name, span, input_fault)
    if shape is None and vocab is None:
        raise spec_error(
            "missing-key", f"{name} needs a shape", span, 'mg.Input("x", (5,)) has one axis of 5'
        )
    if not isinstance(doc, str):
        raise spec_error("wrong-type", f"doc is a string, not {shown(doc)}", span)
    optional = as_plain("optional", optional)
    if not isinstance(optional, int):
        raise spec_error("wrong-type", f"optional is True or False, not {shown(optional)}", span)
    declared = ir.Input(
        name,
        span,
        _shape(() if shape is None else shape, span, report),
        _dtype(dtype, "float32" if vocab is None else "int64", span, report),
        None if vocab is None else option(vocab, span),
        doc,
        bool(optional),
    )
    raise_faults(report, span)
    type_ = infer_input(declared, report)
    raise_faults(report, span)
    assert type_ is not None
    return Tensor(Record(Given(declared, type_), span, name, name, None))


Inputs: TypeAlias = Tensor | Iterable[Tensor] | Mapping[str, Tensor]


def public_inputs(inputs: Inputs, span: Span) -> tuple[ir.Input, ...]:
    """Return the declared inputs behind handles: one, a list of them, or a dict by name."""
    if isinstance(inputs, Tensor):
        inputs = [inputs]
    if isinstance(inputs, str) or not isinstance(inputs, Iterable):
        raise wrong("inputs", "a handle, a list of them or a dict by name", inputs)
    given = inputs.items() if isinstance(inputs, Mapping) else (("", one) for one in inputs)
    found: dict[str, ir.Input] = {}
    for name, handle in given:
        if not isinstance(handle, Tensor):
            raise wrong("an input", "a handle that mg.Input returned", handle)
        made = handle.record.made
        if not isinstance(made, Given) or not isinstance(made.declared, ir.Input):
            message = f"{handle.record.label} is no input"
            help = "inputs are what mg.Input returned"
            raise spec_error("unknown-source", message, span, help)
        declared = made.declared
        if name and name != declared.name:
            message = f"{name!r} is the input {declared.name!r}"
            raise spec_error("bad-name", message, span, f'mg.Input("{name}", ...) gives the name')
        if declared.name in found:
            raise spec_error("duplicate-name", f"{declared.name} is among inputs twice", span)
        found[declared.name] = declared
    return tuple(found.values())


def _shape(shape: object, span: Span, report: Report) -> ir.InputShape:
    """Return the declared shape of sizes and names, or of the dims of another handle."""
    sizes = [size.plain if type(size) is Watched else size for size in sizes_of(shape, span)]
    dims = tuple(_size(size, size_help(sizes, at), span, report) for at, size in enumerate(sizes))
    raise_faults(report, span)
    return ir.InputShape(dims, (span,) * len(dims))


def _size(size: object, help: str, span: Span, report: Report) -> Any:
    """Return a size for the declared shape: an integer, a name, or a `LinearSize` for `"8*H"`."""
    if not isinstance(size, str | Dim):
        if type(size) is not int:
            message = "a size is an integer or a name"
            report.add(Diagnostic("wrong-type", message, span, help=help))
        return size
    text = str(size)
    if "$" not in text and is_computed(text):
        try:
            return parse_size(text, span, lambda start, end: span)
        except ExpressionError as error:
            help = VALUES if error.help == PARAMS else error.help
            message = f"{text!r} cannot be a size: {error.message}"
            report.add(Diagnostic(error.code, message, span, help=help))
            return text
    reason = name_fault(text) if text != "N" else "N is the batch"
    if reason is not None:
        reason = VALUES if "$" in text else help or reason
        message = f"{text!r} cannot name a size"
        report.add(Diagnostic("bad-name", message, span, help=reason))
    return text


def sizes_of(shape: object, span: Span) -> list[Any]:
    """Return the sizes in a list or an array; whole numbers of numpy and torch become ints."""
    ordered = not (is_source(shape) or isinstance(shape, str | bytes | Mapping | AbstractSet))
    if not isinstance(shape, Iterable) or not ordered or getattr(shape, "ndim", 1) != 1:
        message = f"a shape is a list of sizes, not {shown(shape)}"
        raise spec_error(
            "wrong-type", message, span, "one axis of 5 is (5,), the batch is left out"
        )
    return [plain_size(size) for size in islice(shape, MAX_AXES + 1)]  # more axes are refused


def plain_size(size: Any) -> Any:
    """Return a size; a whole number of numpy or torch becomes an int."""
    if type(size) in (bool, Watched):
        return size
    try:
        return operator.index(size)
    except Exception:  # noqa: BLE001 - an array may raise anything
        return size


def _dtype(dtype: object, default: str, span: Span, report: Report) -> str:
    """Return the name of a dtype, given by name or as torch's or numpy's own."""
    if dtype is None:
        return default
    name = dtype_name(dtype) or (dtype.__name__ if isinstance(dtype, type) else str(dtype))
    name = name.removeprefix("torch.")
    if name not in DTYPES:
        message = f"no dtype is called {name!r}"
        report.add(Diagnostic("bad-option", message, span, help=dtype_help(name)))
    return name
