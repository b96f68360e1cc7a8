"""`from_module` imports models of every kind, and leaves them as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.conftest import needed

pytestmark = pytest.mark.slow

FIXTURES = Path(__file__).parent / "importer" / "foreign"


class Net(nn.Module):
    """An image and words."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.words = nn.Embedding(50, 4)
        self.head = nn.Linear(8, 2)

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        seen = torch.relu(self.norm(self.conv(image))).mean((2, 3))
        return self.head(torch.cat([seen, self.words(text).mean(1)], 1))


INPUTS = {"image": (3, 8, 8), "text": mg.Input("text", ("T",), vocab=50)}
FORMS = {
    "shapes": INPUTS,
    "a list": [(3, 8, 8), {"shape": ("T",), "vocab": 50}],
    "tensors": {"image": torch.randn(2, 3, 8, 8), "text": torch.randint(50, (2, 5))},
    "handles": {"image": mg.Input("image", (3, 8, 8)), "text": {"shape": ("T",), "vocab": 50}},
}


@pytest.mark.parametrize("form", FORMS)
def test_inputs_have_several_forms(form: str) -> None:
    imported = mg.from_module(Net(), FORMS[form])
    assert imported.proven, str(imported.report)
    assert list(imported.graph.to_dict()["inputs"]) == ["image", "text"]
    assert imported.keys == {}


def test_the_module_stays_as_it_was() -> None:
    net = Net().train()
    net.head.weight.requires_grad_(False)
    hooked = net.head.register_forward_hook(lambda *_: None)
    state = {key: one.clone() for key, one in net.state_dict().items()}
    seed = torch.get_rng_state()
    mg.from_module(net, INPUTS)
    assert net.training and net.norm.training
    assert not net.head.weight.requires_grad and net.conv.weight.requires_grad
    assert all(one.grad is None for one in net.parameters())
    assert all(torch.equal(one, state[key]) for key, one in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), seed)
    hooked.remove()


def test_wrappers_are_looked_into() -> None:
    net = Net()
    for wrapped in (torch.compile(net), nn.DataParallel(net)):
        imported = mg.from_module(wrapped, INPUTS)  # type: ignore[arg-type]
        assert imported.proven and imported.keys == {}


def test_compiled_parts_run_as_they_are_written() -> None:
    net = Net()
    net.head.compile()
    assert mg.from_module(net, INPUTS).proven


@pytest.mark.parametrize(
    ("layer", "inputs"),
    {
        "Linear": (nn.Linear(4, 3), {"input": (4,)}),
        "LSTM": (nn.LSTM(4, 3, batch_first=True), {"input": ("T", 4)}),
    }.values(),
)
def test_a_layer_of_torch_becomes_a_node(layer: nn.Module, inputs: object) -> None:
    imported = mg.from_module(layer, inputs)
    name = type(layer).__name__
    assert imported.proven, str(imported.report)
    assert imported.graph.to_dict()["name"] == name
    assert name.lower() in imported.graph.nodes
    assert {*imported.keys.values()} == {*layer.state_dict()}
    made = imported.graph.compile()
    imported.graph.load_state(made, layer.state_dict(), keys=imported.keys)
    for ours, theirs in imported.keys.items():
        assert torch.equal(made.state_dict()[ours], layer.state_dict()[str(theirs)])


class Größe(nn.Module):
    """Has names that no spec can have."""

    def __init__(self) -> None:
        super().__init__()
        self.schicht_ä = nn.Linear(4, 4)
        self.add_module("__last", nn.Linear(4, 2))

    def forward(self, größe: Tensor) -> Tensor:
        return self.get_submodule("__last")(self.schicht_ä(größe))


def test_names_that_no_spec_can_have_are_written_otherwise() -> None:
    imported = mg.from_module(Größe(), [(4,)])
    assert imported.proven
    assert imported.graph.to_dict()["inputs"] == {"gr__e": [4]}
    assert imported.keys == {
        f"{ours}.{one}": f"{theirs}.{one}"
        for ours, theirs in {"schicht__": "schicht_ä", "_last": "__last"}.items()
        for one in ("weight", "bias")
    }


