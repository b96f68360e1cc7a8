"""The module of emitted source: `inspect` finds it, and it lives as long as anything refers to it."""

from __future__ import annotations

import gc
import inspect
import linecache
import subprocess
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.emit.tree import Class
from mimgraph.support.progress import uncollected
from tests.conftest import ROOT
from tests.helpers.cases import each
from tests.helpers.handwritten import MODELS


@pytest.fixture(scope="module", autouse=True)
def frozen() -> None:
    """Let the collections of these tests not visit what other tests have left."""
    gc.collect()
    gc.freeze()


def graph(out_features: int) -> mg.Graph:
    """Return a graph that no other test compiles."""
    x = mg.Input("x", (5,))
    return mg.Graph(layers.Linear(out_features)(x, name="y"), name="OfTheLoader")


def sources() -> set[str]:
    """Return the emitted modules in `sys.modules`."""
    gc.collect()
    modules = {name for name in sys.modules if name.startswith("mimgraph_compiled_")}
    lines = {name for name in linecache.cache if name.startswith("<mimgraph ")}
    assert lines <= {f"<mimgraph {name.rpartition('_')[2]}>" for name in modules}
    return modules


@pytest.mark.slow
def test_a_search_keeps_no_dropped_model_alive() -> None:
    before = sources()
    for out_features in range(900, 910):
        graph(out_features).compile()
    assert sources() == before


@each("keep", [lambda model: model, type, lambda model: type(model).forward])
def test_a_module_lives_as_long_as_anything_in_it(keep: Any) -> None:
    before = sources()
    kept = keep(graph(910).compile())
    (name,) = sources() - before
    known = sys.modules[name]
    assert isinstance(known, ModuleType) and known in {
        known
    }  # tools that walk over the modules read these
    assert vars(known)["OfTheLoader"] is known.OfTheLoader
    assert inspect.getmodule(known.OfTheLoader) is known
    del kept
    assert sources() == before


def test_a_source_runs_once_while_its_module_lives() -> None:
    first = graph(911).compile()
    assert type(graph(911).compile()) is type(first)


def test_a_source_runs_again_after_its_module_is_gone() -> None:
    known = weakref.ref(type(graph(912).compile()))
    sources()
    assert known() is None
    assert graph(912).compile()(x=torch.zeros(2, 5)).shape == (2, 912)


def test_graphs_of_the_same_layers_and_another_source_have_classes_of_their_own() -> None:
    def of(merge: Callable[..., Any]) -> mg.Graph:
        x = mg.Input("x", (4,))
        both = [layers.Linear(914)(x, name=name) for name in "ab"]
        return mg.Graph(merge(both, name="y"), name="Small")

    added, multiplied = of(merges.add).compile(), of(merges.multiply).compile()
    assert type(added) is not type(multiplied)
    x = torch.rand(3, 4)
    for model, joined in ((added, torch.add), (multiplied, torch.mul)):
        expected = joined(model.a(x), model.b(x))  # type: ignore[operator]
        assert torch.equal(model(x=x), expected)


def test_a_class_may_be_called_as_a_builtin_that_its_source_reads() -> None:
    x = mg.Input("x", (4,))
    y = layers.Linear(915)(x, name="y")
    model = mg.Graph({"a": y, "b": layers.ReLU()(y)}, name="dict").compile()
    assert type(model).__name__ == "dict"
    assert [*model(x=torch.zeros(2, 4))] == ["a", "b"]


@each("default", [torch.float64, torch.float32])
def test_the_default_dtype_counts(default: torch.dtype) -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(default)
    try:
        model = graph(916).compile()
    finally:
        torch.set_default_dtype(before)
    assert {p.dtype for p in model.parameters()} == {default}


def test_the_device_counts() -> None:
    with torch.device("meta"):
        model = graph(917).compile()
    assert all(p.is_meta for p in model.parameters())


def test_a_method_of_the_user_stays() -> None:
    model = graph(918).compile()

    def forward(self: Any, y: torch.Tensor) -> torch.Tensor:
        return y + 1

    type(model).forward = forward  # type: ignore[method-assign]
    type(model)()
    assert type(graph(918).compile()).forward is forward
    assert torch.equal(model(y=torch.zeros(2)), torch.ones(2))


def test_a_library_that_wraps_every_constructor_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As DeepSpeed does to split weights."""
    made: list[str] = []

    def wrap(cls: type) -> None:
        init = cls.__init__

        def counted(self: Any) -> None:
            init(self)
            made.append(cls.__name__)

        cls.__init__ = counted  # type: ignore[misc]

    monkeypatch.setattr(nn.Module, "__init_subclass__", classmethod(wrap), raising=False)
    model = graph(919).compile()
    assert made == ["OfTheLoader"] and len([*model.parameters()]) == 2


def test_an_old_entry_of_sys_modules_refers_to_the_new_module() -> None:
    """torch's compiler keeps the modules that it has met by name."""
    known = sys.modules[type(graph(913).compile()).__module__]
    sources()
    assert not hasattr(known, "OfTheLoader")
    again = graph(913).compile()
    assert sys.modules[type(again).__module__] is known
    assert known.OfTheLoader is type(again)


def test_printed_graphs_are_freed_without_the_collector() -> None:
    """Otherwise all code of a large graph would wait for the collector, which would visit it first."""
    made = graph(913)

    def classes() -> int:
        return sum(type(thing) is Class for thing in gc.get_objects())

    gc.collect()
    with uncollected():
        before = classes()
        made.source()
        assert classes() == before


@each("name", [*MODELS])
def test_inspect_finds_the_source_and_its_annotations(name: str) -> None:
    graph = mg.load(ROOT / "specs" / f"{name}.yaml")
    model = graph.compile()
    found = inspect.getsource(type(model))
    assert found.startswith(f"class {graph.name}(nn.Module):")
    assert graph.source().endswith(found)
    # the loader's own `from __future__` imports do not apply to the source
    parameters = inspect.signature(model.forward).parameters
    assert {p.annotation for p in parameters.values()} == {torch.Tensor}


@pytest.mark.slow
def test_compiling_does_not_import_torch_dynamo() -> None:
    """Importing it takes as long as importing torch; only the check of inputs needs it."""
    script = (
        "import sys, mimgraph as mg\n"
        "mg.load(sys.argv[1]).compile()\n"
        "assert 'torch' in sys.modules and 'torch._dynamo' not in sys.modules\n"
    )
    spec = str(ROOT / "specs" / "simple_numerical.yaml")
    command = [sys.executable, "-c", script, spec]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
