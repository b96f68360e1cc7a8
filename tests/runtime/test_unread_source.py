"""A class of plain layers is made before its source, and is afterwards the class that the source defines."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Barrier, Thread
from types import FunctionType, ModuleType
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.emit.classes.plain_layers import plain_layers
from mimgraph.runtime import unread_source
from mimgraph.runtime.loader import run
from mimgraph.runtime.runner import seeded_inputs
from mimgraph.runtime.unread_source import UnreadModule, make
from tests.conftest import ROOT, in_ci
from tests.helpers.cases import each
from tests.helpers.running import by_name, seeded
from tests.helpers.strategies import Spec, specs, to_yaml
from tests.ops.layers import oracle

PLAIN = [
    "early_fusion",
    "image_numerical",
    "seq2seq_attention",
    "simple_numerical",
    "text_numerical",
]
WIDTHS = iter(range(300, 400))  # so that each graph has layers of its own


@pytest.fixture(autouse=True)
def without_torchs_compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let classes stay unread although other tests have imported torch's compiler."""
    monkeypatch.setattr(unread_source, "TORCHS_COMPILER", "a_compiler_that_is_not_imported")
    yield
    unread_source.stop_watching()


def graph(width: int = 0) -> mg.Graph:
    """Return a graph of two layers; each has another width."""
    x = mg.Input("x", (4,))
    hidden = layers.Linear(width or next(WIDTHS), activation="ReLU")(x, name="hidden")
    return mg.Graph(layers.Linear(2)(hidden, name="y"), name="Small", doc="A small net.")


def is_unread(cls: type) -> bool:
    return not isinstance(vars(cls)["forward"], FunctionType)


def from_source(graph: mg.Graph) -> type[nn.Module]:
    """Return the class that the source of a graph defines."""
    module = ModuleType("mimgraph_compiled_for_comparison")
    source = graph.source()
    run(module, source, source)
    made: type[nn.Module] = vars(module)[graph.name]
    return made


# --- both ways make the same ------------------------------------------------------------------------


def described(module: nn.Module) -> list[tuple[Any, ...]]:
    """Return what a module is made of: the class, options, mode and attributes of each part, in order."""
    return [
        (
            name,
            type(part).__name__,
            type(part).__bases__,
            part.extra_repr(),
            part.training,
            [key for key in vars(part) if not key.startswith("_")],
            [(key, type(value)) for key, value in vars(part).items()],
            [*part._parameters],
            [*part._buffers],
        )
        for name, part in module.named_modules(remove_duplicate=False)
    ]


def assert_same_module(graph: mg.Graph) -> None:
    """Assert that the module made without the source is the one that the source makes, bit by bit."""
    found = plain_layers(graph.typed)
    assert found is not None
    ours = seeded(lambda: make(UnreadModule("not_entered", graph.typed, found).made))
    after_ours = torch.rand(3)
    theirs = seeded(from_source(graph))
    assert torch.equal(after_ours, torch.rand(3))  # both drew as many numbers
    assert is_unread(type(ours))
    assert repr(ours) == repr(theirs)
    assert described(ours) == described(theirs)
    state, expected = ours.state_dict(), theirs.state_dict()
    assert [*state] == [*expected]
    for key, tensor in expected.items():
        assert state[key].dtype == tensor.dtype and torch.equal(state[key], tensor)
    inputs = seeded_inputs(graph.typed, oracle.BATCH_SIZE, 0, choose_sizes(graph.typed, {}))
    results = [by_name(seeded(partial(model.eval(), **inputs)), graph) for model in (ours, theirs)]
    for key, result in results[1].items():
        torch.testing.assert_close(results[0][key], result, rtol=0, atol=0, equal_nan=True)
    assert not is_unread(type(ours))
    assert type(ours).__doc__ == type(theirs).__doc__
    assert {*vars(type(ours))} == {*vars(type(theirs))}


