"""A spec has the weights and results of MLnode's module, as `expected.json` has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.importer.foreign.mlnode.read import read_mlnode
from mimgraph.importer.foreign.model import ForeignModel, weight_names
from tests.conftest import in_ci, needed
from tests.importer.foreign.mlnode.cases import MODELS, chain
from tests.importer.foreign.mlnode.real import EXPECTED, arguments, build

# one for each way to write a graph: ports, blocks, parameters of layers
QUICK = ("split", "blocks", "custom layers")


def read(data: object, folder: Path) -> ForeignModel:
    file = folder / "model.mlnode.json"
    file.write_text(json.dumps(data, indent=2))
    return read_mlnode(file)


def run(model: nn.Module, found: ForeignModel, given: list[Tensor]) -> Any:
    names = list(found.spec["inputs"])
    return model(**dict(zip(names, given, strict=True)))


@pytest.mark.parametrize("name", [in_ci(name, unless=name in QUICK) for name in MODELS])
def test_weights_and_results(name: str, tmp_path: Path) -> None:
    expected = json.loads(EXPECTED.read_text())[name]
    found = read(MODELS[name], tmp_path)
    model = mg.from_dict(found.spec).compile()
    ours = model.state_dict()
    names = weight_names(found.keys, ours)
    state = expected["state"]
    shared = {key for key in state if key.startswith("_layers.right")}
    assert {names[key]: list(one.shape) for key, one in ours.items()} == {
        key: shape for key, shape in state.items() if key not in shared
    }
    assert list(run(model, found, arguments(MODELS[name])).shape) == expected["output"]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_same_results_as_the_package(name: str, tmp_path: Path) -> None:
    needed("mlnode")
    real, found = build(MODELS[name]), read(MODELS[name], tmp_path)
    model = mg.from_dict(found.spec).compile()
    state = real.state_dict()
    names = weight_names(found.keys, model.state_dict())
    model.load_state_dict({ours: state[theirs] for ours, theirs in names.items()})
    given = arguments(MODELS[name])
    for training in (True, False):
        with torch.no_grad():
            expected = real.train(training)(*given)
            returned = run(model.train(training), found, given)
        torch.testing.assert_close(returned, expected, rtol=1e-5, atol=1e-5)


def test_equal_blocks_are_one(tmp_path: Path) -> None:
    found = read(MODELS["blocks"], tmp_path)
    assert list(found.spec["blocks"]) == ["Res1", "Outer"]
    assert found.keys["outer.inner.conv"] == "_layers.outer/inner/conv"


def test_layers_keep_their_params(tmp_path: Path) -> None:
    block = read(MODELS["custom layers"], tmp_path).spec["blocks"]["Gated"]
    assert block["params"] == {"dim": None, "expansion": 2, "bias": False}
    assert block["nodes"]["up"]["out_features"] == "$(dim * expansion)"


def test_python_layer_is_opaque(tmp_path: Path) -> None:
    layer = {"type": "custom", "path": "my_project.layers.Gate", "params": {"width": 8}}
    found = read(chain(["B", 8], {"type": "ReLU"}, layer), tmp_path)
    assert found.spec["nodes"]["node1"] == {"layer": "Gate", "from": "node0", "width": 8}
    assert found.companion == (
        "import mimgraph as mg\nfrom my_project.layers import Gate\n\nmg.register(Gate)\n"
    )
    assert [(note.kind, note.reason, note.node) for note in found.notes] == [
        ("opaque", "Gate", "node1")
    ]
