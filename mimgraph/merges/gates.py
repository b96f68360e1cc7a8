"""Fusions that weigh their sources: learned scalars, gates."""

from __future__ import annotations

from mimgraph.catalogue import Sources, merge
from mimgraph.ir.graph import Block
from mimgraph.merges.agreement import operands, same_shapes
from mimgraph.merges.sketch import Sketch


@merge()
def weighted_sum(sources: Sources, /, *, softmax: bool = True) -> Block:
    """A sum with one learned weight a source, softmax-normalised or not: n x (N, *) -> (N, *).

    The weights start equal: a mean where they are normalised, else a plain sum.
    The scalar mix of ELMo (Peters et al. 2018) without its scale.

    Example:
        a: [64]
        b: [64]
        {merge: weighted_sum, from: [a, b]}
    """
    same_shapes(operands(sources, "weighted_sum"), "weighted_sum needs equal shapes")
    names = [f"x{index}" for index in range(len(sources))]
    sketch = Sketch("weighted_sum", *names)
    weight = sketch.parameter("weight", len(sources), init="zeros" if softmax else "ones")
    if softmax:
        weight = sketch.layer("normalised", "Softmax", weight, dim=0)
    terms: dict[str, str] = {}
    for index, name in enumerate(names):
        share = sketch.layer(f"share{index}", "Select", weight, dim=0, index=index)
        terms |= {f"w{index}": share, f"x{index}": name}
    expr = " + ".join(f"w{index} * x{index}" for index in range(len(names)))
    return sketch.block(sketch.formula("sum", expr, **terms))
