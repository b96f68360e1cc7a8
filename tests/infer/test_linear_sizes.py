"""Inputs of sizes such as `8*H` and `2*T + 1`: the types behind them, against torch, and in blocks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.cases import each
from tests.helpers.marked import locations, split


def unet() -> mg.Graph:
    """Return a U-Net of three levels, each half as large as the one before."""
    x = mg.Input("x", (3, "8*H", "W*8"))
    h, skips = x, []
    for width in (4, 6, 8):
        skips.append(layers.Conv2d(width, 3, padding=1, activation="ReLU")(h))
        h = layers.MaxPool2d(2)(skips[-1])
    for skip in reversed(skips):
        h = layers.ConvTranspose2d(4, 2, stride=2)(h)
        h = layers.Conv2d(4, 3, padding=1, activation="ReLU")(merges.concat(h, skip))
    return mg.Graph(layers.Conv2d(2, 1)(h, name="mask"), name="UNet")


def test_the_skips_of_a_unet_agree_without_constraints() -> None:
    graph = unet()
    assert str(graph.shapes["max_pool2d_2"]) == "(N, 8, H, W)"
    assert str(graph.shapes["mask"]) == "(N, 2, 8*H, 8*W)"
    assert graph.typed.constraints == ()


def test_the_help_of_a_unet_of_any_size_is_to_declare_multiples() -> None:
    text = unet().dumps()
    with pytest.raises(mg.SpecError) as caught:  # a pool of an odd size loses a row
        mg.loads(text.replace("8*H", "H").replace("8*W", "4*W"))
    help = "if H is always a multiple of 8 and W of 2, write 8*H for H and 2*W for W in the shapes"
    assert help in str(caught.value)


@each("height, width", [(1, 1), (2, 3), (5, 1)])
def test_a_unet_computes_what_torch_does(height: int, width: int) -> None:
    model = unet().compile(check=True)
    x = torch.randn(2, 3, 8 * height, 8 * width)
    h, skips, ups = x, [], [m for m in model.children() if isinstance(m, nn.ConvTranspose2d)]
    convs = [m for m in model.children() if isinstance(m, nn.Conv2d)]
    for conv in convs[:3]:
        skips.append(F.relu(conv(h)))
        h = F.max_pool2d(skips[-1], 2)
    for up, conv, skip in zip(ups, convs[3:6], reversed(skips), strict=True):
        h = F.relu(conv(torch.cat([up(h), skip], 1)))
    assert torch.equal(model(x=x), convs[6](h))


# --- sizes in options, read at run time -------------------------------------------------------

VIT = """
params: {patch: 16}
inputs: {image: [3, $patch*H, $patch*W]}
nodes:
  patches: {layer: Conv2d, from: image, out_channels: 8, kernel_size: $patch, stride: $patch}
  tokens: {layer: Flatten, from: patches, start_dim: 2}
  rows: {layer: Rearrange, from: patches, pattern: n c h w -> n (h w) c}
  grid: {layer: Reshape, from: rows, shape: [$H, $W, 8]}
