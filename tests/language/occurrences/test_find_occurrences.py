"""Every place of a name is found: in each case « » stand around the places of the name at the first one."""

from __future__ import annotations

import re
from itertools import chain, cycle
from pathlib import Path

import pytest

from mimgraph.diagnostics import Report
from mimgraph.language.occurrences.find import find_occurrences
from mimgraph.language.occurrences.symbols import Occurrences
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.source import SourceFile
from tests.helpers.cases import EACH_SPEC_AND_PART, each

CASES = {
    "an input": """
inputs: {«x»: [8]}
nodes:
  a: {layer: Linear, from: «x», out_features: 4}
  b: {merge: add, from: [a, «x»]}
  c: {zeros: true, like: «x»}
  d: {arange: «x», dim: 1}
blocks: {x: {inputs: {x: null}, seq: [ReLU]}}
outputs: {x: b, y: «x», z: c, w: d}
""",
    "a param that gives a limit": """
params: {«w»: 20M}
limits: {parameters: $«w», macs: $(2 * «w»), sizes: {w: $«w»}}
inputs: {x: [w]}
nodes: {y: {layer: ReLU, from: x}}
outputs: y
""",
    "a size at which limits hold": """
limits: {macs: 1M, sizes: {«T»: 8, S: 9}}
inputs: {x: [«T», S]}
nodes: {T: {layer: Linear, from: x, out_features: $(2 * «T»)}}
outputs: T
""",
    "a node of the spec": """
nodes:
  «a»: {layer: LSTM, from: x, hidden_size: 3}
  b: {share: «a», from: x}
  c: {layer: Cast, from: «a».last, like: «a»}
  d: {merge: where, from: {condition: c, input: «a», other: «a».output}}
outputs: [«a», {b: {from: «a».last}}]
""",
    "a node of a block": """
blocks:
  one:
    inputs: [x]
    nodes: {«a»: {layer: ReLU, from: x}, b: {merge: add, from: [«a», x]}}
    outputs: {a: «a», c: b}
nodes: {a: {block: one, from: x}}
outputs: a
""",
    "a param of the spec": """
params: {«w»: 4, v: $(2 * «w»)}
inputs: {x: [$«w», $«w»*T], k: {vocab: $«w»}}
blocks:
  own: {params: {w: 1}, inputs: {x: [$w]}, seq: [{Linear: $w}]}
  other: {inputs: {x: [C]}, seq: [{Linear: $(«w» + C)}]}
nodes:
  a: {layer: Linear, from: x, out_features: $(v*«w»//2)}
  b: {merge: formula, expr: "w * x + $«w» + $(«w» - 1)", from: {w: x, x: a}}
  c: {block: own, from: x, w: $«w», repeat: $«w»}
  d: {layer: Rearrange, pattern: "a ($«w» b) -> a b", from: x, activation: {ELU: $«w»}}
outputs: a
""",
    "a param of a block": """
params: {w: 4}
blocks:
  one:
    params: {«w»: null, v: $«w»}
    inputs: {x: [$«w»]}
    seq: [{Linear: $«w»}, {two: {w: $«w»}}]
  two: {params: {w: 1}, seq: [{Linear: $w}]}
nodes:
  a: {block: one, from: x, «w»: $w}
  b: {block: one, from: x, repeat: {times: 2, with: {«w»: [$w, 2]}}}
  c: {block: one, each: [x], with: {«w»: [3]}}
  d: {from: x, seq: [{one: {«w»: 3}}]}
  e: {block: two, from: x, w: 2}
""",
    "a size of an input": """
inputs: {x: [«T», 8], y: [2*«T» + 1, 4], z: ["8*«T»"]}
blocks: {one: {inputs: {x: [T]}, seq: [{Linear: $T}]}}
nodes:
  a: {block: one, from: x, repeat: {times: $«T», shared: true}}
  b: {merge: formula, expr: x / $«T», from: x}
""",
    "a size of a block": """
blocks:
  one:
    inputs: {x: [«C», H], y: {shape: [«C», 2*«C»]}}
    nodes: {a: {layer: Conv1d, from: x, out_channels: $(«C» // 2)}, b: {layer: Linear, out_features: $C2}}
inputs: {x: [C, 8]}
nodes: {a: {block: one, from: {x: x, y: x}, width: $C}}
""",
    "a block": """
params: {kind: «one», other: one, item: {search: [two, «one»], default: «one»}}
blocks:
  «one»: {seq: [ReLU]}
  two: {seq: [«one», {«one»: {take: a}}, $kind, $item]}
nodes:
  a: {block: «one», from: x}
  b: {scan: «one», from: x, over: x}
  one: {layer: ReLU, from: x}
  c: {share: one, from: b}
""",
    "an input of a block": """
blocks:
  one: {inputs: {«x»: null, y: null}, nodes: {a: {merge: add, from: [«x», y]}}, outputs: {«x»: a}}
nodes:
  a: {block: one, from: {«x»: x, y: y}}
  b: {share: a, from: {«x»: y, y: x}}
  c: {scan: one, from: {y: x}, over: {y: 1}, carry: {«x»: x}}
  d: {block: one, from: [x, y], repeat: {times: 3, index: «x», collect: «x»}}
""".replace("outputs: {«x»: a}", "outputs: {out: a}").replace("collect: «x»", "collect: out"),
    "a scanned input that is its own source": """
inputs: {«x»: [T, 8]}
blocks: {one: {inputs: [x, h], nodes: {h1: {merge: add, from: [x, h]}}, outputs: {h: h1}}}
nodes:
  a: {scan: one, over: «x», carry: {h: h0}}
  b: {scan: one, over: {«x»: 1}, carry: {h: «x»}}
  c: {scan: one, from: {x: a}, over: x, carry: {h: h0}}
""",
    "an output of a block": """
blocks: {one: {inputs: [x], nodes: {a: {layer: ReLU, from: x}}, outputs: {«aux»: a, main: a}}}
nodes:
  a: {block: one, from: x, take: «aux»}
  b: {share: a, from: x}
  c: {merge: add, from: [a.«aux», b.«aux», a.main]}
  d: {block: one, from: x, repeat: {times: 2, collect: «aux»}}
  e: {from: x, seq: [{one: {take: «aux»}}]}
""",
    "a port of an each": """
nodes:
  emb: {layer: Embedding, each: {«city»: town, job: job}, embedding_dim: 8}
  more: {share: emb, each: {«city»: other}}
  one: {share: emb.«city», from: third}
  group: {layer: Linear, each: [emb.*], out_features: 3}
  a: {merge: add, from: [emb.«city», more.«city», emb.job, group.«city»]}
""",
    "a variable of a formula": """
nodes:
  a: {merge: formula, expr: "«g» * a + (1 - «g») * b + exp(«g»)", from: {«g»: gate, a: g, b: x}}
  b: {merge: formula, expr: "g", from: g}
""",
    "a block that is a part": """
parts: {«text»: towers/text.yaml}
nodes: {a: {block: «text», from: x}, b: {from: x, seq: [«text»]}}
""",
    "a param of a part": """
parts: {text: towers/text.yaml, again: towers/text.yaml}
nodes: {a: {block: text, from: x, «width»: 3}, b: {from: x, seq: [{again: {«width»: $width}}]}}
""",
    "a node around a block whose module it shares": """
blocks: {one: {inputs: [x], nodes: {a: {share: «emb», from: x}}, outputs: a}}
nodes: {«emb»: {layer: Embedding, from: y, embedding_dim: 3}, b: {block: one, from: y}}
""",
    "a param in an expression that is not closed": """
params: {«w»: 4}
nodes:
  a: {layer: Linear, from: x, out_features: $(2 * «w»}
""",
}


