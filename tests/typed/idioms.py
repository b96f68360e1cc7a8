"""Code as users write it, which mypy and pyright read and the tests run; no part of it is untyped."""

from typing import assert_type

import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.builder.block_call import BlockCall
from mimgraph.ops.layer_call import LayerCall, MergeCall

# --- inputs, layers and ports ---------------------------------------------------------------------

image = mg.Input("image", (3, 32, 32), doc="In RGB.")
text = mg.Input("text", ("T",), vocab=1000)
numbers = mg.Input("numbers", [5], dtype=torch.float32)
mask = mg.Input("mask", (4,), dtype="bool", optional=True)
position = mg.Parameter("position", (1, 64), init={"normal": {"std": 0.02}}, freeze=True)

linear = layers.Linear(64, bias=False, activation="GELU")
assert_type(linear, LayerCall)
hidden = linear(numbers, name="hidden")
assert_type(hidden, mg.Tensor)
lstm = layers.LSTM(8, bidirectional=True)(layers.Embedding(16)(text))
assert_type(lstm["last"], mg.Tensor)
output, (state, cell_state) = lstm
assert_type(output, mg.Tensor)
assert_type(cell_state, mg.Tensor)
first, second = layers.Chunk(2)(hidden)
assert_type(first, mg.Tensor)
attended = layers.MultiheadAttention(2)(query=output, key=output, need_weights=None)
gelu = layers.Linear(3, activation=layers.GELU(approximate="tanh"))(hidden)
relu = layers.Linear(3, activation=nn.ReLU)(hidden)
tanh = layers.Linear(3, activation={"Hardtanh": {"min_val": -2.0}}, take=None, over=None)(hidden)
weight = layers.Embedding(16)(text, name="tokens")["weight"]
padded = layers.Conv2d(8, kernel_size=(3, 5), padding="same", padding_mode="reflect")(image)
reshaped = layers.Reshape([-1, 8])(hidden)

# --- sizes ----------------------------------------------------------------------------------------

channels, height, width = image.dims
again = layers.Conv2d(channels, kernel_size=3, padding=1)(image)
wide = layers.Linear(2 * hidden.dims[0] + 1)(hidden)
rank: int = len(hidden.shape)
dtype: str = hidden.dtype

# --- merges ---------------------------------------------------------------------------------------

joined = merges.concat(first, second, dim=1, name="joined")
assert_type(joined, mg.Tensor)
assert_type(merges.concat(*[first, second]), mg.Tensor)
assert_type(merges.concat([first, second]), mg.Tensor)
assert_type(merges.add(one for one in (first, second)), mg.Tensor)
assert_type(merges.concat(hidden), mg.Tensor)
assert_type(merges.gated(out_features=64), MergeCall)
assert_type(merges.concat(dim=1)([first, second]), mg.Tensor)
assert_type(merges.formula("a + b")({"a": first, "b": second}), mg.Tensor)
assert_type(merges.gated(out_features=64)(first, second), mg.Tensor)
assert_type(merges.formula("g * a + n", g=first, a=second, n=2), mg.Tensor)
assert_type(merges.formula("a + b", {"a": first, "b": second}), mg.Tensor)
assert_type(merges.add(gelu, relu, activation="ReLU"), mg.Tensor)
assert_type(merges.average(gelu, tanh, missing="skip"), mg.Tensor)
assert_type(merges.attention(output, output, output, mask=None), mg.Tensor)

# --- operators and indices ------------------------------------------------------------------------

assert_type(first + 1, mg.Tensor)
assert_type(2 * first - second / 3, mg.Tensor)
assert_type(-(first**2), mg.Tensor)
assert_type(first > 0, mg.Tensor)
assert_type(1 - abs(first), mg.Tensor)
assert_type(output @ layers.Transpose(1, 2)(output), mg.Tensor)
assert_type(hidden[:, 0], mg.Tensor)
assert_type(hidden[:, 2:5], mg.Tensor)
assert_type(hidden[..., None], mg.Tensor)
assert_type((first > 0) & ~(second > 0), mg.Tensor)
total = sum([first, second], start=first)
assert_type(total, mg.Tensor)

# --- chains, and several at a time ----------------------------------------------------------------

cnn = mg.Sequential(layers.Conv2d(8, kernel_size=3), layers.ReLU(), layers.Flatten(), over=None)
vector = cnn(image, name="vector")
assert_type(vector, mg.Tensor)
experts = layers.Linear(8).each(a=gelu, b=relu, with_={"bias": [True, False]}, name="experts")
assert_type(experts, mg.Tensor)
assert_type(merges.concat(*experts), mg.Tensor)
copies = layers.Linear(8).each(gelu, times=3)
shared_again = layers.Linear(8).each(a=gelu, b=relu, shared=True)

# --- blocks ---------------------------------------------------------------------------------------


@mg.block
def residual(x: mg.Tensor, *, kernel_size: int = 3, bias: bool = True) -> mg.Tensor:
    """Add a convolution."""
    y = layers.Conv2d(x.dims[0], kernel_size=kernel_size, padding="same", bias=bias)(x, name="conv")
    return x + y


