"""Define the explicit feature crosses of recommender models."""

from __future__ import annotations

from mimgraph.ir.declared_graph import Block
from mimgraph.ir.dim import Size
from mimgraph.ir.option_types import Depth, Positive
from mimgraph.ops.merges.arithmetic.agreement import operands, same_shapes
from mimgraph.ops.merges.fusion.features import named_inputs, numbered, rank_fault, vectors
from mimgraph.ops.merges.fusion.sketch import Sketch
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import bad_option, known, weighted
from mimgraph.ops.signature import Sources


@merge(family="cross")
def cross(sources: Sources, /, *, num_layers: Depth = 2, rank: Positive | None = None) -> Block:
    """Products of features up to order num_layers + 1: n x (N, D_i) -> (N, D_0 + ... + D_n).

    The cross network of DCN v2 (Wang et al. 2021) on x_0 = [x0, ..., xn]: each layer is
    x_0 * (W x + b) + x. With `rank` W is U V', with 2 * D * rank weights instead of D * D.

    Example:
        user: [32]
        item: [16]
        {merge: cross, from: [user, item], num_layers: 3}
    """
    total = sum(vectors(operands(sources, "cross", least=1), "cross"))
    layer = Sketch("CrossLayer", "x", "x0", doc="x0 * (W x + b) + x.")
    if rank is not None:
        layer.layer("down", "Linear", "x", out_features=rank, bias=False)
    layer.layer("linear", "Linear", "down" if rank else "x", out_features=total)
    names = numbered(len(sources))
    sketch = Sketch("CrossNetwork", *names, doc="Cross network of DCN v2 (Wang et al. 2021).")
    x = names[0]
    if len(names) > 1:
        x = sketch.merge("joined", "concat", names)
    block = layer.block(layer.formula("crossed", "x0 * linear + x"))
    return sketch.block(sketch.use("layers", block, (x, x), times=num_layers))


@merge(family="cross")
def cin(sources: Sources, /, layer_sizes: tuple[Positive, ...], *, bias: bool = False) -> Block:
    """Products of embeddings, coordinate by coordinate: n x (N, D) -> (N, sum of layer_sizes).

    The compressed interaction network of xDeepFM (Lian et al. 2018) on the rows x0, ..., xn: each
    layer mixes all products of its input rows with x0, ..., xn, and is summed over the coordinates.
    A single source (N, n, D) holds all rows.

    Example:
        user: [16]
        item: [16]
        shop: [16]
        {merge: cin, from: [user, item, shop], layer_sizes: [8, 4]}
    """
    count, size = _rows(sources)
    if not layer_sizes:
        raise bad_option("layer_sizes", "layer_sizes lists the size of one layer or more")
    names = named_inputs(sources)
    doc = "Compressed interaction network of xDeepFM (Lian et al. 2018)."
    sketch = Sketch("CompressedInteractionNetwork", *names, doc=doc)
    rows = before = names[0]
    if len(names) > 1:
        rows = before = sketch.merge("rows", "stack", names)
    pooled, width = [], count
    for index, out_channels in enumerate(layer_sizes):
        products = f"products{index}", "einsum", (before, rows)
        flat = sketch.layer(
            f"flat{index}",
            "Reshape",
            sketch.merge(*products, equation="nhd,nmd->nhmd"),
            shape=[width * count, size],
        )
        conv = {"out_channels": out_channels, "kernel_size": 1, "bias": bias}
        before, width = sketch.layer(f"layer{index}", "Conv1d", flat, **conv), out_channels
        pooled.append(sketch.layer(f"pooled{index}", "Sum", before, dim=2))
    if len(pooled) == 1:
        return sketch.block(pooled[0])
    return sketch.block(sketch.merge("fused", "concat", tuple(pooled)))


def _rows(sources: Sources) -> tuple[int, Size]:
    """Return the number and the size of the rows, given as several sources or as one."""
    named = operands(sources, "cin", least=1)
    for key, x in named.items():
        weighted(x, "cin", key)
        if len(x.dims) != (1 if len(sources) > 1 else 2) or not x.batched:
            raise rank_fault(x, "cin takes several (N, D) or one (N, n, D)", key)
    same_shapes(named, "cin needs embeddings of one size")
    size = sources[0].dims[-1]
    if len(sources) > 1:
        return len(sources), size
    return known(sources[0].dims[0], "the number of rows", "0"), size
