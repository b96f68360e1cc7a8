"""Checks that `broadcast: true` takes exactly what torch broadcasts to a result with a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

import mimgraph as mg
from mimgraph.diagnostics.text import unmarked
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import ops
from tests.ops.layers.oracle import infer, make, results

BATCHES = 5, 7  # no other axis has such a size


class Case(NamedTuple):
    """A merge, and the same computation on tensors that are already expanded."""

    merge: str
    by_hand: Callable[..., Tensor]
    options: Mapping[str, Any] = {}
    keys: Sequence[str] = ("0", "1")
    dtypes: Sequence[str] = ("float32",) * 3


CASES = [
    Case("add", lambda a, b: a + b),
    Case("subtract", lambda a, b: a - b),
    Case("multiply", lambda a, b, c: a * b * c, keys=("0", "1", "2")),
    Case("divide", lambda a, b: a / b),
    Case("average", lambda a, b, c: (a + b + c) / 3, keys=("0", "1", "2")),
    Case("maximum", torch.maximum),
    Case("minimum", torch.minimum),
    Case("logical_and", torch.logical_and, dtypes=("bool", "bool")),
    Case("logical_or", torch.logical_or, dtypes=("bool", "bool")),
    Case(
        "where",
        torch.where,
        keys=("condition", "input", "other"),
        dtypes=("bool", "float32", "float32"),
    ),
    Case(
        "masked_fill",
        lambda x, mask: x.masked_fill(mask, 0),
        {"value": 0},
        ("input", "mask"),
        ("float32", "bool"),
    ),
    Case("formula", lambda a, b, c: a * b - c, {"expr": "a * b - c"}, ("a", "b", "c")),
    Case("stack", lambda *xs: torch.stack(xs, 1), keys=("0", "1", "2")),
    Case("stack", lambda a, b: torch.stack((a, b), -1), {"dim": -1}),
    Case("cosine", lambda a, b: F.cosine_similarity(a, b, dim=-1), {"dim": -1}),
    Case("distance", F.pairwise_distance),
]

extents = st.integers(1, 3)


@st.composite
def tensors(draw: st.DrawFn) -> TensorType:
    """Draw a type of up to four axes, with or without a batch, many of size 1."""
    dims = tuple(draw(st.lists(st.sampled_from([1, 1, 2, 3]), max_size=4)))
    batched = draw(st.booleans())
    return TensorType(dims[batched:], batched=batched)


def shapes(sources: Sequence[TensorType], batch: int) -> list[tuple[int, ...]]:
    """Return the shapes of the sources in a batch of that size."""
    return [tuple(batch if str(size) == "N" else int(size) for size in x.shape) for x in sources]


def expanded(sources: Sequence[TensorType]) -> tuple[int, ...] | None:
    """Return the shape to which torch expands the sources, without the batch; None if it refuses, or if
    the batch is not just the first axis of the result."""
    found = []
    for batch in BATCHES:
        try:
            shape = tuple(torch.broadcast_shapes(*shapes(sources, batch)))
        except RuntimeError:
            return None
        if any(x.batched for x in sources):
            if shape[:1] != (batch,):
                return None
            shape = shape[1:]
        found.append(shape)
    return found[0] if found[0] == found[1] else None


def test_every_merge_that_broadcasts_has_a_case() -> None:
    with_option = {op.name for op in ops("merge").values() if "broadcast" in op.options}
    assert {case.merge for case in CASES} | {"concat"} == with_option


SMALL = [
    TensorType(dims[batched:], batched=bool(batched))
    for rank in range(4)
    for dims in product((1, 2), repeat=rank)
    for batched in range(min(rank, 1) + 1)
]


def test_each_pair_of_small_shapes_broadcasts_as_in_torch() -> None:
    for first, second in product(SMALL, SMALL):
        wanted = expanded([first, second])
        try:
            found = infer("add", {"0": first, "1": second}, broadcast=True).results[""]
        except OpFault as fault:
            assert wanted is None, (first, second)
            assert (fault.code, unmarked(fault.message)) == (
                "shape-mismatch",
                "add with broadcast: true needs each axis equal or 1",
            )
        else:
            batched = first.batched or second.batched
            assert (found.dims, found.batched) == (wanted, batched), (first, second)


@pytest.mark.parametrize("case", CASES, ids=[case.merge for case in CASES])
@settings(max_examples=30, deadline=None)
@given(drawn=st.lists(tensors(), min_size=3, max_size=3))
def test_results_equal_torchs(case: Case, drawn: list[TensorType]) -> None:
    """The inferred shape is that of the emitted code and of torch, and both refuse the same."""
    sources = {
        key: x.cast(dtype) for key, x, dtype in zip(case.keys, drawn, case.dtypes, strict=False)
    }
    wanted = expanded([*sources.values()])
    assume(wanted != () or case.merge not in ("cosine", "distance", "stack"))
    try:
        lowering = infer(case.merge, sources, **case.options, broadcast=True)
    except OpFault as fault:
        assert (fault.code, wanted) == ("shape-mismatch", None)
        return
    assert wanted is not None
    for batch in BATCHES:
        sizes = {"N": batch}
        with torch.device("meta"):
            inputs = {key: make(x, sizes) for key, x in sources.items()}
            (found,) = results(lowering, inputs, None, sizes)[""]
            by_hand = case.by_hand(*torch.broadcast_tensors(*inputs.values()))
        assert [tuple(found.shape)] == shapes([lowering.results[""]], batch)
        assert (found.shape, found.dtype) == (by_hand.shape, by_hand.dtype)


@settings(max_examples=80, deadline=None)
@given(st.lists(tensors(), min_size=2, max_size=3))
def test_concat_expands_every_other_axis(drawn: list[TensorType]) -> None:
    """Concatenate along the last axis, whose sizes may differ."""
    assume(all(x.dims for x in drawn))
    others = expanded([x.like(*x.dims[:-1], 1) for x in drawn])
    sources = {str(index): x for index, x in enumerate(drawn)}
    try:
        lowering = infer("concat", sources, dim=-1, broadcast=True)
    except OpFault as fault:
        assert (fault.code, others) == ("shape-mismatch", None)
        return
    assert others is not None
    total = sum(int(x.dims[-1]) for x in drawn)
    assert lowering.results[""].dims == (*others[:-1], total)
    for batch in BATCHES:
        sizes = {"N": batch}
        with torch.device("meta"):
            inputs = {key: make(x, sizes) for key, x in sources.items()}
            (found,) = results(lowering, inputs, None, sizes)[""]
        assert [tuple(found.shape)] == shapes([lowering.results[""]], batch)


# --- whole models

POSITIONS = """\
name: Positions
inputs: {x: [T, 8], known: {shape: [T], dtype: bool}}
nodes:
  table: {parameter: [1, 64, 8], init: {normal: {std: 0.02}}}
  here: {layer: Slice, from: table, dim: 1, end: $T}
  placed: {merge: add, from: [x, here], broadcast: true}
  cls: {parameter: [1, 1, 8], init: zeros}
  tokens: {merge: concat, from: [cls, placed], broadcast: true}
  steps: {arange: x, dim: 1}
  row: {layer: Unsqueeze, from: steps, dim: 0}
  early: {merge: formula, expr: "(s < 3) * k", from: {s: row, k: known}, broadcast: true}
  ahead: {layer: CausalMask, from: x}
  seen: {from: ahead, seq: [LogicalNot, {Unsqueeze: 0}]}
  mixed: {merge: attention, from: {query: placed, key: placed, value: placed, mask: seen}}
