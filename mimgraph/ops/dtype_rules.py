"""Compute the dtypes of results, and the range of finite numbers of a dtype."""

from __future__ import annotations

from mimgraph.ir.types import COMPLEX, FLOATING

_LARGEST: dict[str, float] = {
    "bool": 1,
    **{f"int{bits}": 2 ** (bits - 1) - 1 for bits in (8, 16, 32, 64)},
    "uint8": 255,
    "float16": 65504.0,
    "bfloat16": (2 - 2**-7) * 2.0**127,
    **dict.fromkeys(("float32", "complex64"), (2 - 2**-23) * 2.0**127),
}


def largest(dtype: str) -> float:
    """Return the largest finite number of a dtype; infinity where every Python number fits."""
    return _LARGEST.get(dtype, float("inf"))


def lowest(dtype: str) -> float:
    """Return the least finite number of a dtype; minus infinity where every Python number fits."""
    return 0 if dtype in ("bool", "uint8") else -largest(dtype) - dtype.startswith("int")


def as_float(dtype: str) -> str:
    """Return float32 for a dtype of integers or bool, and any other one unchanged."""
    return dtype if dtype in (*FLOATING, *COMPLEX) else "float32"


def real(dtype: str) -> str:
    """Return the dtype of absolute values."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
