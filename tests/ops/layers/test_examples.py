"""Runs the example in the docstring of every op, and checks that its source is formatted and linted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.language.reference import KINDS
from mimgraph.ops import registry
from mimgraph.ops.op import Op
from mimgraph.runtime.runner import Given, run
from tests.emit.test_golden import RUFF
from tests.helpers.cases import check_each

OPS = [op for kind in KINDS for op in registry.ops(kind).values()]


def spec(op: Op) -> str:
    """Return the example as a whole spec; without a default port every port is an output."""
    inputs, node = op.example
    lines = ["inputs:", *(f"  {line}" for line in inputs), "nodes:", f"  y: {node}"]
    return "\n".join([*lines, f"outputs: {_outputs(lines, op)}"])


def _outputs(lines: list[str], op: Op) -> str:
    """Return the outputs: `y`, or its ports, which a fault lists; a tensor of the model needs `x` too."""
    if op.inputs.kind == "none" or op.name == "zeros":
        return "[x, y]"
    try:
        mg.loads("\n".join([*lines, "outputs: y"]))
    except mg.SpecError as error:
        (fault,) = error.diagnostics
        if fault.code != "unknown-port":
            raise
        ports = fault.help.removeprefix("its ports: ").split(", ")
        return f"{{{', '.join(f'p{port}: y.{port}' for port in ports)}}}"
    return "y"


@pytest.mark.parametrize("family", dict.fromkeys(op.family for op in OPS))
def test_the_examples_of_a_family_run(family: str) -> None:
    check_each((op for op in OPS if op.family == family), runs)


def runs(op: Op) -> None:
    graph = mg.loads(spec(op))
    found = run(graph.typed, graph.compile, Given(None, 2, {}), None, seed=0)
    assert found.outputs.keys() == graph.outputs.keys()
    for name, type_ in graph.outputs.items():
        assert found.outputs[name].dim() == type_.rank
        assert str(found.outputs[name].dtype) == f"torch.{type_.dtype}"


def test_ruff_finds_nothing_in_the_source_of_examples(tmp_path: Path) -> None:
    for op in OPS:
        path = tmp_path / f"{op.kind}_{op.name}.py"
        path.write_text(mg.loads(spec(op)).source())
    options = ["--isolated", "--no-cache", "--line-length", "100", str(tmp_path)]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [RUFF, *command, *options], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
