"""The helps of diagnostics: their text, and that a proposed node or value makes the spec right."""

from __future__ import annotations

import re
from itertools import product

import pytest

from mimgraph.ops import registry
from mimgraph.ops.rule_helpers import fitting
from mimgraph.ops.spelling import from_python
from tests.helpers.marked import faults, locations

# Specs with one fault, and its help.
HELPS = {
    "a name that is begun": (
        "inputs: {x: [3, 8, 8]}\nnodes:\n  y: {layer: Conv2d, from: x, out_channels: 8, kernel: 3}\noutputs: y\n",
        "did you mean kernel_size?",
    ),
    "a name that goes on": (
        "inputs: {a: [5]}\nnodes:\n  y: {merge: concatenate, from: [a, a]}\noutputs: y\n",
        "did you mean concat?",
    ),
    "few names to choose from": (
        "inputs: {image: [5], text: [5]}\nnodes:\n  y: {merge: add, from: [image, text, audio]}\noutputs: y\n",
        "known here: image, text, y",
    ),
    "a param where there are none": (
        "inputs: {x: [5]}\nnodes:\n  y: {layer: Linear, from: x, out_features: $w}\noutputs: y\n",
        "declare it: params: {w: ...}",
    ),
    "the batch as a size": (
        "inputs: {x: [5]}\nnodes:\n  y: {layer: Linear, from: x, out_features: $N}\noutputs: y\n",
        "N is the batch, whose size no option can read",
    ),
    "batch_first": (
        "inputs: {x: [5, 8]}\nnodes:\n  y: {layer: LSTM, from: x, hidden_size: 4, batch_first: true}\noutputs: y\n",
        "leave it out: it is always true here",
    ),
    "a source in a seq": (
        "inputs: {x: [5]}\nnodes:\n  y: {from: x, seq: [{Linear: {out_features: 3, from: x}}]}\noutputs: y\n",
        "leave it out: an item of a seq reads the one before it",
    ),
    "a layer as a block": (
        "inputs: {x: [5]}\nnodes:\n  y: {block: ReLU, from: x}\noutputs: y\n",
        "ReLU is a layer: write {layer: ReLU, ...}",
    ),
    "an input as a module": (
        "inputs: {x: [5]}\nnodes:\n  y: {share: x, from: x}\noutputs: y\n",
        "x is an input, which has no module to share",
    ),
    "take of the only result": (
        "inputs: {x: [5]}\nnodes:\n  y: {layer: Linear, from: x, out_features: 3, take: output}\noutputs: y\n",
        "Linear has one result: leave take out",
    ),
    "an option that is missing": (
        "inputs: {x: [5]}\nnodes:\n  y: {layer: Linear, from: x}\noutputs: y\n",
        "give out_features, a size",
    ),
    "arguments that are missing": (
        "inputs: {a: [4, 8]}\nnodes:\n  y: {merge: attention, from: [a]}\noutputs: y\n",
        "write from: {query: ..., key: ..., value: ...}",
    ),
    "names in a list": (
        "inputs: {a: [4], b: [4]}\nnodes:\n  y: {merge: concat, from: {x: a, y: b}}\noutputs: y\n",
        "write from: [a, b]",
    ),
    "a shape that is a number": (
        "inputs: {x: 5}\nnodes:\n  y: {layer: ReLU, from: x}\noutputs: y\n",
        "write [5]",
    ),
    "a null that nothing is made of": (
        "inputs: {x: [5]}\nnodes:\n  y: {from: x, seq: null}\noutputs: y\n",
        "",
    ),
    "a layer for as many axes": (
        "inputs: {x: [3, 8]}\nnodes:\n  y: {layer: Conv2d, from: x, out_channels: 8, kernel_size: 3}\noutputs: y\n",
        "Conv1d takes (N, 3, 8); if it has one channel, give it that axis: {layer: Unsqueeze, from: x, dim: 1}",
    ),
    "axes of a vector": (
        "inputs: {x: [48]}\nnodes:\n  y: {layer: Conv2d, from: x, out_channels: 8, kernel_size: 3}\noutputs: y\n",
        "give it its axes first, such as {layer: Unflatten, from: x, dim: 1, unflattened_size: [3, 4, 4]}",
    ),
    "axes of a vector in a chain": (
        "inputs: {x: [3, 8, 8]}\nnodes:\n  y: {from: x, seq: [Flatten, {Conv2d: {out_channels: 8, kernel_size: 3}}]}\noutputs: y\n",
        "give it its axes first, such as {Unflatten: {dim: 1, unflattened_size: [3, 8, 8]}}",
    ),
    "two names of one length": (
        "inputs: {a: [T, 5], b: [S, 5]}\nnodes:\n  y: {merge: add, from: [a, b]}\noutputs: y\n",
        "if S and T are the same length, use one name for both",
    ),
    "a kernel that fits": (
        "inputs: {x: [3, 4, 4]}\nnodes:\n  y: {layer: Conv2d, from: x, out_channels: 8, kernel_size: 3, dilation: 2}\noutputs: y\n",
        "a kernel of at most 2 fits, or pad it first",
    ),
    "a function of a formula": (
        "inputs: {x: [5]}\nnodes:\n  y: {merge: formula, expr: expp(x), from: x}\noutputs: y\n",
        "did you mean exp?",
    ),
    "axes of a pattern": (
        'inputs: {x: [4, 5]}\nnodes:\n  y: {layer: Rearrange, from: x, pattern: "n a b -> n (a c)"}\noutputs: y\n',
        "only on one side: b, c",
    ),
}


