"""Import little modules, and compare the graphs with them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mimgraph.diagnostics import Report, SpecError
from mimgraph.graph import Graph
from mimgraph.importer.inputs.bind import bind
from mimgraph.importer.inputs.examples import Example, Examples, examples
from mimgraph.importer.module import import_module
from mimgraph.infer.graph import infer
from mimgraph.language.spec_file import LoadedSpec

POINTS = ((2, 9), (5, 6))  # the batch and every named size, at two points that no trace has


def imported(module: nn.Module, **inputs: Any) -> Graph:
    """Return the graph of a module: `imported(net, image=(3, 8, 8), text=("T", 4))`."""
    draft = import_module(module.eval(), _examples(module, inputs), type(module).__name__, {}, False)
    report = Report()
    typed = infer(draft.graph, report)
    if report.diagnostics:
        raise SpecError(report.diagnostics)
    return Graph._of(LoadedSpec(draft.graph, typed))


def check(module: nn.Module, **inputs: Any) -> Graph:
    """Return the graph of a module after comparing its results, their dtypes and the keys of its weights."""
    graph = imported(module, **inputs)
    given = _examples(module, inputs)
    ours = graph.compile().eval()
    ours.load_state_dict(module.state_dict())
    for batch, size in POINTS:
        example = given.make(batch, dict.fromkeys(given.sizes, size), seed=7)
        compare(module, ours, example)
    return graph


def compare(module: nn.Module, ours: nn.Module, example: Example) -> None:
    """Compare the results of one call."""
    args, kwargs = example.arguments
    with torch.no_grad():
        wanted, found = tensors(module(*args, **kwargs)), tensors(ours(**example.tensors))
    assert len(wanted) == len(found)
    for one, other in zip(wanted, found, strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(other, one, equal_nan=True)


def tensors(result: Any) -> list[Tensor]:
    """Return the tensors in what a forward returns."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, dict):
        result = [*result.values()]
    return [tensor for one in result for tensor in tensors(one)]


def _examples(module: nn.Module, inputs: dict[str, Any]) -> Examples:
    return examples(module, bind(module, inputs))
