"""A compiled model goes through copying, pickling, saving, compiling and exporting like any other."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.codegen.runner import choose_sizes, seeded_inputs
from tests.conftest import ROOT
from tests.handwritten import MODELS


class Case(NamedTuple):
    graph: mg.Graph
    model: nn.Module
    inputs: dict[str, Tensor]
    output: Tensor


def compiled(name: str) -> Case:
    """A seed spec compiled, with what it gives for some inputs."""
    graph = mg.load(ROOT / "specs" / f"{name}.yaml")
    torch.manual_seed(0)
    model = graph.compile().eval()
    inputs = seeded_inputs(graph.typed, 4, 0, choose_sizes(graph.typed, {}))
    return Case(graph, model, inputs, model(**inputs))


@pytest.fixture(params=MODELS)
def case(request: pytest.FixtureRequest) -> Case:
    """Each seed spec in turn."""
    return compiled(request.param)


def assert_same_model(ours: nn.Module, case: Case) -> None:
    assert type(ours) is type(case.model)
    assert not ours.training
    assert torch.equal(ours(**case.inputs), case.output)


def test_deepcopy(case: Case) -> None:
    copied = copy.deepcopy(case.model)
    assert_same_model(copied, case)
    shared = {p.data_ptr() for p in copied.parameters()} & {
        p.data_ptr() for p in case.model.parameters()
    }
    assert not shared


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(case: Case, protocol: int) -> None:
    assert_same_model(pickle.loads(pickle.dumps(case.model, protocol)), case)


def test_save_and_load(case: Case, tmp_path: Path) -> None:
    torch.save(case.model, tmp_path / "model.pt")
    assert_same_model(torch.load(tmp_path / "model.pt", weights_only=False), case)


def test_a_pickle_holds_the_spec_and_no_code(case: Case) -> None:
    pickled = pickle.dumps(case.model)
    assert case.graph.dumps().encode() in pickled
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


def test_loads_in_a_process_that_imports_only_torch_and_pickle(tmp_path: Path) -> None:
    for name in MODELS:
        case, folder = compiled(name), tmp_path / name
        folder.mkdir()
        (folder / "model.pickle").write_bytes(pickle.dumps(case.model))
        torch.save(case.model, folder / "model.pt")
        torch.save((case.inputs, case.output), folder / "inputs.pt")
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *MODELS], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_compiles_in_one_graph(case: Case) -> None:
    with torch._dynamo.config.patch(allow_rnn=True):  # torch breaks the graph at its own LSTM
        compiled = torch.compile(case.model, fullgraph=True, backend="eager")
        torch.testing.assert_close(compiled(**case.inputs), case.output)


@pytest.mark.filterwarnings("ignore:The tensor attributes self.lstm._flat_weights")
def test_exports_with_a_dynamic_batch(case: Case) -> None:
    batch = {name: {0: torch.export.Dim.DYNAMIC} for name in case.inputs}
    exported = torch.export.export(case.model, (), case.inputs, dynamic_shapes=batch).module()
    larger = {name: torch.cat([tensor, tensor[:3]]) for name, tensor in case.inputs.items()}
    torch.testing.assert_close(exported(**larger), case.model(**larger))


def test_functional_call(case: Case) -> None:
    zeros = {name: torch.zeros_like(tensor) for name, tensor in case.model.state_dict().items()}
    output = torch.func.functional_call(case.model, zeros, (), case.inputs)
    assert torch.equal(output, torch.zeros_like(case.output))


def test_its_source_is_found(case: Case) -> None:
    found = inspect.getsource(type(case.model))
    assert found.startswith(f"class {case.graph.name}(nn.Module):")
    assert case.graph.source().endswith(found)


def test_annotations_are_those_of_the_text(case: Case) -> None:
    # what runs is the text alone: no future import of the loader's leaks into it
    parameters = inspect.signature(case.model.forward).parameters
    assert {p.annotation for p in parameters.values()} == {Tensor}
