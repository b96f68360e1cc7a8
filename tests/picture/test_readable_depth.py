"""A picture without a depth opens its blocks as deep as it fits a page or screen in letters that can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mimgraph
from mimgraph.picture import readable_depth as module
from mimgraph.picture import write
from mimgraph.picture.layout.layout import layout
from mimgraph.picture.readable_depth import readable
from mimgraph.picture.scene import Scene
from tests.conftest import ROOT


def nested(width: int, longest: int) -> str:
    """Return a spec of nested blocks: `a` holds one layer; `b` uses `a`; `c` is a row of layers and `b`."""
    row = "\n".join(
        f"      n{i + 1}: {{layer: Linear, from: n{i}, out_features: 4}}" for i in range(longest)
    )
    heads = "\n".join(f"  y{i}: {{block: c, from: x}}" for i in range(width))
    outputs = ", ".join(f"y{i}" for i in range(width))
    return f"""
inputs: {{x: [4]}}
blocks:
  a: {{inputs: [x], nodes: {{y: {{layer: Tanh, from: x}}}}, outputs: y}}
  b: {{inputs: [x], nodes: {{y: {{block: a, from: x}}}}, outputs: y}}
  c:
    inputs: [n0]
    nodes:
{row}
      end: {{block: b, from: n{longest}}}
    outputs: end
nodes:
{heads}
outputs: [{outputs}]
"""


def scene(text: str, **options: Any) -> Scene:
    return mimgraph.loads(text).scene(**options)


@pytest.mark.parametrize(
    ("text", "options", "depth"),
    [
        (nested(1, 2), {}, 3),
        (nested(1, 40), {}, 0),
        (nested(20, 2), {}, 0),
        (nested(1, 40), {"depth": 1}, 1),
        (nested(1, 40), {"depth": "all"}, 3),
        ("inputs: {x: [4]}\nnodes: {y: {layer: Tanh, from: x}}\noutputs: y", {}, 0),
    ],
    ids=["small", "long", "wide", "a depth", "all", "no blocks"],
)
def test_blocks_are_open_as_deep_as_the_picture_fits(text: str, options: Any, depth: int) -> None:
    assert readable(scene(text, **options)).opened == depth


def test_a_picture_that_is_collapsed_has_fewer_levels() -> None:
    whole, less = (scene(nested(1, 40), collapse=collapse) for collapse in (False, True))
    assert (readable(whole).opened, whole.levels) == (0, 3)
    assert (readable(less).opened, less.levels) == (0, 0)


@pytest.mark.parametrize("name", ["bert_base", "mult", "resnet18", "unet_attention"])
def test_the_depth_is_the_deepest_that_fits(name: str) -> None:
    found = readable(mimgraph.load(ROOT / "specs" / f"{name}.yaml").scene())

    def fits(depth: int) -> bool:
        laid = layout(replace(found, depth=depth))
        return any(laid.width <= width and laid.height <= height for width, height in module.PAGES)

    assert [fits(depth) for depth in range(found.levels + 1)] == [
        depth <= found.opened for depth in range(found.levels + 1)
    ]


def test_a_picture_that_is_too_large_is_not_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    laid: list[int] = []
    monkeypatch.setattr(module, "layout", lambda scene: laid.append(scene.depth) or layout(scene))
    assert readable(scene(nested(20, 40))).opened == 0
    assert laid == []


@pytest.mark.parametrize(
    ("layers", "options", "wraps"),
    [(5, {}, False), (60, {}, True), (60, {"depth": "all"}, False), (60, {"depth": 0}, False)],
    ids=["short", "long", "all", "a depth"],
)
def test_a_long_picture_without_blocks_is_set_in_columns(
    layers: int, options: Any, wraps: bool, tmp_path: Path
) -> None:
    row = "".join(
        f"  n{i + 1}: {{layer: Linear, from: n{i}, out_features: 4}}\n" for i in range(layers)
    )
    long = scene(f"inputs: {{n0: [4]}}\nnodes:\n{row}outputs: n{layers}", **options)
    assert write(long, tmp_path / "m.svg").wrap == wraps
    assert not write(long, tmp_path / "m.html").wrap
