"""Classifiers of torchvision are layers, which compute what torchvision computes."""

from __future__ import annotations

import copy
import json
import pickle
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.testing import assert_close
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

import mimgraph as mg
from mimgraph import layers
from mimgraph.diagnostics.render import render_text
from mimgraph.encoders import torchvision as ours
from mimgraph.encoders.torchvision import entry
from mimgraph.ir.dim import substitute
from tests.conftest import in_ci
from tests.helpers.marked import faults
from tests.importer.cases import check_cases

SPEC = """
inputs: {image: [3, 64, 64]}
nodes:
  vec: {layer: torchvision.resnet18, from: image, num_classes: 10}
outputs: vec
"""
SIZES = {"N": 2, "H": 70, "W": 45}
PYRAMID = """
inputs: {image: [3, H, W]}
nodes:
  vec: {layer: torchvision.resnet18, from: image, features: FEATURES, freeze: true}
outputs: OUTPUTS
"""


def pyramid(features: str, outputs: str) -> mg.Graph:
    return mg.loads(PYRAMID.replace("FEATURES", features).replace("OUTPUTS", outputs))


def test_a_classifier_computes_what_torchvision_computes() -> None:
    graph = mg.loads(SPEC)
    assert "self.vec = torchvision.models.resnet18(num_classes=10)" in graph.source()
    model = graph.compile().eval()
    theirs = torchvision.models.resnet18(num_classes=10).eval()
    model.vec.load_state_dict(theirs.state_dict())
    image = torch.rand(2, 3, 64, 64)
    assert_close(model(image=image), theirs(image))


def test_summary_counts_the_weights_of_a_classifier() -> None:
    theirs = torchvision.models.resnet18(num_classes=10)
    total = sum(weight.numel() for weight in theirs.parameters())
    assert mg.loads(SPEC).summary().total.params == total


FEATURES = [
    in_ci("flatten", "vec", '["flatten"]'),
    in_ci("layer4", "vec", '["layer4"]'),
    (
        "[layer2, layer3.1.bn1]",
        "{a: vec.layer2, b: vec.layer3_1_bn1}",
        '"layer3.1.bn1": "layer3_1_bn1"',
    ),
    in_ci("{c3: layer2, c5: layer4}", "{a: vec.c3, b: vec.c5}", '{"layer2": "c3", "layer4": "c5"}'),
]


@pytest.mark.parametrize(("features", "outputs", "written"), FEATURES)
def test_features_are_what_torchvision_extracts(features: str, outputs: str, written: str) -> None:
    graph = pyramid(features, outputs)
    assert written in graph.source()
    model = graph.compile().eval()
    theirs = torchvision.models.resnet18().eval()
    theirs.load_state_dict(model.vec.state_dict(), strict=False)
    parts = (
        {"a": "layer2", "b": "layer3.1.bn1"}
        if "bn1" in features
        else {"a": "layer2", "b": "layer4"}
    )
    parts = {"": features} if outputs == "vec" else parts
    image = torch.rand(2, 3, 70, 45)
    found = model(image=image)
    found = found if isinstance(found, dict) else {"": found}
    wanted = create_feature_extractor(theirs, {part: name for name, part in parts.items()})(image)
    for name, tensor in found.items():
        assert_close(tensor, wanted[name])
        known = graph.outputs[name or "vec"].shape
        assert tuple(substitute(size, SIZES) for size in known) == tensor.shape


