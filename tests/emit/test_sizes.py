"""Sizes known only at run time are read from an axis, with arithmetic around it."""

from __future__ import annotations

import pytest

from mimgraph.emit.sizes import Readable, resolve_sizes
from mimgraph.ir.code import Name, RuntimeSize, call
from mimgraph.ir.dim import Size, symbol
from mimgraph.ir.types import BATCH, TensorType
from tests.helpers.cases import each
from tests.helpers.printing import expression

S, T = symbol("S"), symbol("T")


def tensors(**dims: tuple[Size, ...]) -> Readable:
    return [(Name(name), TensorType(sizes)) for name, sizes in dims.items()]


CASES: dict[str, tuple[Size, Readable, str]] = {
    "an axis": (T, tensors(x=(T, 64)), "x.shape[1]"),
    "the batch": (BATCH, tensors(x=(T,)), "x.shape[0]"),
    "the first axis that has it": (T, tensors(x=(4, 64), y=(3, T), z=(T,)), "y.shape[2]"),
    "the whole size before its names": (2 * T, tensors(x=(T,), y=(2 * T,)), "y.shape[1]"),
    "arithmetic": (2 * T + 1, tensors(x=(T,)), "2 * x.shape[1] + 1"),
    "a difference": (T - 2, tensors(x=(T,)), "x.shape[1] - 2"),
    "a positive term first": (3 - T, tensors(x=(T,)), "3 - x.shape[1]"),
    "all negative": (-T, tensors(x=(T,)), "0 - x.shape[1]"),
    "a power": (T**2, tensors(x=(T,)), "x.shape[1] ** 2"),
    "a division": ((T - 3) // 2, tensors(x=(T,)), "(x.shape[1] - 3) // 2"),
    "a remainder": (T % 4, tensors(x=(T,)), "x.shape[1] % 4"),
    "several names": (T * S, tensors(x=(T,), y=(S,)), "y.shape[1] * x.shape[1]"),
    "solved for the factor": (T, tensors(x=(2 * T,)), "x.shape[1] // 2"),
    "solved for both": (T, tensors(x=(2 * T + 3,)), "(x.shape[1] - 3) // 2"),
    "a multiple of an axis": (2 * (T // 4) + 5, tensors(x=(T // 4 + 1,)), "2 * x.shape[1] + 3"),
    "less than an axis": (T // 4 - 1, tensors(x=(T // 4,)), "x.shape[1] - 1"),
    "a multiple of a product": (2 * S * T, tensors(x=(S * T,)), "2 * x.shape[1]"),
    "solved, less than": (T, tensors(x=(T - 1,)), "x.shape[1] + 1"),
}


@each("size, readable, text", CASES)
def test_sizes_are_read_from_the_tensors_at_hand(size: Size, readable: Readable, text: str) -> None:
    code = resolve_sizes(call("f", size), readable)
    assert expression(code) == f"f({text})"


def test_other_code_stays() -> None:
    code = call("f", Name("x"), 3)
    assert resolve_sizes(code, tensors(x=(T,))) == code


def test_a_size_that_no_axis_gives_is_an_internal_error() -> None:
    with pytest.raises(AssertionError, match="no axis tells the size S"):
        resolve_sizes(RuntimeSize(S), tensors(x=(T,)))
