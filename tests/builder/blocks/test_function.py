"""Block functions: the blocks that they declare, and the uses of these blocks."""

from __future__ import annotations

import re

import mimgraph as mg
from mimgraph import layers
from tests.helpers.handles import cell, image, numeric, residual, text


def test_sizes_in_a_block_become_names_of_its_axes() -> None:
    graph = mg.Graph(residual(repeat=2)(image(), name="stage"))
    assert "inputs: {x: [x_1, x_2, x_3]}" in graph.dumps()
    assert "out_channels: $x_1" in graph.dumps()
    assert "stage: {block: residual, from: image, repeat: 2}" in graph.dumps()


def test_each_choice_that_python_makes_is_a_block() -> None:
    graph = mg.Graph(residual(2)(residual(residual()(image()))))
    assert list(graph.declared.blocks) == ["residual", "residual_2"]
    assert mg.loads(graph.dumps()).source() == graph.source()


def test_several_results_are_ports_and_can_be_unpacked() -> None:
    made = cell(width=8)(numeric(), x=numeric())
    h, gate = made
    assert (h.port, gate.port) == ("h", "gate")
    assert repr(made["gate"]) == "<cell.gate (N, 8)>"


def test_a_shared_repeat_passes_outputs_to_inputs_of_the_same_name() -> None:
    made = cell(8, repeat={"times": 3, "shared": True})(numeric(), mg.Input("x", (8,)))
    assert "repeat: {times: 3, shared: true}" in mg.Graph({"h": made["h"]}).dumps()


def test_a_repeat_may_give_each_time_its_own_constants() -> None:
    made = cell(repeat={"with": {"width": [4, 6]}})(numeric(), numeric())
    assert str(made["h"].shape) == "(N, 6)"


def test_blocks_nest_and_are_items_of_a_sequential() -> None:
    @mg.block
    def pair(x: mg.Tensor, *, stride: int = 1) -> mg.Tensor:
        return mg.Sequential(residual(stride=1), layers.MaxPool2d(stride))(x)

    made = mg.Sequential(layers.Conv2d(8, 3), pair(stride=2), pair(), layers.Flatten())(image())
    graph = mg.Graph(made)
    assert str(made.shape) == "(N, 1800)"
    assert mg.loads(graph.dumps()) == graph


def test_run_time_sizes_in_a_block_are_axes_of_its_inputs() -> None:
    @mg.block
    def split(x: mg.Tensor, *, heads: int) -> mg.Tensor:
        length, width = x.dims
        return layers.Reshape([length, heads, width // heads])(x)

    graph = mg.Graph(split(heads=4)(text()))
    assert "shape: [$x_1, $heads, $(x_2 // heads)]" in graph.dumps()
    assert mg.loads(graph.dumps()) == graph


def test_params_that_a_spec_cannot_hold_tell_blocks_apart() -> None:
    @mg.block
    def padded(x: mg.Tensor, *, value: float, axes: set[int]) -> mg.Tensor:
        return layers.Pad([1, 1] * len(axes), value=value)(x)

    x, both = image(), {1, 2}  # a set has no hash
    made = [padded(value=v, axes=a)(x) for v in (0.0, -0.0) for a in (both, both, {1})]
    assert [one.dims for one in made] == 2 * [(3, 34, 34), (3, 34, 34), (3, 32, 34)]
    source = mg.Graph(made).source()
    classes = re.findall(r"self.padded\w* = (.*)", source)
    assert classes == [f"Padded{n}(value={v})" for v in ("0.0", "-0.0") for n in ("", "", "2")]


def test_numbers_of_an_outer_block_do_not_leak_into_an_inner_one() -> None:
    @mg.block
    def inner(x: mg.Tensor, *, width: int) -> mg.Tensor:
        return layers.Linear(width)(x)

    @mg.block
    def outer(x: mg.Tensor, *, width: int, extra: int) -> mg.Tensor:
        @mg.block
        def closed(x: mg.Tensor) -> mg.Tensor:
            return layers.Linear(extra * 2)(x)

        return closed()(inner(width=width + 1)(x))

    graph = mg.Graph(outer(width=3, extra=3)(numeric()))
    assert "params: {width: null}\n    inputs: [x]\n    nodes:\n      inner:" in graph.dumps()
    assert "width: $(width + 1)" in graph.dumps()
    assert "out_features: 6" in graph.dumps()
    assert mg.loads(graph.dumps()) == graph


def test_a_layer_made_outside_is_a_new_module_in_each_block() -> None:
    outside = layers.Linear(8)

    @mg.block
    def twice(x: mg.Tensor) -> mg.Tensor:
        return outside(outside(x))

    graph = mg.Graph(outside(twice()(numeric())))
    assert graph.dumps().count("share: linear") == 1
