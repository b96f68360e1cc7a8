"""Faults of a file are diagnostics at their place, and nothing in a file is run or imported."""

from __future__ import annotations

import json
from pathlib import Path

from mimgraph.importer.foreign.mlnode.read import is_mlnode, read_mlnode
from tests.importer.cases import check_cases
from tests.importer.foreign.faults import faults_of
from tests.importer.foreign.mlnode.cases import MODELS


def test_faults(tmp_path: Path, rewrite: bool) -> None:
    cases = Path(__file__).with_name("faults.md")
    check_cases(cases, faults_of(read_mlnode, tmp_path / "model.mlnode.json"), rewrite)


def test_unused_nodes_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "model.mlnode.json"
    model = MODELS["linear"]
    unused = [
        {"id": "y", "type": "Input"},
        {"id": "dead", "type": "Linear", "params": {"in_features": 8, "out_features": 8}},
    ]
    edge = {"source": "y", "target": "dead"}
    file.write_text(
        json.dumps({**model, "nodes": model["nodes"] + unused, "edges": [*model["edges"], edge]})
    )
    found = read_mlnode(file)
    assert list(found.spec["inputs"]) == ["input"]
    notes = [(note.kind, note.node) for note in found.notes]
    assert notes == [("left-out", "y"), ("left-out", "dead")]


def test_files_are_recognised_by_their_content() -> None:
    assert all(is_mlnode(data) for data in MODELS.values())
    assert not any(is_mlnode(other) for other in (None, [], {}, {"nodes": []}))
