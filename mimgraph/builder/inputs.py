"""Declare inputs, and tensors that the model owns or each run creates."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypeAlias, TypedDict, Unpack

from mimgraph.builder.declare_layer import as_declared, option
from mimgraph.builder.names import check_name
from mimgraph.builder.record_call import record_call
from mimgraph.builder.records import Record
from mimgraph.builder.tensor import Tensor
from mimgraph.builder.user_line import spec_error, user_line
from mimgraph.builder.watched import Watched
from mimgraph.declare.sections import read_input
from mimgraph.declare.tree import mapping_of, scalar_of
from mimgraph.infer.graph import Given, infer_input
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_values import VALUE_IN_SIZE
from mimgraph.ir.dim import Dim
from mimgraph.ir.names import input_fault
from mimgraph.ir.types import MAX_AXES
from mimgraph.ops import registry
from mimgraph.ops.layer_call import LayerCall, is_source
from mimgraph.source import Span
from mimgraph.support.arguments import as_plain, as_text, dtype_name, shown, wrong
from mimgraph.support.entry_point import entry_point

if TYPE_CHECKING:
    import torch


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
    span = user_line()
    check_name(name, span, input_fault)
    given = {
        "shape": None if shape is None else _sizes(shape, span),
        "dtype": None if dtype is None else _dtype(dtype),
        "vocab": vocab,
        "doc": as_text("doc", doc),
        "optional": as_plain("optional", optional),
    }
    data = {k: option(value, span).value for k, value in given.items() if value is not None}
    key, tree = scalar_of(name, span), mapping_of(data, span)
    declared = as_declared(span, lambda context: read_input(context, key, tree))
    type_ = as_declared(span, lambda context: infer_input(declared, context.report))
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
            message = f"{handle.record.label} is not an input"
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


def _sizes(shape: object, span: Span) -> list[Any]:
    """Return the sizes of a shape as a spec has them: integers, names, and `"8*H"`."""
    found = [size.plain if type(size) is Watched else size for size in sizes_of(shape, span)]
    found = [str(size) if isinstance(size, Dim) else size for size in found]
    for size in found:
        if isinstance(size, str) and "$" in size:
            raise spec_error("bad-name", f"{size!r} cannot name a size", span, VALUE_IN_SIZE)
    return found


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


def _dtype(dtype: object) -> str:
    """Return the name of a dtype, given by name or as torch's or numpy's own."""
    name = dtype_name(dtype) or (dtype.__name__ if isinstance(dtype, type) else str(dtype))
    return name.removeprefix("torch.")


# Declare tensors that the model owns, `Parameter` and `Buffer`, and those that each run makes
# anew: `arange`, `zeros`, `ones` and `random`.


Init: TypeAlias = str | float | Sequence[object] | Mapping[str, object]


class NodeOptions(TypedDict, total=False):
    """The keyword arguments of any node, for type checkers; others are checked as in a spec."""

    activation: str | Mapping[str, object] | LayerCall
    freeze: bool | str
    lr: float | str
    weight_decay: float


@entry_point
def Parameter(
    name: str,
    shape: Iterable[SupportsIndex | Dim],
    *,
    init: Init,
    batched: bool = False,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return a learned tensor of this shape (`torch.nn.Parameter`), without a batch.

    If batched, it is kept as (1, ...) and expanded to (N, ...), as a class token is. `init` is the
    name of a function of `torch.nn.init`, `"zeros"`, perhaps with arguments,
    `{"normal": {"std": 0.02}}`; or `"sinusoid"`; or the values.
    """
    return _tensor("parameter", name, shape, {"init": init, "batched": batched, **options})


