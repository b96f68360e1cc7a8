"""A merge without sources is a layer, called on its sources later."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.ops.layer_call import LayerCall

x, y = mg.Input("x", (4,)), mg.Input("y", (4,))
sequence = mg.Input("sequence", (3, 4))

CALLED_LATER: dict[str, tuple[Callable[[], mg.Tensor], Callable[[], mg.Tensor]]] = {
    "gated": (
        lambda: merges.gated(out_features=8)(x, y, name="fused"),
        lambda: merges.gated(x, y, out_features=8, name="fused"),
    ),
    "without options": (lambda: merges.add()(x, y), lambda: merges.add(x, y)),
    "an activation": (
        lambda: merges.concat(dim=1, activation="ReLU")(x, y),
        lambda: merges.concat(x, y, dim=1, activation="ReLU"),
    ),
    "formula": (
        lambda: merges.formula("a + n * b", n=2)(a=x, b=y),
        lambda: merges.formula("a + n * b", n=2, a=x, b=y),
    ),
    "arguments by name": (
        lambda: merges.attention(is_causal=True)(query=sequence, key=sequence, value=sequence),
        lambda: merges.attention(sequence, sequence, sequence, is_causal=True),
    ),
}


@pytest.mark.parametrize("case", CALLED_LATER)
def test_a_merge_without_sources_is_called_on_them_later(case: str) -> None:
    later, at_once = CALLED_LATER[case]
    assert mg.Graph(later()) == mg.Graph(at_once())


def test_a_merge_that_is_called_twice_is_shared() -> None:
    fuse = merges.gated(out_features=4)
    graph = mg.Graph(fuse(fuse(x, y, name="fused"), y))
    assert "gated: {share: fused, from: [fused, y]}" in graph.dumps()


def test_an_argument_that_is_none_is_left_out() -> None:
    alone = merges.attention(sequence, sequence, sequence)
    assert mg.Graph(merges.attention(sequence, sequence, sequence, mask=None)) == mg.Graph(alone)


def test_a_merge_is_no_item_of_a_sequential() -> None:
    with pytest.raises(TypeError, match=r"a merge takes several sources, merges\.add\(a, b\)"):
        mg.Sequential(layers.ReLU(), merges.add())


def test_a_misspelt_option_is_reported_at_the_call() -> None:
    fuse = merges.gated(out_feature=8)  # type: ignore[call-overload]
    assert isinstance(fuse, LayerCall)
    with pytest.raises(mg.SpecError, match="gated has no option 'out_feature'"):
        fuse(x, y)
