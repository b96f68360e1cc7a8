"""Checks the layers that are functions of torch: their options, code and results."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph.ops.op import OpFault
from tests.ops.layers.function_cases import CASES, FUNCTIONS
from tests.ops.layers.oracle import (
    Case,
    infer,
    keyed,
    make,
    operation,
    results,
    shape_of,
    tensor,
    unbatched,
)
from tests.ops.layers.refusal import Refusal, refused

x = torch.rand
VECTOR, SEQUENCE, IMAGE = tensor(6), tensor(5, 6), tensor(4, 9, 8)


@pytest.mark.parametrize("case", CASES, ids=map(str, CASES))
def test_the_options_equal_the_arguments_of_the_function_of_torch(case: Case) -> None:
    lowering = infer(case.layer, case.sources, **case.options)
    (x,) = (make(type_, {}) for type_ in keyed(operation(case.layer), case.sources).values())
    expected = FUNCTIONS[case.layer](x, **case.options)
    ports = results(lowering, {"input": x}, None, {})
    wanted = [expected] if isinstance(expected, torch.Tensor) else list(expected)
    for ways, other in zip(ports.values(), wanted, strict=True):
        for one in ways:
            torch.testing.assert_close(one, other)


# parts of an axis

places = st.none() | st.integers(-9, 9)


@settings(max_examples=400, deadline=None)
@given(size=st.integers(1, 8), start=places, end=places, step=st.integers(1, 3))
def test_a_slice_is_as_in_python_but_never_shortened(
    size: int, start: int | None, end: int | None, step: int
) -> None:
    options = {"dim": 1, "start": start, "end": end, "step": step}
    given = {key: value for key, value in options.items() if value is not None}
    expected = len(range(size)[start:end:step])
    fits = all(abs(place) <= size for place in (start, end) if place is not None)
    for type_, sizes in ((tensor(size), {}), (tensor("T"), {"T": size})):
        try:
            lowering = infer("Slice", type_, **given)
        except OpFault as fault:
            assert fault.code == "bad-option"
            assert not (fits and expected)
            continue
        (length,) = shape_of(lowering.results[""], sizes)[1:]
        legal = length >= 1 and all(
            shape_of(tensor(c.dim), sizes)[1] >= (c.minimum or 0)  # type: ignore[arg-type]
            for c in lowering.requires
        )
        assert legal == (fits and expected > 0)
        if legal:
            assert length == expected


@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(1, 20), number=st.integers(1, 20), layer=st.sampled_from(["Split", "Chunk"])
)
def test_pieces_have_the_number_and_sizes_of_torch(size: int, number: int, layer: str) -> None:
    option = {"Split": "split_size_or_sections", "Chunk": "chunks"}[layer]
    lowering = infer(layer, tensor(size), dim=1, **{option: number})
    expected = FUNCTIONS[layer](torch.zeros(2, size), dim=1, **{option: number})
    assert [shape_of(x, {}) for x in lowering.results.values()] == [
        tuple(x.shape) for x in expected
    ]
    assert lowering.default is None


def test_chunks_of_a_named_size_must_divide_it() -> None:
    lowering = infer("Chunk", tensor("T"), chunks=3, dim=1)
    assert [str(type_) for type_ in lowering.results.values()] == ["(N, T//3)"] * 3
    assert list(map(str, lowering.requires)) == ["T % 3 == 0"]


def test_a_named_size_is_split_if_the_number_of_pieces_is_known() -> None:
    t = tensor("T").dims[0]
    lowering = infer("Split", tensor(1).like(3 * t), split_size_or_sections=t, dim=1)
    assert [str(type_) for type_ in lowering.results.values()] == ["(N, T)"] * 3
    lowering = infer("Split", tensor(1).like(t + 2), split_size_or_sections=(t, 2), dim=1)
    assert [str(type_) for type_ in lowering.results.values()] == ["(N, T)", "(N, 2)"]


def test_a_tensor_without_a_batch_is_expanded_to_every_sample() -> None:
    graph = mg.loads("""
inputs: {x: [6, 4]}
nodes:
  query: {buffer: [1, 4], init: [[1, 2, 3, 4]]}
  rows: {layer: Expand, from: query, size: [2, -1], batched: true}
  y: {merge: concat, from: [rows, x]}
outputs: y
""")
    assert str(graph["rows"].shape) == "(N, 2, 4)"
    y = graph.compile()(x=torch.zeros(3, 6, 4))
    assert torch.equal(y[:, :2], torch.arange(1.0, 5).expand(3, 2, 4))


def test_a_piece_is_an_item_of_a_chain() -> None:
    graph = mg.loads("""
inputs: {x: [6, 4]}
nodes:
  y: {from: x, seq: [{Chunk: {chunks: 3, dim: 1, take: 1}}, {Unbind: {dim: 1, take: "0"}}]}
