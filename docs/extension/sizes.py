"""Explain in a sentence or two how the sizes of a worked example follow, with its numbers put in.

What stands in code and has a `=` is arithmetic, which tests/docs/test_catalogue.py computes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from extension.windows import FORMULAS
from extension.worked import Worked
from mimgraph.ops.op import Op


def explained(op: Op, example: Worked) -> list[str]:
    """Return sentences, each a line of Markdown."""
    for pattern, formula in FORMULAS.items():
        if re.fullmatch(pattern, op.name):
            return list(formula(example))
    for pattern, sentence in SENTENCES.items():
        if re.fullmatch(pattern, op.name):
            return [_filled(sentence, example)]
    return [_same(op, example)]


def _same(op: Op, example: Worked) -> str:
    """Return which source has the shape of the result."""
    shapes = [source.shape for source in example.sources]
    result = next(iter(example.results.values())).shape
    names = list(example.graph.typed.body.by_name["y"].arguments)
    if len(set(shapes)) > 1:
        return f"The result has the shape of `{names[shapes.index(result)]}`."
    if len(shapes) > 1:
        return "All sources have the same shape, and so has the result."
    return "The result has the shape of its source."


def _filled(sentence: str, example: Worked) -> str:
    """Return a sentence with values in place of what stands in braces."""
    names: dict[str, Any] = {
        **example.node.options,
        "s": [source.shape for source in example.sources],
        "y": next(iter(example.results.values())).shape,
        "times": times,
        "plus": plus,
        "axes": axes,
        "with_one": lambda shapes: [f"({shape[1]} + 1)" for shape in shapes],
    }
    return re.sub(r"\{(.*?)\}", lambda found: str(_value(found[1], names)), sentence)


def _value(expression: str, names: Mapping[str, Any]) -> Any:
    return eval(expression, {}, names)


def times(sizes: Iterable[Any]) -> str:
    """Return sizes as a product: `3 · 32 · 32`."""
    return " · ".join(map(str, sizes))


def plus(sizes: Iterable[Any]) -> str:
    """Return sizes as a sum: `64 + 32`."""
    return " + ".join(map(str, sizes))


def axes(dims: Any) -> str:
    """Return axes as the subject of a sentence: `Axis 1 is`, `Axes 2 and 3 are`."""
    if isinstance(dims, int):
        return "The last axis is" if dims == -1 else f"Axis {dims} is"
    return f"Axes {' and '.join(map(str, dims))} are"


WIDTH = "The last axis becomes `out_features`, {out_features}; the axes before it stay."
# by a pattern of names; what has none keeps the shape of a source. `s` are the shapes of the sources,
# `y` that of the first result, other names are options
SENTENCES = {
    "Linear|bilinear|mlb|mutan|mfb": WIDTH,
    "Bilinear": WIDTH,
    "low_rank|moe|gated": "Sources with {' and '.join(str(x[-1]) for x in s)} features give"
    " `out_features`, {out_features}.",
    "mmoe": "Each task gets a port with `out_features`, {out_features}.",
    "GLU": "Half of the features are the gate of the others: `{s[0][-1]} / 2 = {y[-1]}`.",
    "(GRU|RNN)Cell": "The new state has `hidden_size` features, {hidden_size}, as the old one.",
    "LSTMCell": "The new `hidden` and `cell` have `hidden_size` features, {hidden_size}, as the old ones.",
    "CosineSimilarity|PairwiseDistance|cosine|distance|dot": "The last axis, {s[0][-1]} features, gives"
    " one number.",
    "OneHot": "A last axis is added, with a place for each of {y[-1]} numbers.",
    "Flatten": "Axes behind the batch become one: `{times(s[0][1:])} = {y[1]}`.",
    "Unflatten": "Axis 1 becomes several: `{s[0][1]} = {times(unflattened_size)}`.",
    "Embedding": "A last axis is added: a vector of `embedding_dim`, {embedding_dim}, for each number.",
    "EmbeddingBag": "The vectors of the {s[0][1]} numbers become one, of `embedding_dim`, {embedding_dim}.",
    "I?FFT2?": "Sizes stay, as no other one is asked for.",
    "RFFT2?": "The last axis keeps the half that is not mirrored: `{s[0][-1]} // 2 + 1 = {y[-1]}`.",
    "IRFFT": "The last axis has the size `n`, {n}; by default it would be `2 · ({s[0][-1]} - 1) = {y[-1]}`.",
    "IRFFT2": "The last two axes have the sizes `s`; by default the last one would be"
    " `2 · ({s[0][-1]} - 1) = {y[-1]}`.",
    "ViewAsComplex": "The last axis holds pairs, of which each becomes one number.",
    "ViewAsReal": "A last axis is added, with the real and the imaginary part.",
    "AffineGrid": "There is a place (x, y) for each of the {size[0]} x {size[1]} pixels of `size`.",
    "GridSample": "The {s[0][1]} channels stay; pixels are those of the grid, {s[1][1]} x {s[1][2]}.",
    "CausalMask": "There is a row and a column for each of the {s[0][1]} steps, and no batch.",
    "BoxIoU": "There is a row for each of the {s[0][1]} first boxes and a column for each of the"
    " {s[1][1]} second ones.",
    "PSRoI.*": "Each of the {s[1][1]} regions has {output_size} x {output_size} places, and each place"
    " channels of its own: `{s[0][1]} / ({output_size} · {output_size}) = {y[2]}`.",
    "RoI.*": "Each of the {s[1][1]} regions becomes {output_size} x {output_size} pixels, with the"
    " {s[0][1]} channels of the input.",
    "Rearrange": "`h` is {sizes['h']}, so `c` is what is left of the last axis:"
    " `{s[0][-1]} / {sizes['h']} = {y[-1]}`.",
    "Reduce": "`h` and `w` are what is left after pairs: `{s[0][-1]} / 2 = {y[-1]}`.",
    "ArgMax|ArgMin|LogSumExp|Max|Mean|Min|Norm|Prod|Std|Sum|Var": "{axes(dim)} reduced to one value and"
    " dropped; with `keepdim: true` the size would be 1.",
    "TopK": "Axis {dim} keeps `k` values, {k}.",
    "Expand": "The axis of size 1 is stretched to {y[1]}; -1 keeps a size.",
    "Permute": "Axes {', '.join(map(str, dims))} of the source, in this order.",
    "Transpose": "Axes {dim0} and {dim1} change places.",
    "Repeat": "The last axis is repeated {repeats[-1]} times: `{s[0][-1]} · {repeats[-1]} = {y[-1]}`.",
    "Reshape": "A sample has `{times(s[0][1:])} = 48` numbers, so -1 is `48 / ({times(y[1:-1])}) = {y[-1]}`.",
    "Squeeze": "Axis {dim} has size 1 and is dropped.",
    "Unsqueeze": "An axis of size 1 is added as axis {dim}.",
    "GRU|LSTM|RNN": "Both directions are joined: `2 · {hidden_size} = {y[-1]}` features. `hidden` has a row"
    " for each of the `{num_layers} · 2 = 2` layers and directions.",
    "PixelShuffle": "Each pixel becomes {upscale_factor} x {upscale_factor}:"
    " `{s[0][1]} / {upscale_factor}**2 = {y[1]}` channels, and `{s[0][-1]} · {upscale_factor} = {y[-1]}`"
    " rows and columns.",
    "PixelUnshuffle": "{downscale_factor} x {downscale_factor} pixels become channels of one:"
    " `{s[0][1]} · {downscale_factor}**2 = {y[1]}` channels, and"
    " `{s[0][-1]} / {downscale_factor} = {y[-1]}` rows and columns.",
    "Chunk": "Axis {dim} is divided among {chunks} ports: `{s[0][1]} / {chunks} = {y[1]}`.",
    "Split": "Axis {dim} is divided into sections: `{s[0][1]} = {plus(split_size_or_sections)}`.",
    "Unbind": "Axis {dim} has size {s[0][1]}: there are {s[0][1]} ports, without that axis.",
    "Select": "Axis {dim} is dropped.",
    "Slice": "Axis {dim} keeps `{end} - {start} = {y[1]}` steps. `T` must be {end} or more, which is checked"
    " at run time.",
    "attention": "There is a row for each row of `query`, {s[0][1]}, with the features of `value`, {s[2][-1]}.",
    "tensor": "A 1 is put before each source, so that products include single features:"
    " `{times(with_one(s))} = {y[1]}`.",
    "cin": "The sums of all layers are joined: `{plus(layer_sizes)} = {y[1]}`.",
    "cross": "Sources are joined: `{plus(x[1] for x in s)} = {y[1]}`.",
    "einsum": "`l` is {s[0][1]} and `m` is {s[1][1]}; `d`, {s[0][2]}, is not on the right side and is summed.",
    "divide|multiply": "With `broadcast: true` an axis of size 1 is stretched to the size of the other"
    " source, as in torch.",
    "pad_like": "Axes 2 and 3 get the sizes of `like`, {y[2]} and {y[3]}; the {s[0][1]} channels stay.",
    "gather": "There is a value for each index: the result has the shape of `index`.",
    "pick": "One of {s[0][1]} rows is left, so axis 1 is dropped.",
    "take": "There is a row for each of the {s[1][1]} indices.",
    "dot_interaction": "{len(s)} vectors make `{len(s)} · ({len(s)} - 1) / 2 = 3` pairs, which follow the"
    " first vector: `{s[0][1]} + 3 = {y[1]}`.",
    "pairwise_dot": "{len(s)} vectors make `{len(s)} · ({len(s)} - 1) / 2 = {y[1]}` pairs.",
    "factorization": "The products of all pairs and features are summed to one number.",
    "concat": "Sizes along axis {dim} add up: `{plus(x[1] for x in s)} = {y[1]}`.",
    "stack": "A new axis {dim} has a place for each of the {len(s)} sources.",
    "sequence_mask": "There is a place for each of the {y[1]} steps of `like`.",
    "squeeze_excite|co_attention": "The port `a` has the shape of the source `a`, and `b` that of `b`.",
    "bottleneck": "Each port has the shape of its source.",
    ".*_pool": "The axis of steps, {s[0][1]}, is dropped.",
    "matmul": "Rows of the first and columns of the second source: {s[0][1]} and {s[1][2]}; the axis of size"
    " {s[0][2]} is summed.",
    "outer": "There is an axis for each source.",
    "resize_like": "The {s[0][1]} channels stay; the axes behind them get the sizes of `like`, {y[2]} and {y[3]}.",
    "perceiver": "There are `num_latents` tokens, {num_latents}, whatever the length of the sources; they are"
    " as wide as these, {y[2]}.",
    "transformer": "Tokens add up, and a source without steps is one token: `{s[0][1]} + 1 = {y[1]}`.",
    "parameter|buffer": "The shape is the one that is written; it has no batch.",
    "zeros": "The shape is the one that is written, behind the batch.",
    "ones|random": "The shape is that of `like`.",
    "arange": "There is a number for each of the {y[0]} positions, and no batch.",
}
