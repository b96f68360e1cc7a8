"""Tensors of the model itself, made in Python: `Parameter`, `Buffer`, `arange`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mimgraph.builder.record import Tensor, record, sizes_of
from mimgraph.builder.user_line import here
from mimgraph.ir.dim import Dim
from mimgraph.ops import registry
from mimgraph.ops.registry import LayerCall


def Parameter(
    name: str, shape: Iterable[int | Dim], *, init: Any, batched: bool = False, **words: Any
) -> Tensor:
    """A learned tensor of this shape (`torch.nn.Parameter`), without a batch.

    Batched, it is kept as (1, ...) and expanded to (N, ...), as a class token is. `init` is one of
    `torch.nn.init` by name, `"zeros"` or `{"normal": {"std": 0.02}}`; `"sinusoid"`; or the values.
    """
    return _tensor("parameter", name, shape, init=init, batched=batched, **words)


def Buffer(
    name: str,
    shape: Iterable[int | Dim],
    *,
    init: Any,
    batched: bool = False,
    dtype: Any = "float32",
    **words: Any,
) -> Tensor:
    """A fixed tensor of this shape, kept in the `state_dict`; the rest is as of a `Parameter`."""
    kind = str(dtype).removeprefix("torch.")
    return _tensor("buffer", name, shape, init=init, batched=batched, dtype=kind, **words)


def arange(x: Tensor, dim: int, *, name: str | None = None, **words: Any) -> Tensor:
    """The positions along an axis of `x`, from 0: (N, T, *) -> (T,), int64 and without a batch."""
    return record(_call("arange", {"dim": dim, **words}), (x,), {}, name)


def _tensor(kind: str, name: str, shape: Iterable[int | Dim], **words: Any) -> Tensor:
    """What a spec would say of it, which leaves defaults out."""
    usual = {"batched": False, "dtype": "float32"}
    given = {k: v for k, v in words.items() if not _is_usual(v, usual.get(k))}
    return record(_call(kind, {"shape": sizes_of(shape, here()), **given}), (), {}, name)


def _is_usual(value: Any, usual: Any) -> bool:
    return type(value) is type(usual) and usual is not None and value == usual


def _call(kind: str, options: dict[str, Any]) -> LayerCall:
    op = registry.find("tensor", kind)
    assert op is not None
    return LayerCall(op, (), options)
