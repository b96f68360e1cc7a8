"""A refused call in Python is drawn with the graph that computes its sources."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.picture.diagram.model import Diagram, boxes

X = mg.Input("x", (5,))
LONG = layers.Linear(8)(X, name="long")
STEPS = layers.LSTM(4)(mg.Input("t", ("T", 3)), name="steps")
PAIR = mg.Sequential(layers.Linear(3), layers.Conv2d(3, 3))


def refused(call: Callable[[], object]) -> mg.SpecError:
    with pytest.raises(mg.SpecError) as caught:
        call()
    return caught.value


def picture(error: mg.SpecError) -> Diagram:
    assert error.sketch is not None
    found: Diagram = error.sketch.scene(error.diagnostics).whole
    return found


CALLS: dict[str, tuple[Callable[[], object], list[str]]] = {
    "shapes": (lambda: merges.add(X, LONG), ["x", "long", "add!"]),
    "an operator": (lambda: X + LONG, ["x", "long", "add!"]),
    "a list": (lambda: merges.stack([LONG, X], name="both"), ["x", "long", "both!"]),
    "an option": (lambda: layers.Linear(4, bia=False)(X), ["x", "linear!"]),
    "a value": (lambda: layers.Linear(-4)(LONG, name="fc"), ["x", "long", "fc!"]),
    "a name": (lambda: layers.Linear(4)(X, name="1x"), ["x", "1x!"]),
    "a name that is taken": (lambda: layers.Conv2d(4, 3)(X, name="x"), ["x", "x_2!"]),
    "a port": (lambda: merges.add(STEPS["last"], X), ["x", "t", "steps", "add!"]),
    "by name": (
        lambda: layers.MultiheadAttention(num_heads=3)(query=STEPS, key=STEPS, value=STEPS),
        ["t", "steps", "multihead_attention!"],
    ),
    "each": (lambda: layers.Conv2d(4, 3).each(X, LONG), ["x", "long", "conv2d!"]),
    "a sequential": (lambda: PAIR(X), ["x", "sequential!"]),
}


def test_the_call_is_in_red_behind_its_sources() -> None:
    for name, (call, expected) in CALLS.items():
        error = refused(call)
        found = picture(error)
        drawn = list(boxes(found.items))
        titles = [f"{box.title}{'!' * (box.mark == 'faulty')}" for box in drawn]
        assert titles == expected, name
        assert f"error[{error.diagnostics[0].code}]" in drawn[-1].faults, name
        assert {edge.head for edge in found.edges} >= {drawn[-1].id}, name


def test_edges_have_the_names_of_arguments_and_ports() -> None:
    found = picture(refused(lambda: merges.attention(STEPS["last"], key=X, value=X, num_heads=3)))
    labels = [edge.label for edge in found.edges if edge.head == "attention"]
    assert labels == ["last", "key", "value"]


def test_a_fault_inside_the_function_of_a_block_is_shown_at_its_call() -> None:
    @mg.block
    def part(x: mg.Tensor) -> mg.Tensor:
        return merges.add(x, layers.Linear(8)(x))

    error = refused(lambda: part(LONG[:, 1:], name="here"))
    *_, box = boxes(picture(error).items)
    assert (box.title, box.mark, box.faults[1]) == ("here", "faulty", "add needs equal shapes")


def test_nothing_is_known_of_a_call_inside_a_block() -> None:
    caught: list[mg.SpecError] = []

    @mg.block
    def part(x: mg.Tensor) -> mg.Tensor:
        caught.append(refused(lambda: merges.add(x, layers.Linear(8)(x))))
        return x

    part(X)
    (error,) = caught
    assert error.sketch is not None and error.sketch.html(error.diagnostics) == ""
    with pytest.raises(ValueError, match="no part of the graph is known"):
        error.draw("x.svg")


def test_a_wrong_graph_is_drawn() -> None:
    maybe = mg.Input("maybe", (5,), optional=True)
    found = picture(refused(lambda: mg.Graph(layers.ReLU()(maybe, name="a"))))
    marks = [(box.title, box.mark) for box in boxes(found.items)]
    assert marks == [("maybe", "faulty"), ("a", ""), ("a", "")]


def test_the_error_can_be_pickled() -> None:
    error = refused(lambda: X + LONG)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.sketch) == (str(error), None)


def test_a_refused_edit_is_drawn() -> None:
    graph = mg.Graph(layers.Linear(3)(layers.Flatten()(mg.Input("image", (3, 8, 8)), name="flat")))
    found = picture(refused(lambda: graph.replace("flat", layers.LSTM(4))))
    marks = {item.id: item.mark for item in found.items}
    assert marks == {"image": "", "flat": "faulty", "linear": "unknown", "output linear": "unknown"}
