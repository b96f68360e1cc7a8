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
        self.convolve(name, block, hidden=hidden, channels=channels)
        for branch in self.branches:
            self.join(branch + output, self.of_levels(branch + name))
            self.outputs[branch + output] = branch + output

    def convolve(self, name: str, block: str, of: str = "", **params: int) -> None:
        """Add a block at each level, on the maps or on the results of the blocks `of`."""
        for branch, maps in self.branches.items():
            sources = self.of_levels(branch + of) if of else maps
            self.nodes[branch + name] = {"block": block, "each": sources, **params}
            self.number(branch + name)

    def of_levels(self, name: str) -> list[str]:
        """Return the results of an `each` of the levels."""
        return [f"{name}.{one}" for one in self.levels.names]

    def join(self, name: str, parts: list[str]) -> None:
        """Add the node that joins the results of all levels."""
        self.nodes[name] = {"merge": "concat", "from": parts, "dim": 2}

    def decode(self, name: str, block: str, *sources: str, **params: int) -> list[str]:
        """Add a block at each level that turns its results, `sources`, into pixels; return the nodes."""
        levels = self.levels
        for one, stride in zip(levels.names, levels.strides, strict=True):
            pixels: int | float = int(stride) if stride.denominator == 1 else float(stride)
            given = [source + one for source in sources]
            self.nodes[f"{name}_{one}"] = {
                "block": block,
                "from": [*given, one],
                "stride": pixels,
                **params,
            }
        return [f"{name}_{one}" for one in levels.names]

    @property
    def last(self) -> str:
        """The names of the convolutions that are decoded begin with this."""
        return list(self.branches)[-1]

    def number(self, name: str, inside: str = "") -> None:
        """Give the weights of an `each` of the levels the numbers that they have in a list; those below
        the node `inside` are the module's own there."""
        for index, one in enumerate(self.levels.names):
            self.keys[f"{name}.{one}{inside}"] = f"{name}.{index}"

    def made(self, only_in_training: tuple[str, ...] = ()) -> Made:
        """Return the head as a use of its block."""
        block: Block = {
            "inputs": self.levels.names,
            "nodes": self.nodes,
            "outputs": dict(self.outputs),
        }
        ports = {name: name for name in self.outputs}
        return Made(
            {"block": self.name},
            channels=0,
            keys=self.keys,
            blocks={self.name: block},
            outputs=ports,
            only_in_training=only_in_training,
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


def _decoded(head: _Head, block: str = "", angle: str = "", more: str = "") -> _Head:
    """Add the output `predictions`: boxes in pixels, the probabilities of the classes, and `more`.

    The boxes are decoded by `block`; `angle` begins the names of the angles at each level.
    """
    levels = head.levels
    block = block or ("DecodeCorners" if levels.end2end else "DecodeBoxes")
    block += "OfOneBin" if levels.reg_max == 1 else ""
    bins = {} if levels.reg_max in (1, 16) else {"bins": levels.reg_max}
    sources = (f"{head.last}cv2.", angle) if angle else (f"{head.last}cv2.",)
    head.join("all_boxes", head.decode("boxes", block, *sources, **bins))
    head.nodes["probabilities"] = {"layer": "Sigmoid", "from": f"{head.last}scores"}
    joined = ["all_boxes", "probabilities", more] if more else ["all_boxes", "probabilities"]
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
    head = _with_masks("Segment", levels, nc, nm)
    head.nodes["proto"] = {"block": "Proto", "from": "x0", "hidden": npr, "out_channels": nm}
    head.outputs["proto"] = "proto"
    return head.made()


@head("Segment26")
def segment26(levels: Levels, nc: int, nm: int = 32, npr: int = 256) -> Made:
    head, first = _with_masks("Segment26", levels, nc, nm), levels.channels[0]
    added = ["x0"]
    for index, one in enumerate(levels.names[1:]):
        head.nodes[f"refined_{one}"] = {"block": "Conv", "from": one, "out_channels": first}
        head.keys[f"refined_{one}"] = f"proto.feat_refine.{index}"
        larger = {"layer": "Upsample", "from": f"refined_{one}", "scale_factor": 2 ** (index + 1)}
        head.nodes[f"larger_{one}"] = larger
        added.append(f"larger_{one}")
    head.nodes["features"] = {"merge": "add", "from": added}
    fused = {"block": "Conv", "from": "features", "out_channels": npr, "kernel_size": 3}
    head.nodes["fused"] = fused
    head.keys["fused"] = "proto.feat_fuse"
    head.nodes["proto"] = {"block": "Proto", "from": "fused", "hidden": npr, "out_channels": nm}
    semantic = {"block": "ConvMaps", "from": "features", "hidden": npr, "channels": nc}
    head.nodes["semantic"] = semantic
    head.keys["semantic"] = "proto.semseg"
    head.outputs |= {"proto": "proto", "semantic": "semantic"}
    return head.made(only_in_training=("semantic",))


def _with_masks(name: str, levels: Levels, nc: int, nm: int) -> _Head:
    """Return a head with the coefficients of the masks for each box."""
    head = _detector(name, levels, nc, levels.legacy)
    head.maps("cv4", "mask_coefficient", "ConvHead", max(levels.channels[0] // 4, nm), nm)
    return _decoded(head, more=f"{head.last}mask_coefficient")


@head("OBB")
def obb(levels: Levels, nc: int, ne: int = 1) -> Made:
    return _rotated("OBB", levels, nc, ne, "AngleHead")


@head("OBB26")
def obb26(levels: Levels, nc: int, ne: int = 1) -> Made:
    return _rotated("OBB26", levels, nc, ne, "ConvHead")


def _rotated(name: str, levels: Levels, nc: int, ne: int, block: str) -> Made:
    """Return a head with an angle for each box."""
    if ne != 1:
        raise ValueError(f"{name} is read with one angle only")
    head = _detector(name, levels, nc, levels.legacy)
    head.maps("cv4", "angle", block, max(levels.channels[0] // 4, ne), ne)
    if block == "AngleHead":
        for branch in head.branches:
            head.number(f"{branch}cv4", ".maps")
    angle = f"{head.last}cv4."
    return _decoded(head, "DecodeRotated", angle, more=f"{head.last}angle").made()


@head("Pose")
def pose(levels: Levels, nc: int, kpt_shape: Numbers = POINTS_OF_A_PERSON) -> Made:
    head, numbers = _detector("Pose", levels, nc, levels.legacy), _numbers(kpt_shape)
    head.maps("cv4", "kpts", "ConvHead", max(levels.channels[0] // 4, numbers), numbers)
    block = "DecodePoints" if kpt_shape[1] == 3 else "DecodePlaces"
    head.join("points", head.decode("points", block, f"{head.last}cv4."))
    return _decoded(head, more="points").made()


@head("Pose26")
def pose26(levels: Levels, nc: int, kpt_shape: Numbers = POINTS_OF_A_PERSON) -> Made:
    head, numbers = _detector("Pose26", levels, nc, levels.legacy), _numbers(kpt_shape)
    hidden = max(levels.channels[0] // 4, numbers + 2 * kpt_shape[0])
    head.convolve("cv4", "TwoConvs", hidden=hidden)
    for name, output, channels in (
        ("cv4_kpts", "kpts", numbers),
        ("cv4_sigma", "kpts_sigma", 2 * kpt_shape[0]),
    ):
        head.convolve(name, "FlatConv", of="cv4", channels=channels)
        for branch in head.branches:
            head.number(branch + name, ".0")
            head.join(branch + output, head.of_levels(branch + name))
            head.outputs[branch + output] = branch + output
    block = "DecodePoints26" if kpt_shape[1] == 3 else "DecodePlaces26"
    head.join("points", head.decode("points", block, f"{head.last}cv4_kpts."))
    head.left_out["flow_model"] = "its weights are used by the loss only"
    sigmas = tuple(f"{branch}kpts_sigma" for branch in head.branches)
    return _decoded(head, more="points").made(only_in_training=sigmas)


def _numbers(kpt_shape: Numbers) -> int:
    """Return how many numbers there are for the points of one box."""
    if len(kpt_shape) != 2 or kpt_shape[1] not in (2, 3) or not kpt_shape[0]:
        raise ValueError("kpt_shape must be the number of points, and 2 or 3 values of each")
    return kpt_shape[0] * kpt_shape[1]


@head("SemanticSegment")
def semantic_segment(levels: Levels, nc: int = 19) -> Made:
    head, first = _Head("SemanticSegment", levels._replace(end2end=False)), levels.channels[0]
    for name, source in (("classifier", "x0"), ("aux_head", "x1"))[: len(levels.channels)]:
        block = {"block": "ConvMap", "from": source, "hidden": first, "channels": nc}
        head.nodes[name] = block
    head.outputs = {"logits": "classifier"}
    if len(levels.channels) > 1:
        head.outputs["aux"] = "aux_head"
    training = tuple(name for name in head.outputs if name == "aux")
    return head.made(training)._replace(has_feats=False)
