"""Small models in Ultralytics' format, one for each module and way to write its arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
FILES = {path.stem: path for path in sorted(HERE.glob("*.yaml"))}

LAST: dict[str, list[Any]] = {  # the row after a stem of 64 channels; widths are halved
    "Conv": [-1, 1, "Conv", [64, 3, 2]],
    "Conv of a list": [-1, 1, "Conv", [64, [1, 3], 1, None, 2]],
    "Conv dilated": [-1, 1, "Conv", [64, 3, 1, None, 1, 2, False]],
    "Conv twice": [-1, 4, "Conv", [128, 3]],
    "DWConv": [-1, 1, "DWConv", [96, 3]],
    "ConvTranspose": [-1, 1, "ConvTranspose", [64]],
    "ConvTranspose2d": [-1, 1, "nn.ConvTranspose2d", [64, 2, 2, 0]],
    "DWConvTranspose2d": [-1, 1, "DWConvTranspose2d", [128, 2, 2]],
    "Focus": [-1, 1, "Focus", [64, 3]],
    "GhostConv": [-1, 1, "GhostConv", [64, 3, 2]],
    "GhostBottleneck": [-1, 1, "GhostBottleneck", [128]],
    "GhostBottleneck down": [-1, 1, "GhostBottleneck", [96, 5, 2]],
    "RepConv": [-1, 1, "RepConv", [64, 64]],
    "Bottleneck": [-1, 1, "Bottleneck", [128]],
    "Bottleneck plain": [-1, 1, "Bottleneck", [128, False, 2, [1, 3], 1.0]],
    "BottleneckCSP": [-1, 4, "BottleneckCSP", [128]],
    "C1": [-1, 4, "C1", [64]],
    "C2": [-1, 4, "C2", [64]],
    "C2f": [-1, 4, "C2f", [64, True, 2, 0.25]],
    "C2f plain": [-1, 1, "C2f", [64]],
    "C3": [-1, 4, "C3", [64]],
    "C3 plain": [-1, 1, "C3", [64, False]],
    "C3x": [-1, 2, "C3x", [64]],
    "C3x plain": [-1, 2, "C3x", [64, False]],
    "C3Ghost": [-1, 2, "C3Ghost", [64]],
    "C3k2": [-1, 4, "C3k2", [64]],
    "C3k2 of C3k": [-1, 2, "C3k2", [64, True, 0.25]],
    "C3k2 with attention": [-1, 2, "C3k2", [128, True, 0.5, True]],
    "C3k2 plain": [-1, 2, "C3k2", [64, True, 0.5, False, 1, False]],
    "RepC3": [-1, 2, "RepC3", [64]],
    "RepC3 hidden": [-1, 2, "RepC3", [64, 0.5]],
    "C2fCIB": [-1, 2, "C2fCIB", [64, True]],
    "C2fCIB large": [-1, 2, "C2fCIB", [64, True, True]],
    "C2fCIB plain": [-1, 2, "C2fCIB", [64, False, True]],
    "C2fPSA": [-1, 2, "C2fPSA", [128]],
    "C2PSA": [-1, 4, "C2PSA", [128]],
    "PSA": [-1, 1, "PSA", [128]],
    "A2C2f": [-1, 4, "A2C2f", [128, True, 4]],
    "A2C2f residual": [-1, 2, "A2C2f", [128, True, 1, True, 1.2]],
    "A2C2f of C3k": [-1, 2, "A2C2f", [128, False, -1]],
    "SPP": [-1, 1, "SPP", [64]],
    "SPP of kernels": [-1, 1, "SPP", [64, [3, 5, 7]]],
    "SPPF": [-1, 1, "SPPF", [64, 5]],
    "SPPF of steps": [-1, 1, "SPPF", [128, 5, 2, True]],
    "SPPELAN": [-1, 1, "SPPELAN", [64, 32]],
    "SCDown": [-1, 1, "SCDown", [128, 3, 2]],
    "AConv": [-1, 1, "AConv", [64]],
    "ADown": [-1, 1, "ADown", [64]],
    "RepNCSPELAN4": [-1, 1, "RepNCSPELAN4", [64, 32, 16, 2]],
    "ELAN1": [-1, 1, "ELAN1", [64, 32, 16]],
    "ResNetLayer first": [-1, 1, "ResNetLayer", [64, 32, 1, True, 1]],
    "ResNetLayer": [-1, 1, "ResNetLayer", [64, 16, 2, False, 3]],
    "ResNetLayer kept": [-1, 1, "ResNetLayer", [64, 16, 1, False, 2]],
    "HGStem": [-1, 1, "HGStem", [32, 48]],
    "HGBlock": [-1, 3, "HGBlock", [16, 64, 3]],
    "HGBlock light": [-1, 2, "HGBlock", [16, 64, 5, True, True]],
    "MaxPool2d": [-1, 1, "nn.MaxPool2d", [2, 1, 1]],
    "Conv2d": [-1, 1, "nn.Conv2d", [64, 64, 3, 1, 1]],
    "BatchNorm2d": [-1, 1, "nn.BatchNorm2d", [64]],
    "ReLU": [-1, 1, "nn.ReLU", [True]],
}
HEADS: dict[str, list[Any]] = {  # a head on the two maps of a backbone
    "Detect": ["Detect", ["nc"]],
    "Segment": ["Segment", ["nc", 8, 32]],
    "OBB": ["OBB", ["nc", 1]],
    "OBB26": ["OBB26", ["nc", 1]],
    "Segment26": ["Segment26", ["nc", 8, 32]],
    "Pose26": ["Pose26", ["nc", "kpt_shape"]],
    "SemanticSegment": ["SemanticSegment", ["nc"]],
    "Pose": ["Pose", ["nc", "kpt_shape"]],
    "v10Detect": ["v10Detect", ["nc"]],
}
STEM = [-1, 1, "Conv", [128, 3, 2]]


def models() -> dict[str, dict[str, Any]]:
    """Return all models by name."""
    half = {"nc": 6, "kpt_shape": [3, 2], "scales": {"n": [0.5, 0.5, 512]}}
    found = {name: {**half, "backbone": [STEM], "head": [row]} for name, row in LAST.items()}
    maps = [STEM, [-1, 1, "Conv", [64, 3, 2]], [-1, 1, "C2f", [64]], [-1, 1, "Conv", [128, 3, 2]]]
    newer = [*maps[:2], [-1, 1, "C3k2", [64]], maps[3]]
    for name, (module, given) in HEADS.items():
        head = [[2, 3], 1, module, given]
        found[name] = {**half, "backbone": maps, "head": [head]}
        found[f"{name} newer"] = {**half, "backbone": newer, "head": [head]}
    twice = {"end2end": True, "reg_max": 1}
    found["Detect twice"] = {**found["Detect newer"], **twice}
    found["Segment twice"] = {**found["Segment newer"], **twice, "reg_max": 4}
    found["OBB twice"] = {**found["OBB26 newer"], **twice}
    found["Pose twice"] = {**found["Pose26 newer"], **twice, "kpt_shape": [4, 3]}
    found["Segment26 twice"] = {**found["Segment26 newer"], **twice}
    found["Pose of three"] = {**found["Pose"], "kpt_shape": [4, 3]}
    split = [
        [-1, 1, "CBLinear", [[16, 24]]],
        [0, 1, "CBLinear", [[24]]],
        [0, 1, "Conv", [48, 3, 1]],
    ]
    found["CBFuse"] = {
        **half,
        "backbone": [STEM, *split],
        "head": [[[1, 2, -1], 1, "CBFuse", [[1, 0]]]],
    }
    found |= {name: yaml.safe_load(path.read_text()) for name, path in FILES.items()}
    return found
