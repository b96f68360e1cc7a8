"""A block function is declared for all sizes, unless Python code decides by one of them."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph import layers, merges
from tests.fuzz.amounts import amounts

Function = Callable[..., Any]


def first(x: mg.Tensor) -> Any:
    return x.dims[0]


def halved(c: int) -> list[int]:
    found = []
    while c > 2:
        c = c // 2
        found.append(c)
    return found


def chained(x: mg.Tensor, widths: Any) -> mg.Tensor:
    for width in widths:
        x = layers.Linear(width)(x)
    return layers.ReLU()(x)


def checked(x: mg.Tensor) -> mg.Tensor:
    assert first(x) % 2 == 0
    return layers.Linear(3)(x)


def attempted(x: mg.Tensor) -> mg.Tensor:
    try:
        return layers.Unflatten(1, [2, -1])(x)
    except mg.SpecError:
        return layers.Linear(4)(x)


def wide(x: mg.Tensor) -> mg.Tensor:
    y = layers.ReLU()(x)
    return layers.Linear(4, bias=first(y) > 4)(y)


def halves(x: mg.Tensor) -> mg.Tensor:
    left, right = layers.Chunk(2, dim=1)(x)
    return merges.multiply(left, right)


def pooled(x: mg.Tensor) -> mg.Tensor:
    y = layers.Conv2d(4, 1)(x)
    return layers.Linear(2)(layers.Flatten()(y)) if y.dims[0] > 3 else y


def inner_sizes(x: mg.Tensor) -> mg.Tensor:
    return wide_block()(x)


@mg.block
def wide_block(x: mg.Tensor) -> mg.Tensor:
    return layers.Linear(3, bias=first(x) > 4)(x)


@mg.block
def any_size(x: mg.Tensor) -> mg.Tensor:
    return layers.Linear(3)(x)


def unread(x: mg.Tensor) -> mg.Tensor:
    layers.Linear(first(layers.ReLU()(x)))(x)  # leads to no output
    return layers.Linear(4, bias=first(layers.Tanh()(x)) > 4)(x)


# a function that uses sizes, and its inputs in a dump of a graph with an input of [6] or [6, 8, 8]
VECTORS: dict[str, tuple[Function, Any]] = {
    "no size": (lambda x: layers.Linear(4)(x), ["x"]),
    "an option": (lambda x: layers.Linear(2 * first(x))(x), {"x": ["x_1"]}),
    "the number of axes": (lambda x: layers.Linear(len(x.dims))(x), {"x": ["x_1"]}),
    "the axes of the shape": (lambda x: layers.ReLU()(x) if len(x.shape) < 3 else layers.Flatten()(x), {"x": ["x_1"]}),
    "a comparison": (lambda x: layers.Linear(4, bias=first(x) > 4)(x), {"x": [6]}),
    "an option beside it": (lambda x: layers.Linear(2 * first(x), bias=first(x) > 4)(x), {"x": [6]}),
    "equality": (lambda x: layers.Linear(4, bias=first(x) == 6)(x), {"x": [6]}),
    "an int": (lambda x: layers.Linear(int(first(x)) * 2)(x), {"x": [6]}),
    "its own type": (lambda x: layers.Linear(type(first(x))(2 * first(x)))(x), {"x": [6]}),
    "a root": (lambda x: layers.Linear(int(math.sqrt(first(x))))(x), {"x": [6]}),
    "a loop": (lambda x: chained(x, halved(first(x))), {"x": [6]}),
    "a range": (lambda x: chained(x, [3 for _ in range(first(x))]), {"x": [6]}),
    "percent formatting": (lambda x: layers.Linear(4)(x, name="l%d" % first(x)), {"x": [6]}),  # noqa: UP031
    "a formatted float": (lambda x: merges.formula("x * %g" % first(x) ** -0.5, x=x), {"x": [6]}),
    "a class": (lambda x: layers.Linear(4 if isinstance(first(x), int) else 3)(x), {"x": [6]}),
    "its text": (lambda x: layers.Linear(len(str(x.shape)))(x), {"x": [6]}),
    "its repr": (lambda x: layers.Linear(len(repr(x)))(x), {"x": [6]}),
    "its picture": (lambda x: layers.Linear(len(x._repr_html_()))(x), {"x": [6]}),
    "a key": (lambda x: layers.Linear({6: 1, 3: 2}.get(first(x), 5))(x), {"x": [6]}),
    "the size of a weight": (lambda x: layers.Linear(layers.Linear(4)(x)["weight"].dims[1])(x), {"x": [6]}),
    "its type": (lambda x: layers.Linear(4, bias=x.type.dims[0] > 4)(x), {"x": [6]}),
    "its dtype": (lambda x: layers.Linear(4, bias=x.dtype == "float32")(x), ["x"]),
    "a check": (checked, {"x": [6]}),
    "an error that is not raised": (attempted, ["x"]),  # and by the dump, too
    "an error that is caught": (lambda x: attempted(layers.Linear(first(x) - 1)(x)), {"x": [6]}),
    "a function in C": (lambda x: layers.Linear(json.loads(json.dumps(first(x))))(x), {"x": [6]}),
    "an array": (lambda x: layers.Linear(4, bias=any([0] * first(x)) or len(bytes(first(x))) > 4)(x), {"x": [6]}),
    "a result of the same size": (wide, {"x": [6]}),
    "a result that nothing uses": (unread, {"x": [6]}),
    "a number of results": (halves, {"x": [6]}),
    "a block that decides": (inner_sizes, ["x"]),  # its own inputs say so
    "a block that does not": (lambda x: any_size()(x), ["x"]),
}  # fmt: skip
IMAGES: dict[str, tuple[Function, Any]] = {
    "one of its sizes": (lambda x: layers.Conv2d(4, 1, bias=first(x) > 4)(x), {"x": [6, "x_2", "x_3"]}),
    "two of its sizes": (lambda x: layers.Conv2d(4, 1, bias=x.dims[1] > x.dims[2])(x), {"x": ["x_1", 8, 8]}),
    "a result of some of its sizes": (pooled, {"x": [6, "x_2", "x_3"]}),
    "a result of one of its sizes": (
        lambda x: layers.Conv2d(4, 1, bias=layers.ReLU()(x).dims[2] > 7)(x), {"x": ["x_1", "x_2", 8]},
    ),
    "a result of two of its sizes": (
        lambda x: layers.ReLU()(x) if layers.Flatten(2)(x).dims[1] > 40 else x, {"x": ["x_1", 8, 8]},
    ),
}  # fmt: skip
SIZES = {1: st.tuples(st.integers(1, 9)), 3: st.tuples(*[st.integers(1, 9)] * 3)}


def named(function: Function) -> Any:
    def f(x: mg.Tensor) -> mg.Tensor:
        made: mg.Tensor = function(x)
        return made

    return mg.block(f)


def made(block: Any, *sizes: int | str) -> mg.Graph | None:
    """Return the result of a block for an input of this shape; None if it is an error."""
    try:
        return mg.Graph(block()(mg.Input("x", sizes), name="y"))
    except (mg.SpecError, AssertionError, ValueError):
        return None


def test_a_block_takes_the_sizes_that_it_declares() -> None:
    wrong = {}
    for rows, sizes in ((VECTORS, (6,)), (IMAGES, (6, 8, 8))):
        for row, (function, inputs) in rows.items():
            graph = made(named(function), *sizes)
            assert graph is not None, row
            loaded = mg.loads(graph.dumps())
            assert loaded == graph, row
            assert loaded.source() == graph.source(), row
            assert made(loaded.blocks["f"], *sizes) == graph, row
            found = loaded.declared.blocks["f"].inputs
            patterns = {one.name: list(one.pattern.dims) if one.pattern else None for one in found}
            if patterns != (inputs if isinstance(inputs, dict) else dict.fromkeys(inputs)):
                wrong[row] = patterns
    assert not wrong


@amounts(12, 100, 1_000)
def test_a_dump_agrees_with_the_function_or_refuses_the_size(amount: settings) -> None:
    for function, _ in VECTORS.values():
        check_dumps(amount, function, SIZES[1], st.one_of(*SIZES.values()))


@amounts(12, 100, 1_000)
def test_a_dump_on_images_agrees_with_the_function_or_refuses(amount: settings) -> None:
    for function, _ in IMAGES.values():
        check_dumps(amount, function, SIZES[3], SIZES[3])


def check_dumps(amount: settings, function: Function, *sizes: Any) -> None:
    amount(given(*sizes)(lambda one, other: check_dump(function, one, other)))()


def check_dump(function: Function, one: tuple[int, ...], other: tuple[int, ...]) -> None:
    block = named(function)
    graph = made(block, *one)
    if graph is None:
        return
    again = made(mg.loads(graph.dumps()).blocks["f"], *other)
    assert again is None or again == made(block, *other)
    assert made(graph.blocks["f"], *other) == made(block, *other)  # which calls the function


# --- random functions ------------------------------------------------------------------------------


def made_of(steps: list[tuple[str, int]]) -> Any:
    """Return a block function with two inputs that applies these steps to the sizes so far."""

    @mg.block
    def f(x: mg.Tensor, y: mg.Tensor) -> mg.Tensor:
        found = [x, y]
        for kind, n in steps:
            one, other = found[n % len(found)], found[(n + 1) % len(found)]
            width = first(one)
            if kind == "layer":
                one = layers.Linear(n + 2)(one)
            elif kind == "plain":
                one = layers.ReLU()(one)
            elif kind == "size":
                one = layers.Linear(width + n)(one)
            elif kind == "branch" and width > 3:
                one = layers.Linear(n + 1, bias=False)(one)
            elif kind == "both":
                one = layers.Linear(3, bias=width == first(other))(one)
            elif kind == "loop":
                one = chained(one, halved(width))
            elif kind == "halves" and width % 2 == 0:
                one = halves(one)
            elif kind == "concat":
                one = merges.concat(one, other)
            elif kind == "add":
                one = merges.add(layers.Linear(first(other))(one), other)
            elif kind == "block":
                one = wide_block()(one)
            elif kind == "any":
                one = any_size(repeat=2)(one)
            elif kind == "chain":
                one = mg.Sequential(layers.Linear(n + 1), wide_block(), layers.Tanh())(one)
            found.append(one)
        return layers.Tanh()(found[-1])

    return f


STEPS = ["layer", "plain", "size", "branch", "both", "loop", "halves", "concat", "add"]
STEPS += ["block", "any", "chain"]


@amounts(60, 600, 6_000)
def test_a_dump_with_two_inputs_agrees_with_the_function_or_refuses(amount: settings) -> None:
    steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), min_size=1, max_size=5)
    sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))
    amount(given(steps, sizes, sizes)(check_two))()


def check_two(steps: list[tuple[str, int]], one: tuple[int, int], other: tuple[int, int]) -> None:
    block = made_of(steps)

    def graph(block: Any, sizes: tuple[int, int]) -> mg.Graph | None:
        x, y = mg.Input("x", sizes[:1]), mg.Input("y", sizes[1:])
        try:
            return mg.Graph(block()(x, y, name="z"))
        except mg.SpecError:
            return None

    made = graph(block, one)
    if made is None:
        return
    loaded = mg.loads(made.dumps())
    assert loaded == made
    assert loaded.source() == made.source()
    assert graph(loaded.blocks["f"], one) == made
    again = graph(loaded.blocks["f"], other)
    assert again is None or again == graph(block, other)


def test_a_size_that_decides_something_makes_a_block_for_each_size() -> None:
    block = named(VECTORS["a comparison"][0])
    uses = {f"y{n}": block()(mg.Input(f"x{n}", (n,))) for n in (6, 8)}
    uses["again"] = block()(mg.Input("x", (6,)))
    graph = mg.Graph(uses)
    assert list(graph.declared.blocks) == ["f", "f_2"]
    assert mg.loads(graph.dumps()) == graph
    assert mg.loads(graph.dumps()).source() == graph.source()


def test_a_size_that_decides_nothing_makes_one_block() -> None:
    block = named(VECTORS["an option"][0])
    graph = mg.Graph({f"y{n}": block()(mg.Input(f"x{n}", (n,))) for n in (6, 8)})
    assert list(graph.declared.blocks) == ["f"]


def test_a_block_for_a_fixed_size_refuses_a_run_time_size() -> None:
    block = named(VECTORS["a class"][0])
    graph = made(block, 6)
    assert graph is not None
    with pytest.raises(mg.SpecError, match="f takes x: \\[6\\]"):
        mg.loads(graph.dumps()).blocks["f"]()(mg.Input("x", ("T",)))


def test_a_block_that_decides_by_sizes_is_shared_at_equal_sizes() -> None:
    call = wide_block()
    call(mg.Input("x", (6,)))
    call(mg.Input("y", (6,)))
    with pytest.raises(mg.SpecError, match="wide_block takes x: \\[6\\]"):
        call(mg.Input("z", (3,)))


def test_a_repeat_may_not_decide_by_sizes_that_change() -> None:
    graph = mg.Graph(any_size(repeat=3)(mg.Input("x", (6,)), name="y"))
    assert "repeat: 3" in graph.dumps()
    same = mg.Graph(wide_block(repeat=3)(mg.Input("x", (3,)), name="y"))
    assert "repeat: 3" in same.dumps()
    with pytest.raises(mg.SpecError, match="call the block once for each"):
        wide_block(repeat=3)(mg.Input("x", (2,)))


def test_a_layer_made_outside_does_not_keep_runs_alive() -> None:
    outside = layers.Linear(3)

    @mg.block
    def f(x: mg.Tensor) -> mg.Tensor:
        return outside(x)

    for _ in range(3):
        f()(mg.Input("x", (6,)))
    assert not outside.uses


# --- variables that a function reads beside its arguments ----------------------------------------


def test_each_call_runs_the_function() -> None:
    names = itertools.count()

    @mg.block
    def counts(x: mg.Tensor, *, n: int = 2) -> mg.Tensor:
        return layers.Linear(n)(x, name=f"fc{next(names)}")

    x = mg.Input("x", (6,))
    graph = mg.Graph({"a": counts()(x), "b": counts(n=3)(x), "c": counts()(x)})
    assert next(names) == 3
    assert list(graph.declared.blocks) == ["counts", "counts_2", "counts_3"]
    assert mg.loads(graph.dumps()) == graph
    counts(repeat=2)(mg.Input("y", (2,)))
    assert next(names) == 5  # once for all times with equal arguments


def test_a_block_defined_in_a_function_is_one_block_for_all_runs() -> None:
    @mg.block
    def around(x: mg.Tensor) -> mg.Tensor:
        @mg.block
        def inner(y: mg.Tensor) -> mg.Tensor:
            return layers.Linear(3)(y)

        return inner()(x)

    x, y = mg.Input("x", (3,)), mg.Input("y", (3,))
    each = around().each(x, y, name="all")
    graph = mg.Graph({"x": each["x"], "y": each["y"], "z": around(repeat=2)(x)})
    assert list(graph.declared.blocks) == ["inner", "around"]


@pytest.mark.parametrize("key", ["hidden", "act", "added"])
def test_a_block_changes_with_the_variables_that_its_function_reads(key: str) -> None:
    config: dict[str, Any] = {"hidden": 3, "act": "ReLU", "added": 1}

    @mg.block
    def mlp(x: mg.Tensor, *, w: int = 4) -> mg.Tensor:
        hidden = config["hidden"] + w + config["added"]
        return layers.Linear(hidden, activation=config["act"])(x, name="l")

    @mg.block
    def around(x: mg.Tensor) -> mg.Tensor:
        return mlp()(x, name="m")

    x = mg.Input("x", (6,))
    before = [mg.Graph(block()(x, name="y")) for block in (mlp, around)]
    config[key] = "GELU" if key == "act" else 5
    after = [mg.Graph(block()(x, name="y")) for block in (mlp, around)]
    assert all(one != other for one, other in zip(before, after, strict=True))
    both = mg.Graph({"a": mlp()(x), "b": mlp()(x)})
    assert list(both.declared.blocks) == ["mlp"]
