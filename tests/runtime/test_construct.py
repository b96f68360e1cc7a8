"""Checks the errors of a module that cannot be made: the node, and the file that is missing."""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cli import main
from mimgraph.diagnostics import Diagnostic
from mimgraph.support.offline import SWITCH, Refused
from tests.helpers.cases import each

URL = "https://models.example.org/tiny-0123.pth"


class Tiny(nn.Module):
    """Loads its weights from torch.hub, as models of torchvision do."""

    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.proj = nn.Linear(4, width)
        self.load_state_dict(torch.hub.load_state_dict_from_url(URL))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.proj(x)
        return result


def make_tiny() -> Tiny:
    """Make a module that loads its weights, in another module."""
    return Tiny()


def make_broken(where: str = "constructor") -> Any:
    """Make a module that cannot be made with data."""
    if torch.empty(0).device.type == "cpu":
        raise RuntimeError("no such kernel")
    return nn.Identity()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that torch.hub looks for, in a folder that is empty."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    return tmp_path / "checkpoints" / "tiny-0123.pth"


def graph(nodes: str, blocks: str = "") -> mg.Graph:
    mg.register(Tiny), mg.register(make_tiny), mg.register(make_broken)
    return mg.loads(f"inputs: {{x: [4]}}\n{blocks}nodes:\n  {nodes}\noutputs: y\n")


def fault(graph: mg.Graph) -> Diagnostic:
    with pytest.raises(mg.SpecError) as raised:
        graph.compile()
    (found,) = raised.value.diagnostics
    return found


def test_a_missing_file_is_reported_at_the_node(hub: Path) -> None:
    found = fault(graph("a: {layer: ReLU, from: x}\n  y: {layer: make_tiny, from: a}"))
    assert (found.code, found.span.line, found.node) == ("missing-weights", 4, "y")
    assert found.message == "tiny-0123.pth is not on this machine"
    assert found.note == f"it was looked for in {hub}"
    assert found.help == f"where there is a network: curl -L --create-dirs -o {hub} {URL}"


BLOCKS = """\
blocks:
  inner: {inputs: {x: [C]}, nodes: {out: {layer: Tiny, from: x}}, outputs: out}
  outer: {inputs: {x: [C]}, nodes: {deep: {block: inner, from: x}}, outputs: deep}
  square: {seq: [ReLU, {Tiny: {width: 4}}]}
"""
PLACES = {
    "in a chain": ("y: {from: x, seq: [ReLU, Tiny]}", "", 3),
    "in a block": ("y: {block: inner, from: x}", BLOCKS, 3),
    "in a block of a block": ("a: {layer: ReLU, from: x}\n  y: {block: outer, from: a}", BLOCKS, 3),
    "in a repeat": ("y: {block: square, from: x, repeat: 2}", BLOCKS, 5),
    "in an each": (
        "e: {layer: Tiny, each: {a: x, b: x}}\n  y: {merge: concat, from: [e.a, e.b]}",
        "",
        3,
    ),
}


@pytest.mark.usefixtures("hub")
@each("nodes, blocks, line", PLACES)
def test_a_missing_file_is_reported_at_the_innermost_node(
    nodes: str, blocks: str, line: int
) -> None:
    found = fault(graph(nodes, blocks))
    assert (found.code, found.span.line) == ("missing-weights", line)


def test_a_file_that_is_there_is_loaded(hub: Path) -> None:
    hub.parent.mkdir(parents=True)
    weights = {"proj.weight": torch.randn(3, 4), "proj.bias": torch.randn(3)}
    torch.save(weights, hub)
    model = graph("y: {layer: make_tiny, from: x}").compile()
    assert all(torch.equal(weights[key], model.y.state_dict()[key]) for key in weights)


