"""A rename changes every place of a name and nothing else: in each case the name, the new one, and the spec
before and after."""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.diagnostics import Report
from mimgraph.language.edit.find_name import find_name
from mimgraph.language.edit.rename import rename
from mimgraph.language.occurrences.project import Project
from mimgraph.language.text_edits import edited
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.source import SourceFile
from tests.helpers.cases import SLOW_FOR_EACH_SPEC, each

CASES = {
    "a node and its output": """
fc head
inputs: {x: [8]}
nodes:
  fc: {layer: Linear, from: x, out_features: 4} # fc
outputs: fc
---
inputs: {x: [8]}
nodes:
  head: {layer: Linear, from: x, out_features: 4} # fc
outputs: head
""",
    "an output of another name stays": """
fc head
inputs: {x: [8]}
nodes: {fc: {layer: Linear, from: x, out_features: 4}}
outputs: {fc: fc, out: fc}
---
inputs: {x: [8]}
nodes: {head: {layer: Linear, from: x, out_features: 4}}
outputs: {head: head, out: head}
""",
    "a node in a block, whose output others name": """
one.a b
blocks: {one: {inputs: [x], nodes: {a: {layer: ReLU, from: x}, c: {layer: Tanh, from: a}}, outputs: [a, c]}}
inputs: {x: [8]}
nodes:
  y: {block: one, from: x, take: a}
outputs: y
---
blocks: {one: {inputs: [x], nodes: {b: {layer: ReLU, from: x}, c: {layer: Tanh, from: b}}, outputs: [{a: b}, c]}}
inputs: {x: [8]}
nodes:
  y: {block: one, from: x, take: a}
outputs: y
""",
    "a node in a block by a node that uses it": """
y.a b
blocks: {one: {inputs: [x], nodes: {a: {layer: ReLU, from: x}}, outputs: a}}
inputs: {x: [8]}
nodes: {y: {block: one, from: x}}
outputs: y
---
blocks: {one: {inputs: [x], nodes: {b: {layer: ReLU, from: x}}, outputs: b}}
inputs: {x: [8]}
nodes: {y: {block: one, from: x}}
outputs: y
""",
    "a variable keeps its name": """
a gate
inputs: {a: [8], b: [8]}
nodes:
  y: {merge: formula, expr: a * b, from: [a, b]}
  z: {merge: formula, expr: 1 - a, from: a}
  w: {merge: formula, expr: a + y, from: {a: a, y: y}}
outputs: [w, z]
---
inputs: {gate: [8], b: [8]}
nodes:
  y: {merge: formula, expr: a * b, from: {a: gate, b: b}}
  z: {merge: formula, expr: 1 - a, from: {a: gate}}
  w: {merge: formula, expr: a + y, from: {a: gate, y: y}}
outputs: [w, z]
""",
    "a variable": """
y.a gate
inputs: {a: [8], b: [8]}
nodes:
  y:
    merge: formula
    expr: exp(a) * b - 2*a
    from:
      - a  # first
      - b
outputs: y
---
inputs: {a: [8], b: [8]}
nodes:
  y:
    merge: formula
    expr: exp(gate) * b - 2*gate
    from:
      gate: a  # first
      b: b
outputs: y
""",
    "the ports of an each follow": """
city town
inputs: {city: {vocab: 4}, job: {vocab: 5}}
nodes:
  emb: {layer: Embedding, each: [city, job], embedding_dim: 2}
  y: {merge: concat, from: [emb.city, emb.job]}
  z: {share: emb.city, from: city}
outputs: [y, z]
---
inputs: {town: {vocab: 4}, job: {vocab: 5}}
nodes:
  emb: {layer: Embedding, each: [town, job], embedding_dim: 2}
  y: {merge: concat, from: [emb.town, emb.job]}
  z: {share: emb.town, from: town}
outputs: [y, z]
""",
    "the ports of a share stay": """
city town
inputs: {city: {vocab: 4}, old: {vocab: 4}}
nodes:
  emb: {layer: Embedding, each: {city: old}, embedding_dim: 2}
  more: {share: emb, each: [city]}
outputs: {a: emb.city, b: more.city}
---
inputs: {town: {vocab: 4}, old: {vocab: 4}}
nodes:
  emb: {layer: Embedding, each: {city: old}, embedding_dim: 2}
  more: {share: emb, each: {city: town}}
outputs: {a: emb.city, b: more.city}
""",
    "the ports of a group that a block reads stay": """
p q
blocks: {one: {inputs: [p, r], nodes: {s: {merge: subtract, from: [p, r]}}, outputs: s}}
inputs: {p: [4], r: [4]}
nodes:
  two: {layer: Linear, each: [p, r], out_features: 2}
  y: {block: one, from: two.*}
outputs: y
---
blocks: {one: {inputs: [p, r], nodes: {s: {merge: subtract, from: [p, r]}}, outputs: s}}
inputs: {q: [4], r: [4]}
nodes:
  two: {layer: Linear, each: {p: q, r: r}, out_features: 2}
  y: {block: one, from: two.*}
outputs: y
""",
    "a port": """
emb.city town
inputs: {city: {vocab: 4}, job: {vocab: 5}}
nodes:
  emb: {layer: Embedding, each: [city, job], embedding_dim: 2}
  y: {merge: concat, from: [emb.city, emb.job]}
outputs: y
---
inputs: {city: {vocab: 4}, job: {vocab: 5}}
nodes:
  emb: {layer: Embedding, each: {town: city, job: job}, embedding_dim: 2}
  y: {merge: concat, from: [emb.town, emb.job]}
outputs: y
""",
    "an input of a block that a scan carries": """
cell.h state
blocks: {cell: {inputs: [x, h], nodes: {n: {merge: add, from: [x, h]}}, outputs: {h: n}}}
inputs: {x: [T, 8], h0: [8]}
nodes:
  y: {scan: cell, over: x, carry: {h: h0}}
outputs: y.h
---
blocks: {cell: {inputs: [x, state], nodes: {n: {merge: add, from: [x, state]}}, outputs: {state: n}}}
inputs: {x: [T, 8], h0: [8]}
nodes:
  y: {scan: cell, over: x, carry: {state: h0}}
outputs: y.state
""",
    "a source that is scanned": """
x words
blocks: {cell: {inputs: [x, h], nodes: {n: {merge: add, from: [x, h]}}, outputs: {h: n}}}
inputs: {x: [T, 8], h0: [8]}
nodes:
  y:
    scan: cell
    over: x
    carry: {h: h0}
outputs: y.h
---
blocks: {cell: {inputs: [x, h], nodes: {n: {merge: add, from: [x, h]}}, outputs: {h: n}}}
inputs: {words: [T, 8], h0: [8]}
nodes:
  y:
    scan: cell
    from: {x: words}
    over: x
    carry: {h: h0}
outputs: y.h
""",
    "a param of the spec": """
params.w width
params: {w: 4, v: $(2*w)}
inputs: {x: [8]}
blocks: {one: {params: {w: 1}, inputs: [x], seq: [{Linear: $w}]}}
nodes:
  a: {block: one, from: x, w: $w}
  y: {layer: Linear, from: a, out_features: $(w + v)}
outputs: y
---
params: {width: 4, v: $(2*width)}
inputs: {x: [8]}
blocks: {one: {params: {w: 1}, inputs: [x], seq: [{Linear: $w}]}}
nodes:
  a: {block: one, from: x, w: $width}
  y: {layer: Linear, from: a, out_features: $(width + v)}
outputs: y
""",
    "a size": """
T length
inputs: {x: [T, 8], y: [2*T + 1, 8]}
nodes: {z: {layer: Slice, from: y, dim: 1, end: 1}, w: {layer: Slice, from: x, dim: 1, end: 1}}
outputs: [z, w]
---
inputs: {x: [length, 8], y: [2*length + 1, 8]}
nodes: {z: {layer: Slice, from: y, dim: 1, end: 1}, w: {layer: Slice, from: x, dim: 1, end: 1}}
outputs: [z, w]
""",
    "a block": """
one two
params: {kind: one}
inputs: {x: [8]}
blocks: {one: {inputs: [x], seq: [ReLU]}}
nodes: {a: {block: $kind, from: x}, y: {from: a, seq: [one]}}
outputs: y
---
params: {kind: two}
inputs: {x: [8]}
blocks: {two: {inputs: [x], seq: [ReLU]}}
nodes: {a: {block: $kind, from: x}, y: {from: a, seq: [two]}}
outputs: y
""",
    "an output": """
outputs.y score
inputs: {x: [8]}
nodes: {y: {layer: ReLU, from: x}}
outputs: y
---
inputs: {x: [8]}
nodes: {y: {layer: ReLU, from: x}}
outputs: {score: y}
""",
    "quotes stay": """
a b
inputs: {"x": [T, 8]}
nodes:
  "a": {layer: LSTM, from: "x", hidden_size: 3}
  c: {layer: Linear, from: 'a.last', out_features: 2}
  d: {merge: formula, expr: "a + 1", from: ["a"]}
outputs: ["c", 'a', d]
---
inputs: {"x": [T, 8]}
nodes:
  "b": {layer: LSTM, from: "x", hidden_size: 3}
  c: {layer: Linear, from: 'b.last', out_features: 2}
  d: {merge: formula, expr: "a + 1", from: {"a": "b"}}
outputs: ["c", 'b', d]
""",
    "JSON": """
a b
{"inputs": {"a": [8]}, "nodes": {"y": {"merge": "formula", "expr": "a", "from": ["a"]}}, "outputs": "y"}
---
{"inputs": {"b": [8]}, "nodes": {"y": {"merge": "formula", "expr": "a", "from": {"a": "b"}}}, "outputs": "y"}
""",
}