outputs: y
""")
    assert "nn.Sequential(Chunk1(), Unbind0())" in graph.source()
    x = torch.rand(2, 6, 4)
    assert torch.equal(graph.compile()(x=x), x[:, 2])


# stochastic depth


def test_drop_path_drops_samples_in_training_only() -> None:
    graph = mg.loads("""
inputs: {x: [3, 4]}
nodes:
  y: {layer: DropPath, from: x, p: 0.25}
  z: {from: x, seq: [{DropPath: 0.25}]}
outputs: [y, z]
""")
    model, x = graph.compile(), torch.rand(4000, 3, 4) + 1
    for found in model(x=x).values():
        kept = found[:, 0, 0] != 0
        assert 0.72 < kept.float().mean() < 0.78
        torch.testing.assert_close(found[kept], x[kept] / 0.75)
        assert not found[~kept].any()
    for found in model.eval()(x=x).values():
        assert torch.equal(found, x)


# emitted code

SPEC = """
inputs: {{x: [T, 8], y: [T, 1]}}
nodes: {{z: {node}}}
outputs: z
"""


@pytest.mark.parametrize(
    ("node", "code"),
    [
        ("{layer: Slice, from: x, dim: 1, start: 1}", "x[:, 1:]"),
        ("{layer: Slice, from: x, dim: -1, start: -3, step: 2}", "x[:, :, -3::2]"),
        ("{layer: Mean, from: x, dim: [1, 2]}", "x.mean((1, 2))"),
        ("{layer: Max, from: x, dim: 1, keepdim: true}", "x.amax(1, keepdim=True)"),
        ("{layer: TopK, from: x, k: 2, dim: 2}", "x.topk(2, 2).values"),
        ("{layer: TopK, from: x, k: $(T // 2), dim: 1}", "x.topk(x.shape[1] // 2, 1).values"),
        ("{layer: Sort, from: x, dim: 1}", "x.sort(1).values"),
        (
            "{layer: Sort, from: x, dim: 1, stable: true, take: indices}",
            "x.sort(dim=1, stable=True).indices",
        ),
        ("{merge: formula, expr: sin(2 * pi * x), from: [x]}", "torch.sin(2 * torch.pi * x)"),
        ("{merge: formula, expr: x * sqrt(2 / pi), from: [x]}", "x * (2 / torch.pi) ** 0.5"),
        ("{merge: formula, expr: x / sqrt(32), from: [x]}", "x / 32**0.5"),
        ("{merge: formula, expr: x * sqrt(16), from: [x]}", "x * 4.0"),
        ("{merge: formula, expr: -sqrt(2) - x ** sqrt(2), from: [x]}", "-(2**0.5) - x**2**0.5"),
        ("{layer: Norm, from: x, dim: -1}", "torch.linalg.vector_norm(x, dim=-1)"),
        ("{layer: Expand, from: y, size: [-1, $T]}", "y.expand(-1, -1, y.shape[1])"),
        ("{layer: Repeat, from: y, repeats: [1, 1, 4]}", "y.repeat(1, 1, 4)"),
        ("{layer: Cast, from: x, dtype: float16}", "x.to(torch.float16)"),
        (
            "{layer: CausalMask, from: x}",
            "torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)",
        ),
        ("{layer: Normalize, from: x, dim: -1}", "F.normalize(x, dim=-1)"),
        ("{layer: Clamp, from: x, min: 0}", "x.clamp(min=0)"),
        ("{layer: Pad, from: x, pad: [0, 1], value: 1}", "F.pad(x, (0, 1), value=1.0)"),
        (
            '{layer: Reduce, from: x, pattern: "n t (h c) -> n h c", reduction: max, sizes: {h: 2}}',
            "x.unflatten(2, (2, -1)).amax(1)",
        ),
        (
            "{layer: DropPath, from: x, p: 0.1}",
            "x * F.dropout(x.new_ones((x.shape[0], 1, 1)), p=0.1, training=self.training)",
        ),
    ],
)
def test_code_is_as_written_by_hand(node: str, code: str) -> None:
    unused = "x" if "from: y" in node else "y"
    text = SPEC.format(node=node).replace(f"{unused}: [T, {8 if unused == 'x' else 1}]", "")
    source = mg.loads(text.replace("{, ", "{").replace(", }", "}")).source()
    assert f"return {code}\n" in source


def test_uses_of_a_block_share_one_class_with_arguments() -> None:
    source = mg.loads("""
inputs: {x: [12, 8]}
blocks:
  part: {params: {start: 0, dim: 1}, seq: [{Slice: {dim: 1, start: $start, end: 9}}, {Mean: $dim}]}
