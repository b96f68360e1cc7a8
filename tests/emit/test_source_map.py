"""Each node is mapped to the emitted lines that make, run and define it, as the file and torch have it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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
from tests.helpers.cases import check_texts


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


def test_the_lines_of_a_spec_of_the_gallery(spec: Path) -> None:
    graph = mg.load(spec)
    found = excerpts(graph.typed)
    assert [id_ for id_ in drawn(graph) if not found.get(id_)] == [], "drawn without lines"
    every = {excerpt for excerpts_ in found.values() for excerpt in excerpts_}
    check_excerpts_are_text_of_the_file(graph, every)
    check_every_statement_has_an_item(graph, every)
    check_the_code_that_makes_modules(graph, found)


def check_excerpts_are_text_of_the_file(graph: mg.Graph, every: set[Excerpt]) -> None:
    lines = graph.source().split("\n")
    for excerpt in every:
        there = textwrap.dedent("\n".join(lines[excerpt.first_line - 1 : excerpt.last_line]))
        assert excerpt.text in there
        assert excerpt.text.count("\n") == there.count("\n")


def check_every_statement_has_an_item(graph: mg.Graph, every: set[Excerpt]) -> None:
    told = {line for e in every for line in range(e.first_line, e.last_line + 1)}
    lines = graph.source().split("\n")
    statements = forward_statements(graph.source())
    assert [lines[s.lineno - 1] for s in statements if s.lineno not in told] == []


def check_the_code_that_makes_modules(
    graph: mg.Graph, found: Mapping[str, tuple[Excerpt, ...]]
) -> None:
    """Check that the code names the attribute of a module and its class."""
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


def test_lines_of_a_node(rewrite: bool) -> None:
    def lines(spec: str, id_: str) -> str:
        found = excerpts(mg.loads(spec).typed)[id_.strip()]
        return "".join(f"{shortly(excerpt)}\n" for excerpt in found)

    check_texts(Path(__file__).with_name("source_map.md"), lines, rewrite)


def shortly(excerpt: Excerpt) -> str:
    first, *rest = excerpt.text.split("\n")
    lines = f"{excerpt.first_line}" + (f"-{excerpt.last_line}" if rest else "")
    return f"{excerpt.place} {lines}: {first}{' ...' if rest else ''}"
