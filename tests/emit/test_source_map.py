"""Each node is mapped to the emitted lines that make, run and define it, as the file and torch have it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.emit.source_map import excerpts
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.io_boxes import input_groups
from mimgraph.picture.diagram.model import Cluster, Item
from mimgraph.runtime.runner import seeded_inputs
from mimgraph.source import Excerpt


def ids(items: tuple[Item, ...]) -> Iterator[str]:
    for item in items:
        yield item.id
        if isinstance(item, Cluster):
            yield from ids(item.items)


def drawn(graph: mg.Graph) -> set[str]:
    """Return the ids in a picture, with the columns of tables in place of the tables."""
    tables = input_groups(graph.typed.body)
    columns = {column for columns in tables.values() for column in columns}
    return set(ids(diagram(graph.typed).items)) - tables.keys() | columns


def forward_statements(text: str) -> Iterator[ast.stmt]:
    """Yield the statements of every forward, except `del` and `if`."""
    for definition in ast.parse(text).body:
        for method in getattr(definition, "body", ()):
            if getattr(method, "name", "") == "forward":
                kinds = ast.Assign | ast.For | ast.Return
                yield from (node for node in ast.walk(method) if isinstance(node, kinds))


# --- the gallery ------------------------------------------------------------------------------


@cache
def example(spec: Path) -> tuple[mg.Graph, Mapping[str, tuple[Excerpt, ...]]]:
    graph = mg.load(spec)
    return graph, excerpts(graph.typed)


def test_every_drawn_item_has_lines(spec: Path) -> None:
    graph, found = example(spec)
    assert [id_ for id_ in drawn(graph) if not found.get(id_)] == []


def test_excerpts_are_text_of_the_file(spec: Path) -> None:
    graph, found = example(spec)
    lines = graph.source().split("\n")
    for excerpt in {excerpt for excerpts_ in found.values() for excerpt in excerpts_}:
        there = textwrap.dedent("\n".join(lines[excerpt.first_line - 1 : excerpt.last_line]))
        assert excerpt.text in there
        assert excerpt.text.count("\n") == there.count("\n")


def test_every_statement_of_a_forward_belongs_to_an_item(spec: Path) -> None:
    graph, found = example(spec)
    every = {excerpt for excerpts_ in found.values() for excerpt in excerpts_}
    told = {line for e in every for line in range(e.first_line, e.last_line + 1)}
    lines = graph.source().split("\n")
    statements = forward_statements(graph.source())
    assert [lines[s.lineno - 1] for s in statements if s.lineno not in told] == []


def test_the_code_that_makes_a_module_names_its_attribute_and_class(spec: Path) -> None:
    graph, found = example(spec)
    with torch.device("meta"):
        modules = dict(graph.compile().named_modules())
    for id_ in drawn(graph) & modules.keys():
        (making,) = (e.text for e in found[id_] if e.place.endswith(".__init__"))
        key = id_.rpartition(".")[2]
        assert key.isdecimal() or making.startswith(f"self.{key} = ")
        assert type(modules[id_]).__name__ in making
        ast.parse(f"({making})" if key.isdecimal() and "self." not in making else making)


# --- what runs --------------------------------------------------------------------------------

RUN = """\
inputs: {image: [3, 8, 8], words: {shape: [T], vocab: 9}, city: {vocab: 5}, job: {vocab: 6}, g: [4]}
blocks:
  chain: {params: {width: 4}, seq: [{Conv2d: {out_channels: $width, kernel_size: 1}}, ReLU]}
  gated:
    inputs: {x: [D], g: [D]}
    nodes:
      fc: {layer: Linear, from: x, out_features: $D}
      tail: {from: fc, seq: [Linear: $D, Tanh]}
      sum: {merge: add, from: [tail, g]}
    outputs: sum
