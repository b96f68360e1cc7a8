"""GridSample and AffineGrid give the results of torch's functions, and refuse what torch refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

import mimgraph as mg
from mimgraph.ops.op import OpFault
from tests.ops.layers.oracle import infer, tensor, unbatched

SPEC = """
inputs: {x: [C, 9, W], theta: [2, 3]}
nodes:
  grid: {layer: AffineGrid, from: theta, size: [5, 7], align_corners: true}
  y: {layer: GridSample, from: {input: x, grid: grid}, mode: %s, padding_mode: border}
outputs: y
"""


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_an_image_is_sampled_as_by_torch(mode: str) -> None:
    x, theta = torch.rand(2, 3, 9, 8), torch.rand(2, 2, 3)
    grid = F.affine_grid(theta, [2, 1, 5, 7], align_corners=True)
    expected = F.grid_sample(x, grid, mode=mode, padding_mode="border", align_corners=False)
    graph = mg.loads(SPEC % mode)
    assert str(graph.shapes["y"]) == "(N, C, 5, 7)"
    torch.testing.assert_close(graph.compile()(x=x, theta=theta), expected)


def test_a_volume_is_sampled_as_by_torch() -> None:
    x, grid = mg.Input("x", (3, 4, 5, 6)), mg.Input("theta", (3, 4))
    places = mg.layers.AffineGrid((2, 2, 2))(grid)
    model = mg.Graph(mg.layers.GridSample()(input=x, grid=places)).compile()
    volume, theta = torch.rand(2, 3, 4, 5, 6), torch.rand(2, 3, 4)
    places_of_torch = F.affine_grid(theta, [2, 1, 2, 2, 2], align_corners=False)
    expected = F.grid_sample(volume, places_of_torch, align_corners=False)
    torch.testing.assert_close(model(x=volume, theta=theta), expected)


IMAGE, GRID = tensor(3, 9, 8), tensor(5, 7, 2)


@pytest.mark.parametrize(
    ("name", "sources", "options", "message"),
    [
        ("GridSample", {"input": tensor(9, 8), "grid": GRID}, {}, "GridSample takes (N, C, H, W)"),
        (
            "GridSample",
            {"input": IMAGE, "grid": tensor(5, 7, 3)},
            {},
            "takes a grid (N, H', W', 2)",
        ),
        ("GridSample", {"input": IMAGE, "grid": unbatched(5, 7, 2)}, {}, "takes a grid"),
        ("AffineGrid", tensor(2, 3), {"size": (4,)}, "size has 1 values"),
        ("AffineGrid", tensor(3, 4), {"size": (4, 4)}, "AffineGrid takes (N, 2, 3)"),
    ],
)
def test_other_shapes_are_refused(
    name: str, sources: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(OpFault) as caught:
        infer(name, sources, **options)
    assert message in caught.value.message