class Divided(nn.Module):
    """Divides by a number that depends on inputs."""

    def forward(self, x: Tensor) -> Tensor:
        return x / x.abs().max().item()


def test_what_cannot_be_imported_is_a_value_error_with_the_users_line() -> None:
    with pytest.raises(
        ValueError, match=r"Divided cannot be imported(.|\n)*test_imported.py:\d+: return x"
    ):
        mg.from_module(Divided(), [(4,)])


def test_python_code_is_no_model_of_another_library() -> None:
    with pytest.raises(ValueError, match=r"test_imported.py is Python code"):
        mg.from_module(__file__)


def test_one_module_that_stays_python() -> None:
    found = mg.from_module(Net(), INPUTS, opaque="head").data()["opaque"]
    assert [one["path"] for one in found] == ["head"]


@pytest.mark.parametrize("given", [None, 3, nn.Linear, torch.zeros(2)])
def test_what_is_no_model_is_a_type_error(given: object) -> None:
    with pytest.raises(TypeError, match=r"an nn\.Module"):
        mg.from_module(given, [(4,)])  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_module_of_torch_jit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"torch\.jit has compiled this module"):
        mg.from_module(torch.jit.trace(nn.ReLU(), torch.zeros(2)), [(4,)])  # type: ignore[no-untyped-call]


KERAS = {
    "class_name": "Sequential",
    "config": {
        "name": "net",
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 4]}},
            {"class_name": "Dense", "config": {"name": "fc", "units": 3, "activation": "relu"}},
        ],
    },
}


def test_files_of_other_libraries_have_nothing_to_compare_with(tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    file.write_text(json.dumps(KERAS))
    imported = mg.from_module(file)
    assert not imported.proven and not imported.comparable
    assert imported.dumps().startswith("# Not compared: nothing in the file is run")
    assert "not compared: nothing in the file is run" in str(imported.report)
    assert set(imported.keys) <= set(imported.compile().state_dict())
    with pytest.raises(ValueError, match="not compared"):
        mg.from_module(file, strict=True)


OTHERS = {
    "spec": ("inputs: {x: [4]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y", "a spec already"),
    "yolo": ("nc: 3\nbackbone:\n  - [-1, 1, Conv, [8, 3, 2]]\n", r"YOLO\(path\).model"),
    "data": ("a: [1", "it takes models of Keras"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_that_is_no_model_has_a_help(name: str, tmp_path: Path) -> None:
    text, help = OTHERS[name]
    (tmp_path / "net.yaml").write_text(text)
    with pytest.raises(mg.SpecError, match=f"no model that mimgraph can import(.|\n)*{help}"):
        mg.from_module(tmp_path / "net.yaml")


def test_a_keras_file_brings_its_weights() -> None:
    needed("h5py")
    imported = mg.from_module(FIXTURES / "keras" / "files" / "image_numbers.keras")
    assert not imported.comparable
    state = imported.compile().state_dict()
    assert any(one.abs().sum() for one in state.values())
    assert {*state} - {*imported.keys} == {"flatten.4.num_batches_tracked"}
    assert "layers/dense/vars/0" in imported.keys.values()


def test_an_exported_program_is_imported_but_no_path_of_one(tmp_path: Path) -> None:
    batch = {0: torch.export.Dim("batch")}
    program = torch.export.export(nn.ReLU(), (torch.zeros(2, 4),), dynamic_shapes=(batch,))
    assert mg.from_module(program).proven
    path = tmp_path / "net.pt2"
    with pytest.raises(ValueError, match="net.pt2 is code, .* give the program: torch.export.load"):
        mg.from_module(path)


def test_an_input_that_forward_does_not_read_is_left_out() -> None:
    class Unused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(5, 4)

        def forward(self, x: Tensor, y: Tensor) -> Any:
            return self.fc(x)

    found = mg.from_module(Unused(), {"x": (5,), "y": (3,)})
    assert found.proven and [*found.graph.inputs] == ["x"]
    (left_out,) = found.data()["left_out"]
    assert (left_out["name"], left_out["reason"]) == ("y", "input")