@pytest.mark.parametrize("name", [in_ci(name, unless="numerical" in name) for name in PLAIN])
def test_a_spec_makes_the_same_module_as_its_source(name: str) -> None:
    assert_same_module(mg.load(ROOT / "specs" / f"{name}.yaml"))


def test_a_class_may_be_called_as_a_builtin_that_its_source_reads() -> None:
    x = mg.Input("x", (4,))
    y = layers.Linear(next(WIDTHS))(x, name="y")
    assert_same_module(mg.Graph({"a": y, "b": layers.ReLU()(y)}, name="dict"))


@each("default", [torch.float64, torch.float32])
def test_the_default_dtype_counts(default: torch.dtype) -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(default)
    try:
        model = graph().compile()
    finally:
        torch.set_default_dtype(before)
    assert {p.dtype for p in model.parameters()} == {default}


def test_the_device_counts() -> None:
    with torch.device("meta"):
        model = graph().compile()
    assert all(p.is_meta for p in model.parameters())
    assert is_unread(type(model))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(most=6))
def test_a_random_graph_makes_the_same_module_as_its_source(spec: Spec) -> None:
    made = mg.loads(to_yaml(spec))
    if plain_layers(made.typed) is not None:
        assert_same_module(made)


HEAD = "inputs: {x: [8]}\nnodes:\n"
LINEAR = "  y: {layer: Linear, from: x, out_features: 4%s}\noutputs: y\n"


@each(
    "nodes",
    {
        "frozen": LINEAR % ", freeze: true",
        "weight decay": LINEAR % ", weight_decay: 0",
        "weight norm": LINEAR % ", weight_norm: true",
        "parameter": "  w: {parameter: [8], batched: true, init: 0.5}\n  v: {merge: add, from: [x, w]}\n"
        + LINEAR.replace("from: x", "from: v"),
        "renamed": "  train_: {layer: Linear, from: x, out_features: 8}\n  to: {layer: ReLU, from: train_}\n"
        + LINEAR.replace("from: x", "from: to"),
        "no weight": "  y: {layer: ReLU, from: x}\noutputs: y\n",
        "no module of torch": "  v: {from: x, seq: [{Linear: 6}, {Sum: {dim: 1, keepdim: true}}]}\n"
        + LINEAR.replace("from: x", "from: v"),
    },
)
def test_what_is_more_than_layers_has_none(nodes: str) -> None:
    spec = mg.loads(HEAD + nodes.replace("%s", ""))
    assert plain_layers(spec.typed) is None


# --- what reads the source --------------------------------------------------------------------------


