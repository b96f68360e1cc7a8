"""A registered class with any options and sources is made and probed, or is an error."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.ops import registry
from tests.fuzz.amounts import amounts
from tests.fuzz.ends import check
from tests.fuzz.mutations import odd_values, sizes, small
from tests.fuzz.running import check_runs
from tests.helpers.strategies import to_yaml


class Tower(nn.Module):
    """Linear layers that may halve, join or sum a length."""

    def __init__(
        self,
        width: int,
        hidden: tuple[int, ...] = (4,),
        kind: Literal["keep", "halve", "join", "sum"] = "keep",
        scale: float = 1.0,
        bias: bool | None = None,
        extra=None,
    ) -> None:
        super().__init__()
        widths = [width, *hidden]
        self.layers = nn.Sequential(
            *(nn.Linear(a, b, bias=bool(bias)) for a, b in pairwise(widths))
        )
        self.kind, self.scale, self.extra = kind, scale, extra

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor | tuple[Tensor, ...]:
        x = self.layers(x) * self.scale
        if other is not None:
            x = x + other
        match self.kind:
            case "halve":
                return x[:, ::2]
            case "join":
                return torch.cat((x, x), 1), x.mean(-1)
            case "sum":
                return x.sum()
        return x


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Unregister the classes that a test registers."""
    monkeypatch.setitem(registry._OPS, "layer", dict(registry.ops("layer")))
    mg.register(Tower)
    yield


options = st.fixed_dictionaries(
    {"width": st.just(4) | odd_values},
    optional={
        "hidden": st.lists(small, max_size=3) | odd_values,
        "kind": st.sampled_from(["keep", "halve", "join", "sum"]) | odd_values,
        "scale": st.floats() | odd_values,
        "bias": st.booleans() | odd_values,
        "extra": odd_values,
        "unknown": odd_values,
    },
)
shapes = st.lists(sizes, max_size=2).map(lambda lead: [*lead, 4]) | st.lists(sizes, max_size=3)


@st.composite
def uses(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a node of the class on one or two inputs."""
    inputs = {"x": draw(shapes)}
    if draw(st.booleans()):
        inputs["y"] = draw(st.just(inputs["x"]) | shapes)
    node = {"layer": "Tower", "from": list(inputs), **draw(options)}
    source = draw(st.sampled_from(["z", "z.0", "z.1", "z.2"]))
    return {"inputs": inputs, "nodes": {"z": node}, "outputs": {"out": source}}


def comes_to_a_legal_end(spec: dict[str, Any]) -> None:
    graph = check(to_yaml(spec))
    if graph is not None:
        check_runs(graph)


@amounts(None, 200, 6_000)
def test_any_use_of_a_registered_class(amount: settings) -> None:
    amount(given(uses())(comes_to_a_legal_end))()