@entry_point
def Buffer(
    name: str,
    shape: Iterable[SupportsIndex | Dim],
    *,
    init: Init,
    batched: bool = False,
    dtype: str | torch.dtype = "float32",
    persistent: bool = True,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return a fixed tensor of this shape, kept in the `state_dict` if `persistent`.

    The rest is as for `Parameter`; one more `init` is `"arange"`, for the numbers 0, 1, 2, ...
    """
    given = {"init": init, "batched": batched, "dtype": as_plain("dtype", dtype)}
    return _tensor("buffer", name, shape, {**given, "persistent": persistent, **options})


_DEFAULTS = {"batched": False, "dtype": "float32", "persistent": True}


def _tensor(
    kind: str, name: str, shape: Iterable[SupportsIndex | Dim], options: Mapping[str, object]
) -> Tensor:
    """Return the tensor that these options declare; defaults are left out, as in a spec."""
    given = without_defaults(options, _DEFAULTS)
    layer = layer_call(kind, {"shape": sizes_of(shape, user_line()), **given})
    return Tensor(record_call(layer, (), {}, name))


def without_defaults(
    options: Mapping[str, object], defaults: Mapping[str, object]
) -> dict[str, object]:
    """Return the options without those that have their default value, which a spec leaves out."""

    def is_default(name: str, value: object) -> bool:
        return name in defaults and type(value) is type(defaults[name]) and value == defaults[name]

    return {name: value for name, value in options.items() if not is_default(name, value)}


def layer_call(kind: str, options: dict[str, object]) -> LayerCall:
    """Return the call of a tensor of the model with these options."""
    op = registry.find("tensor", kind)
    assert op is not None
    return LayerCall(op, (), options)


@entry_point
def arange(
    x: Tensor | SupportsIndex | Dim,
    dim: int | None = None,
    *,
    start: int = 0,
    step: int = 1,
    name: str | None = None,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return the positions along an axis of `x`, from 0: (N, T, *) -> (T,), int64, without a batch.

    `x` may also be a number, as in `torch.arange`: `mg.arange(8)` counts from 0 to 7.
    """
    end = plain_size(x)
    is_number = isinstance(end, int | Dim | Watched)
    given = {"end": end if is_number else None, "dim": dim, "start": start, "step": step}
    return _made("arange", given, None if is_number else x, name, options)


@entry_point
def zeros(
    *shape: SupportsIndex | Dim | Iterable[SupportsIndex | Dim],
    like: Tensor | None = None,
    batched: bool = False,
    dtype: str | torch.dtype | None = None,
    name: str | None = None,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return zeros of this shape, `mg.zeros(64, batched=True)`, or `like` a source, made at each run.

    The shape has no batch; if `batched`, the result has one in front. The dtype is that of the model
    (of `like`: its own) unless one is given.
    """
    given = {"shape": _sizes_given(shape), "batched": batched, "dtype": dtype}
    return _made("zeros", given, like, name, options)


@entry_point
def ones(
    *shape: SupportsIndex | Dim | Iterable[SupportsIndex | Dim],
    like: Tensor | None = None,
    batched: bool = False,
    dtype: str | torch.dtype | None = None,
    name: str | None = None,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return ones of this shape, or `like` a source, made at each run as `zeros` are."""
    given = {"shape": _sizes_given(shape), "batched": batched, "dtype": dtype}
    return _made("ones", given, like, name, options)


@entry_point
def random(
    distribution: Literal["normal", "uniform"],
    like: Tensor,
    *,
    only: Literal["training"] | None = None,
    name: str | None = None,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return noise in the shape of `like`, drawn at each run; zero in eval with `only="training"`.

    `"normal"` has mean 0 and variance 1, `"uniform"` is from 0 to 1.
    """
    given: dict[str, object] = {"distribution": distribution, "only": only}
    return _made("random", given, like, name, options)


def _sizes_given(given: tuple[object, ...]) -> object:
    """Return the sizes that are given one by one, or in a list; None if none are given."""
    if not given:
        return None
    is_list = len(given) == 1 and not isinstance(plain_size(given[0]), int | Dim | Watched)
    return sizes_of(given[0] if is_list else given, user_line())


_CONSTANT_DEFAULTS = {
    **dict.fromkeys(("end", "dim", "shape", "dtype", "only")),
    "batched": False,
    "start": 0,
    "step": 1,
}


def _made(
    kind: str,
    given: dict[str, object],
    source: object,
    name: str | None,
    options: NodeOptions,
) -> Tensor:
    """Return the tensor that these options declare; defaults are left out, as in a spec."""
    given = without_defaults(given, _CONSTANT_DEFAULTS)
    if (dtype := given.get("dtype")) is not None:
        given["dtype"] = as_plain("dtype", dtype)
    layer = layer_call(kind, {**given, **options})
    return Tensor(record_call(layer, () if source is None else (source,), {}, name))
