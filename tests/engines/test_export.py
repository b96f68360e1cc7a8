"""`torch.export` keeps the batch and the named sizes open, within the graph's constraints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

import mimgraph as mg
from mimgraph.runtime.runner import seeded_inputs
from tests.engines.models import MODELS, Model, assert_close, every_model, nightly
from tests.ops.layers.oracle import TORCH

pytestmark = pytest.mark.filterwarnings("ignore:The tensor attributes")
keeps_lengths_open = pytest.mark.skipif(
    TORCH < (2, 13), reason="torch 2.10 refuses lengths for which it cannot prove its own guards"
)


def exported(graph: mg.Graph, model: nn.Module, inputs: dict[str, Tensor]) -> nn.Module:
    program = torch.export.export(model, (), inputs, dynamic_shapes=graph.dynamic_shapes(inputs))
    return program.module()


@keeps_lengths_open
@every_model
def test_an_exported_model_runs_at_other_sizes(model: Model) -> None:
    module, inputs = model.compile(), model.inputs(3)
    program = exported(model.graph, module, inputs)
    for batch, longer in ((1, 0), (2, 1), (5, 7)):
        sizes = {"T": 8 + longer} if "T" in str(model.graph.inputs) else {}
        inputs = model.inputs(batch, **sizes)
        assert_close(program(**inputs), module(**inputs))


@pytest.mark.parametrize("strict", [True, False])
def test_a_checked_model_is_exported_as_the_plain_one(strict: bool) -> None:
    model = MODELS[0]
    inputs = model.inputs(3)
    shapes = model.graph.dynamic_shapes()
    programs = [
        torch.export.export(m, (), inputs, dynamic_shapes=shapes, strict=strict)
        for m in (model.compile(), model.compile(check=True))
    ]
    plain, checked = ([node.target for node in p.graph.nodes] for p in programs)
    assert plain == checked


@keeps_lengths_open
def test_an_exported_model_is_saved_and_loaded(tmp_path: Any) -> None:
    model = MODELS[7]
    module, inputs = model.compile(), model.inputs(3)
    shapes = model.graph.dynamic_shapes(inputs)
    program = torch.export.export(module, (), inputs, dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "model.pt2")
    loaded = torch.export.load(tmp_path / "model.pt2").module()
    longer = model.inputs(4, T=31)
    assert_close(loaded(**longer), module(**longer))


# --- the Dims -----------------------------------------------------------------------------------

GROUPS = '{Rearrange: {pattern: "n (t k) -> n t k", sizes: {k: 4}}}'
OF_GROUPS = '{Rearrange: {pattern: "n (t a) k -> n t (a k)", sizes: {a: 3}}}'
OF_THREE = '{Rearrange: {pattern: "n (t a) -> n t a", sizes: {a: 3}}}'
PLACES = """
  steps: {arange: x, dim: 1}
  places: {layer: Embedding, from: steps, num_embeddings: 64, embedding_dim: 6}
  y: {merge: add, from: [x, places], broadcast: true}