@pytest.mark.parametrize(("spec", "help"), HELPS.values(), ids=HELPS)
def test_help(spec: str, help: str) -> None:
    assert [fault.help for fault in faults(spec)] == [help]


# Specs with one fault; the node in the help makes them right.
MENDED = {
    "flatten": "inputs: {a: [3, 8, 8], b: [5]}\nnodes:\n  y: {merge: concat, from: [a, b]}\noutputs: y\n",
    "pool a length": "inputs: {a: [T, 5], b: [5]}\nnodes:\n  y: {merge: concat, from: [a, b]}\noutputs: y\n",
    "project": "inputs: {a: [5], b: [6]}\nnodes:\n  y: {merge: add, from: [a, b]}\noutputs: y\n",
    "project a sequence": "inputs: {a: [T, 5], b: [T, 6]}\nnodes:\n  y: {merge: stack, from: [a, b]}\noutputs: y\n",
    "turn": "inputs: {a: [4, 8], b: [4, 8]}\nnodes:\n  y: {merge: matmul, from: [a, b]}\noutputs: y\n",
    "cast": "inputs: {a: [4], b: {shape: [4], dtype: int64}}\nnodes:\n  y: {merge: concat, from: [a, b]}\noutputs: y\n",
    "one more axis": "inputs: {a: [8]}\nnodes:\n  y: {layer: LSTM, from: a, hidden_size: 3}\noutputs: y\n",
    "cast the lower": "inputs: {a: {shape: [4], dtype: int64}, b: [4]}\nnodes:\n  y: {merge: stack, from: [a, b]}\noutputs: y\n",
    "embed": "inputs: {a: {shape: [T], vocab: 9}}\nnodes:\n  y: {layer: LSTM, from: a, hidden_size: 3}\noutputs: y\n",
    "cast pixels": "inputs: {a: {shape: [3, 8, 8], dtype: uint8}}\nnodes:\n  y: {layer: Conv2d, from: a, out_channels: 8, kernel_size: 3}\noutputs: y\n",
    "cast a truth": "inputs: {a: {shape: [4], dtype: bool}}\nnodes:\n  y: {layer: Linear, from: a, out_features: 3}\noutputs: y\n",
    "cast a double": "inputs: {a: {shape: [4], dtype: float64}}\nnodes:\n  y: {layer: Linear, from: a, out_features: 3}\noutputs: y\n",
    "cast a length": "inputs: {x: [T, 4], a: []}\nnodes:\n  y: {layer: GRU, from: {input: x, lengths: a}, hidden_size: 3}\noutputs: y\n",
    "cast an index": "inputs: {x: [5, 4], a: {shape: [], dtype: uint8}}\nnodes:\n  y: {merge: pick, from: [x, a]}\noutputs: y\n",
    "a padding mask": "inputs: {x: [5, 4], a: {shape: [5], dtype: int64}}\nnodes:\n  y: {layer: MultiheadAttention, from: {query: x, key_padding_mask: a}, num_heads: 2}\noutputs: y\n",
    "a padding mask of floats": "inputs: {x: [5, 4], m: {shape: [5], dtype: int64}}\nnodes:\n  a: {layer: Cast, from: m, dtype: float32}\n  y: {layer: TransformerEncoderLayer, from: {src: x, src_key_padding_mask: a}, nhead: 2}\noutputs: y\n",
    "a padding mask of a fusion": "inputs: {x: [5, 4], a: {shape: [5], vocab: 2}}\nnodes:\n  y: {merge: co_attention, from: {a: x, b: x, b_padding_mask: a}, num_heads: 2, take: b}\noutputs: y\n",
    "a mask of what may be seen": "inputs: {x: [5, 4], a: {shape: [5], dtype: int32}}\nnodes:\n  y: {merge: attention, from: {query: x, key: x, value: x, mask: a}}\noutputs: y\n",
    "a mask of steps": "inputs: {x: [5, 4], a: [5]}\nnodes:\n  y: {merge: mean_pool, from: {input: x, mask: a}}\noutputs: y\n",
    "a condition": "inputs: {x: [5], a: {shape: [5], dtype: int64}}\nnodes:\n  y: {merge: where, from: {condition: a, input: x, other: x}}\noutputs: y\n",
    "a mask of what is filled": "inputs: {x: [5], a: [5]}\nnodes:\n  y: {merge: masked_fill, from: [x, a], value: 0}\noutputs: y\n",
    "one axis less": "inputs: {a: [T, 4, 8]}\nnodes:\n  y: {layer: MultiheadAttention, from: a, num_heads: 2}\noutputs: y\n",
    "a vector of a sequence": "inputs: {a: [T, 8]}\nnodes:\n  y: {merge: pairwise_dot, from: [a, a]}\noutputs: y\n",
}