outputs: [tokens, early, mixed]
"""


def test_a_model_with_learned_positions() -> None:
    """It runs at any length, is exported, and its code is as written by hand."""
    graph = mg.loads(POSITIONS)
    assert str(graph.shapes["placed"]) == str(graph.shapes["x"]) == "(N, T, 8)"
    assert str(graph.shapes["tokens"]) == "(N, T + 1, 8)"
    source = graph.source()
    assert "x + here  # (N, T, 8)" in source
    assert "torch.cat((self.cls.expand(placed.shape[0], -1, -1), placed), 1)" in source
    model = graph.compile(check=True)

    def batch(size: int, length: int) -> dict[str, Tensor]:
        known = torch.ones(size, length, dtype=torch.bool)
        return {"x": torch.rand(size, length, 8), "known": known}

    given = batch(2, 5)
    program = torch.export.export(model, (), given, dynamic_shapes=graph.dynamic_shapes(given))
    for inputs in (given, batch(3, 9)):
        found, exported = model(**inputs), program.module()(**inputs)
        placed = inputs["x"] + model.table[:, : inputs["x"].shape[1]]
        torch.testing.assert_close(found["tokens"][:, 1:], placed)
        torch.testing.assert_close(exported, found)
        causal = F.scaled_dot_product_attention(placed, placed, placed, is_causal=True)
        torch.testing.assert_close(found["mixed"], causal)


@pytest.mark.parametrize("cut", ["tokens", "early", "ahead", "mixed"])
def test_a_stage_may_send_a_tensor_with_1_for_the_batch(cut: str) -> None:
    graph = mg.loads(POSITIONS)
    whole = graph.compile()
    given = {"x": torch.rand(2, 5, 8), "known": torch.ones(2, 5, dtype=torch.bool)}
    expected = whole(**given)
    handed: Any = tuple(given.values())
    for stage in graph.split([cut]):
        module = stage.compile()
        weights = whole.state_dict()
        module.load_state_dict({key: weights[key] for key in module.state_dict()})
        metadata = stage.metadata(2, T=5)
        assert [x.shape for x in metadata["input_args"]] == [x.shape for x in handed]
        handed = module(*handed)
        handed = handed if isinstance(handed, tuple) else (handed,)
    torch.testing.assert_close(handed, tuple(expected.values()))
