"""Checks that a wrong argument of any public function raises an error about that call."""

from __future__ import annotations

import copy
import itertools
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.ops import registry
from mimgraph.ops.custom.registration import Registered
from tests.conftest import in_ci

SPEC = "params: {h: 3}\ninputs: {a: [3]}\nnodes: {b: {layer: Linear, from: a, out_features: $h}}\noutputs: b"


class Module(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Plain:
    pass


def endless(made: Any) -> Any:
    """Return a list or dict that contains itself."""
    made.append(made) if isinstance(made, list) else made.update(a=made)
    return made


@mg.block
def blk(v: mg.Tensor, *, n: int = 2) -> mg.Tensor:
    return layers.Linear(n)(v)


def returning(value: Any) -> Any:
    """Return a block whose function returns this value."""

    @mg.block
    def returns(v: mg.Tensor) -> Any:
        return value

    return returns


x = mg.Input("x", (4,))
gr = mg.Graph(layers.Linear(3)(x, name="y"))
other = mg.Graph(layers.Linear(3)(mg.Input("z", (4,))))
model = gr.compile()
(stage,) = gr.split(1)
python = mg.Graph(blk()(x))
loaded = mg.loads(python.dumps())

VALUES: dict[str, Any] = {
    "None": None,
    "a text": "abc",
    "no text": "",
    "an int": 3,
    "a negative int": -1,
    "a float": 2.5,
    "nan": float("nan"),
    "a bool": True,
    "a complex": 1j,
    "a huge int": 10**30,
    "a list": [1, "a"],
    "no list": [],
    "a list of lists": [[1], [2]],
    "a list that holds itself": endless([]),
    "a tuple": (1, 2),
    "a dict": {"a": 1},
    "a dict of ints": {1: 2},
    "a dict that holds itself": endless({}),
    "a set": {1},
    "a range": range(3),
    "bytes": b"abc",
    "...": ...,
    "a class": Plain,
    "a thing": Plain(),
    "a function": len,
    "a type": int,
    "a module": Module(),
    "a class of modules": Module,
    "torch's class": nn.Linear,
    "a tensor": torch.zeros(3),
    "a tensor of ints": torch.tensor([[3, 4]]),
    "a dtype": torch.float32,
    "torch's size": torch.Size([3]),
    "an array": numpy.zeros(3),
    "an array of things": numpy.array([None]),
    "numpy's int": numpy.int64(3),
    "a handle": x,
    "a list of handles": [x],
    "a graph": other,
    "a layer": layers.Linear(3),
    "a layer without options": layers.Linear,
    "a path": Path("nonexistent/x.yaml"),
}

CALLS: dict[str, Callable[[Any], Any]] = {
    "Input.name": lambda w: mg.Input(w, (3,)),
    "Input.shape": lambda w: mg.Input("a", w),
    "Input.size": lambda w: mg.Input("a", (w,)),
    "Input.dtype": lambda w: mg.Input("a", (3,), w),
    "Input.vocab": lambda w: mg.Input("a", (3,), vocab=w),
    "Input.doc": lambda w: mg.Graph(layers.Linear(3)(mg.Input("a", (3,), doc=w))).dumps(),
    "Input.optional": lambda w: mg.Graph(
        [layers.Linear(3)(mg.Input("a", (3,), optional=w))]
    ).dumps(),
    "Graph.outputs": lambda w: mg.Graph(w),
    "Graph.list": lambda w: mg.Graph([w]),
    "Graph.dict": lambda w: mg.Graph({"a": w}),
    "Graph.name": lambda w: mg.Graph(layers.Linear(3)(x), w),
    "Graph.doc": lambda w: mg.Graph(layers.Linear(3)(x), doc=w).dumps(),
    "Graph.doc.source": lambda w: mg.Graph(layers.Linear(3)(x), doc=w).source(),
    "Output": lambda w: mg.Output(w),
    "Output.doc": lambda w: mg.Output(x, w),
    "Output.training_only": lambda w: mg.Graph(mg.Output(layers.Linear(3)(x), "a", w)).dumps(),
    "training_only": lambda w: mg.training_only(w),
    "training_only.doc": lambda w: mg.training_only(x, w),
    "Parameter.name": lambda w: mg.Graph(x @ mg.Parameter(w, (4, 3), init="zeros")).dumps(),
    "Parameter.shape": lambda w: mg.Parameter("p", w, init="zeros"),
    "Parameter.size": lambda w: mg.Parameter("p", (w,), init="zeros"),
    "Parameter.init": lambda w: mg.Graph(x @ mg.Parameter("p", (4, 3), init=w)).compile(),
    "Parameter.batched": lambda w: mg.Parameter("p", (4, 3), init="zeros", batched=w),
    "Parameter.words": lambda w: mg.Parameter("p", (4, 3), init="zeros", nix=w),
    "Buffer.shape": lambda w: mg.Buffer("p", w, init="zeros"),
    "Buffer.dtype": lambda w: mg.Buffer("p", (4,), init="zeros", dtype=w),
    "Buffer.name": lambda w: mg.Buffer(w, (4,), init="zeros"),
    "Buffer.init": lambda w: mg.Buffer("b", (4, 3), init=w),
    "Buffer.freeze": lambda w: mg.Buffer("b", (4, 3), init="zeros", freeze=w),
    "arange.x": lambda w: mg.arange(w, 1),
    "arange.dim": lambda w: mg.arange(x, w),
    "arange.start": lambda w: mg.arange(8, start=w),
    "arange.step": lambda w: mg.arange(8, step=w),
    "zeros": lambda w: mg.zeros(w),
    "zeros.second size": lambda w: mg.zeros(3, w),
    "zeros.like": lambda w: mg.zeros(like=w),
    "zeros.like and shape": lambda w: mg.zeros(w, like=x),
    "zeros.batched": lambda w: mg.zeros(3, batched=w),
    "ones.dtype": lambda w: mg.ones(3, dtype=w),
    "random": lambda w: mg.random(w, x),
    "random.like": lambda w: mg.random("normal", w),
    "random.only": lambda w: mg.random("normal", x, only=w),
    "random.name": lambda w: mg.random("normal", x, name=w),
    "arange.name": lambda w: mg.arange(x, 1, name=w),
    "Sequential": lambda w: mg.Sequential(w)(x),
    "Sequential.freeze": lambda w: mg.Sequential(layers.ReLU(), freeze=w)(x),
    "Sequential.call": lambda w: mg.Sequential(layers.ReLU())(w),
    "Sequential.second source": lambda w: mg.Sequential(layers.ReLU())(x, w),
    "Sequential.name": lambda w: mg.Sequential(layers.ReLU())(x, name=w),
    "Sequential.keyword": lambda w: mg.Sequential(layers.ReLU())(nix=w),
    "Sequential.each": lambda w: mg.Sequential(layers.ReLU()).each(w),
    "Sequential.each.with_": lambda w: mg.Sequential(layers.ReLU()).each(x, with_=w),
    "block": lambda w: mg.block(w),
    "block.n": lambda w: blk(n=w)(x),
    "block.source": lambda w: blk()(w),
    "block.second source": lambda w: blk()(x, w),
    "block.at once": lambda w: blk(x, n=w),
    "block.repeat": lambda w: blk(n=4, repeat=w)(x),
    "block.repeat.times": lambda w: blk(n=4, repeat={"times": w})(x),
    "block.repeat.with": lambda w: blk(repeat={"with": w})(x),
    "block.repeat.values": lambda w: blk(repeat={"with": {"n": w}})(x),
    "block.repeat.shared": lambda w: blk(n=4, repeat={"times": 2, "shared": w})(x),
    "block.repeat.unknown key": lambda w: blk(n=4, repeat={"times": 2, "nix": w})(x),
    "block.take": lambda w: blk(take=w)(x),
    "block.freeze": lambda w: blk(freeze=w)(x),
    "block.each": lambda w: blk().each(w),
    "block.each.with": lambda w: blk().each(x, with_=w),
    "block.each.values": lambda w: blk().each(x, with_={"n": w}),
    "block.each.name": lambda w: blk().each(x, name=w),
    "block.returns": lambda w: returning(w)()(x),
    "block.returns.dict": lambda w: returning({"a": w})()(x),
    "layer.option": lambda w: layers.Linear(w)(x),
    "layer.bias": lambda w: layers.Linear(3, w)(x),
    "layer.call": lambda w: layers.Linear(3)(w),
    "layer.second source": lambda w: layers.Linear(3)(x, w),
    "layer.name": lambda w: layers.Linear(3)(x, name=w),
    "layer.only keyword": lambda w: layers.Linear(3)(nix=w),
    "layer.keyword": lambda w: layers.Linear(3)(x, nix=w),
    "layer.input": lambda w: layers.Linear(3)(input=w),
    "layer.activation": lambda w: layers.Linear(3, activation=w)(x),
    "layer.activation.lone": lambda w: layers.Linear(3, activation={"ELU": w})(x),
    "layer.activation.option": lambda w: layers.Linear(3, activation={"ELU": {"alpha": w}})(x),
    "layer.activation.called": lambda w: layers.Linear(3, activation=layers.ELU(w))(x),
    "layer.take": lambda w: layers.LSTM(3, take=w)(mg.Input("s", (5, 4))),
    "layer.freeze": lambda w: layers.Linear(3, freeze=w)(x),
    "layer.getitem": lambda w: layers.Linear(3)[w](x),
    "layer.each": lambda w: layers.Linear(3).each(w),
    "layer.each.second": lambda w: layers.Linear(3).each(x, w),
    "layer.each.with": lambda w: layers.Linear(3).each(x, with_=w),
    "layer.each.with.values": lambda w: layers.Linear(3).each(x, with_={"out_features": w}),
    "layer.each.kw": lambda w: layers.Linear(3).each(a=w),
    "layer.each.name": lambda w: layers.Linear(3).each(x, name=w),
    "layer.attention": lambda w: layers.MultiheadAttention(2)(
        mg.Input("s", (5, 4)), key_padding_mask=w
    ),
    "layer.five": lambda w: layers.Linear(1, True, None, None, w)(x),
    "merges.concat": lambda w: merges.concat(w),
    "merges.second source": lambda w: merges.concat(x, w),
    "merges.dim": lambda w: merges.concat(x, x, dim=w),
    "merges.name": lambda w: merges.concat(x, x, name=w),
    "merges.keyword": lambda w: merges.concat(x, x, nix=w),
    "merges.activation": lambda w: merges.add(x, x, activation=w),
    "merges.missing": lambda w: merges.add(x, x, missing=w),
    "merges.broadcast": lambda w: merges.add(x, x, broadcast=w),
    "merges.formula": lambda w: merges.formula(w, a=x),
    "merges.formula.source": lambda w: merges.formula("a+1", a=w),
    "merges.formula.by position": lambda w: merges.formula("a+1", w),
    "merges.formula.dict": lambda w: merges.formula("a+1", {"a": w}),
    "merges.einsum": lambda w: merges.einsum(x, x, equation=w),
    "merges.attention": lambda w: merges.attention(query=x, key=w),
    "merges.gated": lambda w: merges.gated(x, x, out_features=w),
    "merges.where": lambda w: merges.where(x, x, w),
    "handle.getitem": lambda w: x[w],
    "handle.port": lambda w: layers.LSTM(3)(mg.Input("s", (5, 4)))[w],
    "handle.add": lambda w: x + w,
    "handle.mul": lambda w: x * w,
    "handle.matmul": lambda w: x @ w,
    "handle.radd": lambda w: w + x,
    "handle.div": lambda w: x / w,
    "load": lambda w: mg.load(w),
    "load.params": lambda w: mg.load("g.yaml", w),
    "loads": lambda w: mg.loads(w),
    "loads.params": lambda w: mg.loads(gr.dumps(), w),
    "loads.param": lambda w: mg.loads(SPEC, {"h": w}),
    "loads.name": lambda w: mg.loads("inputs: 3", name=w),
    "load_model": lambda w: mg.load_model(w),
    "diff": lambda w: mg.diff(w, gr),
    "diff.new": lambda w: mg.diff(gr, w),
    "positional": lambda w: mg.positional(w),
    "positional.names": lambda w: mg.positional(gr.compile(), w),
    "register": lambda w: mg.register(w),
    "register.name": lambda w: mg.register(Module, name=w),
    "register.shape": lambda w: mg.register(Module, name="M1", shape=w)()(x),
    "register.dtype": lambda w: mg.register(Module, name="M2", dtype=w)()(x),
    "register.macs": lambda w: mg.Graph(mg.register(Module, name="M3", macs=w)()(x)).summary(),
    "g.call": lambda w: gr(w),
    "g.second source": lambda w: gr(x, w),
    "g.keyword": lambda w: gr(x=w),
    "g.unknown keyword": lambda w: gr(x, nix=w),
    "g.name": lambda w: gr(x, name=w),
    "g.freeze": lambda w: gr(freeze=w)(x),
    "g.repeat": lambda w: gr(repeat=w)(x),
    "g.replace": lambda w: gr.replace(w, layers.ReLU()),
    "g.replace.layer": lambda w: gr.replace("y", w),
    "g.rewire": lambda w: gr.rewire(w, "x"),
    "g.rewire.from_": lambda w: gr.rewire("y", w),
    "g.insert": lambda w: gr.insert(w, layers.ReLU()),
    "g.insert.layer": lambda w: gr.insert("y", w),
    "g.insert.name": lambda w: gr.insert("y", layers.ReLU(), name=w),
    "g.remove": lambda w: gr.remove(w),
    "g.with_options": lambda w: gr.with_options(w, bias=False),
    "g.with_options.option": lambda w: gr.with_options("y", bias=w),
    "g.with_options.activation": lambda w: gr.with_options("y", activation=w),
    "g.with_options.take": lambda w: gr.with_options("y", take=w, over=w, freeze=w),
    "g.map": lambda w: gr.map(w),
    "g.map.answer": lambda w: gr.map(lambda node: w),
    "g.dump": lambda w: gr.dump(w),
    "g.compile": lambda w: gr.compile(check=w),
    "g.dynamic": lambda w: gr.dynamic_shapes(w),
    "g.dynamic.tensor": lambda w: gr.dynamic_shapes({"x": w}),
    "g.split": lambda w: gr.split(w),
    "g.split.name": lambda w: gr.split([w]),
    "g.save": lambda w: gr.save(w, "m.safetensors"),
    "g.save.path": lambda w: gr.save(model, w),
    "g.load_weights": lambda w: gr.load_weights(w, "m.safetensors"),
    "g.load_weights.path": lambda w: gr.load_weights(model, w),
    "g.load_state": lambda w: gr.load_state(w, model),
    "g.load_state.other": lambda w: gr.load_state(gr.compile(), w),
    "g.load_state.inputs": lambda w: gr.load_state(gr.compile(), gr.compile(), inputs=w),
    "g.load_state.input": lambda w: gr.load_state(gr.compile(), gr.compile(), inputs={"x": w}),
    "g.load_state.sizes": lambda w: gr.load_state(gr.compile(), gr.compile(), sizes=w),
    "g.load_state.size": lambda w: gr.load_state(gr.compile(), gr.compile(), sizes={"T": w}),
    "g.load_state.strict": lambda w: gr.load_state(gr.compile(), model, strict=w),
    "g.summary.batch": lambda w: gr.summary(w),
    "g.summary.sizes": lambda w: gr.summary(sizes=w),
    "g.summary.size": lambda w: mg.Graph(layers.Linear(3)(mg.Input("a", ("T", 4)))).summary(
        sizes={"T": w}
    ),
    "g.summary.depth": lambda w: str(gr.summary(depth=w)),
    "g.draw": lambda w: gr.draw(w),
    "g.draw.direction": lambda w: gr.draw("a.dot", direction=w),
    "g.draw.depth": lambda w: gr.draw("a.dot", depth=w),
    "g.draw.collapse": lambda w: gr.draw("a.dot", collapse=w),
    "g.draw.theme": lambda w: gr.draw("a.dot", theme=w),
    "g.draw.wrap": lambda w: gr.draw("a.svg", wrap=w),
    "g.show.depth": lambda w: gr.show(depth=w),
    "g.blocks": lambda w: python.blocks["blk"](w)(x),
    "g.blocks.loaded": lambda w: loaded.blocks["blk"](w)(x),
    "g.blocks.source": lambda w: loaded.blocks["blk"](n=3)(w),
    "stage.metadata": lambda w: stage.metadata(w),
    "stage.metadata.dtype": lambda w: stage.metadata(2, dtype=w),
    "stage.metadata.sizes": lambda w: stage.metadata(2, T=w),
    "stage.split": lambda w: stage.split(w),
    "fill": lambda w: layers.Fill(w)(mg.Input("o", (3,), optional=True)),
}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run a test in a directory of its own, and remove the layers that it registers."""
    gr.dump(tmp_path / "g.yaml")
    gr.save(model, tmp_path / "m.safetensors")
    monkeypatch.chdir(tmp_path)
    registered = registry._OPS["layer"]
    before = {*registered}
    yield
    for name in [name for name in registered if isinstance(registered[name], Registered)]:
        if name not in before:
            del registered[name]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("step", [4, in_ci(1)])  # each fourth value, of another rest for each call
def test_the_error_of_a_wrong_argument_is_about_the_call(step: int) -> None:
    accidents = []
    for number, (call, run) in enumerate(CALLS.items()):
        for name, value in [*VALUES.items()][number % step :: step]:
            try:
                run(value)
            except Exception as error:  # noqa: BLE001 - which is judged
                if not is_meant(error):
                    accidents.append(f"{call} of {name}: {type(error).__name__}: {error}")
    assert not accidents, "\n".join(accidents)


def is_meant(error: Exception) -> bool:
    """Return whether an error is about a wrong argument, and its traceback ends in this file: a bug of
    ours keeps the frames of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    is_about_argument = isinstance(error, TypeError | ValueError | OSError)
    return is_about_argument and {frame.filename for frame in frames} == {__file__}


def test_numbers_and_arrays_of_numpy_and_torch_are_sizes() -> None:
    shapes = [
        numpy.array([3, 4]),
        torch.tensor([3, 4]),
        torch.zeros(3, 4).shape,
        [numpy.int64(3), torch.tensor(4)],
        range(3, 5),
        iter([3, 4]),
    ]
    assert {str(mg.Input("a", shape).shape) for shape in shapes} == {"(N, 3, 4)"}
    made = layers.Conv2d(numpy.int64(8), numpy.array([3, 3]))(mg.Input("a", (3, 9, 9)))
    made = layers.Linear(torch.tensor(5), bias=numpy.bool_(False))(layers.Flatten()(made))
    graph = mg.Graph(layers.Dropout(numpy.float32(0.5))(made))
    assert "out_channels: 8, kernel_size: [3, 3]" in graph.dumps()
    assert mg.loads(graph.dumps()) == graph
    assert str(mg.loads(SPEC, {"h": numpy.int64(7)}).shapes["b"]) == "(N, 7)"
    assert mg.Input("a", (3,), dtype=numpy.float32).dtype == "float32"


def test_an_infinite_shape_is_refused() -> None:
    def ones() -> Iterator[int]:
        while True:
            yield 1

    with pytest.raises(mg.SpecError):
        mg.Input("a", ones())


def test_a_directory_and_a_text_are_refused_as_paths(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="name the spec in it"):
        mg.load(tmp_path)
    with pytest.raises(ValueError, match=r"mg\.loads takes its text"):
        mg.load(SPEC)
    with pytest.raises(TypeError, match=r"mg\.load\(PosixPath"):
        mg.loads(Path("m.yaml"))  # type: ignore[arg-type]


# --- Python iterates over anything that has __getitem__ ---------------------------------------------


@mg.block
def two(v: mg.Tensor) -> dict[str, mg.Tensor]:
    return {"a": layers.ReLU()(v), "b": layers.Tanh()(v)}


lstm = layers.LSTM(4)(mg.Input("s", (5, 4)))
THINGS: dict[str, Any] = {
    "a layer": layers.Linear(3),
    "an op": layers.Linear,
    "one of each": layers.Linear(3)["a"],
    "a block": blk,
    "a block call": blk(),
    "a block of a spec": loaded.blocks["blk"](),
    "a Sequential": mg.Sequential(layers.ReLU()),
    "a graph": gr,
    "a handle": x,
    "a port": lstm["last"],
    "several results": lstm,
    "several results of a Sequential": mg.Sequential(layers.LSTM(4))(mg.Input("s", (5, 4))),
}


def unpacked(thing: Any) -> Any:
    a, b = thing
    return a, b


TRIES: dict[str, Callable[[Any], Any]] = {
    "in": lambda t: x in t,
    "in of a number": lambda t: 0 in t,
    "list": list,
    "tuple": tuple,
    "a star": lambda t: [*t],
    "unpacking": unpacked,
    "for": lambda t: [one for one in t],
    "dict": dict,
    "zip": lambda t: list(zip(t, [1], strict=False)),
    "max": max,
    "len": len,
    "reversed": reversed,
    "float": float,
    "sum": lambda t: sum([t, t]),
    "an order": lambda t: t < 0,
    "a number beside it": lambda t: t + 3,
    "an array beside it": lambda t: t @ numpy.ones((4, 4)),
    "a tensor": torch.tensor,
}


COMPUTED = ("sum", "an order", "a number beside it")  # with a handle these are nodes
ITERATED = ("list", "tuple", "a star", "unpacking", "for", "zip")  # an LSTM has two results
HANDLES = [thing for thing, value in THINGS.items() if isinstance(value, mg.Tensor)]
MEANT = {(handle, attempt) for handle in HANDLES for attempt in COMPUTED}
MEANT |= {("several results", attempt) for attempt in ITERATED}
NAMED = (*ITERATED, "in", "in of a number", "max", "len", "reversed")
MEANT |= {("a graph", attempt) for attempt in NAMED}  # it holds the names of inputs and nodes


def test_unpacking_raises_at_once() -> None:
    accepted = []
    for pair in {*itertools.product(THINGS, TRIES)} - MEANT:
        thing, attempt = pair
        with suppress(TypeError, ValueError, RuntimeError):
            TRIES[attempt](THINGS[thing])
            accepted.append(pair)
    assert not accepted


UNPACKED = {
    "a layer": r"Linear\(...\) is a layer .*: call it on a handle first, Linear\(...\)\(x\)",
    "one of each": "call it on a handle first",
    "a block call": r"call it on a handle first, blk\(...\)\(x\)",
    "a Sequential": "call it on a handle first",
    "a handle": r"layers.Chunk, layers.Split or layers.Select",
    "a port": r"layers.Chunk, layers.Split or layers.Select",
    "several results of a Sequential": r'or a port: handle\["output"\]',
}


def test_the_error_of_unpacking_says_what_to_write() -> None:
    for thing, told in UNPACKED.items():
        with pytest.raises(TypeError, match=told):
            list(THINGS[thing])


def test_a_handle_with_several_results_and_no_default_is_unpacked() -> None:
    a, b = two()(x)
    assert (a.port, b.port) == ("a", "b")
    assert [part.port for part in layers.Chunk(2, dim=1)(x)] == ["0", "1"]


def test_handles_are_equal_if_they_name_the_same_result() -> None:
    assert lstm["last"] == lstm["last"] != lstm["hidden"]
    assert lstm["last"] in [x, lstm["last"]]
    assert len({x, lstm["last"], lstm["last"]}) == 2
    assert x != "x"
    for number in (0, 0.5, numpy.zeros(3), torch.zeros(3)):
        with pytest.raises(TypeError, match=r"merges\.formula"):
            assert x == number


def test_a_copied_handle_is_the_same_and_a_copied_layer_is_another() -> None:
    assert copy.deepcopy([x]) == [copy.copy(x)] == [x]
    once = layers.Linear(4)
    graph = mg.Graph(copy.deepcopy(once)(copy.copy(once)(once(x))))
    assert graph.dumps().count("layer: Linear") == 2
    assert graph.dumps().count("share:") == 1


def test_a_layer_and_a_graph_are_true_and_a_handle_is_neither_true_nor_false() -> None:
    for thing, value in THINGS.items():
        if isinstance(value, mg.Tensor):
            with pytest.raises(TypeError, match="has no values yet"):
                bool(value)
        else:
            assert value, thing