# one of each family that the table knows
FAMILIES = ("vgg19", "resnet18", "googlenet")
OTHER_FAMILIES = (
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s"),
    *("inception_v3", "maxvit_t", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small"),
    *("regnet_x_400mf", "regnet_y_400mf", "resnet50", "resnext50_32x4d", "shufflenet_v2_x0_5"),
    *("squeezenet1_0", "swin_t", "swin_v2_t", "vgg11_bn", "vit_b_16", "wide_resnet50_2"),
)


@pytest.mark.parametrize(
    "model",
    [
        *(in_ci(one) for one in FAMILIES),
        *(pytest.param(one, marks=pytest.mark.nightly) for one in OTHER_FAMILIES),
    ],
)
def test_no_port_is_changed_by_what_is_computed_after_it(model: str) -> None:
    """torchvision's ReLU works in place on what its convolutions and norms return."""
    table = entry(model)
    assert table is not None
    pixels = table.exact or max(table.least, 64)
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(model, weights=None, **table.always, **table.anew).eval()
    nodes = set.intersection(*map(set, get_graph_node_names(theirs)))
    parts = [
        name
        for name, module in theirs.named_modules()
        if name in nodes
        and not isinstance(module, nn.MultiheadAttention)  # returns a tuple
        and not re.search(r"_\d$", name)  # torchvision calls the module `ln_2` the node `ln_1`
    ]
    ports = {f"p{index}": part for index, part in enumerate(parts)}
    graph = mg.loads(
        f"inputs: {{image: [3, {pixels}, {pixels}]}}\n"
        f"nodes: {{vec: {{layer: torchvision.{model}, from: image, features: {json.dumps(ports)}}}}}\n"
        f"outputs: {json.dumps({port: f'vec.{port}' for port in ports})}"
    )
    torch.manual_seed(0)
    ours = graph.compile().eval()
    wanted: dict[str, Tensor] = {}

    def keep(part: str, module: nn.Module, given: object, result: Tensor) -> None:
        wanted.setdefault(part, result.clone())

    for part in parts:
        theirs.get_submodule(part).register_forward_hook(partial(keep, part))
    image = torch.rand(1, 3, pixels, pixels)
    with torch.no_grad():
        theirs(image)
        found = ours(image=image)
    for port, part in ports.items():
        assert_close(found[port], wanted[part], msg=part)


def test_ports_are_not_overwritten_in_either_mode() -> None:
    model = mg.loads(
        "inputs: {image: [3, 64, 64]}\n"
        "nodes: {v: {layer: torchvision.vgg11, from: image, features: {conv: features.0, relu: features.1}}}\n"
        "outputs: {conv: v.conv, relu: v.relu}"
    ).compile()
    for _ in range(3):  # as it was compiled, in evaluation, and in training again
        found = model(image=torch.rand(2, 3, 64, 64))
        assert found["conv"].min() < 0
        assert torch.equal(found["conv"].relu(), found["relu"])
        model.train(not model.training)


@pytest.mark.slow
def test_a_model_with_features_is_copied_pickled_and_exported() -> None:
    graph = pyramid("[layer1, layer2]", "{a: vec.layer1, b: vec.layer2}")
    model = graph.compile().train()
    given = {"image": torch.rand(2, 3, 64, 64)}
    assert not model.vec.training  # frozen
    wanted = model(**given)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        other.train()  # torchvision leaves a deep copy of its extractor in no mode at all
        assert not other.vec.training
        assert_close(other(**given), wanted)
    exported = torch.export.export(model.eval(), (), given)
    assert_close(exported.module()(**given), wanted)


@pytest.mark.slow
def test_the_weights_of_another_model_load_into_a_classifier() -> None:
    graph = pyramid("layer1", "vec")
    theirs = torchvision.models.resnet18()
    state = {f"backbone.{key}": tensor for key, tensor in theirs.state_dict().items()}
    model = graph.compile()
    kept = {key: state[f"backbone.{key}"] for key in model.vec.state_dict()}
    model.vec.load_state_dict(kept)
    assert_close(model.vec.conv1.weight, theirs.conv1.weight)


@pytest.mark.slow
def test_a_classifier_can_be_a_stage_of_its_own() -> None:
    graph = mg.loads(
        "inputs: {image: [3, 64, 64]}\n"
        "nodes:\n"
        "  vec: {layer: torchvision.resnet18, from: image, features: flatten}\n"
        "  score: {layer: Linear, from: vec, out_features: 2}\n"
        "outputs: score\n"
    )
    first, second = graph.split(["score"])
    model = graph.compile().eval()
    image = torch.rand(2, 3, 64, 64)
    one, two = first.compile().eval(), second.compile().eval()
    one.load_state_dict({k: v for k, v in model.state_dict().items() if k.startswith("vec.")})
    two.load_state_dict({k: v for k, v in model.state_dict().items() if k.startswith("score.")})
    assert_close(two(one(image)), model(image=image))


def test_items_of_a_seq_may_be_classifiers_with_features() -> None:
    graph = mg.loads(
        "inputs: {image: [3, 64, 64]}\n"
        "nodes:\n"
        "  score: {from: image, seq: [{torchvision.resnet18: {features: flatten}}, {Linear: 2}]}\n"
        "outputs: score\n"
    )
    assert graph.compile()(image=torch.rand(2, 3, 64, 64)).shape == (2, 2)


def test_python_calls_a_classifier_as_a_layer() -> None:
    image = mg.Input("image", (3, 64, 64))
    graph = mg.Graph(outputs=layers.torchvision.resnet18(num_classes=10)(image))
    assert "self.resnet18 = torchvision.models.resnet18(num_classes=10)" in graph.source()
    assert mg.loads(graph.dumps()).source() == graph.source()
    assert pickle.loads(pickle.dumps(graph)).source() == graph.source()


def test_a_name_that_is_no_model_gets_the_nearest() -> None:
    with pytest.raises(AttributeError, match="no model 'resnet19': did you mean resnet18"):
        _ = layers.torchvision.resnet19


def test_a_changed_option_of_a_classifier_is_a_change() -> None:
    old, new = pyramid("layer4", "vec"), pyramid("layer3", "vec")
    assert "features" in str(mg.diff(old, new))


def test_faults_show_these_texts(rewrite: bool) -> None:
    def text(spec: str) -> str:
        return f"{render_text(faults(spec, 'torchvision'))}\n"

    check_cases(Path(__file__).with_name("torchvision_faults.md"), text, rewrite)


def test_small_images_are_refused_when_the_model_runs() -> None:
    graph = mg.loads(
        "inputs: {image: [3, H, W]}\nnodes: {y: {layer: torchvision.alexnet, from: image}}\noutputs: y\n"
    )
    assert [str(one) for one in graph.constraints] == ["H >= 63", "W >= 63"]


def test_a_check_imports_no_torch(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(PYRAMID.replace("FEATURES", "[layer2]").replace("OUTPUTS", "vec.layer2"))
    for command in ("check", "emit"):
        script = (
            "import sys\nfrom mimgraph.cli import main\n"
            f"code = main(['{command}', {str(spec)!r}])\n"
            "assert not {'torch', 'torchvision'} & {*sys.modules}\nsys.exit(code)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_weights_are_read_from_the_cache_of_torch_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    known = entry("resnet18")
    assert known is not None
    (tmp_path / "checkpoints").mkdir()
    state = torchvision.models.resnet18().state_dict()
    torch.save(state, tmp_path / "checkpoints" / known.weights["DEFAULT"])
    monkeypatch.setattr("torchvision._internally_replaced_utils.load_state_dict_from_url", None)
    graph = mg.loads(SPEC.replace("num_classes: 10", "weights: DEFAULT, features: layer4"))
    assert_close(graph.compile().vec.conv1.weight, state["conv1.weight"])


def test_a_model_of_a_later_torchvision_is_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"torchvision": "0.1", "models": {}}
    monkeypatch.setattr("mimgraph.encoders.torchvision._table", lambda: table)
    found: Any = ours.encoder("squeezenet1_1")
    assert found.table.features == {}
    assert found.options["weights"].check("IMAGENET1K_V1")
