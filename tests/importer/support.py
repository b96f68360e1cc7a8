"""Import little modules and functions, and compare the graphs with them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.imported import Imported
from mimgraph.importer.inputs.bind import bind
from mimgraph.importer.inputs.examples import Examples, examples

POINTS = ((2, 9), (6, 8))  # the batch and every named size, at two points that no trace has


def check(module: nn.Module, **inputs: Any) -> Imported:
    """Return the import of a module, all of which is declared, after comparing results and dtypes.

    check(net, image=(3, 8, 8), text=("T", 4))
    """
    imported = mg.from_module(module, inputs)
    found = imported.data()
    assert not found["opaque"] and not found["left_out"], str(imported.report)
    ours = imported.compile()
    keys = {imported.keys.get(key, key) for key in ours.state_dict()}
    assert keys == set(module.state_dict())
    faults = differences(module, ours, examples(module, bind(module, inputs)))
    assert not faults, "\n".join([*faults, imported.graph.dumps()])
    return imported


def nodes(imported: Imported) -> dict[str, Any]:
    """Return the nodes of a graph as a spec writes them."""
    found: dict[str, Any] = imported.graph.to_dict()["nodes"]
    return found


def refusals(module: nn.Module, **inputs: Any) -> list[str]:
    """Return why parts of a module stay Python."""
    return [one["message"] for one in mg.from_module(module, inputs).data()["opaque"]]


def check_functions(functions: Mapping[str, Callable[..., Any]], **inputs: Any) -> str:
    """Return the spec of functions of tensors, after comparing the results of each.

    check_functions({"sum": lambda x, y: x + y}, x=("T", 4), y=("T", 4))
    """
    return check(Functions(functions, tuple(inputs)), **inputs).graph.dumps()


class Functions(nn.Module):
    """Calls functions with the inputs that their parameters name, and returns all results by name."""

    def __init__(
        self, functions: Mapping[str, Callable[..., Any]], inputs: tuple[str, ...]
    ) -> None:
        super().__init__()

        def forward(**given: Tensor) -> dict[str, Any]:
            return {name: function(*read(function, given)) for name, function in functions.items()}

        def read(function: Callable[..., Any], given: Mapping[str, Tensor]) -> list[Tensor]:
            return [given[name] for name in inspect.signature(function).parameters]

        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [inspect.Parameter(name, keyword) for name in inputs]
        forward.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        self.forward = forward


def differences(module: nn.Module, ours: nn.Module, given: Examples) -> list[str]:
    """Return what differs between the results of a module and ours, at two points."""
    faults = list[str]()
    for batch, size in POINTS:
        example = given.make(batch, dict.fromkeys(given.sizes, size), seed=7)
        args, kwargs = example.arguments
        copies = {name: one.clone() for name, one in example.tensors.items()}
        with torch.no_grad():
            wanted, found = module.eval()(*args, **kwargs), ours(**copies)
        for (name, one), other in zip(named(wanted).items(), named(found).values(), strict=True):
            if one.dtype != other.dtype:
                faults.append(f"{name}: {other.dtype}, not {one.dtype}")
            elif one.shape != other.shape:
                faults.append(f"{name}: {tuple(other.shape)}, not {tuple(one.shape)}")
            elif not torch.allclose(other, one, rtol=1e-4, atol=1e-5, equal_nan=True):
                faults.append(f"{name}: differs by {(other - one).abs().max()}")
    return faults


def named(result: Any, name: str = "") -> dict[str, Tensor]:
    """Return the tensors in what a forward returns, by their places."""
    if isinstance(result, Tensor):
        return {name: result}
    parts = result.items() if isinstance(result, Mapping) else enumerate(result)
    found = dict[str, Tensor]()
    for place, part in parts:
        found |= named(part, f"{name}_{place}")
    return found
