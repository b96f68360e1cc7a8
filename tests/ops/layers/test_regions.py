"""Layers of torchvision give the results of torchvision on the regions of each image."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchvision

import mimgraph as mg
from mimgraph.infer.requirements import check_packages
from mimgraph.ops.op import OpFault
from tests.ops.layers.oracle import infer, tensor

SPEC = """
inputs: {image: [18, 16, 16], boxes: [5, 4]}
nodes:
  corners: {layer: BoxConvert, from: boxes, in_fmt: cxcywh, out_fmt: xyxy}
  regions: {layer: %s, from: {input: image, boxes: corners}, output_size: 3, spatial_scale: 0.5%s}
outputs: regions
"""


@pytest.mark.parametrize(
    ("layer", "function", "options"),
    [
        ("RoIAlign", "roi_align", {"sampling_ratio": 2, "aligned": True}),
        ("RoIPool", "roi_pool", {}),
        ("PSRoIAlign", "ps_roi_align", {"sampling_ratio": 2}),
        ("PSRoIPool", "ps_roi_pool", {}),
    ],
)
def test_regions_are_pooled_image_by_image(
    layer: str, function: str, options: dict[str, Any]
) -> None:
    given = "".join(f", {key}: {str(value).lower()}" for key, value in options.items())
    model = mg.loads(SPEC % (layer, given)).compile()
    image, boxes = torch.rand(3, 18, 16, 16), 4 + 20 * torch.rand(3, 5, 4)
    corners = torchvision.ops.box_convert(boxes, "cxcywh", "xyxy")
    pool = getattr(torchvision.ops, function)
    expected = [
        pool(one[None], [places], 3, spatial_scale=0.5, **options)
        for one, places in zip(image, corners, strict=True)
    ]
    torch.testing.assert_close(model(image=image, boxes=boxes), torch.stack(expected))


def test_a_deformable_convolution_has_the_weights_and_results_of_torchvision() -> None:
    image, offset, mask = (mg.Input(n, (c, 6, 6)) for n, c in (("x", 4), ("o", 18), ("m", 9)))
    conv = mg.layers.DeformConv2d(8, kernel_size=3, padding=1, groups=2)
    y = conv(image, offset, mask, name="conv")
    model = mg.Graph(y).compile()
    theirs = torchvision.ops.DeformConv2d(4, 8, 3, padding=1, groups=2)
    theirs.load_state_dict({"weight": model.conv.weight, "bias": model.conv.bias})
    x, o, m = torch.rand(2, 4, 6, 6), torch.rand(2, 18, 6, 6), torch.rand(2, 9, 6, 6)
    torch.testing.assert_close(model(x=x, o=o, m=m), theirs(x, o, m))


def test_frozen_norms_have_buffers_alone() -> None:
    x = mg.Input("x", (4, 6, 6))
    model = mg.Graph(mg.layers.FrozenBatchNorm2d()(x, name="norm")).compile()
    theirs = torchvision.ops.FrozenBatchNorm2d(4)
    assert [f"norm.{key}" for key in theirs.state_dict()] == list(model.state_dict())
    assert not list(model.parameters())


IMAGE, BOXES = tensor(4, 9, 8), tensor(5, 4)


@pytest.mark.parametrize(
    ("layer", "sources", "options", "message"),
    [
        ("RoIAlign", {"input": IMAGE, "boxes": tensor(4)}, {"output_size": 3}, "boxes (N, R, 4)"),
        ("PSRoIPool", {"input": IMAGE, "boxes": BOXES}, {"output_size": 3}, "4 channels cannot"),
        (
            "DeformConv2d",
            {"input": IMAGE, "offset": tensor(17, 7, 6)},
            {"out_channels": 2, "kernel_size": 3},
            "DeformConv2d needs offset (N, 18, 7, 6)",
        ),
        ("BoxIoU", {"boxes1": BOXES, "boxes2": tensor(4)}, {}, "BoxIoU takes boxes (N, R, 4)"),
    ],
)
def test_other_shapes_are_refused(
    layer: str, sources: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(OpFault) as caught:
        infer(layer, sources, **options)
    assert message in caught.value.message


def test_a_package_that_is_not_installed_is_reported_at_the_node() -> None:
    graph = mg.loads(SPEC % ("RoIAlign", ""))
    with pytest.raises(mg.SpecError) as caught:
        check_packages(graph.typed, lambda package: package != "torchvision")
    assert [(d.code, d.node) for d in caught.value.diagnostics] == [
        ("missing-package", "corners"),
        ("missing-package", "regions"),
    ]