outputs: [tokens, grid]
"""


def test_the_patches_of_a_vit() -> None:
    graph = mg.loads(VIT)
    assert str(graph.shapes["image"]) == "(N, 3, 16*H, 16*W)"
    assert str(graph.shapes["tokens"]) == "(N, 8, H*W)"
    assert str(graph.shapes["grid"]) == "(N, H, W, 8)"
    model = graph.compile()
    x = torch.randn(2, 3, 32, 48)
    found = model(image=x)
    expected = F.conv2d(x, model.patches.weight, model.patches.bias, stride=16)
    assert torch.equal(found["tokens"], expected.flatten(2))
    assert torch.equal(found["grid"], expected.permute(0, 2, 3, 1))
    assert str(mg.loads(VIT, {"patch": 4}).shapes["image"]) == "(N, 3, 4*H, 4*W)"


LINEAR = {  # the size of the axis, the option that reads T, the code that computes it
    "8*T": ("x.shape[1] // 8", 24),
    "T + 1": ("x.shape[1] - 1", 4),
    "2*T - 1": ("(x.shape[1] + 1) // 2", 5),
}


@each("size", [*LINEAR])
def test_a_name_in_an_option_is_computed_from_the_axis(size: str) -> None:
    code, length = LINEAR[size]
    spec = f"inputs: {{x: [{size}]}}\nnodes: {{y: {{merge: formula, from: [x], expr: x * $T}}}}\noutputs: y"
    graph = mg.loads(spec)
    assert code in graph.source() and f"(N, {size})" in graph.source()
    x = torch.randn(2, length)
    assert torch.equal(graph.compile()(x=x), x * 3)


def test_the_tokens_before_the_last_and_behind_the_first() -> None:
    graph = mg.loads(
        "inputs: {tokens: {shape: [T + 1], vocab: 9}, weights: [T]}\n"
        "nodes:\n"
        "  given: {layer: Slice, from: tokens, dim: 1, end: -1}\n"
        "  wanted: {layer: Slice, from: tokens, dim: 1, start: 1}\n"
        "  read: {layer: Embedding, from: given, embedding_dim: 9}\n"
        "outputs: [read, wanted, weights]\n"
    )
    assert [str(graph.shapes[name]) for name in ("given", "wanted")] == ["(N, T)"] * 2
    assert graph.typed.constraints == ()
    model, tokens = graph.compile(check=True), torch.randint(0, 9, (2, 6))
    found = model(tokens=tokens, weights=torch.rand(2, 5))
    assert torch.equal(found["wanted"], tokens[:, 1:])
    with pytest.raises(ValueError, match=r"T \+ 1 of tokens is 1 \(T is 0\)"):
        model(tokens=tokens[:, :1], weights=torch.rand(2, 1))


# --- as written, and back ---------------------------------------------------------------------

KEPT = ["[3, 8*H, 2*T + 1]", "[$k*H, $(2 * k)*W + $k, T]", "[H + 1, $(k + 1)]"]


@each("shape", KEPT)
def test_a_size_is_written_back(shape: str) -> None:
    spec = f"params: {{k: 4}}\ninputs: {{x: {shape}}}\nnodes: {{y: {{layer: ReLU, from: x}}}}\noutputs: y"
    graph = mg.loads(spec)
    assert f"x: {shape}\n" in graph.dumps()
    assert mg.loads(graph.dumps()).dumps() == graph.dumps()


def test_python_and_yaml_declare_the_same() -> None:
    x = mg.Input("x", (3, "H * 8", "2*T + 1"))
    made = mg.Graph(layers.ReLU()(x, name="y"))
    read = mg.loads(
        "inputs: {x: [3, 8*H, 2*T + 1]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y"
    )
    assert made.dumps() == read.dumps() and made == read


def test_dims_of_a_handle_divide_and_can_be_those_of_another_input() -> None:
    x = mg.Input("x", ("8*H", 4))
    assert str(x.dims[0] // 8) == "H" and x.dims[0] % 8 == 0
    y = mg.Input("y", x.dims)
    z = mg.Input("z", (x.dims[0] // 4 + 1,))
    assert (y.dims, str(z.dims)) == (x.dims, "(2*H + 1,)")


# --- in blocks --------------------------------------------------------------------------------

BLOCK = """
inputs: {a: [3, %s, 8]}
blocks:
  down:
    params: {k: 4}
    inputs: {x: [C, $k*H, $k*W]}
    nodes:
      p: {layer: MaxPool2d, from: x, kernel_size: $k}
      y: {layer: Reshape, from: p, shape: [$C, $(H * W)]}
    outputs: y
