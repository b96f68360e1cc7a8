"""The tables of layers/ and merges/ name every op, in the file that defines it."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from mimgraph import catalogue, layers, merges
from tests.conftest import ROOT


@pytest.mark.parametrize("package", [layers, merges], ids=["layers", "merges"])
def test_each_op_is_placed_where_it_is_defined(package: object) -> None:
    folder = package.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    for path in (ROOT / "mimgraph" / folder).glob("[a-z]*.py"):
        import_module(f"mimgraph.{folder}.{path.stem}")
    for kind in ("layer", "merge", "tensor"):
        for name, op in catalogue.ops(kind).items():
            if op.function.__module__.startswith(f"mimgraph.{folder}."):
                assert catalogue._PLACES[kind].get(name) == op.function.__module__


def test_no_file_bears_the_name_of_an_op() -> None:
    for folder, kind in (("layers", "layer"), ("merges", "merge")):
        files = {path.stem for path in (ROOT / "mimgraph" / folder).glob("*.py")}
        assert not files & set(catalogue.names(kind))


def test_ops_stand_in_one_order_whatever_was_used_first() -> None:
    script = "from mimgraph import catalogue, layers, merges\n{}print(*catalogue.ops('layer'))"
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
    assert "mimgraph.layers.linear" in loaded
    unused = {"mimgraph.layers.conv", "mimgraph.layers.rnn", "mimgraph.merges.tokens"}
    assert not loaded & (unused | {"mimgraph.builder", "mimgraph.spec.write"})
