"""A layer is typed at its call, and again by the graph only if the graph decides something about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.infer import typer


def chain() -> mg.Tensor:
    hidden = layers.Linear(8)(mg.Input("x", (8,)))
    return layers.Linear(2)(layers.ReLU()(hidden))


def named_size() -> mg.Tensor:
    left, right = mg.Input("left", ("T", 4)), mg.Input("right", ("T", 4))
    return merges.concat(layers.ReLU()(left), right, dim=2)


def equal_names() -> mg.Tensor:
    left, right = mg.Input("left", (4,)), mg.Input("right", (4,))
    return merges.add(layers.Linear(4)(left), layers.Linear(4)(right))


def shared() -> mg.Tensor:
    left, right = mg.Input("left", (4,)), mg.Input("right", (4,))
    layer = layers.Linear(4)
    return merges.add(layer(left), layer(right))


def optional() -> mg.Tensor:
    text, audio = mg.Input("text", (8,)), mg.Input("audio", (8,), optional=True)
    towers = layers.Linear(8)(text), layers.Linear(8)(audio)
    return merges.average(*towers, missing="skip")


def in_a_block() -> mg.Tensor:
    @mg.block
    def tower(x: mg.Tensor) -> mg.Tensor:
        return layers.Linear(4)(x)

    return layers.Linear(2)(tower(mg.Input("x", (8,))))


@pytest.mark.parametrize(
    ("make", "anew"),
    [
        (chain, []),
        (named_size, []),
        (equal_names, []),
        (shared, ["linear_1"]),
        (optional, ["linear_1", "average"]),
        (in_a_block, ["linear"]),
    ],
)
def test_a_graph_types_only_what_it_decides(
    make: Callable[[], mg.Tensor], anew: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[str] = []
    apply_op = typer.apply_op

    def noting(site: typer.Site, apply: typer.Apply) -> object:
        typed.append(site.node.name)
        return apply_op(site, apply)

    monkeypatch.setattr(typer, "apply_op", noting)
    end = make()
    assert typed
    typed.clear()
    graph = mg.Graph(end, limits={"parameters": 200})
    assert typed == anew
    assert graph.source() == mg.loads(graph.dumps()).source()
