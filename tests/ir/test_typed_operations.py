"""The protocol of operations: the nodes that each kind runs and keeps, and how it is rebuilt."""

from __future__ import annotations

from dataclasses import replace

import pytest

import mimgraph as mg
from mimgraph.ir.typed_graph import Body

TEXT = """
name: Kinds
inputs: {a: [6], b: [6]}
blocks:
  cell:
    inputs: [x]
    nodes:
      fc: {layer: Linear, from: x, out_features: 6, activation: ReLU}
      again: {share: fc, from: fc}
    outputs: again
  row:
    inputs: [x]
    seq: [{Linear: 6}, Tanh]
nodes:
  layer: {layer: Linear, from: a, out_features: 6, activation: GELU}
  seq: {from: layer, seq: [{Linear: 6}, ReLU, cell]}
  use: {block: cell, from: seq}
  row: {block: row, from: use}
  merge: {merge: gated, from: [row, b], out_features: 6}
  repeat: {block: cell, from: merge, repeat: 3}
  rows: {block: row, from: repeat, repeat: 2}
  loop: {block: cell, from: rows, repeat: {times: 3, shared: true}}
  never: {block: cell, from: loop, repeat: 0}
  each: {layer: Linear, each: {left: a, right: never}, out_features: 6}
  share: {share: seq, from: each.left}
  shares: {share: each, each: {left: b, right: share}}
outputs: {all: shares.right, left: shares.left, right: each.right}
"""


@pytest.fixture(scope="module")
def body() -> Body:
    return mg.loads(TEXT).typed.body


def keys(body: Body, name: str) -> list[str]:
    return [key for key, _ in body.by_name[name].operation.parts()]


def test_parts_are_what_the_module_keeps(body: Body) -> None:
    """A share keeps nothing, and a block that is the module itself has the key ""."""
    assert keys(body, "layer") == []
    assert keys(body, "seq") == ["0", "1", "2"]
    assert keys(body, "use") == keys(body, "row") == keys(body, "merge") == [""]
    assert keys(body, "repeat") == ["0", "1", "2"]
    assert keys(body, "loop") == [""]
    assert keys(body, "never") == []
    assert keys(body, "each") == ["left", "right"]
    assert keys(body, "share") == []


def test_inner_nodes_stand_at_their_keys_of_the_state_dict(body: Body) -> None:
    def inner(name: str) -> list[str]:
        return [key for key, _ in body.by_name[name].operation.inner()]

    assert inner("use") == ["fc", "again"]
    assert inner("row") == [""]  # the chain of a chain block, whose items are the module's own
    assert inner("repeat") == ["0.fc", "0.again", "1.fc", "1.again", "2.fc", "2.again"]
    assert inner("rows") == ["0", "1"]
    assert inner("loop") == ["fc", "again"]


def test_a_part_is_found_by_its_key(body: Body) -> None:
    for node in body.nodes:
        for key, part in node.operation.parts():
            if key:
                assert node.operation.part(key) is part
        assert node.operation.part("other") is None
    assert body.part("seq") is body.by_name["seq"]
    assert (
        body.by_name["use"].operation.part("fc") is body.by_name["use"].operation.bodies[0].nodes[0]
    )
    row = body.by_name["row"].operation
    assert row.part("0") is row.bodies[0].nodes[0].operation.items[0]


def test_repeats_of_a_stage_keep_their_numbers(body: Body) -> None:
    repeated = body.by_name["repeat"].operation
    later = replace(repeated, first=5)
    assert [key for key, _ in later.parts()] == ["5", "6", "7"]
    assert later.part("6") is repeated.bodies[1]
    assert later.part("1") is None
    assert later.part("06") is None


def test_branches_run_side_by_side(body: Body) -> None:
    """Only an `each` has them; the items of a chain feed each other."""
    assert [name for name, node in body.by_name.items() if node.operation.branches] == [
        "each",
        "shares",
    ]


def test_names_and_options_of_the_op(body: Body) -> None:
    names = {name: node.op_name for name, node in body.by_name.items()}
    assert names == {
        "layer": "Linear",
        "seq": "seq",
        "use": "cell",
        "row": "row",
        "merge": "gated",
        "repeat": "cell",
        "rows": "row",
        "loop": "cell",
        "never": "cell",
        "each": "Linear",
        "share": "seq",
        "shares": "Linear",
    }
    assert body.by_name["layer"].operation.op == ("layer", "Linear")
    assert body.by_name["merge"].operation.op == ("merge", "gated")
    assert body.by_name["use"].operation.op is None


def test_kinds_with_state(body: Body) -> None:
    without = [name for name, node in body.by_name.items() if not node.operation.has_state]
    assert without == ["never", "share", "shares"]


def test_unchanged_items_give_the_same_operation(body: Body) -> None:
    for node in body.nodes:
        assert node.operation.map_items(lambda item: item) is node.operation


def test_changed_items_give_another_operation(body: Body) -> None:
    for name in ("seq", "each"):
        operation = body.by_name[name].operation
        changed = operation.map_items(lambda item: replace(item, default="other"))
        assert {item.default for item in changed.items} == {"other"}
        assert type(changed) is type(operation)
        assert changed.part(changed.items[0].name) is changed.items[0]
