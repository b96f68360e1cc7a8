"""Faults of a file are diagnostics at their place, and nothing in a file is run or imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import mimgraph as mg
from mimgraph.importer.foreign.mlnode.read import is_mlnode, read_mlnode
from tests.importer.foreign.mlnode.cases import LINEAR, MODELS, RESIDUAL, body, chain, model

INPUT = {"x": ["Input"]}
SPLIT = {"type": "Split", "params": {"split_size_or_sections": 4, "dim": 1}, "outputs": ["a", "b"]}


def layer(**changed: Any) -> dict[str, Any]:
    definition = {
        "params": {"dim": {"type": "int"}},
        **body({**INPUT, "fc": ["Linear", {"out_features": "$dim"}]}, [("x", "fc")]),
    }
    use = {"type": "custom", "layer": "L", "params": {"dim": 4}}
    return model(
        ["B", 8],
        {**INPUT, "use": use},
        [("x", "use")],
        custom_layers={"L": {**definition, **changed}},
    )


FAULTS: dict[str, tuple[Any, str]] = {
    "no mapping": ([], "wrong-type a model must be a mapping with nodes and edges"),
    "version": (
        {**MODELS["linear"], "mlnode_schema_version": "9"},
        "bad-option version 9 cannot be read",
    ),
    "no version": ({}, "missing-key mlnode_schema_version is missing, which is a text"),
    "no nodes": (
        {"mlnode_schema_version": "1.0"},
        "missing-key nodes is missing, which is a list of nodes",
    ),
    "no input": (
        model(["B", 8], {"fc": LINEAR}, []),
        "missing-key there is no node of the type Input",
    ),
    "no output": ({**MODELS["linear"], "output_node": "x"}, "unknown-source no node has the id x"),
    "edge to nowhere": (model(["B"], INPUT, [("x", "y")]), "unknown-source no node has the id y"),
    "unknown type": (chain(["B", 8], ["Liner"]), "unknown-layer the type Liner cannot be read"),
    "unknown option": (
        chain(["B", 8], ["Linear", {"out": 8}]),
        "unknown-option Linear has no option out",
    ),
    "cycle": (
        model(
            ["B", 8], {**INPUT, "a": ["Add"], "b": ["ReLU"]}, [("x", "a"), ("b", "a"), ("a", "b")]
        ),
        "cycle the nodes form a cycle: b -> a -> b",
    ),
    "not batch first": (
        chain(["B", "Seq", 8], ["LSTM", {"input_size": 8, "hidden_size": 4}]),
        "bad-option node0 does not have its batch first",
    ),
    "two sources": (
        model(["B", 8], {**INPUT, "y": ["Input"], "fc": LINEAR}, [("x", "fc"), ("y", "fc")]),
        "wrong-arity fc has 2 sources and no reduction that MLnode runs",
    ),
    "no source": (
        model(["B", 8], {**INPUT, "fc": LINEAR}, []),
        "wrong-arity fc takes one source, and has no",
    ),
    "along the batch": (
        chain(["B", 8], ["Unsqueeze", {"dim": 0}]),
        "bad-option node0 works along axis 0, which is the batch",
    ),
    "batch reshaped": (
        chain(["B", 8], ["Reshape", {"shape": [4, -1]}]),
        "bad-option the shape of node0 must begin with -1, the batch",
    ),
    "no port": (
        model(["B", 8], {**INPUT, "s": SPLIT, "r": ["ReLU"]}, [("x", "s"), ("s", "r")]),
        "unknown-port s has no port ",
    ),
    "unknown port": (
        model(
            ["B", 8],
            {**INPUT, "s": SPLIT, "r": ["ReLU"]},
            [("x", "s"), {"source": "s", "source_port": "c", "target": "r"}],
        ),
        "unknown-port s has no port c",
    ),
    "target port": (
        model(
            ["B", 3, 8],
            {**INPUT, "m": ["MultiheadAttention", {"num_heads": 2, "batch_first": True}]},
            [{"source": "x", "target": "m", "target_port": "keys"}],
        ),
        "unknown-port m has no port keys",
    ),
    "shared but different": (
        model(
            ["B", 8],
            {
                **INPUT,
                "a": {"type": "Linear", "params": LINEAR[1], "shared_id": "s"},
                "b": {"type": "ReLU", "shared_id": "s"},
            },
            [("x", "a"), ("a", "b")],
        ),
        "bad-option b shares a, but differs from it",
    ),
    "size": (
        model(["B", -1], {**INPUT, "r": ["ReLU"]}, [("x", "r")]),
        "bad-option a size must be a number above 0 or a name",
    ),
    "registry": (
        model(["B", 8], {**INPUT, "b": {"type": "Block", "block_ref": "resnet"}}, [("x", "b")]),
        "unknown-block b names a block that is not in the file",
    ),
    "Hugging Face": (
        model(["B", 8], {**INPUT, "b": {"type": "bert", "hf_model": "bert"}}, [("x", "b")]),
        "unknown-layer a model of Hugging Face cannot be read",
    ),
    "path": (
        model(
            ["B", 8], {**INPUT, "b": {"type": "custom", "path": "os; import sys.x"}}, [("x", "b")]
        ),
        "bad-name os; import sys.x is not the path of a class",
    ),
    "param": (layer(params={}), "unknown-param no param is called dim"),
    "function": (
        layer(
            nodes=[
                {"id": "x", "type": "Input"},
                {"id": "fc", "type": "Linear", "params": {"out_features": "${max(dim, 4)}"}},
            ]
        ),
        "bad-expression ${max(dim, 4)} calls a function, which an expression of a spec cannot",
    ),
    "layer inside itself": (
        layer(nodes=[{"id": "x", "type": "Input"}, {"id": "fc", "type": "custom", "layer": "L"}]),
        "too-large more than 10 blocks inside each other",
    ),
    "literal": (
        chain(["B", 8], ["Linear", {"out_features": "$x"}]),
        "unknown-param no param is called x",
    ),
    "block of two inputs": (
        model(
            ["B", 4, 8, 8],
            {**INPUT, "b": {"type": "Block", "block": RESIDUAL}},
            [("x", "b"), ("x", "b")],
        ),
        "wrong-arity b takes one source, and has 2",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str, tmp_path: Path) -> None:
    data, expected = FAULTS[name]
    file = tmp_path / "model.mlnode.json"
    file.write_text(json.dumps(data, indent=2))
    with pytest.raises(mg.SpecError) as caught:
        read_mlnode(file)
    (fault,) = caught.value.diagnostics
    assert f"{fault.code} {fault.message}" == expected
    assert fault.span.line > 1 or name in ("no mapping", "no version", "no nodes")


def test_unused_nodes_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "model.mlnode.json"
    data = model(
        ["B", 8],
        {**INPUT, "y": ["Input"], "dead": LINEAR, "fc": LINEAR},
        [("y", "dead"), ("x", "fc")],
    )
    file.write_text(json.dumps(data))
    found = read_mlnode(file)
    assert list(found.spec["inputs"]) == ["x"]
    assert [(note.kind, note.node) for note in found.notes] == [
        ("left-out", "y"),
        ("left-out", "dead"),
    ]


def test_files_are_recognised_by_their_content() -> None:
    assert all(is_mlnode(data) for data in MODELS.values())
    assert not any(is_mlnode(other) for other in (None, [], {}, {"nodes": []}))
