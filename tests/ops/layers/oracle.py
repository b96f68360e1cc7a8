"""Runs a lowering with torch: builds its module, and runs its code on tensors of its types."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from mimgraph.infer.requirements import release
from mimgraph.ir.code import (
    Attribute,
    Binary,
    Call,
    Code,
    Conditional,
    Constant,
    ModelDtype,
    Name,
    Operand,
    RuntimeSize,
    Slice,
    Subscript,
    Tuple,
    Unary,
)
from mimgraph.ir.dim import Size, substitute, symbol
from mimgraph.ir.lowering import MODULE, RESULT, Lowering, Module, module_call
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import Op
from mimgraph.ops.registry import find
from tests.helpers.running import seed

BATCH_SIZE = 2
TORCH = release(torch.__version__)
Sizes = Mapping[str, int]


class Case(NamedTuple):
    layer: str
    sources: TensorType | Mapping[str, TensorType]
    options: Mapping[str, Any] = {}

    def __str__(self) -> str:
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.layer}({options})".replace(" ", "")


def tensor(*dims: int | str, dtype: str = "float32", vocab: int | None = None) -> TensorType:
    """Return a type with a batch; words are names of sizes."""
    return TensorType(tuple(symbol(d) if isinstance(d, str) else d for d in dims), dtype, vocab)


def unbatched(*dims: int | str, dtype: str = "float32") -> TensorType:
    """Return a type whose whole shape is given."""
    return replace(tensor(*dims, dtype=dtype), batched=False)


def operation(name: str) -> Op:
    """Return the layer or merge of that name."""
    op = find("layer", name) or find("merge", name)
    assert op is not None, name
    return op


def keyed(op: Op, sources: TensorType | Mapping[str, TensorType]) -> Mapping[str, TensorType]:
    """Return sources by operand key; a single one is the first."""
    return sources if isinstance(sources, Mapping) else {op.inputs.names[0]: sources}


def is_new(layer: str, option: str) -> bool:
    """Return whether the installed torch does not have the option yet."""
    op = find("layer", layer)
    return op is not None and op.since.get(option, TORCH) > TORCH


def runs_here(case: Case) -> bool:
    """Return whether the installed torch has all options of a case."""
    return not any(is_new(case.layer, option) for option in case.options)


def infer(name: str, sources: TensorType | Mapping[str, TensorType], **options: Any) -> Lowering:
    """Apply the rule as inference does: with checked options and defaults."""
    op = operation(name)
    assert options.keys() <= op.options.keys()
    complete = {
        key: option.check(options[key]) if key in options else option.default
        for key, option in op.options.items()
    }
    return op.infer(keyed(op, sources), complete)


def size_of(size: Size, sizes: Sizes) -> int:
    found = substitute(size, {"N": BATCH_SIZE, **sizes})
    assert isinstance(found, int)
    return found


def shape_of(type_: TensorType, sizes: Sizes) -> tuple[int, ...]:
    return tuple(size_of(size, sizes) for size in type_.shape)


def make(type_: TensorType, sizes: Sizes) -> Tensor:
    """Return a random tensor of that type; integers are 1 or 2."""
    shape, dtype = shape_of(type_, sizes), getattr(torch, type_.dtype)
    if dtype.is_floating_point or dtype.is_complex:
        return torch.rand(shape).to(dtype)
    return (
        torch.ones(shape, dtype=dtype)
        if dtype is torch.bool
        else torch.randint(1, 3, shape).to(dtype)
    )


def build(lowering: Lowering, ports: Iterable[str] = ()) -> nn.Module | None:
    """Return the torch module of a lowering, made for these ports."""
    made = lowering.module_for(ports)
    return None if made is None else construct(made)


def construct(module: Module) -> Any:
    """Return a module and its inner modules, without options that the installed torch lacks."""
    arguments = {
        name: construct(value) if isinstance(value, Module) else value
        for name, value in module.arguments.items()
        if not is_new(module.name, name)
    }
    return operator.attrgetter(module.class_name)(NAMESPACE)(**arguments)


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def run(
    code: Code,
    operands: Mapping[str, Any],
    sizes: Sizes = {},  # noqa: B006
    training: bool = True,
) -> Any:
    """Return the value of an expression."""

    def value(node: Code) -> Any:
        match node:
            case Operand(key):
                return operands[key]
            case Constant(constant):
                return constant
            case RuntimeSize(size):
                return size_of(size, sizes)
            case ModelDtype():
                return torch.float32
            case Name("self.training"):
                return training
            case Name(name):
                return operator.attrgetter(name)(NAMESPACE)
            case Attribute(inner, name):
                return getattr(value(inner), name)
            case Call(function, args, keywords):
                return value(function)(*map(value, args), **{k: value(v) for k, v in keywords})
            case Subscript(inner, index):
                return value(inner)[value(index)]
            case Slice(start, stop, step):
                return slice(*(part and value(part) for part in (start, stop, step)))
            case Tuple(items):
                return tuple(map(value, items))
            case Unary(sign, inner):
                return -value(inner) if sign == "-" else ~value(inner)
            case Binary(sign, left, right):
                return OPERATORS[sign](value(left), value(right))
            case Conditional(one, test, other):
                return value(one if value(test) else other)
        raise TypeError(node)

    return value(code)


class NAMESPACE:
    """Return the names that emitted code may use."""

    torch, nn, F, torchvision = torch, nn, F, torchvision
    _rois = staticmethod(torchvision.ops._utils.convert_boxes_to_roi_format)


def results(
    lowering: Lowering, sources: Mapping[str, Tensor], module: nn.Module | None, sizes: Sizes
) -> dict[str, list[Any]]:
    """Return the values of every port, one for each form in which it may be emitted.

    A form that needs other arguments of the module runs on a module with these, under the same seed.
    """
    operands: dict[str, Any] = {**sources, MODULE.key: module}
    for key, code in lowering.steps.items():
        operands[key] = run(code, operands, sizes)
    whole = dict(operands)
    if lowering.module_for(lowering.ports) is not lowering.module:
        whole[MODULE.key] = build(lowering, lowering.ports)
    seed()
    called = lowering.call or module_call(*map(Operand, sources))
    whole[RESULT.key] = run(called, whole, sizes)
    if not lowering.ports:
        return {"": [whole[RESULT.key]]}
    found = {name: [run(port.code, whole, sizes)] for name, port in lowering.ports.items()}
    for name, port in lowering.ports.items():
        if port.alone is not None:
            seed()
            found[name].append(run(port.alone, operands, sizes))
    return found