SPEC = """params: {w: 4}
inputs: {x: [T, 8]}
blocks:
  one: {params: {v: 1}, inputs: {y: [S, C]}, nodes: {a: {layer: Linear, from: y, out_features: $w}}, outputs: a}
nodes:
  y: {block: one, from: x}
  z: {layer: ReLU, from: y}
outputs: {out: z}
"""
REFUSED = {
    "z y": "duplicate-name 6:3: y is a node already",
    "x z": "duplicate-name 7:3: z is a node already",
    "z lambda": "bad-name 7:3: 'lambda' cannot be the name of a node",
    "T N": "bad-name 2:14: 'N' cannot be the name of a size",
    "one Linear": "bad-name 4:3: 'Linear' cannot be the name of a block",
    "one.v from": "bad-name 4:18: 'from' cannot be the name of a param",
    "one.S v": "duplicate-name 4:18: v is a param in one already",
    "w v": "duplicate-name 1:10: as v, some places of w would mean another name",
    "w S": "duplicate-name 1:10: as S, some places of w would mean another name",
    "missing a": "unknown-source 1:1: there is no name 'missing'",
}


def renamed(text: str, old: str, new: str) -> str:
    """Return a text with a name in place of another."""
    file, project = SourceFile("/nowhere/spec.yaml", text), Project("/nowhere")
    project.add(file.name, file, compose(file, Report().add))
    return edited(file, rename(project, find_name(project, file.name, old), new))


@each("case", [*CASES])
def test_every_place_is_renamed(case: str) -> None:
    before, after = CASES[case].split("---\n")
    words, text = before.strip().split("\n", 1)
    assert mg.loads(text) and mg.loads(after)
    assert renamed(text + "\n", *words.split()) == after


@each("case", [*REFUSED])
def test_a_name_that_is_bad_taken_or_would_hide_another_is_refused(case: str) -> None:
    with pytest.raises(mg.SpecError) as caught:
        renamed(SPEC, *case.split())
    (fault,) = caught.value.diagnostics
    assert f"{fault.code} {fault.span.line}:{fault.span.column}: {fault.message}" == REFUSED[case]


@pytest.mark.parametrize("path", SLOW_FOR_EACH_SPEC)
def test_a_renamed_text_is_the_renamed_graph(path: Path) -> None:
    text = path.read_text()
    graph = mg.loads(text)
    paths = [
        *(f"inputs.{name}" for name in graph.inputs),
        *(f"nodes.{name}" for name in graph.nodes),
    ]
    for name_path in paths:
        name = name_path.partition(".")[2]
        new = f"{name}_x"
        after = mg.loads(renamed(text, name_path, new))
        expected = graph.rename(name, new)
        assert after == expected
