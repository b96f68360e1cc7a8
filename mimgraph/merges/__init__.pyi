"""Written from the catalogue by `pytest tests/test_stubs.py --rewrite`."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from mimgraph.builder import Tensor

_Activation: TypeAlias = str | Mapping[str, Mapping[str, Any]] | object

def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor = ...,
    *,
    is_causal: bool = ...,
    scale: float | None = ...,
    activation: _Activation = ...,
    name: str | None = ...,
) -> Tensor:
    """Values by the likeness of query and key; `mask` is true where it may look: (N, *, L, D)."""

def add(
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    name: str | None = ...,
) -> Tensor:
    """The sum: (*), (*) -> (*)."""

def subtract(
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    name: str | None = ...,
) -> Tensor:
    """The first without the second: (*), (*) -> (*)."""

def multiply(
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    name: str | None = ...,
) -> Tensor:
    """The product: (*), (*) -> (*)."""

def average(
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    name: str | None = ...,
) -> Tensor:
    """The mean: (*), (*) -> (*)."""

def maximum(
    *sources: Tensor,
    broadcast: bool = ...,
    activation: _Activation = ...,
    name: str | None = ...,
) -> Tensor:
    """The largest of each element: (*), (*) -> (*)."""

def formula(
    expr: str,
    sources: Mapping[str, Tensor] = ...,
    *,
    broadcast: bool = ...,
    activation: _Activation = ...,
    name: str | None = ...,
    **named: Tensor,
) -> Tensor:
    """Arithmetic as one reads it: "g * a + (1 - g) * b", (*), (*) -> (*)."""

def concat(
    *sources: Tensor,
    dim: int = ...,
    broadcast: bool = ...,
    activation: _Activation = ...,
    name: str | None = ...,
) -> Tensor:
    """One behind the other along `dim`, equal on all other axes: (N, A), (N, B) -> (N, A + B)."""

def stack(
    *sources: Tensor,
    dim: int = ...,
    activation: _Activation = ...,
    name: str | None = ...,
) -> Tensor:
    """Along a new axis, all of one shape: (N, D), (N, D) -> (N, 2, D)."""

def dot(
    *sources: Tensor,
    activation: _Activation = ...,
    name: str | None = ...,
) -> Tensor:
    """The dot product of two vectors: (N, D), (N, D) -> (N,)."""

def matmul(
    *sources: Tensor,
    activation: _Activation = ...,
    name: str | None = ...,
) -> Tensor:
    """The matrix product: (N, *, L, D), (N, *, D, M) -> (N, *, L, M); one may lack a batch."""
