"""Checks that the tables of ops/layers and ops/merges name the file that defines each op."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from mimgraph.ops import registry
from tests.conftest import ROOT


@pytest.mark.parametrize("folder", ["layers", "merges"])
def test_each_op_is_listed_where_it_is_defined(folder: str) -> None:
    for path in (ROOT / "mimgraph" / "ops" / folder).rglob("[a-z]*.py"):
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for kind in ("layer", "merge", "tensor"):
        for name, op in registry.ops(kind).items():
            if op.function.__module__.startswith(f"mimgraph.ops.{folder}."):
                assert registry._HOMES[kind].get(name) == op.function.__module__


def test_the_order_of_ops_does_not_depend_on_which_was_used_first() -> None:
    script = "from mimgraph import layers\nfrom mimgraph.ops import registry\n{}print(*registry.ops('layer'))"
    told = [
        subprocess.run(
            [sys.executable, "-c", script.format(first)], capture_output=True, text=True, check=True
        )
        for first in ("", "layers.Upsample, layers.Conv2d\n")
    ]
    assert told[0].stdout == told[1].stdout != ""


def test_a_check_imports_only_the_files_of_the_ops_it_meets() -> None:
    script = (
        "import sys, mimgraph as mg\n"
        "mg.loads('{inputs: {x: [4]}, nodes: {y: {layer: Linear, from: x, out_features: 1}},"
        " outputs: y}')\n"
        "print(*(m for m in sys.modules if m.startswith('mimgraph.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "mimgraph.ops.layers.linear" in loaded
    unused = {
        "mimgraph.ops.layers.conv",
        "mimgraph.ops.layers.rnn",
        "mimgraph.ops.merges.attention",
    }
    assert not loaded & (unused | {"mimgraph.builder", "mimgraph.language.writer"})