"""


class Case(NamedTuple):
    """An input of a length T, the nodes on it, its Dim, and lengths to run at; exported at the first."""

    x: str
    nodes: str
    dim: str
    lengths: tuple[int, ...]


def chain(*items: str) -> str:
    return f"\n  y: {{from: x, seq: [{', '.join(items)}]}}"


CASES = {
    "a name": Case("[T, 6]", chain("{Linear: 2}"), "Dim('T', min=1)", (8, 1, 99)),
    "a longest": Case("[T, 6]", PLACES, "Dim('T', min=1, max=64)", (8, 1, 64)),
    "a multiple": Case("[T]", chain(GROUPS), "4*_T", (8, 20)),
    "a multiple, shifted": Case(
        "[T]", chain("{Slice: {dim: 1, start: 3}}", GROUPS), "4*_T + 3", (23, 11)
    ),
    "of several divisors": Case("[T]", chain(GROUPS, OF_GROUPS), "12*_T", (24, 60)),
    "a multiple, of which one is too few": Case("[T]", chain(GROUPS), "4*_T", (12, 8)),
    "a stride": Case(
        "[3, T]",
        chain("{Conv1d: {out_channels: 2, kernel_size: 3, stride: 2, padding: 1}}"),
        "DYNAMIC, min=3",
        (9, 3, 4, 30),
    ),
    "a multiple by its declaration": Case("[8*T, 6]", chain("{Linear: 2}"), "8*T", (3, 9, 2)),
    "a line by its declaration": Case("[2*T + 1, 6]", chain("{Linear: 2}"), "2*T + 1", (3, 9)),
    "a multiple of which only multiples are legal": Case("[2*T]", chain(OF_THREE), "6*_T", (6, 9)),
    "a window": Case(
        "[3, T]", chain("{Conv1d: {out_channels: 2, kernel_size: 5}}"), "DYNAMIC, min=6", (9, 6, 30)
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_named_size_has_this_torch_dim(case: Case) -> None:
    graph = mg.loads(f"inputs: {{x: {case.x}}}\nnodes: {case.nodes}\noutputs: y")
    shapes = graph.dynamic_shapes()["x"]
    assert shapes is not None
    batch, size = shapes.values()
    assert str(batch) == "Dim('N', min=1)"
    assert case.dim in str(size)
    module = graph.compile().eval()
    program = exported(graph, module, seeded_inputs(graph.typed, 3, 0, {"T": case.lengths[0]}))
    for length in case.lengths:
        inputs = seeded_inputs(graph.typed, 2, 0, {"T": length})
        assert_close(program(**inputs), module(**inputs))


LOOPS_OF_TORCH = {
    "a recurrent layer": "{layer: LSTM, from: x, over: 2, hidden_size: 5}",
    "inside a chain": "{from: x, over: 2, seq: [{Linear: 3}, {GRU: {hidden_size: 5, take: last}}]}",
    "behind a layer": "{from: x, over: 2, seq: [{Slice: {dim: 1, start: 1}}, {RNN: {hidden_size: 5}}]}",
    "of each source": "{each: {a: x, b: x}, layer: LSTM, over: 2, hidden_size: 5}",
    "MaxPool1d": "{from: x, over: 2, seq: [{Transpose: {dim0: 1, dim1: -1}}, {MaxPool1d: 2}]}",
}


@pytest.mark.parametrize("node", LOOPS_OF_TORCH.values(), ids=LOOPS_OF_TORCH)
def test_a_length_that_torch_runs_a_loop_over_is_fixed(node: str) -> None:
    output = "y.a" if "each" in node else "y"
    graph = mg.loads(f"inputs: {{x: [T, S, 4]}}\nnodes: {{y: {node}}}\noutputs: {output}")
    shapes = graph.dynamic_shapes()["x"]
    assert shapes is not None
    assert list(map(str, shapes.values())) == ["Dim('N', min=1)", "Dim('S', min=1)"]
    module = graph.compile().eval()
    program = exported(graph, module, seeded_inputs(graph.typed, 3, 0, {"T": 6, "S": 5}))
    inputs = seeded_inputs(graph.typed, 2, 0, {"T": 6, "S": 7})
    assert_close(program(**inputs), module(**inputs))


def test_torch_refuses_a_dim_for_the_length_of_its_lstm() -> None:
    lstm, x = nn.LSTM(3, 4, batch_first=True), torch.zeros(3, 8, 3)
    with pytest.raises(torch._dynamo.exc.UserError, match="T = 8"):
        torch.export.export(lstm, (x,), dynamic_shapes={"input": {0: Dim("N"), 1: Dim("T")}})


# --- the least length ---------------------------------------------------------------------------


def conv(kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> str:
    return (
        f"{{Conv1d: {{out_channels: 2, kernel_size: {kernel}, stride: {stride},"
        f" padding: {padding}, dilation: {dilation}}}}}"
    )


PARTS = """
  parts: {layer: Chunk, from: x, chunks: 2, dim: 1}
  y: {layer: Linear, from: parts.1, out_features: 2}
"""
SHIFTED = """
  first: {layer: Slice, from: x, dim: 1, end: -1}
  then: {layer: Slice, from: x, dim: 1, start: 1}
  y: {merge: subtract, from: [then, first]}