X = {"x": torch.rand(3, 4)}
READERS: dict[str, Callable[[nn.Module], Any]] = {
    "call": lambda model: model(**X),
    "forward": lambda model: model.forward,
    "class": lambda model: type(model)(),
    "subclass": lambda model: type("Sub", (type(model),), {})()(**X),
    "signature": lambda model: inspect.signature(model.forward),
    "getsource": lambda model: inspect.getsource(type(model)),
    "module of the class": lambda model: inspect.getmodule(type(model)).nn,  # type: ignore[union-attr]
    "doc": lambda model: type(model).__doc__,
    "script": lambda model: torch.jit.script(model)(**X),
    "functional_call": lambda model: torch.func.functional_call(
        model, dict(model.state_dict()), (), X
    ),
    # which load the spec again, so that two sources are compared
    "copy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@each("read", READERS)
def test_reading_a_class_runs_its_source(read: Callable[[nn.Module], Any]) -> None:
    small = graph()
    model = small.compile()
    cls = type(model)
    assert is_unread(cls)
    read(model)
    assert not is_unread(cls)
    assert small.source().endswith(inspect.getsource(cls))
    assert type(model) is cls is type(small.compile())
    assert isinstance(cls(), cls)  # so that `super()` in `__init__` knows the class
    assert model(**X).shape == (3, 2)
    methods = [value for value in vars(cls).values() if isinstance(value, FunctionType)]
    assert {f"{cls.__name__}.__init__", f"{cls.__name__}.forward"} <= {
        one.__qualname__ for one in methods
    }


@each(
    "use",
    {
        "state_dict": lambda model: model.state_dict(),
        "to": lambda model: model.to(torch.float64),
        "repr": repr,
        "save": lambda model: torch.save(model, io.BytesIO()),
        "parameters": lambda model: [*model.parameters()],
        "eval": lambda model: model.train(False),
    },
)
def test_what_needs_no_forward_leaves_it_unread(use: Callable[[nn.Module], Any]) -> None:
    model = graph().compile()
    use(model)
    assert is_unread(type(model))


def test_a_method_of_the_user_stays() -> None:
    model = graph().compile()

    def forward(self: Any, x: Tensor) -> Tensor:
        return x + 1

    type(model).forward = forward  # type: ignore[method-assign]
    type(model)()  # which runs the source
    assert type(model).forward is forward
    assert torch.equal(model(**X), X["x"] + 1)


def test_threads_run_a_source_once() -> None:
    model = graph().compile()
    barrier, results = Barrier(4), []

    def call() -> None:
        barrier.wait()
        results.append(model(**X))

    threads = [Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 and all(torch.equal(one, results[0]) for one in results)


# --- which graphs share a class ---------------------------------------------------------------------


def test_graphs_of_one_source_share_the_unread_class() -> None:
    width = next(WIDTHS)
    first = graph(width).compile()
    second = graph(width).compile()
    assert type(first) is type(second)


def test_graphs_of_the_same_layers_and_another_source_do_not() -> None:
    width = next(WIDTHS)

    def of(merge: Callable[..., Any]) -> mg.Graph:
        x = mg.Input("x", (4,))
        both = [layers.Linear(width)(x, name=name) for name in "ab"]
        return mg.Graph(merge(both, name="y"), name="Small")

    added, multiplied = of(merges.add).compile(), of(merges.multiply).compile()
    assert type(added) is not type(multiplied)
    for model, joined in ((added, torch.add), (multiplied, torch.mul)):
        expected = joined(model.a(X["x"]), model.b(X["x"]))  # type: ignore[operator]
        assert torch.equal(model(**X), expected)


# --- with torch's compiler --------------------------------------------------------------------------


COMPILED = """
import sys, torch, mimgraph as mg
from types import FunctionType
early, late = (mg.loads(open(sys.argv[1]).read()) for _ in range(2))
model = early.compile()
assert 'torch._dynamo' not in sys.modules
assert not isinstance(vars(type(model))['forward'], FunctionType)
step = torch.compile(lambda **batch: model(**batch).sum(), backend='eager', fullgraph=True)
x = {'x': torch.rand(3, 4)}
assert torch.equal(step(**x), model(**x).sum())
assert isinstance(vars(type(model))['forward'], FunctionType)
assert not [one for one in sys.meta_path if 'mimgraph' in repr(one)]
other = mg.loads(open(sys.argv[1]).read().replace('Small', 'Other')).compile()
assert isinstance(vars(type(other))['forward'], FunctionType)
"""


@pytest.mark.slow
def test_torchs_compiler_finds_every_class_with_its_source(tmp_path: Path) -> None:
    """It looks for `forward` in the class itself, where a descriptor would break the graph."""
    spec = tmp_path / "small.yaml"
    spec.write_text(graph().dumps())
    command = [sys.executable, "-c", COMPILED, str(spec)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_checked_module_is_read_at_once() -> None:
    """The first call has nothing to do but its work."""
    assert not is_unread(type(graph().compile(check=True)))


def test_a_library_that_wraps_every_constructor_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def wrap(cls: type) -> None:
        init = cls.__init__

        def counted(self: Any) -> None:
            init(self)
            made.append(cls.__name__)

        cls.__init__ = counted  # type: ignore[misc]

    monkeypatch.setattr(nn.Module, "__init_subclass__", classmethod(wrap), raising=False)
    model = graph().compile()
    assert made == ["Small"] and len([*model.parameters()]) == 4
