"""Where every diagnostic points, and what stays silent: the spec says it itself, `⟦code⟧` marks the place."""

from __future__ import annotations

import pytest

from tests.marked import split, told

CASES = {
    # reading
    "anchor": "inputs: {a: ⟦yaml-subset⟧&x [5]}\nnodes:\n  b: {layer: ReLU, from: a}\noutputs: b\n",
    "key that is no string": "inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\n  ⟦yaml-subset⟧1: {layer: ReLU, from: a}\noutputs: b\n",
    "ambiguous scalar": "inputs: {a: [5]}\nnodes:\n  b: {layer: Linear, from: a, out_features: 4, bias: ⟦ambiguous-scalar⟧no}\noutputs: b\n",
    "ambiguous octal": "inputs: {a: [5]}\nnodes:\n  b: {layer: Linear, from: a, out_features: ⟦ambiguous-scalar⟧010}\noutputs: b\n",
    "duplicate key": "inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\n  ⟦duplicate-key⟧b: {layer: Tanh, from: a}\noutputs: b\n",
    "unknown top-level key": "inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\noutputs: b\n⟦unknown-key⟧extra: 1\n",
    "an unknown key silences a missing one": "inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\n⟦unknown-key⟧output: b\n",
    "missing top-level key": "⟦missing-key⟧inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\n",
    "missing from": "inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\n  ⟦missing-key⟧c: {layer: ReLU}\noutputs: [b, c]\n",
    "a node that does nothing": "inputs: {a: [5]}\nnodes:\n  ⟦missing-key⟧b: {from: a}\noutputs: b\n",
    "a node that does two things": "inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, ⟦unknown-key⟧merge: add, from: a}\noutputs: b\n",
    "misspelt op": "inputs: {a: [5]}\nnodes:\n  b: {⟦unknown-key⟧layr: ReLU, from: a}\noutputs: b\n",
    "input of the wrong type": "inputs: {a: ⟦wrong-type⟧5}\nnodes:\n  b: {layer: ReLU, from: a}\noutputs: b\n",
    "node of the wrong type": "inputs: {a: [5]}\nnodes:\n  b: ⟦wrong-type⟧ReLU\noutputs: b\n",
    "source of the wrong type": "inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: ⟦wrong-type⟧5}\noutputs: b\n",
    "seq of the wrong type": "inputs: {a: [5]}\nnodes:\n  b: {from: a, seq: ⟦wrong-type⟧ReLU}\noutputs: b\n",
    "spec of the wrong type": "⟦wrong-type⟧[1, 2]\n",
    # names
    "bad name": "inputs: {a: [5]}\nnodes:\n  ⟦bad-name⟧forward: {layer: ReLU, from: a}\noutputs: forward\n",
    "keyword as a name": "inputs: {⟦bad-name⟧class: [5]}\nnodes:\n  b: {layer: ReLU, from: class}\noutputs: b\n",
    "name that is no identifier": "inputs: {a: [5]}\nnodes:\n  ⟦bad-name⟧b-c: {layer: ReLU, from: a}\noutputs: b-c\n",
    "bad class name": "name: ⟦bad-name⟧my model\ninputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\noutputs: b\n",
    "the batch is no size": "inputs: {a: [⟦bad-name⟧N, 5]}\nnodes:\n  b: {layer: ReLU, from: a}\noutputs: b\n",
    "an input and a node of one name": "inputs: {a: [5]}\nnodes:\n  ⟦duplicate-name⟧a: {layer: ReLU, from: a}\noutputs: a\n",
    "unknown layer": "inputs: {a: [5]}\nnodes:\n  b: {layer: ⟦unknown-layer⟧Liner, from: a, out_features: 5}\noutputs: b\n",
    "unknown layer in a seq": "inputs: {a: [5]}\nnodes:\n  b: {from: a, seq: [{Linear: 3}, ⟦unknown-layer⟧Relu, {⟦unknown-layer⟧Foo: 3}]}\noutputs: b\n",
    "unknown activation": "inputs: {a: [5]}\nnodes:\n  b: {layer: Linear, from: a, out_features: 5, activation: ⟦unknown-layer⟧Relu}\noutputs: b\n",
    "unknown merge": "inputs: {a: [5]}\nnodes:\n  b: {merge: ⟦unknown-merge⟧concatenate, from: [a, a]}\noutputs: b\n",
    "unknown block": "inputs: {a: [5]}\nnodes:\n  b: {block: ⟦unknown-block⟧res, from: a}\noutputs: b\n",
    "unknown source": "inputs: {image: [5]}\nnodes:\n  b: {layer: ReLU, from: ⟦unknown-source⟧imaeg}\noutputs: b\n",
    "unknown source in a list": "inputs: {a: [5], b: [5]}\nnodes:\n  c: {merge: add, from: [a, b, ⟦unknown-source⟧zzz.last]}\noutputs: c\n",
    "unknown source by argument": "inputs: {a: [5, 8]}\nnodes:\n  c: {layer: MultiheadAttention, num_heads: 2, from: {query: a, key: ⟦unknown-source⟧b}}\noutputs: c\n",
    "unknown output": "inputs: {a: [5]}\nnodes:\n  score: {layer: ReLU, from: a}\noutputs: ⟦unknown-source⟧scor\n",
    "unknown output by name": "inputs: {a: [5]}\nnodes:\n  score: {layer: ReLU, from: a}\noutputs: {y: ⟦unknown-source⟧scor}\n",
    "unknown share target": "inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\n  c: {share: ⟦unknown-source⟧d, from: b}\noutputs: c\n",
    "unknown port": "inputs: {a: [5, 8]}\nnodes:\n  b: {layer: LSTM, from: a, hidden_size: 4}\n  c: {layer: ReLU, from: b.⟦unknown-port⟧lst}\noutputs: c\n",
    "port of what has one result": "inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\n  c: {layer: ReLU, from: b.⟦unknown-port⟧output}\noutputs: c\n",
    "port of an input": "inputs: {a: [5]}\nnodes:\n  c: {layer: ReLU, from: a.⟦unknown-port⟧x}\noutputs: c\n",
    "take of an unknown port": "inputs: {a: [5, 8]}\nnodes:\n  b: {layer: LSTM, from: a, hidden_size: 4, take: ⟦unknown-port⟧final}\noutputs: b\n",
    "unknown param": "inputs: {a: [5]}\nnodes:\n  b: {layer: Linear, from: a, out_features: $⟦unknown-param⟧hidden}\noutputs: b\n",
    "unknown param in an expression": "params: {hidden: 4}\ninputs: {a: [5]}\nnodes:\n  b: {layer: Linear, from: a, out_features: $(2 * ⟦unknown-param⟧hiden)}\noutputs: b\n",
    "bad expression": "inputs: {a: [5]}\nnodes:\n  b: {layer: Linear, from: a, out_features: $(2 ⟦bad-expression⟧2)}\noutputs: b\n",
    "division by zero": "inputs: {a: [5]}\nnodes:\n  b: {layer: Linear, from: a, out_features: ⟦bad-expression⟧$(2 // 0)}\noutputs: b\n",
    # options
    "unknown option": "inputs: {a: [5]}\nnodes:\n  b: {layer: Linear, from: a, ⟦unknown-option⟧out_feature: 5}\noutputs: b\n",
    "unknown option in a seq": "inputs: {a: [3, 8, 8]}\nnodes:\n  b: {from: a, seq: [{Conv2d: {out_channels: 3, ⟦unknown-option⟧kernel: 3}}]}\noutputs: b\n",
    "batch_first is always true": "inputs: {a: [5, 8]}\nnodes:\n  b: {layer: LSTM, from: a, hidden_size: 4, ⟦unknown-option⟧batch_first: true}\noutputs: b\n",
    "missing option": "inputs: {a: [5]}\nnodes:\n  ⟦missing-option⟧b: {layer: Linear, from: a}\noutputs: b\n",
    "missing option in a seq": "inputs: {a: [5]}\nnodes:\n  b: {from: a, seq: [⟦missing-option⟧Linear, ReLU]}\noutputs: b\n",
    "option of the wrong type": "inputs: {a: [5]}\nnodes:\n  b: {layer: Linear, from: a, out_features: ⟦bad-option⟧five}\noutputs: b\n",
    "option out of range": "inputs: {a: [5]}\nnodes:\n  b: {layer: Dropout, from: a, p: ⟦bad-option⟧1.5}\noutputs: b\n",
    "heads that do not divide": "inputs: {a: [5, 10]}\nnodes:\n  b: {layer: MultiheadAttention, from: a, num_heads: ⟦bad-option⟧3}\noutputs: b\n",
    "groups that do not divide": "inputs: {a: [6, 8, 8]}\nnodes:\n  b: {layer: Conv2d, from: a, out_channels: 8, kernel_size: 3, groups: ⟦bad-option⟧4}\noutputs: b\n",
    "dtype that does not exist": "inputs: {a: {shape: [5], dtype: ⟦bad-option⟧float33}}\nnodes:\n  b: {layer: ReLU, from: a}\noutputs: b\n",
    "dim out of range": "inputs: {a: [5]}\nnodes:\n  b: {merge: concat, from: [a, a], dim: ⟦bad-option⟧2}\noutputs: b\n",
    "inferred conflict": "inputs: {a: [12]}\nnodes:\n  b: {layer: Linear, from: a, in_features: ⟦inferred-conflict⟧10, out_features: 5}\noutputs: b\n",
    "vocabulary conflict": "inputs: {a: {shape: [5], vocab: 9}}\nnodes:\n  b: {layer: Embedding, from: a, num_embeddings: ⟦inferred-conflict⟧10, embedding_dim: 5}\noutputs: b\n",
    "embedding of what size": "inputs: {a: {shape: [5], dtype: int64}}\nnodes:\n  ⟦missing-option⟧b: {layer: Embedding, from: a, embedding_dim: 5}\noutputs: b\n",
    # the graph
    "cycle": "inputs: {a: [5]}\nnodes:\n  ⟦cycle⟧b: {merge: add, from: [a, c]}\n  c: {layer: ReLU, from: b}\noutputs: c\n",
    "a node that feeds itself": "inputs: {a: [5]}\nnodes:\n  ⟦cycle⟧b: {merge: add, from: [a, b]}\noutputs: b\n",
    "shares in a ring": "inputs: {a: [5]}\nnodes:\n  ⟦cycle⟧b: {share: c, from: a}\n  c: {share: b, from: b}\noutputs: c\n",
    "blocks in a ring": "inputs: {a: [5]}\nblocks:\n  ⟦cycle⟧p: {seq: [q]}\n  q: {seq: [p]}\nnodes:\n  b: {block: p, from: a}\noutputs: b\n",
    "unused input": "inputs: {a: [5], ⟦unused-input⟧b: [5]}\nnodes:\n  c: {layer: ReLU, from: a}\noutputs: c\n",
    "a dead chain is told at its end": "inputs: {a: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\n  c: {layer: ReLU, from: a}\n  ⟦unused-node⟧d: {layer: ReLU, from: c}\noutputs: b\n",
    "too many sources": "inputs: {a: [5], b: [5]}\nnodes:\n  c: {layer: ReLU, from: [a, ⟦wrong-arity⟧b]}\noutputs: c\n",
    "too few sources": "inputs: {a: [5]}\nnodes:\n  ⟦wrong-arity⟧c: {merge: add, from: [a]}\noutputs: c\n",
    "a missing argument": "inputs: {a: [5, 8]}\nnodes:\n  ⟦wrong-arity⟧c: {layer: MultiheadAttention, num_heads: 2, from: {key: a}}\noutputs: c\n",
    "an argument that does not exist": "inputs: {a: [5, 8]}\nnodes:\n  c: {layer: MultiheadAttention, num_heads: 2, from: {⟦unknown-key⟧qery: a}}\noutputs: c\n",
    # shapes
    "rank mismatch": "inputs: {a: [5]}\nnodes:\n  b: {layer: Conv2d, from: ⟦rank-mismatch⟧a, out_channels: 8, kernel_size: 3}\noutputs: b\n",
    "rank mismatch in a seq": "inputs: {a: [3, 8, 8]}\nnodes:\n  b: {from: a, seq: [Flatten, {⟦rank-mismatch⟧Conv2d: {out_channels: 8, kernel_size: 3}}]}\noutputs: b\n",
    "shape mismatch of two: the one with more axes": "inputs: {image: [3, 32, 32], numeric: [5]}\nnodes:\n  f: {layer: Conv2d, from: image, out_channels: 8, kernel_size: 3}\n  c: {merge: concat, from: [⟦shape-mismatch⟧f, numeric]}\noutputs: c\n",
    "shape mismatch of two: the second": "inputs: {a: [5], b: [6]}\nnodes:\n  c: {merge: add, from: [a, ⟦shape-mismatch⟧b]}\noutputs: c\n",
    "shape mismatch of three: the odd one out": "inputs: {a: [5], b: [6], c: [6]}\nnodes:\n  d: {merge: add, from: [⟦shape-mismatch⟧a, b, c]}\noutputs: d\n",
    "two names are two sizes": "inputs: {a: [T, 5], b: [S, 5]}\nnodes:\n  c: {merge: add, from: [a, ⟦shape-mismatch⟧b]}\noutputs: c\n",
    "shared with another size": "inputs: {a: [5], b: [6]}\nnodes:\n  c: {layer: Linear, from: a, out_features: 4}\n  d: {share: c, from: ⟦shape-mismatch⟧b}\noutputs: [c, d]\n",
    "dtype mismatch": "inputs: {a: {shape: [5], dtype: int64}}\nnodes:\n  b: {layer: Linear, from: ⟦dtype-mismatch⟧a, out_features: 4}\noutputs: b\n",
    "symbolic size": "inputs: {a: [4, T]}\nnodes:\n  b: {layer: Linear, from: ⟦symbolic-size⟧a, out_features: 4}\noutputs: b\n",
    "symbolic size after a flatten": "inputs: {a: [T, 4]}\nnodes:\n  b: {from: a, seq: [Flatten, {⟦symbolic-size⟧Linear: 4}]}\noutputs: b\n",
    "empty output": "inputs: {a: [3, 4, 4]}\nnodes:\n  b: {layer: Conv2d, from: ⟦empty-output⟧a, out_channels: 8, kernel_size: 5}\noutputs: b\n",
    "an unknown name in a formula": "inputs: {a: [5], b: [5]}\nnodes:\n  c: {merge: formula, expr: \"a * ⟦unknown-source⟧bb + b\", from: [a, b]}\noutputs: c\n",
    "an unknown function in a formula": "inputs: {a: [5]}\nnodes:\n  c: {merge: formula, expr: ⟦bad-expression⟧expp(a), from: a}\noutputs: c\n",
    "a source that the formula does not use": "inputs: {a: [5], b: [5]}\nnodes:\n  c: {merge: formula, expr: exp(a), from: [a, ⟦wrong-arity⟧b]}\noutputs: c\n",
    "a state is no tensor": "inputs: {a: [5, 8]}\nnodes:\n  b: {layer: GRU, from: a, hidden_size: 4}\n  c: {layer: ReLU, from: ⟦dtype-mismatch⟧b.state}\noutputs: c\n",
    # blocks
    "a fault in a body is told once": "inputs: {a: [5], b: [6]}\nblocks:\n  p: {inputs: [x], nodes: {c: {layer: Conv2d, from: ⟦rank-mismatch⟧x, out_channels: 4, kernel_size: 1}}, outputs: c}\nnodes:\n  c: {block: p, from: a}\n  d: {block: p, from: b}\noutputs: [c, d]\n",
    "a use that does not fit the pattern": "inputs: {a: [5]}\nblocks:\n  p: {inputs: {x: [C, H, W]}, nodes: {c: {layer: ReLU, from: x}}, outputs: c}\nnodes:\n  c: {block: p, from: ⟦rank-mismatch⟧a}\noutputs: c\n",
    "two inputs that must be equal": "inputs: {a: [5], b: [6]}\nblocks:\n  p: {inputs: {g: [C], x: [C]}, nodes: {c: {merge: add, from: [g, x]}}, outputs: c}\nnodes:\n  c: {block: p, from: [a, ⟦shape-mismatch⟧b]}\noutputs: c\n",
    "unknown param of a block": "inputs: {a: [5]}\nblocks:\n  p: {params: {width: 3}, seq: [{Linear: $width}]}\nnodes:\n  c: {block: p, from: a, ⟦unknown-option⟧widht: 4}\noutputs: c\n",
    "missing param of a block": "inputs: {a: [5]}\nblocks:\n  p: {params: {width: null}, seq: [{Linear: $width}]}\nnodes:\n  ⟦missing-option⟧c: {block: p, from: a}\noutputs: c\n",
    "missing param of a block in a seq": "inputs: {a: [5]}\nblocks:\n  p: {params: {width: null}, seq: [{Linear: $width}]}\nnodes:\n  c: {from: a, seq: [⟦missing-option⟧p]}\noutputs: c\n",
    "unknown param in with": "inputs: {a: [5]}\nblocks:\n  p: {params: {width: 3}, seq: [{Linear: $width}]}\nnodes:\n  c: {block: p, from: a, repeat: {with: {⟦unknown-option⟧widht: [4, 5]}}}\noutputs: c\n",
    "a negative repeat": "inputs: {a: [5]}\nblocks:\n  p: {seq: [{Linear: 5}]}\nnodes:\n  c: {block: p, from: a, repeat: ⟦bad-option⟧-1}\noutputs: c\n",
    "a block's param called as a node's key": "inputs: {a: [5]}\nblocks:\n  p: {params: {⟦bad-name⟧repeat: 3}, seq: [ReLU]}\nnodes:\n  c: {block: p, from: a}\noutputs: c\n",
    "a block called as a layer": "inputs: {a: [5]}\nblocks:\n  ⟦duplicate-name⟧Linear: {seq: [ReLU]}\nnodes:\n  c: {block: Linear, from: a}\noutputs: c\n",
    "a dimension called as a param": "inputs: {a: [5]}\nblocks:\n  p: {params: {C: 3}, inputs: {x: [⟦duplicate-name⟧C]}, nodes: {c: {layer: ReLU, from: x}}, outputs: c}\nnodes:\n  c: {block: p, from: a}\noutputs: c\n",
    "a shared repeat that changes the shape": "inputs: {a: [5]}\nblocks:\n  p: {seq: [{Linear: 6}]}\nnodes:\n  c: {block: p, from: a, repeat: ⟦shape-mismatch⟧{times: 2, shared: true}}\noutputs: c\n",
    "faults of a block that nothing uses": "inputs: {a: [5]}\nblocks:\n  p: {seq: [{Linear: {⟦unknown-option⟧width: 6}}, ⟦unknown-layer⟧Relu]}\nnodes:\n  c: {layer: ReLU, from: a}\noutputs: c\n",
    # all at once, and no cascade
    "all faults in one go": "inputs: {a: [5]}\nnodes:\n  b: {layer: ⟦unknown-layer⟧Liner, from: a}\n  c: {layer: Linear, from: b, ⟦unknown-option⟧out: 3}\n  d: {merge: concat, from: [b, c]}\n  e: {layer: Linear, from: d, out_features: ⟦bad-option⟧x}\noutputs: e\n",
    "what follows a cycle is still read": "inputs: {a: [5]}\nnodes:\n  ⟦cycle⟧b: {merge: add, from: [a, c]}\n  c: {layer: ReLU, from: b}\n  d: {layer: Linear, from: c, ⟦unknown-option⟧out: 3}\noutputs: d\n",
}

