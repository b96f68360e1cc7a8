"""Checks the layers that are functions of torch: their options, code and results."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph.ops.op import OpFault
from tests.helpers.cases import check_each
from tests.ops.layers.oracle import infer, shape_of, tensor
from tests.ops.layers.torch_functions import FUNCTIONS

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


CODE = [
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
]


def test_code_is_as_written_by_hand() -> None:
    check_each(CODE, is_written)


def is_written(case: tuple[str, str]) -> None:
    node, code = case
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
