"""Checks that `mimgraph`, `mimgraph.layers` and `mimgraph.merges` show `__all__` and no more.

A submodule that was imported is an attribute of its package as well; Python's import system puts
it there, and neither `dir` nor a star import shows it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

import mimgraph as mg
from mimgraph import layers, merges

MODULES = ["mimgraph", "mimgraph.layers", "mimgraph.merges"]
TELL = """
import importlib, json, sys
modules = [importlib.import_module(name) for name in {modules}]
{use}
print(json.dumps([
    [sorted(n for n in vars(module) if not n.startswith("_")), sorted(module.__all__), dir(module)]
    for module in modules
]))
"""
ALL = "[getattr(module, name) for module in modules for name in module.__all__]"
USE = {
    "each name once": ALL,
    "a star import": "\n".join([*(f"from {module} import *" for module in MODULES), ALL]),
    "a graph made, run and drawn": """
import mimgraph as mg
from mimgraph import layers, merges
x = mg.Input("x", (4,))
graph = mg.Graph(merges.concat(layers.Linear(2)(x, name="fc"), x, name="y"), name="M")
assert mg.loads(graph.dumps()) == graph
graph.summary(), graph.source(), graph.compile()
graph.draw(sys.argv[1])
""",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("use", "modules"),
    [*(("before", [module]) for module in MODULES), *((use, MODULES) for use in USE)],
)
def test_names_in_a_fresh_process(use: str, modules: list[str], tmp_path: object) -> None:
    script = TELL.replace("{use}", USE.get(use, "")).replace("{modules}", repr(modules))
    done = subprocess.run(
        [sys.executable, "-c", script, f"{tmp_path}/m.svg"],
        capture_output=True,
        text=True,
        check=True,
    )
    for module, (found, public, shown) in zip(modules, json.loads(done.stdout), strict=True):
        others = set(found) - set(public)
        assert {name for name in others if find_spec(f"{module}.{name}") is None} == set()
        assert not (others and use == "before")
        assert shown == public


def test_names_that_are_not_public_do_not_exist() -> None:
    for name in ("import_module", "annotations", "Any", "TYPE_CHECKING", "Inptu"):
        for module in (mg, layers, merges):
            with pytest.raises(
                AttributeError, match=f"'{module.__name__}' has no attribute '{name}"
            ):
                getattr(module, name)


def test_layers_and_merges_hold_nothing_but_ops() -> None:
    for kind, module in (("layer", layers), ("merge", merges)):
        assert {getattr(module, name).kind for name in module.__all__} == {kind}