@mg.block
def cell(x: mg.Tensor, h: mg.Tensor) -> dict[str, mg.Tensor]:
    h = layers.Linear(16, activation="Tanh")(merges.concat(x, h))
    return {"y": h, "h": h}


@mg.block
def attend(x: mg.Tensor, mask: mg.Tensor | None = None, *, heads: int) -> mg.Tensor:
    return layers.MultiheadAttention(heads)(x, x, x, key_padding_mask=mask)


assert_type(residual(image), mg.Tensor)
assert_type(residual(x=image, kernel_size=5), mg.Tensor)
assert_type(residual(image, kernel_size=5, name="stage"), mg.Tensor)
assert_type(residual(image, repeat=3), mg.Tensor)
assert_type(residual(), BlockCall)
assert_type(residual(kernel_size=5), BlockCall)
assert_type(residual(kernel_size=5, repeat=3, freeze=True), BlockCall)
assert_type(residual(repeat={"times": 3, "shared": True})(image, name="deep"), mg.Tensor)
words = layers.Linear(16)(output)
start = mg.zeros(16, batched=True)
assert_type(cell(words[:, 0], start)["y"], mg.Tensor)
assert_type(cell()(words[:, 0], h=start, name="step"), mg.Tensor)
assert_type(cell().scan(words, carry={"h": start}), mg.Tensor)
assert_type(cell().scan(x=words, over={"x": 1}, carry={"h": start}, name="states"), mg.Tensor)
assert_type(residual().each(image, again), mg.Tensor)
assert_type(attend(words, heads=2), mg.Tensor)
assert_type(attend(heads=2), BlockCall)
assert_type(attend(heads=2)(words, None), mg.Tensor)

# --- graphs ---------------------------------------------------------------------------------------

tower = mg.Graph(vector, name="Tower")
assert_type(tower(image), mg.Tensor)
assert_type(tower(image=image, name="left"), mg.Tensor)
assert_type(tower(), BlockCall)
assert_type(tower(freeze=True)(image), mg.Tensor)
stages = mg.Sequential(residual(repeat=2), tower, layers.ReLU())
several = mg.Graph([gelu, mg.Output(relu, doc="The scores.", only="training")])
named = mg.Graph({"y": gelu, "aux": mg.training_only(relu)}, doc="Two heads.")
loaded = mg.loads(named.dumps(), params=None)
assert_type(loaded, mg.Graph)
assert_type(tower.blocks["residual"](kernel_size=5)(image) if tower.blocks else image, mg.Tensor)
model = tower.compile()
assert_type(model, nn.Module)
script: str = tower.source()
parameters: int = tower.summary(batch=2).params
changes = mg.diff(tower, named)
changed: bool = bool(changes)
carried = mg.carry(named, named, named.compile(), seed=0)
assert_type(carried["hidden.weight"], torch.Tensor)
assert_type(carried.report.equal_outputs, tuple[str, ...])

# --- looking into a graph ---------------------------------------------------------------------------

assert_type(list(named), list[str])
assert_type("image" in named, bool)
last = named.nodes[named.edges[-1].target]
assert_type(last.sources["input"], str)
assert_type(last.dtype, str | None)
assert_type(last.macs, int | str | None)
assert_type(sum(node.parameters for node in named.nodes.values() if node.kind == "layer"), int)
assert_type([str(node.origin) for node in last.nodes.values()], list[str])
assert_type([given.optional for given in named.inputs.values()], list[bool])
assert_type(named.outputs["aux"].source, str)
assert_type(named.edges[0].argument, str)
assert_type(("image", "conv") in named.edges, bool)
assert_type(mg.from_dict(named.to_dict()), mg.Graph)
assert_type({named: hash(named)}, dict[mg.Graph, int])

# --- changing a graph -----------------------------------------------------------------------------

flat = layers.Flatten()(image, name="flat")
fused = merges.concat(flat, layers.Linear(4)(numbers, name="fc"), name="fused")
small = mg.Graph({"y": layers.Linear(3)(fused, name="head")}, name="Small")
assert_type(small["fused"], mg.Tensor)
head = mg.Graph(layers.Linear(2)(small["fused"], name="other"))
assert_type(small.upto("fused"), mg.Graph)
assert_type(small.rewire("fused", from_=["fc", "flat"]), mg.Graph)
assert_type(small.rename("head", "scores"), mg.Graph)
gated = small.replace("fused", merges.gated(out_features=8))
assert_type(gated, mg.Graph)
assert_type(small.insert("fc", layers.ReLU()), mg.Graph)
assert_type(small.insert("fc", layers.ReLU()).remove("relu"), mg.Graph)
assert_type(small.with_options("fc", out_features=8), mg.Graph)
assert_type(mg.Model(inputs=[image, numbers], outputs=fused), mg.Graph)
assert_type(mg.Model({"image": image, "numbers": numbers}, {"y": fused}), mg.Graph)
same: bool = small == gated or hash(small) == hash(gated)
assert_type(small.map(lambda node: layers.GELU() if node.op == "ReLU" else None), mg.Graph)
multiple = mg.Input("multiple", (3, "8*H", "8*W"))
ids = torch.tensor([4, 7])
city = mg.Input("city", vocab=ids.max() + 1)
counted = mg.Input("counted", [torch.tensor(3), 4])
