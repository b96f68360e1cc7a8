"""The types of learned tensors, which nodes read from the module of another."""

from __future__ import annotations

import mimgraph as mg
from mimgraph.ir.typed_graph import inside, weight_type
from mimgraph.ir.typed_walks import weight_names
from tests.ir.test_typed_operations import TEXT


def test_weights_can_be_read_through_a_share() -> None:
    body = mg.loads(TEXT).typed.body
    for name, path in (("share", "0.weight"), ("shares", "left.weight"), ("rows", "1.0.weight")):
        operation = body.by_name[name].operation
        found = weight_type(operation, path)
        assert path in weight_names(operation)
        assert found is not None
        assert found.shape == (6, 6)
    assert weight_type(body.by_name["use"].operation, "again.weight") is None  # `fc` has it
    assert inside(body.by_name["share"].operation, "0") is None
