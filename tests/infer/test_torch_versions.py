"""Options that an older torch lacks are reported before the module is built."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import mimgraph as mg
from mimgraph import layers
from mimgraph.infer.requirements import check_torch, release
from mimgraph.ops import registry
from mimgraph.ops.op import Op
from tests.helpers.cases import each

NORMS = """
nodes:
  a: {layer: GroupNorm, from: image, num_groups: 4, bias: false}
  b: {from: a, seq: [{BatchNorm2d: {bias: true}}, {InstanceNorm2d: {affine: true, bias: false}}]}
  c: {share: a, from: b}
  d: {layer: BatchNorm2d, each: {one: c, two: b}, with: {bias: [true, false]}}
  e: {merge: add, from: [d.*]}
inputs: {image: [8, 16, 16]}
outputs: e
"""


@each(
    "text, expected",
    [("2.5", (2, 5)), ("2.13.0+cpu", (2, 13)), ("2.16.0a0+gitb1", (2, 16)), ("10.0", (10, 0))],
)
def test_a_version_is_read_as_a_release(text: str, expected: tuple[int, int]) -> None:
    assert release(text) == expected


@each("text", ["", "2", "two", "2.4.1", "1.13", "2.99999999999999999999"])
def test_texts_that_are_no_version_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write one such as 2.13|older than 2.5"):
        release(text)


def test_options_that_are_too_new_are_found() -> None:
    """`bias: true` is fine: a default is not written to the emitted file."""
    graph = mg.loads(NORMS)
    with pytest.raises(mg.SpecError) as caught:
        check_torch(graph.typed, "2.11.0")
    found = [(d.code, d.node, d.span.line, d.span.column) for d in caught.value.diagnostics]
    assert found == [
        ("torch-version", "a", 3, 59),
        ("torch-version", "b.1", 4, 89),
        ("torch-version", "d.two", 6, 71),
    ]
    check_torch(graph.typed, "2.12.0")


def test_compile_checks_for_the_installed_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = mg.Graph(layers.BatchNorm2d(bias=False)(mg.Input("image", (8, 4, 4))))
    monkeypatch.setattr(torch, "__version__", "2.8.0+cu128")
    with pytest.raises(mg.SpecError, match="bias of BatchNorm2d needs torch 2.12"):
        graph.compile()


OPS: list[Op] = [op for op in registry.ops("layer").values() if op.since]


@each("op", OPS)
def test_torch_has_each_option_since_that_release(op: Op) -> None:
    """The class of the installed torch has the option if and only if the release is new enough."""
    cls: Callable[..., object] = getattr(torch.nn, op.name)
    has = set(cls.__init__.__code__.co_varnames)  # type: ignore[misc]
    for name, since in op.since.items():
        assert (name in has) == (release(torch.__version__) >= since)