@pytest.mark.parametrize("spec", MENDED.values(), ids=MENDED)
def test_a_proposed_node_makes_the_spec_right(spec: str) -> None:
    (fault,) = faults(spec)
    node = re.search(r"\{(?:layer|merge): .*\}", fault.help)
    assert node is not None, fault.help
    source = re.findall(r"from: (?:\{m: )?(\w+)", node[0])[-1]
    head, sources = spec.split("  y: ")
    mended = re.sub(rf"(?<=[\[ ]){source}(?=[\],}}])", "mended", sources)
    assert locations(f"{head}  mended: {node[0]}\n  y: {mended}") == []


# Specs with one fault, a part of its help, and the edits with that part.
CNN = "inputs: {x: {shape: [T], vocab: 9}}\nnodes:\n  y: {from: x, seq: [{Embedding: 16}, {Conv1d: {out_channels: 4, kernel_size: 3}}]}\noutputs: y\n"
NODE = "inputs: {x: %s}\nnodes:\n  y: {layer: %s, from: x}\noutputs: y\n"
RESIDUAL = "inputs: {x: %s}\nnodes:\n  c: {%s}\n  y: {merge: %s, from: [c, x]}\noutputs: y\n"
OWN = "inputs: {x: %s}\nnodes:\n  p: {parameter: %s, init: zeros}\n  y: {merge: %s, from: [p, x]}\noutputs: y\n"
TABLE = "{layer: Slice, from: p, dim: 0, end: $T}"
MASKED = "inputs: {x: [T, 8], n: {shape: [], dtype: int64}}\nnodes:\n  m: {merge: sequence_mask, from: {lengths: n, like: x}}\n  y: {%s}\noutputs: y\n"
FORMULA = (
    "inputs: {x: [T, 8]}\nnodes:\n  y: {merge: formula, from: {x: x}, expr: x / %s}\noutputs: y\n"
)


