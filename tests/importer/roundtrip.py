"""Import a module, give the graph the weights by the key map, and compare both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.imported import Imported, from_module
from mimgraph.importer.inputs.bind import bind
from mimgraph.importer.inputs.examples import examples


def round_trip(module: nn.Module, inputs: Any, *, tidy: bool = False) -> Imported:
    """Return what a module is imported as, after a comparison of keys and of outputs in evaluation mode.

    The written spec is read again, and that graph is compared.
    """
    module = module.eval()
    found = from_module(module, inputs, tidy=tidy)
    ours = mg.loads(found.graph.dumps()).compile().eval()
    theirs = module.state_dict()
    names = {key: found.keys.get(key, key) for key in ours.state_dict()}
    ours.load_state_dict({key: joined(theirs, name) for key, name in names.items()})
    made = examples(module, bind(module, inputs))
    for batch, size in ((2, 9), (5, 6)):
        example = made.make(batch, dict.fromkeys(made.sizes, size), seed=7)
        args, kwargs = example.arguments
        with torch.no_grad():
            wanted, got = tensors(module(*args, **kwargs)), tensors(ours(**example.tensors))
        for one, other in zip(wanted, got, strict=True):
            assert one.dtype == other.dtype
            torch.testing.assert_close(other, one)
    return found


def joined(state: dict[str, Tensor], name: str | tuple[str, ...]) -> Tensor:
    """Return a tensor of a state_dict, or several of them joined."""
    return state[name] if isinstance(name, str) else torch.cat([state[one] for one in name])


def tensors(result: Any) -> list[Tensor]:
    """Return the tensors in what a forward returns."""
    if isinstance(result, Tensor):
        return [result]
    parts = [*result.values()] if isinstance(result, dict) else result
    return [tensor for one in parts for tensor in tensors(one)]


def body_of(found: Imported) -> str:
    """Return the spec without its name and inputs."""
    lines = found.graph.dumps().splitlines()
    start = next(i for i, line in enumerate(lines) if line in ("blocks:", "nodes:"))
    return "\n".join(lines[start:]) + "\n"


def check_specs(file: Path, specs: Mapping[str, str], rewrite: bool) -> None:
    """Check the specs of cases against a Markdown file, which has each below the name of its case."""
    head, *_ = file.read_text().split("\n## ")
    cases = (f"\n## {name}\n\n```yaml\n{spec}```\n" for name, spec in specs.items())
    text = head + "".join(cases)
    if rewrite:
        file.write_text(text)
    assert file.read_text() == text
