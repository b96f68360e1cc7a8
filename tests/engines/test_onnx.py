"""The ONNX exporter keeps the sizes of a model open, and onnxruntime runs the exported file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import mimgraph as mg
from tests.conftest import needed
from tests.engines.models import MODELS, Model, assert_close, each_of, every_model

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings of the exporter about its own code


def run(path: Path, inputs: dict[str, Tensor]) -> Tensor:
    """Check a file, and return the outputs of onnxruntime."""
    onnx, onnxruntime = needed("onnx"), needed("onnxruntime")
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    return torch.from_numpy(result)


@every_model
def test_onnxruntime_runs_a_model_at_other_sizes(model: Model, tmp_path: Path) -> None:
    onnx, _ = needed("onnx"), needed("onnxscript")  # which the exporter needs
    path = tmp_path / "model.onnx"
    module, inputs = model.compile(), model.inputs(3)
    torch.onnx.export(
        module,
        (),
        path,
        kwargs=inputs,
        input_names=list(inputs),  # else it writes them in lower case
        output_names=list(model.graph.outputs),  # else by the node of its own graph
        dynamic_shapes=model.graph.dynamic_shapes(inputs),
        dynamo=True,
    )
    sizes = {"T": 13} if "T" in str(model.graph.inputs) else {}
    other = model.inputs(5, **sizes)
    assert_close(run(path, other), module(**other))
    file = onnx.load(path)
    assert [one.name for one in file.graph.output] == list(model.graph.outputs)


@each_of(MODELS[:4])
def test_the_old_exporter_takes_a_positional_model(model: Model, tmp_path: Path) -> None:
    needed("onnx")
    module, inputs, path = model.compile(), model.inputs(3), tmp_path / "model.onnx"
    batch = {name: {0: "N"} for name in inputs}
    torch.onnx.export(
        mg.positional(module),
        tuple(inputs.values()),
        path,
        input_names=list(inputs),
        dynamic_axes=batch,
        dynamo=False,
    )
    other = model.inputs(5)
    assert_close(run(path, other), module(**other))
