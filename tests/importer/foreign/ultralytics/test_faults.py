"""Faults of a file are diagnostics at the row, without a traceback, and all of them in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.importer.foreign.ultralytics.read import is_ultralytics, read_ultralytics
from tests.importer.cases import check_cases
from tests.importer.foreign.faults import faults_of
from tests.importer.foreign.ultralytics.cases import FILES, models

START = "backbone:\n  - [-1, 1, Conv, [16, 3, 2]]\nhead:\n"


def test_faults(tmp_path: Path, rewrite: bool) -> None:
    cases = Path(__file__).with_name("faults.md")
    check_cases(cases, faults_of(read_ultralytics, tmp_path / "model.yaml"), rewrite)


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