"""
ALONG = """
  first: {layer: Slice, from: x, dim: 1, end: -4}
  all: {merge: concat, from: [first, x, first], dim: 1}
  y: {layer: Linear, from: all, out_features: 2}
"""
LIKE = """
  half: {layer: AvgPool1d, from: x, kernel_size: 2}
  again: {layer: Upsample, from: half, scale_factor: 2}
  y: {layer: Conv1d, from: again, out_channels: 2, kernel_size: 3}
"""
LEAST = {  # the input, the nodes on it, the least length that torch can keep open
    "as it is": ("[3, T]", chain(conv(1)), 1),
    "padded": ("[3, T]", chain(conv(3, padding=1)), 1),
    "a window": ("[3, T]", chain(conv(3)), 4),
    "a dilated window": ("[3, T]", chain(conv(3, dilation=4)), 10),
    "a stride of 2": ("[3, T]", chain(conv(3, 2, 1)), 3),
    "a stride of 2, one more": ("[3, T]", chain(conv(2, 2, 1)), 1),
    "a stride of 4": ("[3, T]", chain(conv(7, 4, 3)), 5),
    "a stride of 4, not padded": ("[3, T]", chain(conv(4, 4)), 8),
    "three strides": ("[3, T]", chain(*[conv(3, 2, 1)] * 3), 9),
    "three strides and their mean": ("[3, T]", chain(*[conv(3, 2, 1)] * 3, "{Mean: 2}"), 9),
    "a pool": ("[3, T, 8]", chain("{MaxPool2d: 2}"), 4),
    "a pool with overlap": (
        "[3, T, 8]",
        chain("{AvgPool2d: {kernel_size: 3, stride: 2, padding: 1}}"),
        3,
    ),
    "a pool whose length is rounded up": (
        "[3, T, 8]",
        chain("{MaxPool2d: {kernel_size: 2, ceil_mode: true}}"),
        3,
    ),
    "a transposed one": (
        "[3, T]",
        chain("{ConvTranspose1d: {out_channels: 2, kernel_size: 3, stride: 2, padding: 1}}"),
        1,
    ),
    "cropped by a transposed one": (
        "[3, T]",
        chain("{ConvTranspose1d: {out_channels: 2, kernel_size: 3, stride: 2, padding: 3}}"),
        4,
    ),
    "patches": ("[3, T, 8]", chain("{Unfold: {kernel_size: 3, stride: 2}}"), 5),
    "down and up": ("[3, T]", LIKE, 4),
    "an adaptive pool": ("[3, T, 8]", chain("{AdaptiveAvgPool2d: [4, 4]}"), 1),
    "a slice": ("[T, 3]", chain("{Slice: {dim: 1, start: 3}}"), 5),
    "a half": ("[T, 3]", PARTS, 4),
    "differences": ("[T, 3]", SHIFTED, 3),
    "along one axis": ("[T, 3]", ALONG, 6),
    "spectra": ("[T]", chain("{Unsqueeze: 1}", conv(16, 8), "{Transpose: {dim0: 1, dim1: 2}}"), 24),
}
QUICK_LEAST = ("as it is", "a stride of 2", "three strides", "a slice")
STRIDED = """
inputs: {x: [3, T]}
blocks:
  halve:
    inputs: {x: [C, L]}
    nodes:
      conv: {layer: Conv1d, from: x, out_channels: $C, kernel_size: 3, stride: 2, padding: 1}
      y: {layer: BatchNorm1d, from: conv, activation: ReLU}
    outputs: y
nodes:
  stages: {block: halve, from: x, repeat: 3}
  y: {layer: Mean, from: stages, dim: 2}
