"""`inspect` finds the source of a compiled class, and compiling imports no unneeded part of torch."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
from torch import Tensor

import mimgraph as mg
from tests.conftest import ROOT
from tests.helpers.handwritten import MODELS


@pytest.fixture(params=MODELS)
def graph(request: pytest.FixtureRequest) -> mg.Graph:
    """Return each of the first three specs in turn."""
    return mg.load(ROOT / "specs" / f"{request.param}.yaml")


def test_inspect_finds_the_source_and_its_annotations(graph: mg.Graph) -> None:
    model = graph.compile()
    found = inspect.getsource(type(model))
    assert found.startswith(f"class {graph.name}(nn.Module):")
    assert graph.source().endswith(found)
    # the loader's own `from __future__` imports do not apply to the source
    parameters = inspect.signature(model.forward).parameters
    assert {p.annotation for p in parameters.values()} == {Tensor}


@pytest.mark.slow
def test_compiling_does_not_import_torch_dynamo() -> None:
    """Importing it takes as long as importing torch; only the check of inputs needs it."""
    script = (
        "import sys, mimgraph as mg\n"
        "mg.load(sys.argv[1]).compile()\n"
        "assert 'torch' in sys.modules and 'torch._dynamo' not in sys.modules\n"
    )
    spec = str(ROOT / "specs" / "simple_numerical.yaml")
    command = [sys.executable, "-c", script, spec]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
