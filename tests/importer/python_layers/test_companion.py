"""Tests of the file beside a spec that registers the layers that stay Python."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph.importer.python_layers.layer import PythonOp
from mimgraph.importer.user_code import build, reference
from mimgraph.ops import registry

MODEL = """
import torch
from torch import nn


class Scale(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.ModuleList([nn.Linear(width, 2 * width)])
        self.register_buffer("shift", torch.arange(2.0 * width), persistent=False)

    def forward(self, x, masks, by=1.0):
        y = (self.inner[0](x) + self.shift) * by * masks[0][..., None]
        return y, {"sum": y.sum(1)}


class Net(nn.Module):
    def __init__(self, width=4, depth=1):
        super().__init__()
        self.width, self.depth = width, depth
        self.scale = Scale(width)
        self.head = nn.Linear(2 * width, 3)

    def forward(self, x):
        y, more = self.scale(x, [x[..., 0]], by=0.5)
        return self.head(y), more["sum"], torch.cdist(y, y)


def make(width):
    return Net(width)
"""

RUN = """
import sys, torch
import mimgraph as mg
import net_layers
state, x, wanted = torch.load("expected.pt")
with torch.device("meta"):
    mg.load("net.yaml").compile()
model = mg.load("net.yaml").compile().eval()
model.load_state_dict(state)
with torch.no_grad():
    found = model(x=x)
assert all(torch.equal(a, b) for a, b in zip(found.values(), wanted, strict=True))
print("equal")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a model of the user's, which is the working directory."""
    (tmp_path / "my_model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    # tests of other commands leave modules of this name
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not Path(p, "my_model.py").exists()])
    monkeypatch.delitem(sys.modules, "my_model", raising=False)
    return tmp_path


def made(name: str, **arguments: object) -> nn.Module:
    wanted = reference(f"my_model.py:{name}")
    assert wanted is not None
    return build(wanted, arguments, mg.Graph).eval()


@pytest.mark.slow
def test_a_spec_runs_with_its_companion_in_another_process(folder: Path) -> None:
    model = made("Net", width=6)
    imported = mg.from_module(model, {"x": ("T", 6)}, opaque=["scale"])
    imported.dump("net.yaml")
    x = torch.randn(2, 5, 6)
    with torch.no_grad():
        y, more, distance = model(x)
    torch.save((model.state_dict(), x, [y, more, distance]), "expected.pt")
    done = subprocess.run(
        [sys.executable, "-c", RUN], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "equal\n", done.stderr


def companion(folder: Path) -> str:
    return (folder / "net_layers.py").read_text()


def test_the_layers_are_written_for_people(folder: Path) -> None:
    mg.from_module(made("make", width=4), {"x": ("T", 4)}, opaque=["scale"]).dump("net.yaml")
    text = companion(folder)
    assert text.startswith('"""Layers of net.yaml that stay Python code; the spec needs this file.')
    assert "        return my_model.make(width=4)\n" in text
    assert text.endswith(
        '''\
@mg.register(shape=lambda x, masks_0: ((x[0], 8), (8,)))
class Scale(my_model.Scale):
    """The module `scale` of `Net`."""

    def __init__(self):
        become(self, "scale")

    def forward(self, x, masks_0):
        return tensors(super().forward(x, [masks_0], by=0.5))


@mg.register(shape=lambda x1, x2: (x1[0], x1[0]))
class Cdist(nn.Module):
    """The function `torch.cdist`."""

    def forward(self, x1, x2):
        return torch.cdist(x1, x2, p=2.0, compute_mode='use_mm_for_euclid_dist_if_necessary')
'''
    )


def test_arguments_of_a_constructor_are_found_in_the_attributes(folder: Path) -> None:
    cls = type(made("Net"))
    model = cls(width=8)
    mg.from_module(model, {"x": ("T", 8)}, opaque=["scale"]).dump("net.yaml")
    assert "        return my_model.Net(width=8)\n" in companion(folder)


def test_a_model_made_in_an_unknown_way_is_to_fill_in(folder: Path) -> None:
    model = type(made("Net"))(width=4)
    model.width = 5
    mg.from_module(model, {"x": ("T", 4)}, opaque=["scale"]).dump("net.yaml")
    message = "return the Net: how it was made is not known"
    assert f'    raise NotImplementedError("{message}")\n' in companion(folder)


def test_a_spec_without_such_layers_has_no_companion(folder: Path) -> None:
    mg.from_module(nn.Sequential(nn.Linear(4, 2)), {"input": (4,)}).dump("net.yaml")
    assert not (folder / "net_layers.py").exists()


def test_a_constant_of_a_call_is_written_out(folder: Path) -> None:
    class Add(nn.Module):
        def forward(self, x: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
            return x + table

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add = Add()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.add(x, torch.full((2,), 0.5, dtype=torch.complex64).real)
            return y

    mg.from_module(Outer(), {"x": (2,)}, opaque=["add"]).dump("net.yaml")
    assert 'class Add(type(model().get_submodule("add"))):' in companion(folder)


def test_the_layers_replace_those_of_the_import(folder: Path) -> None:
    mg.from_module(made("Net"), {"x": ("T", 4)}, opaque=["scale"]).dump("net.yaml")
    for name in [n for n, op in registry._OPS["layer"].items() if isinstance(op, PythonOp)]:
        del registry._OPS["layer"][name]
    spec = importlib.util.spec_from_file_location("net_layers", folder / "net_layers.py")
    assert spec is not None and spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert mg.load("net.yaml").compile().scale.inner[0].weight.shape == (8, 4)
    for name in ("Scale", "Cdist"):
        del registry._OPS["layer"][name]
