"""Make the heads, which take several maps: a block with an input `x0`, `x1`, ... for each of them.

Each returns what the module returns in training, as outputs of the block, and `predictions`, which it
returns in evaluation, decoded to pixels. A head that needs no suppression of overlapping boxes (`end2end`) has each
convolution a second time, under `one2one_`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from mimgraph.importer.foreign.ultralytics.arguments import Numbers
from mimgraph.importer.foreign.ultralytics.library import Block
from mimgraph.importer.foreign.ultralytics.made import Made

Nodes = dict[str, Any]


class Levels(NamedTuple):
    """The maps that a head takes, and what the whole file says: their channels and strides, the bins
    of a distance (`reg_max`), whether there is a second set of convolutions (`end2end`), and whether the
    head for classes has full convolutions, as up to version 9 (`legacy`)."""

    channels: list[int]
    strides: list[Fraction]
    reg_max: int
    end2end: bool
    legacy: bool

    @property
    def names(self) -> list[str]:
        """The names of the inputs of the block."""
        return [f"x{index}" for index in range(len(self.channels))]


POINTS_OF_A_PERSON = Numbers((17, 3))

HEADS: dict[str, Callable[..., Made]] = {}


def head(name: str) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """Register the function that makes a head of this name."""

    def add(make: Callable[..., Made]) -> Callable[..., Made]:
        HEADS[name] = make
        return make

    return add


class _Head:
    """A head that is being made: the nodes of its block, its outputs, and the keys of its weights."""

    def __init__(self, name: str, levels: Levels) -> None:
        self.name = name
        self.levels = levels
        self.nodes: Nodes = {}
        self.outputs: dict[str, Any] = {}
        self.keys: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self.branches = {"": levels.names}
        if levels.end2end:
            self.nodes["detached"] = {"layer": "Detach", "each": levels.names}
            self.branches["one2one_"] = [f"detached.{one}" for one in levels.names]

    def maps(self, name: str, output: str, block: str, hidden: int, channels: int) -> None:
        """Add the convolutions `name` at each level, and the output that joins their results."""
        for branch, sources in self.branches.items():
            options = {"hidden": hidden, "channels": channels}
            self.nodes[branch + name] = {"block": block, "each": sources, **options}
            parts = [f"{branch}{name}.{one}" for one in self.levels.names]
            self.nodes[branch + output] = {"merge": "concat", "from": parts, "dim": 2}
            self.outputs[branch + output] = branch + output
            self.number(branch + name)

    def number(self, name: str) -> None:
        """Give the weights of an `each` of the levels the numbers that they have in a list."""
        for index, one in enumerate(self.levels.names):
            self.keys[f"{name}.{one}"] = f"{name}.{index}"

    def made(self, channels: int = 0) -> Made:
        """Return the head as a use of its block."""
        block: Block = {
            "inputs": self.levels.names,
            "nodes": self.nodes,
            "outputs": dict(self.outputs),
        }
        ports = {name: name for name in self.outputs}
        return Made(
            {"block": self.name},
            channels,
            keys=self.keys,
            blocks={self.name: block},
            outputs=ports,
            left_out=self.left_out,
        )


def _detector(name: str, levels: Levels, nc: int, legacy: bool) -> _Head:
    """Return the head with the boxes and the scores, which all detectors have."""
    head, first = _Head(name, levels), levels.channels[0]
    boxes = max(16, first // 4, 4 * levels.reg_max)
    head.maps("cv2", "boxes", "ConvHead", boxes, 4 * levels.reg_max)
    scores = max(first, min(nc, 100))
    head.maps("cv3", "scores", "ConvHead" if legacy else "DepthwiseHead", scores, nc)
    return head


def _decoded(head: _Head, *more: str) -> _Head:
    """Add the output `predictions`: boxes in pixels, the probabilities of the classes, and `more`."""
    levels = head.levels
    branch = list(head.branches)[-1]
    block = "DecodeCorners" if levels.end2end else "DecodeBoxes"
    if levels.reg_max == 1:
        block += "OfOneBin"
    for name, stride in zip(levels.names, levels.strides, strict=True):
        source = {"sides": f"{branch}cv2.{name}", "features": name}
        size: int | float = int(stride) if stride.denominator == 1 else float(stride)
        bins = {} if levels.reg_max in (1, 16) else {"bins": levels.reg_max}
        head.nodes[f"boxes_{name}"] = {"block": block, "from": source, "stride": size, **bins}
    parts = [f"boxes_{name}" for name in levels.names]
    head.nodes["all_boxes"] = {"merge": "concat", "from": parts, "dim": 2}
    head.nodes["probabilities"] = {"layer": "Sigmoid", "from": f"{branch}scores"}
    joined = ["all_boxes", "probabilities", *(branch + one for one in more)]
    head.nodes["predictions"] = {"merge": "concat", "from": joined}
    head.outputs = {"predictions": "predictions", **head.outputs}
    if levels.end2end:
        head.left_out["TopK"] = (
            "predictions holds every box; Ultralytics returns the 300 of the highest scores"
        )
    return head


@head("Detect")
def detect(levels: Levels, nc: int) -> Made:
    return _decoded(_detector("Detect", levels, nc, levels.legacy)).made()


@head("v10Detect")
def v10_detect(levels: Levels, nc: int) -> Made:
    twice = levels._replace(end2end=True, reg_max=16)
    return _decoded(_detector("v10Detect", twice, nc, legacy=False)).made()


@head("Segment")
def segment(levels: Levels, nc: int, nm: int = 32, npr: int = 256) -> Made:
    head = _detector("Segment", levels, nc, levels.legacy)
    hidden = max(levels.channels[0] // 4, nm)
    head.maps("cv4", "mask_coefficient", "ConvHead", hidden, nm)
    head.nodes["proto"] = {"block": "Proto", "from": "x0", "hidden": npr, "out_channels": nm}
    head.outputs["proto"] = "proto"
    return _decoded(head, "mask_coefficient").made()


@head("OBB")
def obb(levels: Levels, nc: int, ne: int = 1) -> Made:
    return _rotated("OBB", levels, nc, ne, "(sigmoid(angle) - 0.25) * 3.141592653589793")


@head("OBB26")
def obb26(levels: Levels, nc: int, ne: int = 1) -> Made:
    return _rotated("OBB26", levels, nc, ne, "")


def _rotated(name: str, levels: Levels, nc: int, ne: int, expression: str) -> Made:
    """Return a head with an angle for each box, which `expression` computes."""
    head = _detector(name, levels, nc, levels.legacy)
    output = "raw_angle" if expression else "angle"
    head.maps("cv4", output, "ConvHead", max(levels.channels[0] // 4, ne), ne)
    for branch in head.branches if expression else ():
        formula = {"merge": "formula", "expr": expression, "from": {"angle": branch + output}}
        head.nodes[f"{branch}angle"] = formula
        del head.outputs[branch + output]
        head.outputs[f"{branch}angle"] = f"{branch}angle"
    head.left_out["decoding"] = "the rotated boxes are not decoded to pixels"
    return head.made()


@head("Pose")
def pose(levels: Levels, nc: int, kpt_shape: Numbers = POINTS_OF_A_PERSON) -> Made:
    head = _detector("Pose", levels, nc, levels.legacy)
    if len(kpt_shape) != 2:
        raise ValueError("kpt_shape must be two numbers, the points and the values of each")
    numbers = kpt_shape[0] * kpt_shape[1]
    head.maps("cv4", "kpts", "ConvHead", max(levels.channels[0] // 4, numbers), numbers)
    head.left_out["decoding"] = "the boxes and points are not decoded to pixels"
    return head.made()