nodes: {y: {block: down, from: ⟦shape-mismatch⟧a}}
outputs: y
"""


@each(
    "size, result",
    [("12", "6"), ("4*T", "2*T"), ("16*T", "8*T"), ("4*T + 8", "2*T + 4"), ("4*T - 3 + 3", "2*T")],
)
def test_a_pattern_binds_the_name_in_a_multiple(size: str, result: str) -> None:
    graph = mg.loads(BLOCK.replace("⟦shape-mismatch⟧", "") % size)
    assert str(graph.shapes["y"]) == f"(N, 3, {result})"
    sizes = {"T": 2} if "T" in size else {}
    height = int(eval(size, {}, sizes))
    x = torch.randn(2, 3, height, 8)
    assert torch.equal(graph.compile()(a=x), F.max_pool2d(x, 4).flatten(2))
    assert mg.loads(graph.dumps()).source() == graph.source()


@each("size", ["30", "T", "2*T", "4*T + 2"])
def test_a_pattern_refuses_what_may_be_no_multiple(size: str) -> None:
    text, expected = split(BLOCK % size)
    assert locations(text) == expected


def test_the_same_name_in_two_inputs_of_a_block() -> None:
    text = (
        "inputs: {x: [8*H], y: [H]}\n"
        "nodes: {p: {layer: Reshape, from: x, shape: [8, $H]}, s: {layer: Mean, from: p, dim: 1},"
        " z: {merge: add, from: [s, y]}}\noutputs: z"
    )
    for one, other in (("16*K", "2*K"), (64, 8), ("8*T", "T")):
        a, b = mg.Input("a", (one,)), mg.Input("b", (other,))
        assert mg.loads(text)(a, b).dims == b.dims
    for one, other in ((64, 7), ("8*T", "S"), ("T", "T")):
        with pytest.raises(mg.SpecError):
            mg.loads(text)(mg.Input("a", (one,)), mg.Input("b", (other,)))


def test_a_part_takes_a_multiple(tmp_path: Path) -> None:
    part = "inputs: {x: [3, 8*H, 8*W]}\nnodes: {y: {layer: AvgPool2d, from: x, kernel_size: 8}}\noutputs: y\n"
    (tmp_path / "encoder.yaml").write_text(part)
    whole = (
        "inputs: {a: [3, %s, 24]}\nparts: {encoder: encoder.yaml}\n"
        "nodes: {y: {block: encoder, from: a}}\noutputs: y\n"
    )
    (tmp_path / "model.yaml").write_text(whole % "16*K")
    assert str(mg.load(tmp_path / "model.yaml").shapes["y"]) == "(N, 3, 2*K, 3)"
    (tmp_path / "model.yaml").write_text(whole % "K")
    with pytest.raises(mg.SpecError, match="K may not be a multiple of 8"):
        mg.load(tmp_path / "model.yaml")


USES = """
inputs: {a: [4*T, 4], b: [12, 4], v: [2*T, 3, 8*H, 8]}
blocks:
  halve:
    inputs: {x: [2*A, B]}
    nodes: {y: {layer: Reshape, from: x, shape: [$A, $(2 * B)]}}
    outputs: y
  shrink:
    inputs: {x: [2*A, 4]}
    nodes:
      y: {from: x, seq: [{Reshape: {shape: [$A, 8]}}, {Linear: 4}]}
    outputs: y
  pool: {inputs: {x: [3, 8*H, 8*W]}, nodes: {y: {layer: MaxPool2d, from: x, kernel_size: 8}}, outputs: y}
nodes:
  y: {each: {a: a, b: b}, block: halve}
  s: {from: a, seq: [halve, halve]}
  r: {block: shrink, from: a, repeat: 2}
  z: {block: pool, from: v, over: 1}