def before(node: str, *edits: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the edits that put a node in front of `y`, and further edits."""
    return (*edits, ("  y: {", f"  mended: {node}\n  y: {{"))


PASTED = {
    "steps into a convolution of a chain": (
        CNN,
        "{Transpose: {dim0: 1, dim1: 2}}",
        [("{Conv1d", "{Transpose: {dim0: 1, dim1: 2}}, {Conv1d")],
    ),
    "steps into a norm": (
        NODE % ("[T, 8]", "BatchNorm1d"),
        "{layer: Transpose, from: x, dim0: 1, dim1: 2}; or reduce T first: {layer: Mean, from: x, dim: 1}",
        before("{layer: Transpose, from: x, dim0: 1, dim1: 2}", ("m: x}", "m: mended}")),
    ),
    "channels last": (
        NODE % ("[H, W, 3]", "Conv2d, out_channels: 4, kernel_size: 3"),
        "{layer: Permute, from: x, dims: [0, 3, 1, 2]}",
        before("{layer: Permute, from: x, dims: [0, 3, 1, 2]}", ("m: x}", "m: mended}")),
    ),
    "channels last, and said": (
        NODE % ("[32, 32, 3]", "Conv2d, in_channels: 3, out_channels: 4, kernel_size: 3"),
        "{layer: Permute, from: x, dims: [0, 3, 1, 2]}",
        before("{layer: Permute, from: x, dims: [0, 3, 1, 2]}", ("m: x}", "m: mended}")),
    ),
    "frames": (
        NODE % ("[T, 3, 8, 8]", "Conv3d, out_channels: 4, kernel_size: 3"),
        "{layer: Transpose, from: x, dim0: 1, dim1: 2}",
        before("{layer: Transpose, from: x, dim0: 1, dim1: 2}", ("m: x}", "m: mended}")),
    ),
    "channels first into a linear": (
        NODE % ("[8, T]", "Linear, out_features: 4"),
        "reduce T first: {layer: Mean, from: x, dim: 2}",
        before("{layer: Mean, from: x, dim: 2}", ("m: x}", "m: mended}")),
    ),
    "padding": (
        RESIDUAL % ("[8, T]", "layer: Conv1d, from: x, out_channels: 8, kernel_size: 3", "add"),
        "keep the size with padding: 1 in c",
        [("size: 3", "size: 3, padding: 1")],
    ),
    "padding in a chain": (
        RESIDUAL
        % (
            "[8, 32, 32]",
            "from: x, seq: [{Conv2d: {out_channels: 8, kernel_size: [3, 5]}}, ReLU, {MaxPool2d: {kernel_size: 3, stride: 1}}]",
            "add",
        ),
        "keep the size with padding: [1, 2] in c.0 and padding: 1 in c.2",
        [("[3, 5]", "[3, 5], padding: [1, 2]"), ("stride: 1", "stride: 1, padding: 1")],
    ),
    "a stride": (
        RESIDUAL
        % (
            "[8, 32, 32]",
            "layer: Conv2d, from: x, out_channels: 16, kernel_size: 3, stride: 2, padding: 1",
            "add",
        ),
        "{layer: Conv2d, from: x, out_channels: 16, kernel_size: 1, stride: 2}",
        before(
            "{layer: Conv2d, from: x, out_channels: 16, kernel_size: 1, stride: 2}",
            ("[c, x]", "[c, mended]"),
        ),
    ),
    "other channels": (
        RESIDUAL % ("[8, T]", "layer: Conv1d, from: x, out_channels: 16, kernel_size: 1", "add"),
        "{layer: Conv1d, from: x, out_channels: 16, kernel_size: 1}",
        before(
            "{layer: Conv1d, from: x, out_channels: 16, kernel_size: 1}",
            ("[c, x]", "[c, mended]"),
        ),
    ),
    "half of the length": (
        RESIDUAL % ("[8, T]", "layer: MaxPool1d, from: x, kernel_size: 2", "add"),
        "{merge: resize_like, from: [c, x]}",
        before("{merge: resize_like, from: [c, x]}", ("[c, x]", "[mended, x]")),
    ),
    "a step less": (
        RESIDUAL % ("[T, 8]", "layer: Slice, from: x, dim: 1, start: 1", "add"),
        "{merge: pad_like, from: [c, x], dim: 1}",
        before("{merge: pad_like, from: [c, x], dim: 1}", ("[c, x]", "[mended, x]")),
    ),
    "maps of other channels, smaller": (
        RESIDUAL
        % ("[8, 16, 16]", "layer: Conv2d, from: x, out_channels: 4, kernel_size: 2", "concat"),
        "keep the size with padding: same in c",
        [("size: 2", "size: 2, padding: same")],
    ),
    "a parameter with an axis for the batch": (
        OWN % ("[16, 8]", "[1, 16, 8], batched: true", "add"),
        "batched: true adds the batch: {parameter: [16, 8], batched: true, ...}",
        [("[1, 16, 8]", "[16, 8]")],
    ),
    "a cls token with an axis for the batch": (
        OWN % ("[16, 8]", "[1, 1, 8], batched: true", "concat"),
        "batched: true adds the batch: {parameter: [1, 8], batched: true, ...}",
        [("[1, 1, 8]", "[1, 8]")],
    ),
    "a parameter of two axes more": (
        OWN % ("[16, 8]", "[1, 1, 16, 8]", "add, broadcast: true"),
        "leave axes out: {parameter: [1, 16, 8], ...}",
        [("[1, 1, 16, 8]", "[1, 16, 8]")],
    ),
    "a table that is too long": (
        OWN % ("[T, 8]", "[512, 8]", "add, broadcast: true"),
        f"cut it to T: {TABLE}",
        before(TABLE, ("[p, x]", "[mended, x]")),
    ),
    "a table that is too long, to broadcast": (
        OWN % ("[T, 8]", "[512, 8]", "add"),
        f"cut it to T: {TABLE}, and write broadcast: true",
        before(TABLE, ("[p, x]", "[mended, x], broadcast: true")),
    ),
    "a table of a length known at run time": (
        OWN % ("[T, 8]", "[$T, 8]", "add, broadcast: true"),
        "give its largest possible size, and cut it to T: {layer: Slice, from: ..., dim: 0, end: $T}",
        before(TABLE, ("[$T, 8]", "[512, 8]"), ("[p, x]", "[mended, x]")),
    ),
    "a mask of real steps as one of padding": (
        MASKED % "layer: MultiheadAttention, from: {query: x, key_padding_mask: m}, num_heads: 2",
        "invert it: {layer: LogicalNot, from: m}",
        before("{layer: LogicalNot, from: m}", ("mask: m", "mask: mended")),
    ),
    "a mask of the keys as one of the weights": (
        "inputs: {x: [T, 8], m: {shape: [T], dtype: bool}}\nnodes:\n  y: {layer: MultiheadAttention, from: {query: x, attn_mask: m}, num_heads: 2}\noutputs: y\n",
        "a mask of the keys of each sample goes to key_padding_mask",
        [("attn_mask", "key_padding_mask")],
    ),
    "one number beside a vector": (
        "inputs: {x: [3], a: []}\nnodes:\n  y: {merge: concat, from: [x, a]}\noutputs: y\n",
        "{layer: Unsqueeze, from: a, dim: 1}",
        before("{layer: Unsqueeze, from: a, dim: 1}", ("[x, a]", "[x, mended]")),
    ),
    "two sources in the wrong order": (
        "inputs: {x: [16, 8, 8], c: [32]}\nnodes:\n  y: {merge: film, from: [c, x]}\noutputs: y\n",
        "swap them: from: {x: x, condition: c}",
        [("from: [c, x]", "from: {x: x, condition: c}")],
    ),
    "infinity": (
        "inputs: {x: [8], c: {shape: [8], dtype: bool}}\nnodes:\n  y: {merge: masked_fill, from: [x, c], value: -inf}\noutputs: y\n",
        "write -.inf",
        [("-inf", "-.inf")],
    ),
    "a reduction in a formula": (
        FORMULA % "x.sum()",
        "{layer: Sum, from: x, dim: 1, keepdim: true}, and write broadcast: true",
        before(
            "{layer: Sum, from: x, dim: 1, keepdim: true}",
            ("{x: x}", "{x: x, s: mended}, broadcast: true"),
            ("x.sum()", "s"),
        ),
    ),
    "a length in a formula": (FORMULA % "T", "write $T", [(FORMULA % "T", FORMULA % "$T")]),
    "an axis that is the batch": (
        "inputs: {x: [T, 8]}\nnodes:\n  y: {from: x, seq: [{Select: 0}]}\noutputs: y\n",
        "{Select: {dim: 1, index: 0}}",
        [("{Select: 0}", "{Select: {dim: 1, index: 0}}")],
    ),
    "options in a list": (
        "inputs: {x: [T, 8]}\nnodes:\n  y: {from: x, seq: [{Transpose: [1, 2]}]}\noutputs: y\n",
        "{dim0: 1, dim1: 2}",
        [("[1, 2]", "{dim0: 1, dim1: 2}")],
    ),
    "a number where there is a list": (
        "inputs: {x: [3, 8]}\nnodes:\n  y: {from: x, seq: [{Reshape: -1}]}\noutputs: y\n",
        "write [-1]",
        [("-1", "[-1]")],
    ),
}


@pytest.mark.parametrize(("spec", "says", "edits"), PASTED.values(), ids=PASTED)
def test_a_spec_edited_as_the_help_says_is_right(
    spec: str, says: str, edits: list[tuple[str, str]]
) -> None:
    (fault,) = faults(spec)
    assert says in fault.help
    for old, new in edits:
        assert old in spec
        spec = spec.replace(old, new)
    assert locations(spec) == []


SHAPES = [
    *("[]", "[8]", "[16]", "[T]", "[4, 8]", "[5, 8]", "[8, T]", "[16, T]", "[8, S]", "[T, 8]"),
    *("[8, 32, 32]", "[8, 30, 30]", "[4, 16, 16]", "[8, H, W]", "[T, 4, 8]", "[2, 4, 8, 8]"),
]
_NODE = re.compile(
    r"\{(?:(?:layer|merge): \w+, )?from: (?:\w+|\[[^]]*\])(?:, (?:[^{}]|\{[^}]*\})*)?\}"
)


@pytest.mark.parametrize("merge", ["add", "stack", "concat", "multiply, broadcast: true"])
def test_every_proposed_node_makes_two_shapes_fit(merge: str) -> None:
    """Each node in the help is put before one of the two sources."""
    count = 0
    for pair in product(SHAPES, repeat=2):
        head = "inputs: {{a: {}, b: {}}}\nnodes:\n".format(*pair)
        node = f"  y: {{merge: {merge}, from: [a, b]}}\noutputs: y\n"
        for fault in faults(head + node):
            said = ", broadcast: true" if "write broadcast: true" in fault.help else ""
            for proposed in _NODE.findall(fault.help):
                changed = "a" if "from: a" in proposed or "[a" in proposed else "b"
                mended = re.sub(rf"\b{changed}\b", "mended", node).replace("]}", f"]{said}}}")
                text = f"{head}  mended: {proposed}\n{mended}"
                assert locations(text) == [], text
                count += 1
    assert count > 80


WITHOUT_OPTIONS = [
    name
    for name in registry.names("layer")
    if (op := registry.find("layer", name)) is not None and op.required
]


@pytest.mark.parametrize("name", WITHOUT_OPTIONS)
def test_a_help_shows_an_item_with_all_required_options(name: str) -> None:
    spec = "inputs: {x: [4, 8, 8]}\nnodes:\n  y: {from: x, seq: [%s]}\noutputs: y\n"
    (missing,) = [fault for fault in faults(spec % name) if fault.code == "missing-option"]
    assert all(option.name in missing.message for option in registry.ops("layer")[name].required)
    item = re.search(rf"\{{{name}: .*\}}$", missing.help)
    assert item is not None, missing.help
    after = faults(spec % item[0])
    assert missing.message not in {other.message for other in after}
    assert not {other.code for other in after} & {"unknown-option", "wrong-type", "yaml-syntax"}


@pytest.mark.parametrize(
    ("python", "yaml"),
    [
        ("nn.Linear(8, 5)", "{Linear: 5}"),
        ("Linear(5)", "{Linear: 5}"),
        ("nn.Linear(8, 5, bias=False)", "{Linear: {out_features: 5, bias: false}}"),
        (
            "nn.Conv2d(3, 16, kernel_size=(3, 5))",
            "{Conv2d: {out_channels: 16, kernel_size: [3, 5]}}",
        ),
        ("torch.nn.BatchNorm2d(16)", "BatchNorm2d"),
        ("GroupNorm(4, 16)", "{GroupNorm: 4}"),
        ("MultiheadAttention(64, 8)", "{MultiheadAttention: 8}"),
        ("nn.LSTM(8, 16, 2)", "{LSTM: {hidden_size: 16, num_layers: 2}}"),
        ("GELU(approximate='tanh')", "{GELU: tanh}"),
        ("F.leaky_relu", "LeakyReLU"),
        ("nn.Linear(8, hidden)", "{Linear: ...}"),
        ("nn.Dropout(p=", ""),
        ("nn.Nothing(3)", ""),
        ("(" * 300, ""),
    ],
)
def test_python_as_yaml(python: str, yaml: str) -> None:
    assert from_python(python, "item") == yaml


@pytest.mark.parametrize(
    ("value", "sizes", "says"),
    [
        (3, (10,), "10, such as 2 or 5"),
        (4, (6, 8), "2, such as 2"),
        (2, (3,), "3, such as 1 or 3"),
        (7, (768,), "768, such as 6 or 8"),
        (5, (2**40,), "1099511627776, such as 4 or 8"),
    ],
)
def test_a_help_lists_the_numbers_that_fit(value: int, sizes: tuple[int, ...], says: str) -> None:
    assert fitting("groups", value, *sizes) == f"groups may be any divisor of {says}"
    says = says.partition(", such as ")[2]
    assert all(size % int(number) == 0 for number in says.split(" or ") for size in sizes)


def test_each_step_of_a_cycle_is_labelled() -> None:
    spec = "inputs: {x: [5]}\nnodes:\n" + "".join(
        f"  n{i}: {{merge: add, from: [x, n{(i - 1) % 12}]}}\n" for i in range(12)
    )
    (fault,) = faults(f"{spec}outputs: n0\n")
    assert fault.message == "nodes feed each other: n0 -> n1 -> n2 -> n3 -> ... -> n10 -> n11 -> n0"
    assert (fault.note, [label.text for label in fault.labels]) == (
        "feeds n1",
        ["feeds n2", "feeds n3", "feeds n11", "feeds n0"],
    )


def test_a_label_shows_the_shape_that_an_option_contradicts() -> None:
    spec = "inputs: {x: [6, 8, 8]}\nnodes:\n  y: {layer: Conv2d, from: x, out_channels: 8, kernel_size: 3, groups: 4}\noutputs: y\n"
    (fault,) = faults(spec)
    assert [(label.text, label.span.line) for label in fault.labels] == [("(N, 6, 8, 8)", 1)]
