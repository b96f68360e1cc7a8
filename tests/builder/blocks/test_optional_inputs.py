"""An input of a block function with the default None may be left out of a call."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers, merges


@mg.block
def encode(x: mg.Tensor, scale: mg.Tensor | None = None, *, width: int = 4) -> mg.Tensor:
    """Encode x, scaled where a scale is given."""
    y = layers.Linear(width)(x)
    return y if scale is None else y * layers.Linear(width)(scale)


def x() -> mg.Tensor:
    return mg.Input("x", (5,))


def s() -> mg.Tensor:
    return mg.Input("s", (3,))


CALLS_WITHOUT: dict[str, Callable[[mg.Tensor], mg.Tensor]] = {
    "on a handle": lambda x: encode(x),
    "with options": lambda x: encode()(x),
    "with a keyword": lambda x: encode(x=x),
    "None by name": lambda x: encode(x, scale=None),
    "None by name, of a layer": lambda x: encode()(x, scale=None),
    "None by position": lambda x: encode(x, None),
    "in a Sequential": lambda x: mg.Sequential(encode())(x),
}


def test_a_call_without_the_input_runs_the_function_with_none() -> None:
    for case, call in CALLS_WITHOUT.items():
        graph = mg.Graph(call(x()))
        assert mg.loads(graph.dumps()) == graph, case
        model = graph.compile()
        assert [tuple(p.shape) for p in model.parameters()] == [(4, 5), (4,)], case
        sample = torch.randn(2, 5)
        weight, bias = model.parameters()
        torch.testing.assert_close(model(x=sample), nn.functional.linear(sample, weight, bias))


def test_calls_with_and_without_the_input_are_two_classes_in_one_graph() -> None:
    given, scale = x(), s()
    graph = mg.Graph({"plain": encode(given), "scaled": encode(given, scale)})
    model = graph.compile()
    assert list(model.state_dict()) == [
        *("encode.linear.weight", "encode.linear.bias"),
        *("encode_1.linear.weight", "encode_1.linear.bias"),
        *("encode_1.linear_1.weight", "encode_1.linear_1.bias"),
    ]
    sample, factor = torch.randn(2, 5), torch.randn(2, 3)
    found = model(x=sample, s=factor)
    inner = model.encode_1
    wanted = inner.linear(sample) * inner.linear_1(factor)
    torch.testing.assert_close(found["scaled"], wanted)
    torch.testing.assert_close(found["plain"], model.encode.linear(sample))
    assert mg.loads(graph.dumps()) == graph


def test_a_middle_input_is_left_out_by_none() -> None:
    @mg.block
    def three(a: mg.Tensor, b: mg.Tensor | None = None, c: mg.Tensor | None = None) -> mg.Tensor:
        assert b is None
        assert c is not None
        return a - c

    for call in (three(x(), None, x2()), three(x(), c=x2()), three()(x(), None, c=x2())):
        model = mg.Graph(call).compile()
        a, c = torch.randn(2, 5), torch.randn(2, 5)
        torch.testing.assert_close(model(x=a, x2=c), a - c)


def x2() -> mg.Tensor:
    return mg.Input("x2", (5,))


def test_an_input_that_may_be_missing_at_run_time_is_a_handle() -> None:
    @mg.block
    def attend(x: mg.Tensor, mask: mg.Tensor | None = None) -> mg.Tensor:
        assert mask is not None
        return layers.MultiheadAttention(num_heads=1)(x, key_padding_mask=mask)

    tokens = mg.Input("x", ("T", 4))
    mask = mg.Input("mask", ("T",), "bool", optional=True)
    model = mg.Graph(attend(tokens, mask)).compile().eval()
    sample, padding = torch.randn(2, 3, 4), torch.tensor([[False, False, True]] * 2)
    attention = copy.deepcopy(model.attend.multihead_attention)
    plain, masked = (
        attention(sample, sample, sample, key_padding_mask=m)[0] for m in (None, padding)
    )
    torch.testing.assert_close(model(x=sample), plain)
    torch.testing.assert_close(model(x=sample, mask=padding), masked)


def test_the_input_is_left_out_of_every_repeat_and_step() -> None:
    @mg.block
    def step(h: mg.Tensor, x: mg.Tensor | None = None) -> mg.Tensor:
        y = layers.Linear(h.dims[0])(h)
        return y if x is None else y + x

    model = mg.Graph(step(repeat=2)(x())).compile()
    sample = torch.randn(2, 5)
    first, second = model.step
    torch.testing.assert_close(model(x=sample), second.linear(first.linear(sample)))
    frames = mg.Input("frames", (7, 5))
    over = mg.Graph(step(over=1)(frames)).compile()
    torch.testing.assert_close(
        over(frames=torch.ones(2, 7, 5)), over.step.linear(torch.ones(2, 7, 5))
    )
    scanned = mg.Graph(step().scan(frames)).compile()
    torch.testing.assert_close(
        scanned(frames=torch.ones(2, 7, 5)), scanned.step.linear(torch.ones(2, 7, 5))
    )


def test_an_index_may_have_the_default_none() -> None:
    @mg.block
    def count(x: mg.Tensor, i: mg.Tensor | None = None) -> mg.Tensor:
        return x if i is None else merges.add(x, layers.Cast("float32")(i), broadcast=True)

    model = mg.Graph(count(repeat={"times": 3, "index": "i"})(x())).compile()
    torch.testing.assert_close(model(x=torch.zeros(2, 5)), torch.full((2, 5), 3.0))


def test_a_block_inside_a_block_is_called_without_the_input() -> None:
    @mg.block
    def outer(x: mg.Tensor, scale: mg.Tensor | None = None) -> mg.Tensor:
        return layers.ReLU()(encode(x, scale))

    model = mg.Graph(outer(x())).compile()
    assert list(model.state_dict()) == ["outer.encode.linear.weight", "outer.encode.linear.bias"]
    model = mg.Graph(outer(x(), s())).compile()
    assert len(model.state_dict()) == 4


@pytest.mark.parametrize("is_first", [True, False])
def test_calls_share_weights_if_the_function_declares_the_same_nodes(is_first: bool) -> None:
    @mg.block
    def attend(x: mg.Tensor, mask: mg.Tensor | None = None, *, heads: int = 1) -> mg.Tensor:
        found = layers.MultiheadAttention(num_heads=heads)(x, key_padding_mask=mask)
        return layers.Linear(4)(found)

    tokens, mask = mg.Input("x", ("T", 4)), mg.Input("mask", ("T",), "bool")
    shared = attend(heads=2)
    calls = {"masked": (tokens, mask), "plain": (tokens,)}
    order = ["masked", "plain"] if is_first else ["plain", "masked"]
    graph = mg.Graph({name: shared(*calls[name]) for name in order})
    assert mg.loads(graph.dumps()) == graph
    model = graph.compile().eval()
    assert len(model.state_dict()) == 6
    inner = model.attend
    sample, padding = torch.randn(2, 3, 4), torch.tensor([[False, False, True]] * 2)
    results = model(x=sample, mask=padding)
    for name, key in (("plain", None), ("masked", padding)):
        wanted = inner.multihead_attention(sample, sample, sample, key_padding_mask=key)[0]
        torch.testing.assert_close(results[name], inner.linear(wanted))


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_first", [True, False])
def test_calls_with_and_without_the_input_do_not_share_weights(is_first: bool) -> None:
    shared, given = encode(width=3), x()
    calls = [shared(given, s()), shared(given)]
    for one in calls:
        assert mg.Graph(one).compile()  # in a graph of its own
    with pytest.raises(mg.SpecError) as error:
        mg.Graph(merges.add(*(calls if is_first else reversed(calls))))
    assert "encode is called with scale and encode_1 without it" in str(error.value)
    assert "the function declares other nodes then" in str(error.value)
    assert "encode(width=3)(...)" in str(error.value)
    assert error.value.diagnostics[0].code == "wrong-arity"


def test_the_only_default_of_an_input_is_none() -> None:
    with pytest.raises(
        TypeError, match=r"f: mask is an input: its only default is None, and params"
    ):

        @mg.block
        def f(x: mg.Tensor, mask: int = 3) -> mg.Tensor:
            return x


def test_the_first_input_has_no_default() -> None:
    with pytest.raises(TypeError, match=r"f: the first input, x, has no default"):

        @mg.block
        def f(x: mg.Tensor | None = None) -> mg.Tensor | None:
            return x


def test_an_input_without_a_default_may_not_be_left_out() -> None:
    with pytest.raises(mg.SpecError, match="encode needs a source"):
        encode(scale=s())


def test_a_misspelt_optional_input_gets_a_suggestion() -> None:
    with pytest.raises(mg.SpecError, match="did you mean scale"):
        encode(x(), scal=s())
