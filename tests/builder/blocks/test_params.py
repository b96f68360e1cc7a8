"""A param of a function stays a param of its block if no Python code decides by its value."""

from __future__ import annotations

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


def image() -> mg.Tensor:
    return mg.Input("x", (4, 8, 8))


def vector() -> mg.Tensor:
    return mg.Input("x", (6,))


def params_of(graph: mg.Graph, block: str) -> list[str]:
    """Return the params of a block in a dump."""
    return list(mg.loads(graph.dumps()).declared.blocks[block].params)


# --- each use of a param ---------------------------------------------------------------------------

# a body that uses the param `n` of 2, and whether it stays a param
USES: dict[str, tuple[Function, bool]] = {
    "an option": (lambda x, *, n=2: layers.Linear(n)(x), True),
    "arithmetic": (lambda x, *, n=2: layers.Linear((3 + n * 2 - 1) // 2 + n % 5)(x), True),
    "a list of an option": (lambda x, *, n=2: layers.Reshape([n, -1])(x), True),
    "a repeat": (lambda x, *, n=2: fixed(repeat=n)(x), True),
    "a param of another block": (lambda x, *, n=2: straight(width=n + 1)(x), True),
    "a parameter": (lambda x, *, n=2: x @ mg.Parameter("p", (6, n), init="zeros"), True),
    "not used": (lambda x, *, n=2: layers.Linear(3)(x), False),
    "a branch": (lambda x, *, n=2: layers.Linear(n)(x) if n > 1 else x, False),
    "its truth": (lambda x, *, n=2: layers.Linear(n)(x) if n else x, False),
    "a bound": (lambda x, *, n=2: layers.Linear(max(n, 1))(x), False),
    "a loop": (lambda x, *, n=2: chained(x, range(n)), False),
    "an index": (lambda x, *, n=2: layers.Linear([3, 4, 5][n])(x), False),
    "a slice": (lambda x, *, n=2: chained(x, [1, 1, 1][:n]), False),
    "a key": (lambda x, *, n=2: layers.Linear({2: 5, 3: 7}[n])(x), False),
    "a list of that length": (lambda x, *, n=2: layers.Pad([1, 1] * n)(layers.Reshape([2, 3])(x)), False),
    "an f-string": (lambda x, *, n=2: layers.Linear(3)(x, name=f"fc{n}"), False),
    "percent formatting": (lambda x, *, n=2: layers.Linear(3)(x, name="fc%d" % n), False),  # noqa: UP031
    "isinstance": (lambda x, *, n=2: layers.Linear(n if isinstance(n, int) else 1)(x), False),
    "an int": (lambda x, *, n=2: layers.Linear(int(n))(x), False),
    "its own type": (lambda x, *, n=2: layers.Linear(type(n)(2 * n))(x), False),
    "a float": (lambda x, *, n=2: layers.Linear(int(n * 1.5))(x), False),
    "a root": (lambda x, *, n=2: layers.Linear(math.isqrt(n) + 1)(x), False),
    "a power": (lambda x, *, n=2: layers.Linear(n**2)(x), False),
    "a quotient": (lambda x, *, n=2: layers.Dropout(1 / n)(x), False),
    "a size of a result": (lambda x, *, n=2: layers.Linear(layers.Linear(n)(x).dims[0])(x), False),
    "an unpacked size": (lambda x, *, n=2: widened(layers.Linear(n)(x)), False),
    "a number of results": (lambda x, *, n=2: merges.concat(*layers.Chunk(n, dim=1)(x)), False),
    "a block that decides": (lambda x, *, n=2: deciding(width=n)(x), False),
    "a block that decides by sizes": (lambda x, *, n=2: deciding_by_size()(layers.Linear(n)(x)), False),
    "an error that is caught": (lambda x, *, n=2: attempted(x, n), False),
    "an expression that is too large": (lambda x, *, n=2: layers.Linear(doubled(n) // 2**70)(x), False),
    "a function in C": (lambda x, *, n=2: layers.Linear(json.loads(json.dumps(n)))(x), False),
}  # fmt: skip


def chained(x: mg.Tensor, items: Any) -> mg.Tensor:
    for _ in items:
        x = layers.Linear(3)(x)
    return x


def widened(x: mg.Tensor) -> mg.Tensor:
    (width,) = x.dims
    return layers.Linear(2 * width)(x)


def attempted(x: mg.Tensor, n: int) -> mg.Tensor:
    try:
        return layers.Unflatten(1, [n, 4])(x)
    except mg.SpecError:
        return layers.Linear(n)(x)


def doubled(n: int) -> int:
    for _ in range(70):
        n = n + n
    return n


@mg.block
def fixed(x: mg.Tensor) -> mg.Tensor:
    return layers.Linear(6)(x)


@mg.block
def straight(x: mg.Tensor, *, width: int) -> mg.Tensor:
    return layers.Linear(width)(x)


@mg.block
def deciding(x: mg.Tensor, *, width: int = 1) -> mg.Tensor:
    return layers.Linear(width)(x) if width > 1 else x


@mg.block
def deciding_by_size(x: mg.Tensor) -> mg.Tensor:
    return layers.ReLU()(x) if x.dims[0] > 1 else x


def named(function: Function) -> Any:
    function.__name__ = "b"
    return mg.block(function)


def test_a_param_stays_a_param_if_python_decides_nothing_by_it() -> None:
    wrong = []
    for use, (function, stays) in USES.items():
        graph = mg.Graph(named(function)(vector()))
        if params_of(graph, "b") != ["n"] * stays or mg.loads(graph.dumps()) != graph:
            wrong.append((use, graph.dumps()))
    assert not wrong


def test_some_params_stay_while_others_become_a_part_of_the_block() -> None:
    @mg.block
    def b(x: mg.Tensor, *, width: int = 4, factor: int = 2, rate: float = 0.1) -> mg.Tensor:
        x = layers.Linear(width * factor + 1)(x)
        return layers.Dropout(rate)(x) if factor > 1 else x

    graph = mg.Graph(b(width=5)(vector()))
    assert params_of(graph, "b") == ["width", "rate"]
    assert "out_features: $(width * 2 + 1)" in graph.dumps()
    assert "{block: b, from: x, width: 5}" in graph.dumps()


@mg.block
def b(v: mg.Tensor, *, ks: Any = (3, 3), deep: bool = True, act: str = "ReLU") -> mg.Tensor:
    v = layers.Conv2d(4, ks, padding="same", activation=act)(v)
    return layers.Conv2d(4, 1)(v) if deep else v


def test_each_trace_declares_a_block() -> None:
    x = image()
    calls = [b(), b(ks=(5, 5)), b(deep=False), b(act="Tanh"), b(), b((3, 3), act="ReLU")]
    graph = mg.Graph({f"y{i}": call(x) for i, call in enumerate(calls)})
    assert list(graph.declared.blocks) == ["b", "b_2", "b_3", "b_4"]
    assert all(not params_of(graph, name) for name in graph.declared.blocks)
    assert mg.loads(graph.dumps()) == graph
    assert mg.loads(graph.dumps()).source() == graph.source()


def test_blocks_of_a_graph_built_in_python_call_the_function_again() -> None:
    x = image()
    graph = mg.Graph({"a": b()(x), "b": b(deep=False)(x)})
    again = mg.Graph(graph.blocks["b"](ks=[5, 5])(x))
    assert again == mg.Graph(b(ks=(5, 5))(x))
    assert mg.Graph(graph.blocks["b_2"](ks=[5, 5])(x)) == mg.Graph(b(ks=(5, 5), deep=False)(x))
    assert mg.Graph(graph.blocks["b_2"](deep=True)(x)) == mg.Graph(b()(x))
    assert mg.Graph(graph.blocks["b_2"]()(x)) == mg.Graph(b(deep=False)(x))
    other = mg.Input("x", (4, 6, 6))
    assert mg.Graph(graph.blocks["b"](ks=[1, 1])(other)) == mg.Graph(b(ks=(1, 1))(other))


def test_blocks_of_a_loaded_spec_have_only_the_params_in_it() -> None:
    loaded = mg.loads(mg.Graph(b()(image())).dumps())
    with pytest.raises(mg.SpecError, match="b has no option 'ks'"):
        loaded.blocks["b"](ks=[5, 5])(image())
    text = loaded.dumps().replace("{block: b, from: x}", "{block: b, from: x, deep: false}")
    with pytest.raises(mg.SpecError, match="b has no option 'deep'"):
        mg.loads(text)


def test_a_block_may_have_an_underscore_as_name() -> None:
    block = named(lambda x, *, n=2: layers.Linear(n)(x))
    block.name = "_"
    graph = mg.Graph({"a": block()(vector()), "b": block(n=3)(mg.Input("y", (6,)))})
    assert list(graph.declared.blocks) == ["_"]
    assert mg.loads(graph.dumps()) == graph


def test_the_function_gets_a_tuple_as_a_tuple() -> None:
    @mg.block
    def same(x: mg.Tensor, *, ks: tuple[int, ...] = (3, 3)) -> mg.Tensor:
        assert type(ks) is tuple
        return layers.Conv2d(4, ks)(x) if ks == (3, 3) else x

    x = image()
    assert mg.Graph(same()(x)) == mg.Graph(same(ks=(3, 3))(x)) == mg.Graph(same((3, 3))(x))


def test_run_time_sizes_that_are_only_options_decide_nothing() -> None:
    @mg.block
    def split(x: mg.Tensor, *, n: int = 2) -> mg.Tensor:
        length, width = x.dims
        return layers.Reshape([length, n, width // n])(x)

    @mg.block
    def around(x: mg.Tensor, *, width: int = 6, n: int = 2) -> mg.Tensor:
        return split(n=n)(layers.Linear(width)(x))

    @mg.block
    def longer(x: mg.Tensor, *, n: int = 2) -> mg.Tensor:
        length, width = x.dims
        return layers.Reshape([length * n, width // n])(x)

    x = mg.Input("x", ("T", 8))
    assert params_of(mg.Graph(around()(x)), "around") == ["width", "n"]
    assert params_of(mg.Graph(longer()(x)), "longer") == []  # no spec multiplies T by a param


def test_a_graph_in_a_block_takes_params() -> None:
    spec = "params: {h: 3}\ninputs: {a: [6]}\nnodes: {b: {layer: Linear, from: a, out_features: $h}}\noutputs: b"
    tower = mg.loads(spec)

    @mg.block
    def around(x: mg.Tensor, *, n: int = 2) -> mg.Tensor:
        return merges.add(tower(x, h=n), tower(h=n)(x))

    graph = mg.Graph(around()(vector()))
    assert params_of(graph, "around") == ["n"]
    other = mg.loads(
        graph.dumps().replace("block: around, from: x", "block: around, from: x, n: 5")
    )
    assert other == mg.Graph(around(n=5)(vector()))


# --- repeats and each ------------------------------------------------------------------------------


def test_a_repeat_of_equal_values_drops_values_that_are_no_params() -> None:
    graph = mg.Graph(deciding(repeat={"with": {"width": [6, 6]}})(vector(), name="y"))
    assert "y: {block: deciding, from: x, repeat: 2}" in graph.dumps()
    assert mg.loads(graph.dumps()) == graph
    never = mg.Graph(deciding(repeat={"with": {"width": []}})(vector(), name="y"))  # defaults to 1
    assert "repeat: 0" in never.dumps()
    assert mg.loads(never.dumps()) == never


def test_a_repeat_over_values_that_python_decides_by_is_refused() -> None:
    with pytest.raises(mg.SpecError, match="call the block once for each value"):
        deciding(repeat={"with": {"width": [6, 7]}})(vector())


def test_each_with_options_that_are_no_params() -> None:
    x, y = mg.Input("x", (6,)), mg.Input("y", (6,))
    made = deciding().each(x, y, with_={"width": [3, 3]}, name="all")
    graph = mg.Graph({"x": made["x"], "y": made["y"]})
    assert mg.loads(graph.dumps()) == graph
    with pytest.raises(mg.SpecError, match="declares another graph for some of its sources"):
        deciding().each(x, y, with_={"width": [3, 4]})


def test_each_takes_params_and_no_other_options_in_with() -> None:
    with pytest.raises(mg.SpecError, match="with_ takes params, and freeze is none"):
        deciding(width=3).each(vector(), mg.Input("y", (6,)), with_={"freeze": [True, False]})


def test_one_module_of_each_is_called_on_one_source() -> None:
    with pytest.raises(TypeError, match=r"Linear\(3\)\['x'\] is one module"):
        layers.Linear(3)["x"].each(vector())


# --- faulty functions --------------------------------------------------------


def test_a_number_kept_after_the_run_is_a_plain_number() -> None:
    kept: list[Any] = []

    @mg.block
    def keeps(x: mg.Tensor, *, n: int = 2) -> mg.Tensor:
        kept.extend([n, *x.dims])
        return layers.Linear(n)(x)

    keeps()(vector())
    assert kept == [2, 6]
    y = layers.Linear(kept[0])(mg.Input("y", (kept[1],)))
    assert str(y.shape) == "(N, 2)"
    assert mg.loads(mg.Graph(y).dumps()) == mg.Graph(y)


def test_an_error_in_the_function_is_raised_unchanged() -> None:
    runs: list[int] = []

    @mg.block
    def fails(x: mg.Tensor, *, n: int = 2) -> mg.Tensor:
        runs.append(n)
        raise KeyError("mine")

    @mg.block
    def around(x: mg.Tensor, *, n: int = 2) -> mg.Tensor:
        return fails(n=n)(x)

    with pytest.raises(KeyError, match="mine"):
        around()(vector())
    assert len(runs) == 2  # run once more with plain numbers, but not again for each outer block


# --- random functions ------------------------------------------------------------------------------


def made_of(steps: list[tuple[str, str]]) -> Any:
    """Return a block function that does these steps, each with one of its params."""

    @mg.block
    def f(
        x: mg.Tensor,
        *,
        a: int = 2,
        b: int = 3,
        rate: float = 0.5,
        act: str = "ReLU",
        flag: bool = False,
        sizes: Any = (2, 3),
    ) -> mg.Tensor:
        given = {"a": a, "b": b}
        for kind, name in steps:
            n = given[name]
            if kind == "size":
                x = layers.Linear(n)(x)
            elif kind == "sum":
                x = layers.Linear(a * 2 + n)(x)
            elif kind == "branch" and n > 2:
                x = layers.ReLU()(x)
            elif kind == "loop":
                for _ in range(n):
                    x = layers.Tanh()(x)
            elif kind == "dims":
                (width,) = x.dims
                x = layers.Linear(width + n)(x)
            elif kind == "rate":
                x = layers.Dropout(rate)(x)
            elif kind == "half":
                x = layers.Dropout(rate / 2)(x)
            elif kind == "act":
                x = layers.Linear(4, activation=act)(x)
            elif kind == "flag":
                x = layers.Linear(n, bias=flag)(x)
            elif kind == "tuple":
                x = layers.Linear(sizes[-1])(x)
            elif kind == "deciding":
                x = deciding(width=n)(x)
            elif kind == "straight":
                x = straight(width=n)(x)
            elif kind == "by size":
                x = deciding_by_size()(x)
            elif kind == "count":
                x = layers.Linear(len(sizes) * n)(x)
        return layers.ReLU()(x)

    return f


KINDS = [
    *("size", "sum", "branch", "loop", "dims", "rate", "half", "act", "flag", "tuple"),
    *("deciding", "straight", "by size", "count"),
]
VALUES = {
    "a": st.integers(1, 4),
    "b": st.integers(1, 4),
    "rate": st.sampled_from([0.0, 0.25, 0.5]),
    "act": st.sampled_from(["ReLU", "Tanh"]),
    "flag": st.booleans(),
    "sizes": st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple),
}
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("ab")), min_size=1, max_size=4)


@amounts(60, 600, 6_000)
def test_a_spec_with_other_values_agrees_with_the_function(amount: settings) -> None:
    first, other = st.fixed_dictionaries({}, optional=VALUES), st.fixed_dictionaries(VALUES)
    amount(given(STEPS, first, other)(check_other_values))()


def check_other_values(
    steps: list[tuple[str, str]], first: dict[str, Any], other: dict[str, Any]
) -> None:
    function, x = made_of(steps), vector()
    graph = mg.Graph(function(**first)(x, name="y"))
    loaded = mg.loads(graph.dumps())
    assert loaded == graph
    params = params_of(graph, "f")
    values = first | {name: value for name, value in other.items() if name in params}
    expected = mg.Graph(function(**values)(x, name="y"))
    changed = {name: value for name, value in values.items() if name in params}
    assert mg.Graph(loaded.blocks["f"](**changed)(x, name="y")) == expected
    call = f"y: {{block: f, from: x, {json.dumps(changed)[1:-1].replace(chr(34), '')}}}"
    line = next(line.strip() for line in graph.dumps().splitlines() if "block: f," in line)
    assert mg.loads(graph.dumps().replace(line, call.replace(", }", "}"))) == expected
    again = {**first, **other}
    remade = mg.Graph(graph.blocks["f"](**again)(x, name="y"))
    assert remade == mg.Graph(function(**again)(x, name="y"))
