"""Every spec of the gallery: documented, short, compiled, run, and the same when read back.

tests/picture/formats/test_formats.py draws each spec, and tests/test_models.py checks with ruff the
source of each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import mimgraph as mg
from mimgraph.ir.dim import Dim
from mimgraph.runtime.runner import Given, run
from tests.conftest import SPECS, TEN, in_ci
from tests.gallery import HUGE, SMALL


def test_a_spec_is_short_and_documented(spec: Path) -> None:
    graph = mg.load(spec)
    characters = "".join(spec.read_text().split())  # however the lines are laid out
    assert len(characters) <= 3_873
    assert graph.typed.body.doc and graph.name != "Model"


@pytest.mark.parametrize(
    ("spec", "params"),
    [
        *(
            in_ci(path, SMALL.get(path.stem), unless=path.stem in TEN, name=path.stem)
            for path in SPECS
        ),
        *(
            pytest.param(path, None, id=f"{path.stem}, whole", marks=pytest.mark.nightly)
            for path in SPECS
            if path.stem in SMALL and path.stem not in HUGE
        ),
    ],
)
def test_a_spec_runs_with_the_inferred_shapes(spec: Path, params: dict[str, int] | None) -> None:
    graph = mg.load(spec, params)
    done = run(graph.typed, graph.compile, Given(None, 1, {}), weights=None, seed=0)
    training = graph.typed.body.training
    assert list(done.outputs) == [name for name in graph.outputs if name not in training]
    for name, tensor in done.outputs.items():
        type_ = graph.outputs[name]
        sizes = zip(type_.shape, tensor.shape, strict=True)
        assert all(isinstance(dim, Dim) or dim == size for dim, size in sizes), name
        assert str(tensor.dtype) == f"torch.{type_.dtype}"
        if tensor.is_floating_point():
            assert torch.isfinite(tensor).all(), name


def test_a_spec_is_the_same_when_read_back(spec: Path) -> None:
    graph = mg.load(spec)
    assert mg.loads(graph.dumps()) == graph