nodes:
  a: {block: part, from: x, start: 2, dim: 2}
  b: {block: part, from: x, start: 3, dim: -1}
outputs: [a, b]
""").source()
    assert "return x[:, self.start : 9]" in source
    assert "return x.mean(self.dim)" in source


# refusals

REFUSALS = [
    Refusal("Reshape", SEQUENCE, {"shape": (4, 7)}, "bad-option", "shape"),
    Refusal("Reshape", SEQUENCE, {"shape": (4, -1)}, "bad-option", "shape"),
    Refusal(
        "Reshape",
        SEQUENCE,
        {"shape": (-1, -1)},
        "bad-option",
        "shape",
        lambda: x(6).reshape(-1, -1),
    ),
    Refusal("Reshape", tensor("T", 6), {"shape": (30,)}, "bad-option", "shape"),
    Refusal(
        "Permute",
        SEQUENCE,
        {"dims": (0, 1)},
        "bad-option",
        "dims",
        lambda: x(2, 5, 6).permute(0, 1),
    ),
    Refusal("Permute", SEQUENCE, {"dims": (0, 1, 1)}, "bad-option", "dims"),
    Refusal("Transpose", SEQUENCE, {"dim0": 0, "dim1": 3}, "bad-option", "dim1"),
    Refusal("Transpose", SEQUENCE, {"dim0": -4, "dim1": 1}, "bad-option", "dim0"),
    Refusal("Unsqueeze", SEQUENCE, {"dim": 0}, "bad-option", "dim"),
    Refusal(
        "Unsqueeze", SEQUENCE, {"dim": 4}, "bad-option", "dim", lambda: x(2, 5, 6).unsqueeze(4)
    ),
    Refusal("Squeeze", tensor("T"), {"dim": 1}, "symbolic-size", None),
    Refusal(
        "Select",
        SEQUENCE,
        {"dim": 1, "index": 5},
        "bad-option",
        "index",
        lambda: x(2, 5, 6).select(1, 5),
    ),
    Refusal("Select", SEQUENCE, {"dim": 0, "index": 0}, "bad-option", "dim"),
    Refusal(
        "Mean", SEQUENCE, {"dim": (1, -2)}, "bad-option", "dim", lambda: x(2, 5, 6).mean((1, -2))
    ),
    Refusal("Mean", SEQUENCE, {"dim": ()}, "bad-option", "dim"),
    Refusal("Mean", SEQUENCE, {"dim": (0, 1)}, "bad-option", "dim"),
    Refusal("Squeeze", tensor(1, 1), {"dim": (1, 1)}, "bad-option", "dim"),
    Refusal("Expand", SEQUENCE, {"size": (4, 6)}, "bad-option", "size"),
    Refusal("Expand", SEQUENCE, {"size": (2, 5, 6)}, "bad-option", "size"),
    Refusal("Expand", SEQUENCE, {"size": (5, 6), "batched": True}, "bad-option", "batched"),
    Refusal("Expand", SEQUENCE, {"size": (6,)}, "bad-option", "size"),
    Refusal(
        "Expand",
        unbatched(3),
        {"size": (-1, 3)},
        "bad-option",
        "size",
        lambda: x(3).expand(-1, 3),
    ),
    Refusal("Expand", tensor("T"), {"size": (4,)}, "bad-option", "size"),
    Refusal("Repeat", SEQUENCE, {"repeats": (2, 1, 1)}, "bad-option", "repeats"),
    Refusal(
        "Repeat",
        SEQUENCE,
        {"repeats": (1, 2)},
        "bad-option",
        "repeats",
        lambda: x(2, 5, 6).repeat(1, 2),
    ),
    Refusal("Roll", SEQUENCE, {"shifts": 1, "dims": 0}, "bad-option", "dims"),
    Refusal(
        "Roll",
        SEQUENCE,
        {"shifts": (1, 2), "dims": 1},
        "bad-option",
        "shifts",
        lambda: x(2, 5, 6).roll((1, 2), 1),
    ),
    Refusal("Flip", SEQUENCE, {"dims": 0}, "bad-option", "dims"),
    Refusal(
        "Flip", SEQUENCE, {"dims": (1, 1)}, "bad-option", "dims", lambda: x(2, 5, 6).flip((1, 1))
    ),
    Refusal("Slice", SEQUENCE, {"dim": 0, "start": 1}, "bad-option", "dim"),
    Refusal("Slice", SEQUENCE, {"dim": 1, "end": 6}, "bad-option", "end"),
    Refusal("Slice", SEQUENCE, {"dim": 1, "start": -6}, "bad-option", "start"),
    Refusal("Slice", SEQUENCE, {"dim": 1, "start": 5}, "bad-option", "start"),
    Refusal("Slice", SEQUENCE, {"dim": 1, "start": 3, "end": 2}, "bad-option", "end"),
    Refusal("Split", SEQUENCE, {"split_size_or_sections": 1, "dim": 0}, "bad-option", "dim"),
    Refusal(
        "Split",
        SEQUENCE,
        {"split_size_or_sections": (2, 2), "dim": 1},
        "bad-option",
        "split_size_or_sections",
        lambda: x(2, 5, 6).split((2, 2), 1),
    ),
    Refusal(
        "Split",
        tensor("T"),
        {"split_size_or_sections": 2, "dim": 1},
        "symbolic-size",
        "split_size_or_sections",
    ),
    Refusal("Split", tensor(9999), {"split_size_or_sections": 1, "dim": 1}, "too-large", None),
    Refusal("Chunk", tensor(9999), {"chunks": 9999, "dim": 1}, "too-large", None),
    Refusal("Unbind", tensor("T"), {"dim": 1}, "symbolic-size", "the size of the axis"),
    Refusal("Unbind", tensor(10**12), {"dim": 1}, "too-large", None),
    Refusal("TopK", SEQUENCE, {"k": 6, "dim": 1}, "bad-option", "k", lambda: x(2, 5, 6).topk(6, 1)),
    Refusal("TopK", SEQUENCE, {"k": tensor("T").dims[0] + 5, "dim": 1}, "bad-option", "k"),
    Refusal("Sort", SEQUENCE, {"dim": 0}, "bad-option", "dim"),
    Refusal("CumSum", SEQUENCE, {"dim": 0}, "bad-option", "dim"),
    Refusal("CumProd", SEQUENCE, {"dim": 0}, "bad-option", "dim"),
    Refusal("Clamp", SEQUENCE, {}, "missing-option", "min", lambda: x(2).clamp()),
    Refusal("Clamp", tensor(4, dtype="int8"), {"max": 200}, "bad-option", "max"),
    Refusal("Clamp", tensor(4, dtype="complex64"), {"max": 1}, "dtype-mismatch", None),
    Refusal("OneHot", VECTOR, {"num_classes": 3}, "dtype-mismatch", None),
    Refusal("OneHot", tensor(dtype="int64"), {}, "missing-option", "num_classes"),
    Refusal(
        "OneHot",
        tensor(dtype="int64", vocab=5),
        {"num_classes": 6},
        "inferred-conflict",
        "num_classes",
    ),
    Refusal("Normalize", SEQUENCE, {"dim": 0}, "bad-option", "dim"),
    Refusal("Normalize", SEQUENCE, {"dim": (1, 1)}, "bad-option", "dim"),
    *(Refusal("CausalMask", x, {}, "rank-mismatch", None) for x in (tensor(), unbatched(3, 4))),
    Refusal("DropPath", unbatched(3), {"p": 0.1}, "rank-mismatch", None),
    *(
        Refusal("Pad", source, options, "bad-option", at)
        for source, options, at in (
            (SEQUENCE, {"pad": (1,)}, "pad"),
            (SEQUENCE, {"pad": ()}, "pad"),
            (SEQUENCE, {"pad": (1, 1, 1, 1, 1, 1)}, "pad"),
            (SEQUENCE, {"pad": (6, 0), "mode": "reflect"}, "pad"),
            (SEQUENCE, {"pad": (7, 0), "mode": "circular"}, "pad"),
            (IMAGE, {"pad": (1, 1), "mode": "reflect"}, "pad"),
            (SEQUENCE, {"pad": (1, 1), "mode": "reflect", "value": 1.0}, "value"),
        )
    ),
    *(
        Refusal("Interpolate", IMAGE, options, code, at)
        for options, code, at in (
            ({}, "missing-option", "size"),
            ({"size": 3, "scale_factor": 2.0}, "bad-option", "scale_factor"),
            ({"size": (3,)}, "bad-option", "size"),
            ({"size": 3, "align_corners": True}, "bad-option", "align_corners"),
            ({"size": 3, "antialias": True}, "bad-option", "antialias"),
            ({"size": 3, "mode": "linear"}, "rank-mismatch", None),
        )
    ),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=map(str, REFUSALS))
def test_refused(refusal: Refusal) -> None:
    refused(refusal)


@pytest.mark.parametrize(
    ("layer", "options"),
    [("Mean", {}), ("Slice", {}), ("Normalize", {}), ("Flip", {}), ("Cast", {"dtype": "float"})],
)
def test_axes_and_dtypes_are_required(layer: str, options: dict[str, Any]) -> None:
    given = "".join(f", {key}: {value}" for key, value in options.items())
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(
            f"inputs: {{x: [5]}}\nnodes: {{y: {{layer: {layer}, from: x{given}}}}}\noutputs: y"
        )
    (fault,) = caught.value.diagnostics
    assert fault.code == ("bad-option" if options else "missing-option")
