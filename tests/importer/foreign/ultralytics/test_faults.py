"""Faults of a file are diagnostics at the row, without a traceback, and all of them in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.importer.foreign.ultralytics.read import is_ultralytics, read_ultralytics
from tests.importer.foreign.ultralytics.cases import FILES, models

START = "backbone:\n  - [-1, 1, Conv, [16, 3, 2]]\nhead:\n"

FAULTS = {
    "[]": ["wrong-type 1 a model must be a mapping with backbone and head"],
    "head: []": [
        "missing-key 1 backbone is missing, which is a list of rows [from, repeats, module, arguments]"
    ],
    "backbone: []\nhead: []": ["wrong-type 1 a model needs at least one row"],
    START + "  - 5": ["wrong-type 4 a row must be [from, repeats, module, arguments]"],
    START + "  - [-1, 1, Conv]": ["wrong-type 4 a row must be [from, repeats, module, arguments]"],
    START + "  - [-1, x, Conv, [8]]": ["wrong-type 4 the repeats of a row must be a whole number"],
    START + "  - [-1, 9999, Conv, [8]]": ["bad-option 4 the repeats of a row must be 1 to 1,000"],
    START + "  - [-1, 1, 5, [8]]": ["wrong-type 4 the module of a row must be a name"],
    START + "  - [-1, 1, Conv, 8]": ["wrong-type 4 the arguments of a row must be a list"],
    START + "  - [7, 1, Conv, [8]]": [
        "unknown-source 4 row 1 cannot read row 7, only rows above it"
    ],
    START + "  - [-9, 1, Conv, [8]]": [
        "unknown-source 4 row 1 cannot read row -9, only rows above it"
    ],
    START + "  - [x, 1, Conv, [8]]": ["wrong-type 4 a row is read by its number"],
    START + "  - [[], 1, Concat, [1]]": ["wrong-arity 4 a row reads 1 to 64 rows"],
    START + "  - [-1, 1, Cnv, [8]]": ["unknown-layer 4 the module Cnv cannot be read"],
    START + "  - [-1, 1, nn.Nothing, []]": [
        "unknown-layer 4 torch.nn has no layer Nothing that can be read"
    ],
    START + "  - [-1, 1, nn.ReLU, [1, 2, 3]]": ["wrong-arity 4 ReLU takes inplace; 3 are given"],
    START + "  - [-1, 1, Conv, []]": ["bad-option 4 Conv takes channels first"],
    START + "  - [-1, 1, Conv, [8, x]]": [
        "bad-option 4 k of Conv must be a whole number or a list of whole numbers, not 'x'"
    ],
    START + "  - [-1, 1, Conv, [8, -3]]": [
        "bad-option 4 k of Conv must be a whole number or a list of whole numbers, not -3"
    ],
    START + "  - [-1, 1, C2f, [8, 1.5]]": [
        "bad-option 4 shortcut of C2f must be True or False, not 1.5"
    ],
    START + "  - [-1, 1, C2f, [8, True, 1, .inf]]": [
        "bad-option 4 e of C2f must be a number, not inf"
    ],
    START + "  - [-1, 1, SPPF, [8, 5, 3, True, 1]]": [
        "wrong-arity 4 SPPF takes c1, c2, k, n, shortcut; 6 are given"
    ],
    START + "  - [-1, 1, PSA, [64]]": [
        "bad-option 4 PSA keeps the number of channels, so 16 in cannot give 64"
    ],
    START + "  - [-1, 1, A2C2f, [8]]": [
        "bad-option 4 the hidden channels of A2C2f must be a multiple of 32, not 4"
    ],
    START + "  - [[-1, 0], 1, Conv, [8]]": ["wrong-arity 4 Conv reads one row, not a list"],
    START + "  - [[-1, 0], 1, Concat, [2]]": ["bad-option 4 Concat joins channels only, [1]"],
    START + "  - [-1, 1, CBLinear, [[8]]]\n  - [-1, 1, Conv, [8]]": [
        "wrong-arity 5 Conv cannot read cblinear_1_parts, which is split"
    ],
    START + "  - [[0, -1], 1, CBFuse, [[0]]]": ["unknown-port 4 conv_0 has no part 0"],
    START + "  - [-1, 1, Cnv, [8]]\n  - [-1, 1, Conv, [8]]\n  - [0, 1, Conv, [8, x]]": [
        "unknown-layer 4 the module Cnv cannot be read",
        "bad-option 6 k of Conv must be a whole number or a list of whole numbers, not 'x'",
    ],
    "nc: x\n" + START + "  - [-1, 1, Conv, [8]]": ["wrong-type 1 nc must be a whole number"],
    "scales: {n: [1]}\n" + START + "  - [-1, 1, Conv, [8]]": [
        "wrong-type 1 scale n must be [depth, width, max_channels]"
    ],
    "activation: __import__('os')\n" + START + "  - [-1, 1, Conv, [8]]": [
        "unknown-layer 1 there is no activation __import__"
    ],
    "activation: nn.ReLU\n" + START + "  - [-1, 1, Conv, [8]]": [
        "bad-option 1 activation must be a call, such as nn.ReLU()"
    ],
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults(text: str, tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(text)
    with pytest.raises(mg.SpecError) as caught:
        read_ultralytics(file)
    found = [f"{one.code} {one.span.line} {one.message}" for one in caught.value.diagnostics]
    assert found == FAULTS[text]


def test_scales() -> None:
    small, medium = (read_ultralytics(FILES["detector"], scale) for scale in ("n", "m"))
    assert small.spec["nodes"]["conv_1"]["out_channels"] == 32
    assert medium.spec["nodes"]["conv_1"]["out_channels"] == 64
    assert medium.spec["name"] == "Detector"
    assert read_ultralytics(FILES["detector"]).spec == small.spec
    with pytest.raises(mg.SpecError, match="no scale 'x'"):
        read_ultralytics(FILES["detector"], "x")
    with pytest.raises(mg.SpecError, match="the file has no scales"):
        read_ultralytics(FILES["classifier"], "n")


def test_scale_of_a_file_name(tmp_path: Path) -> None:
    file = tmp_path / "yolov9m-seg.yaml"
    file.write_text(FILES["detector"].read_text())
    assert read_ultralytics(file).spec == read_ultralytics(FILES["detector"], "m").spec | {
        "name": "Yolov9mSeg"
    }


def test_shapes_are_known_before_a_forward() -> None:
    graph = mg.from_dict(read_ultralytics(FILES["detector"]).spec)
    assert str(graph.shapes["detect_13.scores"]) == "(N, 12, 5*H*W)"
    assert [str(one.shape) for one in graph.inputs.values()] == ["(N, 3, 16*H, 16*W)"]


def test_unused_rows_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(START + "  - [-1, 1, Conv, [8]]\n  - [0, 1, Conv, [8]]\n")
    found = read_ultralytics(file)
    assert list(found.spec["nodes"]) == list(found.keys) == ["conv_0", "conv_2"]
    assert [(note.kind, note.node) for note in found.notes] == [("left-out", "conv_1")]


def test_files_are_recognised_by_their_content() -> None:
    assert all(is_ultralytics(model) for model in models().values())
    for other in (None, [], {}, {"backbone": 1, "head": [[]]}, {"nodes": {}, "inputs": {}}):
        assert not is_ultralytics(other)
