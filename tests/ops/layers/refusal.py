"""Checks a fault of a rule: its code and place, and that torch refuses the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault
from tests.ops.layers.oracle import infer


class Refusal(NamedTuple):
    """A call that a rule refuses; `at` is the option or source at fault, `torch` the call that fails."""

    layer: str
    sources: TensorType | Mapping[str, TensorType]
    options: Mapping[str, Any]
    code: str
    at: str | None
    torch: Callable[[], Any] | None = None

    def __str__(self) -> str:
        return f"{self.layer}-{self.code}-{self.at}"


def refused(refusal: Refusal) -> None:
    with pytest.raises(OpFault) as caught:
        infer(refusal.layer, refusal.sources, **refusal.options)
    fault = caught.value
    assert (fault.code, fault.option or fault.source) == (refusal.code, refusal.at)
    assert fault.message[0].islower() or refusal.layer in fault.message
    assert not fault.message.endswith(".")
    if refusal.torch is not None:
        with pytest.raises(
            (RuntimeError, ValueError, IndexError, AssertionError, ZeroDivisionError)
        ):
            refusal.torch()
