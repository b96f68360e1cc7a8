"""Models of timm are layers, which compute what timm computes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close

import mimgraph as mg
from mimgraph import layers
from mimgraph.diagnostics.render import render_text
from mimgraph.encoders import cache
from mimgraph.encoders import timm as ours
from mimgraph.language.reference_pages import listing
from tests.conftest import needed
from tests.helpers.marked import faults
from tests.importer.cases import check_cases

pytestmark = pytest.mark.slow
timm = needed("timm")

NODE = """
inputs: {{image: {shape}}}
nodes: {{y: {{layer: timm.{model}, from: image, {options}}}}}
outputs: {outputs}
"""


def spec(model: str, options: str = "", outputs: str = "y", shape: str = "[3, 64, 64]") -> str:
    return NODE.format(model=model, options=options, outputs=outputs, shape=shape)


WRITTEN = [
    ("test_resnet", "", "y", {}),
    pytest.param("test_resnet", "num_classes: 0", "y", {"num_classes": 0}),
    pytest.param(
        "test_vit",
        "num_classes: 5, img_size: 64",
        "y",
        {"num_classes": 5, "img_size": 64},
        marks=pytest.mark.slow,
    ),
    ("test_resnet", "features: -1", "y", {"features_only": True, "out_indices": (4,)}),
    (
        "test_resnet",
        "features: {b: layer3, a: 2}",
        "{a: y.a, b: y.b}",
        {"features_only": True, "out_indices": (2, 3)},
    ),
]


@pytest.mark.parametrize(("model", "options", "outputs", "keywords"), WRITTEN)
def test_a_model_computes_what_timm_computes(
    model: str, options: str, outputs: str, keywords: dict[str, object]
) -> None:
    graph = mg.loads(spec(model, options, outputs))
    written = "".join(f", {name}={value!r}" for name, value in keywords.items())
    assert f'timm.create_model("{model}"{written})' in graph.source()
    compiled = graph.compile().eval()
    theirs = timm.create_model(model, **keywords).eval()
    theirs.load_state_dict(compiled.y.state_dict())
    image = torch.rand(2, 3, 64, 64)
    found, wanted = compiled(image=image), theirs(image)
    if isinstance(found, torch.Tensor):
        found, wanted = {"y": found}, wanted if isinstance(wanted, list) else [wanted]
    for name, tensor, other in zip(sorted(found), found.values(), wanted, strict=True):
        assert_close(tensor, other)
        assert graph.outputs[name].shape[1:] == tensor.shape[1:]


def test_the_channels_are_those_of_the_image() -> None:
    graph = mg.loads(spec("test_resnet", shape="[1, H, W]"))
    assert "in_chans=1" in graph.source()
    assert graph.compile()(image=torch.rand(2, 1, 48, 40)).shape == (2, 1000)


def test_faults_show_these_texts(rewrite: bool) -> None:
    def text(spec: str) -> str:
        return f"{render_text(faults(spec, 'timm'))}\n"

    check_cases(Path(__file__).with_name("timm_faults.md"), text, rewrite)


def test_a_probe_runs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.FOLDER, str(tmp_path))
    text = spec("test_resnet", "num_classes: 3")
    total = mg.loads(text).summary().total.params
    before = {path.name for path in tmp_path.iterdir()}
    monkeypatch.setattr("mimgraph.encoders.probe.made", None)
    assert mg.loads(text).summary().total.params == total
    assert {path.name for path in tmp_path.iterdir()} == before
    assert all(json.loads(path.read_text())["found"] for path in tmp_path.iterdir())


def test_weights_are_read_from_the_cache_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = timm.create_model("test_resnet")
    repository = tmp_path / "models--timm--test_resnet.r160_in1k"
    (repository / "snapshots" / "1").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("1")
    save_file(theirs.state_dict(), repository / "snapshots" / "1" / "model.safetensors")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    compiled = mg.loads(spec("test_resnet", "pretrained: true")).compile()
    assert_close(compiled.y.state_dict(), theirs.state_dict())


def test_missing_weights_are_asked_of_the_hub_without_the_name_of_a_pickle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(spec("test_resnet", "pretrained: true")).compile()
    (fault,) = caught.value.diagnostics
    assert fault.code == "missing-weights"
    assert fault.help == "where there is a network: hf download timm/test_resnet.r160_in1k"


def test_the_list_of_models_is_timms_own_until_timm_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.FOLDER, str(tmp_path))
    assert f"timm.NAME  {ours.LISTED_BY} lists the models" in listing(searched="timm", width=120)
    cache.remembered(ours._names_of_models(), lambda: {"names": ["resnet18", "vit"]})
    assert listing(searched="timm").splitlines()[1:] == [
        "  timm.resnet18  model of timm",
        "  timm.vit       model of timm",
    ]


def test_python_calls_a_model_as_a_layer() -> None:
    image = mg.Input("image", (3, 64, 64))
    graph = mg.Graph(outputs=layers.timm.test_resnet(num_classes=0)(image))
    assert 'self.test_resnet = timm.create_model("test_resnet", num_classes=0)' in graph.source()
    assert mg.loads(graph.dumps()).source() == graph.source()