LEGAL = {
    "a param that refers to one above": "params: {a: 2, b: $(a * 3)}\ninputs: {x: [5]}\nnodes:\n  y: {layer: Linear, from: x, out_features: $b}\noutputs: y\n",
    "an unused block, param and port": "params: {a: 2}\ninputs: {x: [5, 3]}\nblocks: {p: {seq: [ReLU]}}\nnodes:\n  y: {layer: LSTM, from: x, hidden_size: 4}\noutputs: y.last\n",
    "a share of itself in a row": "inputs: {x: [5]}\nnodes:\n  a: {layer: Linear, from: x, out_features: 5}\n  b: {share: a, from: a}\noutputs: b\n",
    "an input that is an output": "inputs: {x: [5]}\nnodes:\n  a: {layer: ReLU, from: x}\noutputs: {a: a, x: x}\n",
    "y and n are text": "inputs: {y: [5], n: [5]}\nnodes:\n  a: {merge: add, from: [y, n]}\noutputs: a\n",
    "Flatten with nothing after it": "inputs: {x: [5, 2]}\nnodes:\n  a:\n    from: x\n    seq:\n      - Flatten:\n      - {Linear: 3}\noutputs: a\n",
    "nodes in any order": "inputs: {x: [5]}\nnodes:\n  b: {layer: ReLU, from: a}\n  a: {layer: Linear, from: x, out_features: 3}\noutputs: b\n",
    "no repeats hand the input on": "inputs: {x: [5]}\nblocks: {p: {seq: [{Linear: 5}]}}\nnodes:\n  a: {block: p, from: x, repeat: 0}\noutputs: a\n",
}


@pytest.mark.parametrize("marked", CASES.values(), ids=CASES.keys())
def test_points_at(marked: str) -> None:
    text, expected = split(marked)
    assert told(text) == expected


@pytest.mark.parametrize("text", LEGAL.values(), ids=LEGAL.keys())
def test_legal(text: str) -> None:
    assert told(text) == []
