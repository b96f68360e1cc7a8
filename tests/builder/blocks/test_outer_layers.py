"""A layer that is called outside of a block, and in its function, is one module."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.running import seeded


def whole() -> mg.Graph:
    tokens = layers.Embedding(8)

    @mg.block
    def layer(x: mg.Tensor, ids: mg.Tensor) -> mg.Tensor:
        return layers.Linear(8)(x) + tokens(ids)

    @mg.block
    def encoder(ids: mg.Tensor) -> mg.Tensor:
        return layer(repeat=2)(tokens(ids), ids)

    source, target = (mg.Input(name, ["T"], vocab=11) for name in ("source", "target"))
    words = tokens(source, name="tokens")
    return mg.Graph(outputs={"words": words, "encoded": encoder(target, name="encoded")})


def test_the_module_is_handed_to_blocks_in_blocks() -> None:
    graph = whole()
    assert mg.loads(graph.dumps()) == graph
    model, ids = seeded(graph.compile), torch.tensor([[1, 2, 3]])
    inner = [f"encoded.layer.{i}.linear.weight" for i in range(2)]
    assert [k for k in model.state_dict() if "weight" in k] == ["tokens.weight", *inner]
    x = words = model.tokens(ids)
    for layer in model.encoded.layer:
        x = layer.linear(x) + words
    torch.testing.assert_close(model(source=ids, target=ids)["encoded"], x)


def both(layer: Callable[..., mg.Tensor], inner: Callable[[mg.Tensor], mg.Tensor]) -> mg.Graph:
    @mg.block
    def head(v: mg.Tensor) -> mg.Tensor:
        return inner(v)

    x = mg.Input("x", [5])
    return mg.Graph(outputs={"y": layer(x), "z": head(x, name="head")})


def test_any_call_of_it_is_shared() -> None:
    linear, norm = layers.Linear(5, activation="ReLU"), layers.LayerNorm()
    chain = mg.Sequential(layers.Linear(5), layers.Tanh())
    each = layers.Linear(5)
    graphs = {
        "a layer": both(linear, lambda v: linear(linear(v))),
        "two layers": both(lambda x: norm(linear(x)), lambda v: linear(norm(v))),
        "a chain": both(chain, chain),
        "copies": both(lambda x: merges.add(*each.each(x, times=2)), lambda v: each["1"](v)),
    }
    for graph in graphs.values():
        model = graph.compile()
        assert not [key for key in model.state_dict() if key.startswith("head")]
        assert mg.loads(graph.dumps()) == graph
        model(x=torch.ones(2, 5))


def test_a_layer_without_weights_and_one_of_the_block_are_not_shared() -> None:
    tanh, inside = layers.Tanh(), layers.Linear(3)
    graph = both(tanh, lambda v: tanh(inside(v)))
    assert "share" not in graph.dumps()
    assert [*graph.compile().state_dict()] == ["head.linear.weight", "head.linear.bias"]


def test_a_block_keeps_the_name_of_the_outer_node_apart() -> None:
    linear = layers.Linear(5)
    x = mg.Input("x", [5])

    @mg.block
    def head(v: mg.Tensor) -> mg.Tensor:
        return linear(layers.Linear(5)(v, name="linear"))

    y = linear(x)
    graph = mg.Graph(outputs={"y": y, "z": head(x, name="head")})
    found = [k for k in graph.compile().state_dict() if "bias" in k]
    assert found == ["linear_2.bias", "head.linear.bias"]
    named = layers.Linear(5)

    @mg.block
    def other(v: mg.Tensor) -> mg.Tensor:
        return named(layers.Tanh()(v, name="fc"))

    y = named(x, name="fc")
    with pytest.raises(
        mg.SpecError, match="fc is also a node of a block, which shares the outer one"
    ):
        mg.Graph(outputs={"y": y, "z": other(x)})


def test_a_call_in_another_graph_is_not_shared_silently() -> None:
    linear = layers.Linear(5)
    mg.Graph(linear(mg.Input("old", [5])))
    with pytest.raises(mg.SpecError, match="which was called on old of another graph"):
        both(layers.Tanh(), lambda v: linear(v))


def test_a_module_of_another_size_is_reported() -> None:
    linear = layers.Linear(5)

    @mg.block
    def head(v: mg.Tensor) -> mg.Tensor:
        return linear(v)

    linear(mg.Input("x", [5]))
    with pytest.raises(mg.SpecError, match=r"is shared, so its input must be \(N, 5\)"):
        head(mg.Input("w", [6]))


def outer_in_a_sequential(x: mg.Tensor) -> mg.Tensor:
    """Call a layer outside, then in a Sequential inside a block."""
    linear = layers.Linear(4)
    y = linear(x)

    @mg.block
    def inside(v: mg.Tensor) -> mg.Tensor:
        return mg.Sequential(layers.ReLU(), linear)(v)

    return inside()(y)


def item_in_a_block(x: mg.Tensor) -> mg.Tensor:
    """Call a layer in a Sequential outside, then by itself inside a block."""
    linear = layers.Linear(4)
    y = mg.Sequential(linear, layers.ReLU())(x)

    @mg.block
    def inside(v: mg.Tensor) -> mg.Tensor:
        return linear(v)

    return inside()(y)


@pytest.mark.parametrize("build", [outer_in_a_sequential, item_in_a_block])
def test_a_layer_that_would_get_weights_of_its_own_in_a_sequential_is_refused(
    build: Callable[[mg.Tensor], mg.Tensor],
) -> None:
    with pytest.raises(mg.SpecError, match="used already, and in a Sequential"):
        build(mg.Input("x", (4,)))


@mg.block
def tower(x: mg.Tensor) -> mg.Tensor:
    return layers.Linear(5)(layers.Linear(5)(x))


def two_linear() -> mg.Graph:
    return mg.Graph(tower(mg.Input("i", [5])), name="encoder")


def nested(layer: Callable[..., mg.Tensor], inner: Callable[[mg.Tensor], mg.Tensor]) -> mg.Graph:
    """Call a layer outside, and another in a block of a block."""

    @mg.block
    def middle(v: mg.Tensor) -> mg.Tensor:
        @mg.block
        def head(w: mg.Tensor) -> mg.Tensor:
            return inner(w)

        return head(v)

    x = mg.Input("x", [5])
    return mg.Graph(outputs={"y": layer(x), "z": middle(x, name="head")})


@pytest.mark.parametrize("build", [both, nested])
@pytest.mark.parametrize("make", [tower, two_linear])
def test_a_block_or_graph_called_outside_and_inside_of_a_block_is_refused(
    build: Callable[..., mg.Graph], make: Callable[[], Callable[..., mg.Tensor]]
) -> None:
    shared = make()
    with pytest.raises(mg.SpecError, match="is called inside head too, where it would be another"):
        build(shared, lambda v: shared(v))
    alone = make()
    mg.Graph(alone(mg.Input("old", [5])))  # in another graph
    graph = build(make(), lambda v: alone(alone(v)))
    assert len(graph.compile().state_dict()) == 8
    assert mg.loads(graph.dumps()) == graph


def test_a_sequential_names_the_outer_layer_that_its_item_shares() -> None:
    linear = layers.Linear(5)
    chain = both(linear, lambda v: linear(v))  # without a Sequential it is legal
    assert len(chain.compile().state_dict()) == 2
    other = layers.Linear(5)

    @mg.block
    def head(v: mg.Tensor) -> mg.Tensor:
        return other(v)

    x = mg.Input("x", [5])
    y = other(x, name="fc")
    with pytest.raises(mg.SpecError) as raised:
        mg.Sequential(layers.Tanh(), head())(y)
    (fault,) = raised.value.diagnostics
    assert fault.message == "head shares fc, which a Sequential cannot pass to its items"
    assert fault.help == "end the Sequential before it, and call head() on the result"
    model = mg.Graph(head()(mg.Sequential(layers.Tanh())(y))).compile()
    assert len(model.state_dict()) == 2