def occurrences(text: str) -> Occurrences:
    """Return the names in a text, whatever is wrong in it."""
    return find_occurrences(compose(SourceFile("spec.yaml", text), Report().add))


def marked(text: str) -> str:
    """Return the text with « » around the places of the name at the first mark."""
    first = text.index("«")
    plain = re.sub("[«»]", "", text)
    file, found = SourceFile("spec.yaml", plain), occurrences(plain)
    one = found.at(*file.place(first))[0]
    spans = [place.span._replace(file=file) for place in found.of(one.symbol)]
    ends = [(span.part(0, 0), span.part(*[span.end_column - span.column] * 2)) for span in spans]
    marks = zip(chain.from_iterable(ends), cycle("«»"), strict=False)
    return edited(file, [TextEdit(span, mark) for span, mark in marks])


@each("case", [*CASES])
def test_all_places_are_found(case: str) -> None:
    assert marked(CASES[case]) == CASES[case]


@pytest.mark.parametrize("spec", EACH_SPEC_AND_PART)
def test_in_the_gallery_each_name_is_at_its_place_and_defined(spec: Path) -> None:
    found = occurrences(spec.read_text())
    for symbol, places in found.by_symbol.items():
        assert {one.span.excerpt().text for one in places} == {symbol.name}
        assert symbol.part or any(one.defines for one in places), symbol


@each("text", ["", "[", "{a: ", "nodes: 3", "nodes: {a: [b]}", "inputs: {? [x] : 3}"])
def test_a_text_without_names_has_none_or_few(text: str) -> None:
    assert len(occurrences(text).all) <= 1
