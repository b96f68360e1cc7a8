"""Checks registered classes: options, sources, results and shapes, compared with torch."""

from __future__ import annotations

import copy
import io
import itertools
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.cli import main
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.diagnostics.render import render_text
from mimgraph.ir.dim import substitute
from mimgraph.ops import registry
from mimgraph.runtime.runner import seeded_inputs
from tests.emit.test_golden import RUFF
from tests.helpers.cases import check_texts, each
from tests.helpers.marked import faults, locations, split
from tests.helpers.running import by_name

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove the layers that a test registers."""
    monkeypatch.setitem(registry._OPS, "layer", dict(registry.ops("layer")))
    yield


class Gate(nn.Module):
    """Scales by a learned gate."""

    def __init__(self, width: int, hidden: int = 4, kind: Literal["soft", "hard"] = "soft") -> None:
        super().__init__()
        if hidden % 2:
            raise ValueError(f"hidden must be even, not {hidden}")
        self.net = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.register_buffer("scale", torch.ones(3))
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        return x * self.net(x).sigmoid()


class Cross(nn.Module):
    """Attends to a context."""

    def __init__(self, *, heads: int, width: int = 8) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(
        self,
        query: Tensor,
        context: Tensor | None = None,
        bias: Tensor | None = None,
        *,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        context = query if context is None else context
        context = context if bias is None else context + bias
        result: tuple[Tensor, Tensor] = self.attention(query, context, context, mask)
        return result


class Moments(NamedTuple):
    mean: Tensor
    spread: Tensor


class Statistics(nn.Module):
    def forward(self, x: Tensor) -> Moments:
        return Moments(x.mean(1), x.std(1))


class Heads(nn.Module):
    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Linear(8, size) for name, size in sizes.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {name: head(x) for name, head in self.heads.items()}


class Total(nn.Module):
    def forward(self, *tensors: Tensor) -> Tensor:
        return torch.stack(tensors).sum(0)


class Perceptron(nn.Module):
    def __init__(self, hidden: list[int], act=nn.ReLU, kernel=(3, 3)) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        widths = [8] + hidden
        self.net = nn.Sequential(
            *(nn.Sequential(nn.Linear(a, b), act()) for a, b in itertools.pairwise(widths))
        )
        self.kernel = kernel + (1,)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.net(x)
        return result


class Span(NamedTuple):
    low: float
    high: float


UNIT = Span(-1.0, 1.0)


class Clipped(nn.Module):
    def __init__(self, span: Span = UNIT) -> None:
        super().__init__()
        self.span = span

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(self.span.low, self.span.high)


class Wide(Gate):
    def __init__(self, *args: Any, times: int = 2, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.times = times


def graph(nodes: str, inputs: str = "x: [8]", outputs: str = "y") -> mg.Graph:
    return mg.loads(f"inputs: {{{inputs}}}\nnodes:\n  {nodes}\noutputs: {outputs}\n")


def check_run(made: mg.Graph) -> dict[str, Tensor]:
    """Run the compiled graph, and check the shape and dtype of every output."""
    sizes = choose_sizes(made.typed, {})
    result = made.compile().eval()(**seeded_inputs(made.typed, 3, 0, sizes))
    outputs = by_name(result, made)
    for name, type_ in made.outputs.items():
        wanted = tuple(substitute(size, {**sizes, "N": 3}) for size in type_.shape)
        assert tuple(outputs[name].shape) == wanted
        assert str(outputs[name].dtype) == f"torch.{type_.dtype}"
    return outputs


# registering and calling


def test_a_registered_class_is_a_layer_in_specs_and_in_python() -> None:
    gate = mg.register(Gate)
    x = mg.Input("x", (8,))
    by_result = mg.Graph(gate(8, hidden=2)(x, name="y"))
    by_name = mg.Graph(layers.Gate(8, hidden=2)(x, name="y"))
    assert by_result == by_name == graph("y: {layer: Gate, from: x, width: 8, hidden: 2}")


def test_a_decorator_leaves_the_class_as_it_is() -> None:
    @mg.register
    class Plain(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + 1

    @mg.register(name="Fancy")
    class Other(Plain):
        pass

    assert isinstance(Other(), Plain)
    x = mg.Input("x", (8,))
    assert layers.Plain()(layers.Fancy()(x)).dims == (8,)


def test_a_class_without_a_docstring_is_described_by_its_module() -> None:
    mg.register(type("Plain", (nn.ReLU,), {"__module__": "my_pkg.layers"}))
    op = registry.find("layer", "Plain")
    assert op is not None and op.summary == "A class of `my_pkg.layers`."


def test_a_class_from_an_expression_can_be_registered() -> None:
    def make() -> type[nn.Module]:
        class Made(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return x + 1

        return Made

    by_result = mg.register(make())
    by_keyword = mg.register(make(), name="Made")
    (listed,) = [mg.register(cls) for cls in (make(),)]
    for layer in (by_result, by_keyword, listed):
        assert layer()(mg.Input("x", (8,))).dims == (8,)


def test_a_decorator_among_others_leaves_the_class_as_it_is() -> None:
    @mg.register
    @mg.register(name="Other")
    @mg.register
    class Several(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + 1

    assert isinstance(Several(), nn.Module)
    source = "@mg.register\nclass Unsourced(Several):\n    pass\n"
    names: dict[str, Any] = {"mg": mg, "Several": Several, "__name__": __name__}
    for _ in range(2):  # as when a notebook cell runs again
        exec(source, names)  # noqa: S102 - a class whose source no file has
        assert issubclass(names["Unsourced"], Several)


def test_a_class_that_is_not_registered_is_no_layer() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Gate'"):
        layers.Gate  # noqa: B018 - it is the access that fails


def test_a_graph_with_a_registered_layer_is_dumped_and_loaded() -> None:
    mg.register(Perceptron)
    x = mg.Input("x", (8,))
    made = mg.Graph(layers.Perceptron([16, 4], activation="Tanh")(x, name="y"))
    assert mg.loads(made.dumps()) == made
    assert mg.loads(made.dumps()) != mg.loads(made.dumps().replace("16", "32"))


def test_giving_a_default_makes_no_difference() -> None:
    mg.register(Gate)
    given = graph("y: {layer: Gate, from: x, width: 8, hidden: 4, kind: soft}")
    assert given == graph("y: {layer: Gate, from: x, width: 8}")
    assert "self.y = Gate(8)" in given.source()


class Taken(nn.ReLU):
    def __init__(self, take: int = 1) -> None:
        super().__init__()


class Star(nn.ReLU):
    def __init__(self, *sizes: int) -> None:
        super().__init__()


REFUSED: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (Gate, {"name": "Linear"}, ValueError, "is a layer"),
    (Gate, {"name": "my gate"}, ValueError, "cannot name a layer"),
    (Gate, {"name": "Cross"}, ValueError, "registered already"),
    (Gate, {"dtype": "float33"}, ValueError, "no dtype"),
    (Gate(8), {}, TypeError, "not a class of modules"),
    (Moments, {}, TypeError, "not a class of modules"),
    (nn.Module, {"name": "Empty"}, TypeError, "no forward"),
    (Taken, {}, ValueError, "an option 'take'"),
    (Star, {}, TypeError, r"Star takes \*sizes, .* make it a list"),
    (
        nn.ReLU,
        {"name": "half", "kind": "merge"},
        TypeError,
        "half takes one tensor: register it as",
    ),
    (Cross, {"name": "concat", "kind": "merge"}, ValueError, "concat is a merge of mimgraph"),
    (Cross, {"kind": "block"}, TypeError, 'kind is "layer" or "merge", not .block.'),
]


@each("thing, given, error, message", REFUSED)
def test_refuses_to_register(
    thing: Any, given: dict[str, Any], error: type[Exception], message: str
) -> None:
    mg.register(Cross)
    with pytest.raises(error, match=message):
        mg.register(thing, **given)


def test_a_class_defined_again_replaces_the_old_one() -> None:
    def define(offset: int) -> type[nn.Module]:
        class Shift(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return x * 0 + offset

        return Shift

    for offset in (1, 2):
        mg.register(define(offset))
        model = graph("y: {layer: Shift, from: x}").compile()
        assert model(x=torch.zeros(1, 8)).unique().tolist() == [offset]


# options, sources and results


def test_calls_in_the_source(rewrite: bool) -> None:
    """The models of these specs run, and have the shapes that are inferred."""
    for cls in (Gate, Cross, Statistics, Heads, Total, Perceptron, Clipped, Wide):
        mg.register(cls)

    def shown(text: str) -> str:
        made = mg.loads(text)
        check_run(made)
        code = re.findall(r"^    +(.*self\.\w+(?: = |[.(]).*)", made.source(), re.MULTILINE)
        types = (f"{name}: {type_} {type_.dtype}" for name, type_ in made.outputs.items())
        return "".join(f"{line}\n" for line in (*code, *types))

    check_texts(HERE / "registered.md", shown, rewrite)


# shapes


class Patches(nn.Module):
    """Images as rows of patches."""

    def __init__(self, size: int = 16) -> None:
        super().__init__()
        self.project = nn.Conv2d(3, 8, size, stride=size)

    def forward(self, image: Tensor) -> Tensor:
        assert image.shape[2] % self.project.stride[0] == 0, "whole patches"
        return self.project(image).flatten(2).transpose(1, 2)


class Positions(nn.Module):
    """Adds learned positions, of which there are few."""

    def __init__(self, longest: int = 20) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(longest, 8))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table[: x.shape[1]]


class Shrunk(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(*(nn.Conv1d(8, 8, 3, stride=2) for _ in range(2)))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.transpose(1, 2)).transpose(1, 2)


class Joined(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.cat((a, b), 1).flatten(1)


class Best(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.argmax(1)


class Table(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(4, 8))

    def forward(self, x: Tensor) -> Tensor:
        return self.table * 2


class Steps(nn.Module):
    """One step after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.RNNCell(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        states = [torch.zeros(x.shape[0], 4)]
        for step in range(x.shape[1]):
            states.append(self.cell(x[:, step], states[-1]))
        return torch.stack(states, 1)


class Lazy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LazyLinear(6)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


SHAPES = {
    "patches": (Patches, {"image": (3, "H", 32)}, "(N, H//8, 8)"),
    "a bounded length": (Positions, {"x": ("T", 8)}, "(N, T, 8)"),
    "strides": (Shrunk, {"x": ("T", 8)}, "(N, (T - 3)//4, 8)"),
    "a loop over the length": (Steps, {"x": ("T", 8)}, "(N, T + 1, 4)"),
    "two lengths": (Joined, {"a": ("T", 8), "b": ("S", 8)}, "(N, 8*S + 8*T)"),
    "one length": (Joined, {"a": ("T", 8), "b": ("T", 8)}, "(N, 16*T)"),
    "whole numbers": (Best, {"x": ("T", 8)}, "(N, 8)"),
    "no batch": (Table, {"x": (8,)}, "(4, 8)"),
    "a lazy module": (Lazy, {"x": (8,)}, "(N, 6)"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_shape_of_the_result(case: str) -> None:
    cls, inputs, shape = SHAPES[case]
    sources = [mg.Input(name, dims) for name, dims in inputs.items()]
    result = mg.register(cls)()(*sources, name="y")
    assert str(result.shape) == shape
    if cls is Patches:  # it takes only whole patches
        model = mg.Graph(result).compile()
        assert model(image=torch.zeros(2, 3, 48, 32)).shape == (2, 6, 8)
    else:
        check_run(mg.Graph(result))


class Recurrent(nn.Module):
    """A loop over the length that one call of torch runs."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(8, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.rnn(x)[0]
        lengths.append(x.shape[1])
        return result


lengths: list[int] = []


def test_a_recurrent_module_is_run_at_short_lengths() -> None:
    """On the meta device, torch runs a GRU step by step: thousands of steps take a minute."""
    lengths.clear()
    result = mg.register(Recurrent)()(mg.Input("x", ("T", 8)), name="y")
    assert str(result.shape) == "(N, T, 4)"
    assert 41 in lengths and max(lengths) < 100


def test_weights_are_counted() -> None:
    mg.register(Gate), mg.register(Lazy)
    made = graph("a: {layer: Gate, from: x, width: 8}\n  y: {layer: Lazy, from: a}")
    model = made.compile()
    model(x=torch.zeros(1, 8))
    assert made.summary().params == sum(p.numel() for p in model.parameters())
    assert made.summary().buffers == 3


def test_probing_draws_no_random_numbers() -> None:
    mg.register(Gate)
    torch.manual_seed(0)
    made = graph("y: {layer: Gate, from: x, width: 8}")
    drawn = made.compile().y.net[0].weight
    torch.manual_seed(0)
    assert torch.equal(drawn, Gate(8).net[0].weight)


class Unshaped(nn.Module):
    """A module whose shapes depend on data."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.rates = [rate.item() for rate in torch.linspace(0, 1, width)]

    def forward(self, x: Tensor, y: Tensor | None = None) -> Any:
        kept = x[:, : int(x.abs().max().clamp(2, 2).item())]
        return kept if y is None else (kept, y.argmax(1))


def test_a_shape_rule_gives_the_shape() -> None:
    mg.register(Unshaped, shape=lambda x: (2, *x[1:]))
    check_run(graph("y: {layer: Unshaped, from: x}", "x: [5, 8]"))


def test_a_shape_rule_gets_the_options_and_may_give_several_shapes() -> None:
    def shapes(x: Any, *, width: int) -> Any:
        return (*x[:-1], width), x

    class Both(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.layer = nn.Linear(8, width)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return self.layer(x), x

    mg.register(Both, shape=shapes)
    made = graph("y: {layer: Both, from: x, width: 3}", "x: [T, 8]", "{a: y.0, b: y.1}")
    assert str(made.shapes["y.0"]) == "(N, T, 3)"
    assert made.summary().params == 27
    check_run(made)


def test_a_registration_may_give_the_dtype() -> None:
    mg.register(Best, shape=lambda x: x[1:], dtype="int64")
    check_run(graph("y: {layer: Best, from: x}", "x: [T, 8]"))


# multiply-accumulates


class Scores(nn.Module):
    """Every step against every other, and a wider copy."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(8, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x @ x.transpose(1, 2) @ x)


def test_macs_are_given_by_a_function_of_shapes_and_options() -> None:
    def macs(x: Any, width: int) -> Any:
        steps, size = x
        return 2 * steps * steps * size + steps * size * width

    mg.register(Scores, macs=macs)
    made = graph("y: {layer: Scores, from: x, width: 3}", "x: [T, 8]")
    model, x = made.compile(), torch.randn(2, 5, 8)
    with FlopCounterMode(display=False) as counter:
        model(x=x)
    assert made.summary(batch=2, sizes={"T": 5}).macs == counter.get_total_flops() // 2
    assert made.summary().macs == "16*T**2 + 24*T"


def test_macs_are_unknown_without_a_function() -> None:
    mg.register(Scores)
    made = graph(
        "{y: {layer: Scores, from: x, width: 3}, z: {layer: Linear, from: y, out_features: 2}}",
        "x: [T, 8]",
        "z",
    )
    summary = made.summary()
    assert summary.macs is None
    assert [row["macs"] for row in summary.data()] == [0, None, "6*T"]
    assert " 6·T + ? MACs, " in str(summary)
    assert (
        "\n?: the MACs of Scores are not known; mg.register(Scores, macs=...) sets them\n"
        in str(summary)
    )


def test_a_diff_shows_the_macs_that_are_known() -> None:
    mg.register(Scores)
    nodes = "{y: {layer: Scores, from: x, width: 3}, z: {layer: Linear, from: y, out_features: 2}}"
    changed = nodes.replace("out_features: 2", "out_features: 3")
    old, new = (graph(text, "x: [T, 8]", "z") for text in (nodes, changed))
    data = mg.diff(old, new).data()
    assert data["macs"] == {"old": "6*T", "new": "9*T"}
    assert data["uncounted"] == ["Scores"]
    told = "\nMACs per sample: 6·T → 9·T (+3·T), without Scores, whose MACs are not known"
    assert told in str(mg.diff(old, new))


# faults


class Odd(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, : (x.shape[1] // 2) * 2 - 1]


class SequenceFirst(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(0, 1)


class Nested(nn.Module):
    def forward(self, x: Tensor) -> Any:
        return x, (x, x)


class Chosen(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[x > 0]


class Spaced(nn.Module):
    def forward(self, x: Tensor) -> Any:
        return {"no name": x}


def test_faults(rewrite: bool) -> None:
    def only_sequences(x: Any) -> Any:
        if len(x) != 2:
            raise ValueError("sequences only")
        return x

    def shown(text: str) -> str:
        return f"{render_text(faults(text))}\n"

    for cls in (Gate, Cross, Statistics, Total, Odd, SequenceFirst, Nested, Spaced, Chosen):
        mg.register(cls)
    mg.register(Total, name="Sequences", shape=only_sequences)
    mg.register(Total, name="Strange", shape=lambda x: "NTD")
    mg.register(Scores, name="Uncounted", macs=lambda x: "many")
    mg.register(Scores, name="Miscounted", macs=lambda x: x[7])
    check_texts(HERE / "refused_classes.md", shown, rewrite)


SIZES = "with N = 37, T = 41"
REFUSED_BY_TORCH = [
    ("⟦bad-option⟧y: {layer: Perceptron, from: t, hidden: [0.5]}", "cannot be made", ""),
    ("y: {layer: Gate, from: ⟦shape-mismatch⟧t, width: 9}", "Gate refuses (N, T, 8)", SIZES),
    ("⟦shape-mismatch⟧y: {layer: Total, from: [x, t]}", "(N, 8) and (N, T, 8)", SIZES),
    ("y: {layer: Gate, from: ⟦dtype-mismatch⟧i, width: 8}", "Gate refuses (N, 8)", ""),
    ("y: {layer: Statistics, from: ⟦dtype-mismatch⟧i}", "Statistics refuses (N, 8)", ""),
]


@each("node, message, help", REFUSED_BY_TORCH)
def test_faults_that_quote_torch(node: str, message: str, help: str) -> None:
    for cls in (Gate, Statistics, Total, Perceptron):
        mg.register(cls)
    inputs = "inputs: {x: [8], t: [T, 8], i: {shape: [8], dtype: int64}}"
    text, expected = split(f"{inputs}\nnodes:\n  {node}\noutputs: {{y: y, x: x, t: t, i: i}}\n")
    (found,) = faults(text)
    assert [f"{found.code} {found.span.line}:{found.span.column}"] == expected
    assert message in found.message and help in found.help and found.note


def test_a_call_in_python_raises_at_its_line() -> None:
    gate, x = mg.register(Gate), mg.Input("x", (8,))
    with pytest.raises(mg.SpecError) as raised:
        gate(9)(x)
    (found,) = raised.value.diagnostics
    assert found.code == "shape-mismatch" and found.span.file.name == __file__


# a spec can import nothing

PACKAGE = """\
import mimgraph as mg
import torch
from torch import nn


@mg.register
class Scale(nn.Module):
    \"\"\"Scales every element.\"\"\"

    def __init__(self, factor: float = 2.0) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


@mg.register(name="Noise")
class gaussian(nn.Module):
    def forward(self, x):
        return x + torch.zeros_like(x)


class Plain(nn.Module):
    def forward(self, x):
        return x


class Parts:
    class Inner(Plain):
        pass


MLP = type("MLP", (Plain,), {"__module__": __name__})
for layer in (Parts.Inner, MLP):
    mg.register(layer)
"""
SPEC = """\
inputs: {x: [4]}
nodes:
  y: {from: x, seq: [{Scale: 3}, Noise, Inner, MLP]}
outputs: y
"""


@pytest.fixture
def package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Path]:
    """Make a working directory with a package of layers and a spec that uses them."""
    (tmp_path / "my_pkg").mkdir()
    (tmp_path / "my_pkg" / "__init__.py").touch()
    (tmp_path / "my_pkg" / "layers.py").write_text(PACKAGE)
    (tmp_path / "spec.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("my_pkg", "my_pkg.layers"):
        sys.modules.pop(name, None)


SPELLINGS = ("Scale", "my_pkg.layers.Scale", "my_pkg.layers", "my_pkg.layers:Scale", "os.system")


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("node", ["{{layer: {}, from: x}}", "{{from: x, seq: ['{}']}}"])
def test_a_spec_alone_can_import_nothing(package: Path, name: str, node: str) -> None:
    sys.path.insert(0, str(package))
    before = set(sys.modules)
    text = f"inputs: {{x: [4]}}\nnodes:\n  y: {node.format(name)}\noutputs: y\n"
    assert [fault.split()[0] for fault in locations(text)] == ["unknown-layer"]
    # the first mistake of its kind imports ours
    new = [one for one in set(sys.modules) - before if one.partition(".")[0] != "mimgraph"]
    assert new == []


@pytest.mark.parametrize("key", ["import", "imports", "register", "plugins", "modules"])
def test_no_key_of_a_spec_imports(package: Path, key: str) -> None:
    sys.path.insert(0, str(package))
    text = f"{key}: [my_pkg.layers]\n{SPEC}"
    assert locations(text)[0] == "unknown-key 1:1"
    assert "my_pkg" not in sys.modules


COMMANDS = {
    "check": ["check", "spec.yaml"],
    "summary": ["summary", "spec.yaml"],
    "draw": ["draw", "spec.yaml", "-o", "model.svg"],
    "emit": ["emit", "spec.yaml", "-o", "model.py"],
    "run": ["run", "spec.yaml"],
    "layers": ["layers", "Noise"],
}


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line_imports(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, *rest = COMMANDS[command]
    assert main([name, *rest]) != 0
    assert main([name, "--import", "my_pkg.layers", *rest]) == 0


@pytest.mark.usefixtures("package")
def test_registered_layers_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "--import", "my_pkg.layers"]) == 0
    listed = capsys.readouterr().out
    assert "\nRegistered\n  " in listed and "Scales every element." in listed
    assert main(["layers", "Scale"]) == 0
    assert "factor  2.0  a number" in capsys.readouterr().out


def test_a_failed_import_is_reported_without_a_traceback(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (package / "broken.py").write_text("1 / 0\n")
    help = "\n  help: run this in the folder of {}, or add that folder to PYTHONPATH"
    for name, text in {
        "nowhere": "No module named 'nowhere'" + help.format("nowhere"),
        "my_pkg.nothing": "No module named 'my_pkg.nothing'" + help.format("my_pkg"),
        "broken": "ZeroDivisionError: division by zero",
    }.items():
        assert main(["check", "--import", "my_pkg.layers", "--import", name, "spec.yaml"]) == 2
        assert capsys.readouterr().err == f"error: cannot import {name}: {text}\n"


# the emitted file


@pytest.mark.slow
def test_the_emitted_file_imports_the_class(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["emit", "--import", "my_pkg.layers", "spec.yaml", "-o", "model.py"]) == 0
    source = Path("model.py").read_text()
    assert source.startswith(
        "from torch import Tensor, nn\n\nfrom my_pkg.layers import MLP, Parts, Scale, gaussian\n"
    )
    ruff = [RUFF, "check", "--isolated", "--no-cache", "--line-length", "100"]
    for options in (["--extend-select", "I"], []):
        subprocess.run([*ruff, *options, "model.py"], check=True)
    subprocess.run(
        [RUFF, "format", "--isolated", "--line-length", "100", "--check", "model.py"], check=True
    )
    script = "import torch, model; print(model.Model()(x=torch.ones(1, 4)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "tensor([[3., 3., 3., 3.]])\n"


def test_imported_classes_shadow_no_names() -> None:
    mg.register(Gate)
    text = """\
name: Gate
inputs: {x: [8]}
blocks:
  gate: {params: {Gate2: 4}, seq: [{Gate: {width: 8, hidden: $Gate2}}]}
nodes:
  a: {block: gate, from: x, Gate2: 2}
  y: {block: gate, from: a}
outputs: y
"""
    made = mg.loads(text)
    assert f"from {__name__} import Gate as " in made.source()
    check_run(made)


def test_uses_of_a_block_become_arguments_of_one_class() -> None:
    mg.register(Gate), mg.register(Perceptron)
    text = """\
inputs: {x: [8]}
blocks:
  pair:
    params: {hidden: 4, widths: [8, 8]}
    seq: [{Gate: {width: 8, hidden: $hidden}}, {Perceptron: {hidden: $widths}}]
nodes:
  a: {block: pair, from: x, hidden: 6}
  b: {block: pair, from: a, widths: [6, 8]}
  y: {block: pair, from: b, widths: [4, 8], repeat: 2}
outputs: y
"""
    made = mg.loads(text)
    lifted = "super().__init__(Gate(8, hidden=hidden), Perceptron([hidden_2, 8]))"
    assert lifted in made.source() and "self.a = Pair(8, hidden=6)" in made.source()
    check_run(made)


# compiled models


def local() -> type[nn.Module]:
    class Local(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + 1

    return Local


def test_a_class_defined_in_a_function_is_compiled() -> None:
    mg.register(local())
    made = graph("y: {from: x, seq: [Local, {Local: {activation: ReLU}}]}")
    assert f"from {__name__} import Local" in made.source()
    model = copy.deepcopy(made.compile())
    assert model(x=torch.ones(1, 8)).unique().tolist() == [3]


@pytest.mark.slow
def test_a_model_is_saved_and_loaded(tmp_path: Path) -> None:
    mg.register(Gate)
    model = graph("y: {layer: Gate, from: x, width: 8}").compile()
    buffer = io.BytesIO()
    torch.save(model, buffer)
    (tmp_path / "model.pt").write_bytes(buffer.getvalue())
    script = (
        "import torch\n"
        "model = torch.load('model.pt', weights_only=False)\n"
        "print(model(x=torch.arange(8.0)[None]).sum().item())\n"
    )
    root = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{script}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(model(x=torch.arange(8.0)[None]).sum().item())


@pytest.mark.parametrize("size", [2, 3, 4, 8, 11, 37, 211])
def test_the_batch_is_not_mistaken_for_a_known_size(size: int) -> None:
    class Joined(nn.Module):
        def forward(self, x: Tensor, other: Tensor) -> Tensor:
            return x + other

    mg.register(Joined)
    with pytest.raises(mg.SpecError, match=rf"Joined refuses \(N, {size}, 5\) and \(N, 5\)"):
        mg.loads(
            f"{{inputs: {{x: [{size}, 5], y: [5]}},"
            " nodes: {z: {layer: Joined, from: [x, y]}}, outputs: z}"
        )


class Blend(nn.Module):
    """Weigh two tensors."""

    def __init__(self, start: float = 0.5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(start))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.weight * a + (1 - self.weight) * b


def test_a_class_is_registered_as_a_merge() -> None:
    blend = mg.register(Blend, name="blend", kind="merge")
    a, b = mg.Input("a", (4,)), mg.Input("b", (4,))
    graph = mg.Graph(merges.blend(a, b, start=0.2, activation="ReLU", name="m"))
    text = "inputs: {a: [4], b: [4]}\nnodes:\n  m: {merge: blend, from: {b: b, a: a}, start: 0.2, activation: ReLU}\noutputs: m\n"
    assert mg.loads(text) == graph
    assert mg.Graph(blend(start=0.2, activation="ReLU")(a, b, name="m")) == graph
    assert "F.relu(self.m(a, b))" in graph.source()
    assert pickle.loads(pickle.dumps(graph)) == graph
    model = pickle.loads(pickle.dumps(graph.compile()))
    assert list(model.state_dict()) == ["m.weight"]