nodes:
  stem: {block: chain, from: image}
  stages: {block: chain, from: stem, repeat: {with: {width: [5, 6, 7]}}}
  vec: {from: stages, seq: [{chain: {repeat: 2}}, Flatten, Linear: 4]}
  emb: {layer: Embedding, each: [city, job], embedding_dim: 4}
  tokens: {layer: Embedding, from: words, embedding_dim: 4, freeze: true}
  lstm: {layer: LSTM, from: tokens, hidden_size: 4}
  read: {from: tokens, seq: [GRU: {hidden_size: 4, take: last}, Linear: 4]}
  mixed: {merge: gated, from: [lstm.last, read], out_features: 4}
  looped: {block: gated, from: [vec, g], repeat: 2}
  same: {block: gated, from: [looped, g], repeat: {times: 2, shared: true}}
  all: {merge: add, from: [same, mixed, emb.city, emb.job]}
  score: {layer: Linear, from: all, out_features: 1}
  aux: {layer: Linear, from: mixed, out_features: 2}
outputs: {score: score, aux: {from: aux, only: training}}
"""


def test_a_module_is_called_from_the_lines_that_run_it() -> None:
    graph = mg.loads(RUN)
    found, model = excerpts(graph.typed), graph.compile()
    file = inspect.getsourcefile(type(model))
    called: set[str] = set()

    def watch(id_: str, module: nn.Module) -> None:
        def check(*_: Any) -> None:
            frame = inspect.currentframe()
            while frame and (frame.f_code.co_filename, frame.f_code.co_name) != (file, "forward"):
                frame = frame.f_back
            assert frame is not None
            ran = [e for e in found[id_] if e.place == frame.f_code.co_qualname]
            assert any(e.first_line <= frame.f_lineno <= e.last_line for e in ran), id_
            called.add(id_)

        module.register_forward_pre_hook(check)

    for id_ in drawn(graph) & dict(model.named_modules()).keys():
        watch(id_, model.get_submodule(id_))
    model(**seeded_inputs(graph.typed, 2, 0, choose_sizes(graph.typed, {})))
    assert called >= {"stem.1", "vec.0.0.0", "lstm", "mixed", "looped.0.tail.1", "same.fc", "aux"}


# --- cases ------------------------------------------------------------------------------------


class Case(NamedTuple):
    """The nodes of a spec, an id, and the first line of each of its excerpts."""

    nodes: str
    id: str
    told: list[str]
    inputs: str = "x: [6]"
    outputs: str = "{out: out}"
    blocks: str = ""


FC = "out: {layer: Linear, from: x, out_features: 2}"
XY = "x: [6], y: [6]"
GATED = "gated: {inputs: [a, b], nodes: {sum: {merge: add, from: [a, b]}}, outputs: sum}"

CASES = {
    "a layer": Case(
        FC,
        "out",
        ["Model.__init__ 9: self.out = nn.Linear(6, 2)", "Model.forward 12: return self.out(x)"],
    ),
    "an input": Case(FC, "x", ["Model.forward 11: def forward(self, *, x: Tensor) -> Tensor:"]),
    "an output": Case(FC, "output out", ["Model.forward 12: return self.out(x)"]),
    "an output in training alone": Case(
        "a: {layer: ReLU, from: x}, b: {layer: Tanh, from: x}",
        "output b",
        ['Model.forward 16: return {"a": a, "b": b}'],
        outputs="{a: a, b: {from: b, only: training}}",
    ),
    "a merge without a module": Case(
        "sum: {merge: add, from: [x, y]}, out: {layer: ReLU, from: sum}",
        "sum",
        ["Model.forward 12: sum = x + y  # (N, 6)"],
        inputs=XY,
    ),
    "an item of a chain on one line": Case(
        "out: {from: x, seq: [Linear: 2, ReLU]}",
        "out.1",
        ["Model.__init__ 9: nn.ReLU()", "Model.forward 12: return self.out(x)"],
    ),
    "an item with a class of its own": Case(
        "out: {from: x, seq: [Unsqueeze: 1]}",
        "out.0",
        [
            "Model.__init__ 14: Unsqueeze()",
            "Model.forward 17: return self.out(x)",
            "Unsqueeze 4-6: class Unsqueeze(nn.Module): ...",
        ],
    ),
    "a block": Case(
        "out: {block: gated, from: [x, y]}",
        "out",
        [
            "Model.__init__ 14: self.out = Gated()",
            "Model.forward 17: return self.out(x, y)",
            "Gated 4-6: class Gated(nn.Module): ...",
        ],
        inputs=XY,
        blocks=GATED,
    ),
    "a node in a block": Case(
        "out: {block: gated, from: [x, y]}",
        "out.sum",
        ["Gated.forward 6: return a + b"],
        inputs=XY,
        blocks=GATED,
    ),
    "a loop with what starts it": Case(
        "out: {block: gated, from: [x, y], repeat: 2}",
        "out",
        [
            "Model.__init__ 14: self.out = nn.ModuleList([Gated() for _ in range(2)])",
            "Model.forward 17-19: out = x ...",
            "Gated 4-6: class Gated(nn.Module): ...",
        ],
        inputs=XY,
        blocks=GATED,
    ),
    "one of several runs of repeats": Case(
        "out: {block: fc, from: x, repeat: {with: {width: [6, 6, 3]}}}",
        "out.2",
        [
            "Model.__init__ 14: Fc(width=3)",
            "Model.forward 17: return self.out(x)",
            "Fc 4-6: class Fc(nn.Sequential): ...",
        ],
        blocks="fc: {params: {width: 6}, seq: [Linear: $width]}",
    ),
    "no repeats, where their source is read": Case(
        "none: {block: fc, from: x, repeat: 0}, out: {layer: Tanh, from: none}",
        "none",
        ["Model.forward 12: return self.out(x)"],
        blocks="fc: {seq: [Linear: 6]}",
    ),
    "a share": Case(
        "a: {layer: Linear, from: x, out_features: 2}, b: {share: a, from: y},"
        " out: {merge: add, from: [a, b]}",
        "b",
        [
            "Model.__init__ 9: self.a = nn.Linear(6, 2)",
            "Model.forward 13: b = self.a(y)  # (N, 2)",
        ],
        inputs=XY,
    ),
    "a parameter, where it is read": Case(
        "w: {parameter: [6], init: zeros}, out: {merge: multiply, from: [x, w], broadcast: true}",
        "w",
        [
            "Model.__init__ 10: self.w = nn.Parameter(torch.zeros(6))",
            "Model.forward 13: return x * self.w",
        ],
    ),
    "an entry of a parameter, where it is read": Case(
        "w: {parameter: [2, 6], init: zeros}, e: {layer: Select, from: w, dim: 0, index: 1},"
        " out: {merge: multiply, from: [x, e], broadcast: true}",
        "e",
        ["Model.forward 13: return x * self.w[1]"],
    ),
    "a merge with a class of its own": Case(
        "out: {merge: gated, from: [x, y], out_features: 2}",
        "out",
        [
            "Model.__init__ 27: self.out = GatedUnit()",
            "Model.forward 30: return self.out(x, y)",
            "GatedUnit 5-19: class GatedUnit(nn.Module): ...",
        ],
        inputs=XY,
    ),
    "both ways of an optional input": Case(
        "filled: {layer: Fill, from: x, value: learned, init: zeros},"
        " out: {merge: add, from: [filled, y]}",
        "filled",
        [
            "Model.__init__ 10: self.filled = nn.Parameter(torch.zeros(6))",
            "Model.forward 14: filled = x  # (N, 6)",
            "Model.forward 16: filled = self.filled.expand(y.shape[0], -1)  # (N, 6)",
        ],
        inputs="x: {shape: [6], optional: true}, y: [6]",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_lines_of_a_node(case: Case) -> None:
    graph = mg.loads(f"""
        inputs: {{{case.inputs}}}
        blocks: {{{case.blocks}}}
        nodes: {{{case.nodes}}}
        outputs: {case.outputs}
    """)
    assert list(map(shortly, excerpts(graph.typed)[case.id])) == case.told


def shortly(excerpt: Excerpt) -> str:
    first, *rest = excerpt.text.split("\n")
    lines = f"{excerpt.first_line}" + (f"-{excerpt.last_line}" if rest else "")
    return f"{excerpt.place} {lines}: {first}{' ...' if rest else ''}"
