"""A model is copied, pickled and saved, and loaded in a process that has only torch."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.engines.models import MODELS, Model, every_model


def assert_same_model(ours: nn.Module, theirs: nn.Module, model: Model) -> None:
    """Check that a copy has the same class, mode and outputs, and weights of its own."""
    assert type(ours) is type(theirs)
    assert not ours.training
    assert torch.equal(ours(**model.inputs(3)), theirs(**model.inputs(3)))
    owned = {p.data_ptr() for p in theirs.parameters()}
    assert not owned & {p.data_ptr() for p in ours.parameters()}


@every_model
def test_deepcopy(model: Model) -> None:
    module = model.compile()
    assert_same_model(copy.deepcopy(module), module, model)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@every_model
def test_pickle(model: Model, protocol: int) -> None:
    module = model.compile()
    assert_same_model(pickle.loads(pickle.dumps(module, protocol)), module, model)


@every_model
def test_save_and_load(model: Model, tmp_path: Path) -> None:
    module = model.compile()
    torch.save(module, tmp_path / "model.pt")
    assert_same_model(torch.load(tmp_path / "model.pt", weights_only=False), module, model)


@every_model
def test_state_dict(model: Model, tmp_path: Path) -> None:
    """The state_dict has only tensors, and all of them."""
    module = model.compile()
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    torch.manual_seed(1)
    other = model.graph.compile().eval()
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert_same_model(other, module, model)


@every_model
def test_a_pickle_holds_the_spec_and_no_code(model: Model) -> None:
    pickled = pickle.dumps(model.compile())
    assert model.graph.dumps().encode() in pickled
    assert b"def forward" not in pickled


LOAD = """
import pickle, sys, torch
for folder in sys.argv[1:]:
    inputs, output = torch.load(f"{folder}/inputs.pt")
    with open(f"{folder}/model.pickle", "rb") as file:
        pickled = pickle.load(file)
    for model in (pickled, torch.load(f"{folder}/model.pt", weights_only=False)):
        torch.testing.assert_close(model(**inputs), output)
"""
LOAD_SOURCE = """
import sys, torch
for folder in sys.argv[1:]:
    inputs, output = torch.load(f"{folder}/inputs.pt")
    defined = {"__name__": "model"}
    exec(open(f"{folder}/model.py").read(), defined)
    *_, last = (thing for thing in defined.values() if isinstance(thing, type))
    model = last().eval()
    model.load_state_dict(torch.load(f"{folder}/weights.pt"))
    torch.testing.assert_close(model(**inputs), output)
assert "mimgraph" not in sys.modules
"""


@pytest.mark.parametrize("script", [LOAD, LOAD_SOURCE], ids=["pickled", "emitted"])
def test_another_process_loads_emitted_models(script: str, tmp_path: Path) -> None:
    """It imports torch and pickle alone; emitted source with its weights needs nothing of mimgraph."""
    for model in MODELS:
        module, inputs, folder = model.compile(), model.inputs(3), tmp_path / str(model)
        folder.mkdir()
        (folder / "model.pickle").write_bytes(pickle.dumps(module))
        (folder / "model.py").write_text(model.graph.source())
        torch.save(module, folder / "model.pt")
        torch.save(module.state_dict(), folder / "weights.pt")
        torch.save((inputs, module(**inputs)), folder / "inputs.pt")
    command = [sys.executable, "-c", script, *map(str, MODELS)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
