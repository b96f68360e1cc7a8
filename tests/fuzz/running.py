"""Check that torch builds and runs a legal graph, with the inferred shapes."""

from __future__ import annotations

import math

import torch

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.ir.dim import symbols
from mimgraph.runtime.runner import seeded_inputs
from tests.helpers.running import by_name
from tests.ops.layers import oracle

MOST = 100_000  # elements of a tensor, weights of a model
OF_THE_DTYPE = (  # dtypes for which torch has no kernel on this device, or that cannot hold a number
    "not implemented for",
    "without overflow",
    "for input dtype",
)


@torch.no_grad()
def check_runs(graph: mg.Graph) -> bool:
    """Run a small graph on sizes that its constraints allow; False if it is too large for that."""
    try:
        sizes = choose_sizes(graph.typed, {})
    except ValueError:  # no sizes were found
        return False
    types = [*graph.inputs.values(), *(n.type for n in graph.typed.body.nodes if n.type)]
    shapes = [oracle.shape_of(type_, sizes) for type_ in types]
    summary = graph.summary()
    if summary.params + summary.buffers > MOST or any(math.prod(shape) > MOST for shape in shapes):
        return False
    try:
        model = graph.compile().eval()
    except mg.SpecError as error:
        if {fault.code for fault in error.diagnostics} == {"missing-weights"}:
            return False  # nothing is downloaded here
        raise
    assert sum(parameter.numel() for parameter in model.parameters()) == summary.params
    inputs = seeded_inputs(graph.typed, oracle.BATCH_SIZE, 0, sizes)
    try:
        result = model(**inputs)
    except (RuntimeError, NotImplementedError) as error:
        if any(words in str(error) for words in OF_THE_DTYPE):
            return False
        raise
    outputs = by_name(result, graph)
    of_inputs = {"N"}.union(*(symbols(n) for x in graph.inputs.values() for n in x.dims))
    for name, type_ in graph.outputs.items():
        if name in outputs:  # the others are returned only in training
            shape = outputs[name].shape
            for size, found in zip(type_.shape, shape, strict=True):
                if (
                    symbols(size) <= of_inputs
                ):  # not what a concat made of the inputs that are given
                    assert oracle.size_of(size, sizes) == found
            assert f"torch.{type_.dtype}" == str(outputs[name].dtype)
    return True