outputs: {a: y.a, b: y.b, s: s, r: r, z: z}
"""


def test_blocks_take_multiples_in_each_a_seq_a_repeat_and_over_an_axis() -> None:
    graph = mg.loads(USES)
    inputs = {"a": torch.rand(2, 8, 4), "b": torch.rand(2, 12, 4), "v": torch.rand(2, 4, 3, 16, 8)}
    found = graph.compile(check=True)(**inputs)
    a, v = inputs["a"], inputs["v"]
    assert torch.equal(found["a"], a.reshape(2, 4, 8))
    assert torch.equal(found["s"], a.reshape(2, 2, 16))
    assert found["r"].shape == (2, 2, 4) and str(graph.shapes["r"]) == "(N, T, 4)"
    assert torch.equal(found["z"], F.max_pool2d(v.flatten(0, 1), 8).unflatten(0, (2, 4)))
    with pytest.raises(mg.SpecError, match="T may not be a multiple of 2"):
        mg.loads(USES.replace("repeat: 2", "repeat: 3"))


def test_stages_have_multiples_as_inputs() -> None:
    whole = unet()
    first, second = whole.split(2)
    given = second.metadata(2, H=2, W=3)["input_args"]
    assert [tuple(x.shape) for x in given] == [
        tuple(x.shape) for x in first.metadata(2, H=2, W=3)["output_args"]
    ]
    module = second.compile(check=True)
    names = list(second.inputs)
    odd = [
        torch.rand(*(3 if not isinstance(size, int) else size for size in one.shape))
        for one in second.typed.body.inputs.values()
    ]
    with pytest.raises(ValueError, match=rf"{names[0]} axis 2 is 3, which is no multiple of"):
        module(*odd)


def test_a_stage_refuses_an_axis_that_is_empty() -> None:
    whole = mg.loads(
        "inputs: {x: [3, T]}\nnodes:\n"
        "  a: {layer: Conv1d, from: x, out_channels: 2, kernel_size: 4}\n"
        "  b: {layer: Conv1d, from: a, out_channels: 2, kernel_size: 1}\noutputs: b\n"
    )
    with pytest.raises(ValueError, match=r"T - 3 of a is 0 \(T is 3\)"):
        whole.split(2)[1].compile(check=True)(torch.rand(2, 2, 0))


@mg.block
def rows(x: mg.Tensor) -> mg.Tensor:
    """Return the pixels in as many rows as an eighth of the height."""
    return layers.Reshape([x.dims[1] // 8, -1])(x)


def test_a_function_computes_with_the_dims_of_its_input() -> None:
    x = mg.Input("x", (3, "8*H", "8*W"))
    graph = mg.Graph(rows(x, name="y"))
    assert str(graph.shapes["y"]) == "(N, H, 192*W)"
    image = torch.randn(2, 3, 16, 8)
    assert torch.equal(graph.compile()(x=image), image.reshape(2, 2, -1))
    assert mg.loads(graph.dumps()).source() == graph.source()


# --- with other parts of the library ----------------------------------------------------------


def test_a_size_stands_for_its_name_in_a_summary_and_in_weights() -> None:
    graph = unet()
    summary = graph.summary(sizes={"H": 4, "W": 2})
    assert "(N, 3, 32, 16)" in str(summary)
    model = graph.compile()
    graph.compile().load_state_dict(model.state_dict())
    with pytest.raises(ValueError, match="no size named 'T'"):
        graph.summary(sizes={"T": 4})


def test_an_optional_input_may_give_the_name_too() -> None:
    graph = mg.loads(
        "inputs: {x: [8*H], mask: {shape: [H], optional: true}}\n"
        "nodes: {some: {layer: Fill, from: mask, value: zeros},"
        " eight: {layer: Reshape, from: x, shape: [8, $H]}, mean: {layer: Mean, from: eight, dim: 1},"
        " y: {merge: add, from: [mean, some]}}\noutputs: y"
    )
    model = graph.compile(check=True)
    x, mask = torch.randn(2, 24), torch.rand(2, 3)
    assert torch.allclose(model(x=x), x.reshape(2, 8, 3).mean(1))
    assert torch.allclose(model(x=x, mask=mask), x.reshape(2, 8, 3).mean(1) + mask)
    with pytest.raises(ValueError, match=r"8\*H of x is 24 \(H is 3\) but H of mask is 4"):
        model(x=x, mask=torch.rand(2, 4))