def test_a_check_needs_no_file_and_makes_none(
    hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = graph("y: {layer: make_tiny, from: x}")
    assert made.summary().params == 15 and str(made.outputs["y"].shape) == "(N, 3)"
    assert not hub.exists() and capsys.readouterr().out == ""


def test_without_a_network_the_help_is_the_same(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def urlopen(*args: Any) -> Any:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setenv(SWITCH, "0")
    monkeypatch.setattr("torch.hub.urlopen", urlopen)
    found = fault(graph("y: {layer: make_tiny, from: x}"))
    assert found.code == "missing-weights" and str(hub) in found.help


def test_an_answer_of_the_server_is_no_missing_file(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def urlopen(*args: Any) -> Any:
        raise urllib.error.HTTPError(URL, 404, "Not Found", None, None)  # type: ignore[arg-type]

    made = graph("y: {layer: make_tiny, from: x}")
    monkeypatch.setenv(SWITCH, "0")
    monkeypatch.setattr("torch.hub.urlopen", urlopen)
    with pytest.raises(urllib.error.HTTPError) as raised:
        made.compile()
    assert raised.value.__notes__ == ["in node y (<string>:3): make_tiny of x (N, 4)"]


def test_any_error_names_the_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = graph("y: {layer: make_broken, from: {input: x}}")
    with pytest.raises(RuntimeError, match="no such kernel") as raised:
        made.compile()
    assert raised.value.__notes__ == ["in node y (<string>:3): make_broken of x (N, 4)"]
    made.dump(tmp_path / "spec.yaml")
    assert main(["run", str(tmp_path / "spec.yaml")]) == 2
    shown = capsys.readouterr().err
    assert "error: the model cannot be made: no such kernel; in node y" in shown


def downloads_in_forward() -> nn.Module:
    class Late(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if x.device.type == "cpu":
                torch.hub.load_state_dict_from_url(URL)
            return x

    return Late()


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("json_", [False, True])
def test_the_command_runs_without_the_network(
    json_: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(SWITCH, "0")
    spec = tmp_path / "spec.yaml"
    graph("y: {layer: make_tiny, from: x}").dump(spec)
    options = ["--json"] if json_ else []
    assert main(["run", str(spec), "--offline", *options]) == 1
    out, err = capsys.readouterr()
    assert "missing-weights" in err and f"{spec}:" in err and out == ""
    mg.register(downloads_in_forward)
    graph("y: {layer: downloads_in_forward, from: {x: x}}").dump(spec)
    assert main(["run", str(spec), "--offline", *options]) == 2
    assert "the network is off here" in capsys.readouterr().err


def test_the_command_runs_what_needs_no_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph("y: {layer: Linear, from: x, out_features: 2}").dump(tmp_path / "spec.yaml")
    assert main(["run", str(tmp_path / "spec.yaml"), "--offline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"]["y"]["shape"] == [2, 2]


# --- libraries ------------------------------------------------------------------------------------


def make_resnet() -> Any:
    """Make a classifier whose weights torchvision downloads."""
    import torchvision

    return torchvision.models.resnet18(weights="DEFAULT")


def make_bert(name: str) -> Any:
    """Make a model of the hub."""
    import transformers

    return transformers.AutoModel.from_pretrained(name)


def fetch(name: str) -> Any:
    """Download from the hub without transformers."""
    from huggingface_hub import hf_hub_download

    torch.load(hf_hub_download(name, "model.pt", revision="v2"))
    return nn.Identity()


def load_through(function: Callable[..., Any], options: str = "") -> mg.Graph:
    mg.register(function)
    return mg.loads(
        f"inputs: {{x: [3, 32, 32]}}\nnodes:\n  y: {{layer: {function.__name__}, from: x{options}}}\noutputs: y\n"
    )


@pytest.mark.slow
def test_a_model_of_torchvision_without_its_weights(hub: Path) -> None:
    made = load_through(make_resnet)
    assert made.summary().params == 11_689_512
    found = fault(made)
    assert found.message == "resnet18-f37072fd.pth is not on this machine"
    assert found.note == f"it was looked for in {hub.parent / 'resnet18-f37072fd.pth'}"
    assert found.help.endswith(" https://download.pytorch.org/models/resnet18-f37072fd.pth")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "help"),
    [
        (make_bert, "hf download acme/small"),
        (fetch, "hf download acme/small model.pt --revision v2"),
    ],
)
def test_a_model_of_the_hub_that_is_not_in_the_cache(
    function: Callable[..., Any], help: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(mg.SpecError) as raised:
        load_through(function, ", name: acme/small")
    (found,) = raised.value.diagnostics
    assert (found.code, found.span.line) == ("missing-weights", 3)
    assert found.help == f"where there is a network: {help}"


def test_an_error_of_the_network_is_one_of_connections() -> None:
    assert issubclass(Refused, ConnectionError)  # so that libraries treat it as one