outputs: y
"""


def least(graph: mg.Graph, name: str, axis: int) -> int:
    """Return the least size of an axis that `dynamic_shapes` gives torch; 1 for the batch."""
    shapes = graph.dynamic_shapes()[name]
    assert shapes is not None
    return int(shapes[axis].min)


def check_least(graph: mg.Graph, size: int, strict: bool) -> None:
    """Check that the exported model runs at its least length and above, and torch refuses a smaller one."""
    axes = {str(dim): axis for axis, dim in enumerate(graph.typed.body.inputs["x"].shape)}
    assert least(graph, "x", axes["T"]) == size
    module, far = graph.compile().eval(), seeded_inputs(graph.typed, 3, 0, {"T": 4 * size + 40})
    shapes = graph.dynamic_shapes()
    program = torch.export.export(module, (), far, dynamic_shapes=shapes, strict=strict).module()
    for length in (size, size + 1, size + 2, 5 * size + 7):
        inputs = seeded_inputs(graph.typed, 2, 0, {"T": length})
        assert_close(program(**inputs), module(**inputs))
    if size > 1 and not strict:
        wider = {axes["N"]: Dim("N", min=1), axes["T"]: Dim("T", min=size - 1)}
        with pytest.raises(torch._dynamo.exc.UserError, match="Constraints violated"):
            torch.export.export(module, (), far, dynamic_shapes={"x": wider}, strict=False)


@keeps_lengths_open
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("case", [nightly(case, unless=case in QUICK_LEAST) for case in LEAST])
def test_the_least_length_is_exact(case: str, strict: bool) -> None:
    x, nodes, size = LEAST[case]
    graph = mg.loads(f"inputs: {{x: {x}}}\nnodes: {nodes}\noutputs: y")
    check_least(graph, size, strict)


@keeps_lengths_open
@pytest.mark.parametrize("strict", [True, False])
def test_the_least_length_inside_blocks(strict: bool) -> None:
    check_least(mg.loads(STRIDED), 9, strict)


@keeps_lengths_open
@pytest.mark.parametrize("strict", [True, False])
def test_two_named_sizes_have_a_least_length_each(strict: bool) -> None:
    graph = mg.loads(
        "inputs: {x: [3, H, W], z: [3, H]}\nnodes:\n"
        "  a: {layer: Conv2d, from: x, out_channels: 2, kernel_size: 3, stride: [2, 4], padding: 1}\n"
        "  b: {from: a, seq: [{Flatten: {start_dim: 2}}, {Mean: 2}]}\n"
        "  c: {from: z, seq: [{Mean: 2}]}\n"
        "  y: {merge: concat, from: [b, c]}\noutputs: y"
    )
    assert [least(graph, "x", axis) for axis in (2, 3)] == [3, 5]
    assert least(graph, "z", 2) == 3
    module, inputs = graph.compile().eval(), seeded_inputs(graph.typed, 3, 0, {"H": 9, "W": 20})
    shapes = graph.dynamic_shapes()
    program = torch.export.export(module, (), inputs, dynamic_shapes=shapes, strict=strict).module()
    for height, width in ((3, 5), (4, 6), (30, 17)):
        inputs = seeded_inputs(graph.typed, 2, 0, {"H": height, "W": width})
        assert_close(program(**inputs), module(**inputs))


# --- names --------------------------------------------------------------------------------------


def test_one_name_is_one_dim_in_all_inputs() -> None:
    shapes = MODELS[7].graph.dynamic_shapes()
    tokens, padding = shapes["tokens"], shapes["padding"]
    assert tokens is not None and padding is not None
    assert tokens[0] is padding[0] and tokens[1] is padding[1]
    assert tokens.keys() == padding.keys() == {0, 1}


def test_inputs_left_out_are_none_or_not_named() -> None:
    graph = MODELS[-1].graph
    assert list(graph.dynamic_shapes(["numeric", "city", "job"])) == ["numeric", "city", "job"]
    assert list(graph.dynamic_shapes("city")) == ["city"]
    inputs: Mapping[str, Any] = MODELS[-1].inputs(3) | {"image": None}
    assert graph.dynamic_shapes(inputs)["image"] is None
    with pytest.raises(ValueError, match="there is no input 'photo'; the inputs: numeric, "):
        graph.dynamic_shapes(["photo"])


def test_a_wrong_example_is_refused() -> None:
    graph = mg.loads("inputs: {x: [T, 6]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y")
    assert list(graph.dynamic_shapes({"x": torch.zeros(2, 3, 6)})) == ["x"]
    for sizes in ((6,), (2, 3, 7)):
        with pytest.raises(ValueError, match=r"x has shape .*, not \(N, T, 6\)"):
            graph.dynamic_shapes({"x": torch.zeros(sizes)})
