"""Faults of parameters, buffers, positions and weights are reported where `⟦code⟧` stands."""

from __future__ import annotations

import json

import pytest

from mimgraph.ops.layers.tensors.inits import INITS
from tests.helpers.marked import faults, locations, split


def spec(*nodes: str, inputs: str = "x: [T, 8]", params: str = "", blocks: str = "") -> str:
    """Return the spec of the nodes and of a node that reads `x`; every node is an output."""
    names = [node.partition(":")[0].replace("⟦", "⟧").split("⟧")[-1] for node in nodes]
    lines = [f"params: {{{params}}}"] if params else []
    lines += [f"inputs: {{{inputs}}}", *([f"blocks:\n{blocks}"] if blocks else []), "nodes:"]
    lines += ["  y: {layer: ReLU, from: x}", *(f"  {node}" for node in nodes)]
    return "\n".join([*lines, f"outputs: [{', '.join(['y', *names])}]\n"])


BLOCK = """\
  stage:
    inputs: [x]
    nodes:
      fc: {layer: Linear, from: x, out_features: 8}
      again: {share: fc, from: fc}
      scale: {parameter: [8], init: ones}
      y: {merge: multiply, from: [again, scale], broadcast: true}
    outputs: y
  chain: {seq: [{Linear: 8}, ReLU]}
"""
DEEP = "[" * 3 + "1" + "]" * 3
HUGE = f"[{2**20}, {2**21}]"

CASES = {
    # the shape
    "a size alone is no shape": spec("p: {parameter: ⟦wrong-type⟧64, init: zeros}"),
    "a name is no shape": spec("p: {buffer: ⟦wrong-type⟧x, init: zeros}"),
    "a mapping is no shape": spec("p: {parameter: ⟦wrong-type⟧{shape: [4]}, init: zeros}"),
    "no shape at all": spec("p: {parameter: ⟦wrong-type⟧null, init: zeros}"),
    "a param that is no list": spec(
        "p: {parameter: ⟦bad-option⟧$n, init: zeros}", params="n: 4, s: [4]"
    ),
    "shape given twice": spec("p: {parameter: [4], ⟦unknown-option⟧shape: [4], init: zeros}"),
    "a size of nothing": spec("p: {parameter: ⟦bad-option⟧[4, 0], init: zeros}"),
    "a negative size": spec("p: {buffer: ⟦bad-option⟧[-1], init: zeros}"),
    "a size that comes to nothing": spec(
        "p: {parameter: ⟦bad-option⟧[$(n - 4)], init: zeros}", params="n: 4"
    ),
    "a size with a fraction": spec("p: {parameter: ⟦bad-option⟧[1.5], init: zeros}"),
    "a name in a shape": spec("p: {parameter: ⟦bad-option⟧[T], init: zeros}"),
    "a size known at run time": spec("p: {parameter: ⟦symbolic-size⟧[$T, 8], init: zeros}"),
    "such a size of a buffer": spec("p: {buffer: ⟦symbolic-size⟧[$(2 * T)], init: zeros}"),
    "an unknown param": spec("p: {parameter: [$⟦unknown-param⟧m], init: zeros}", params="width: 4"),
    "too many elements": spec(f"⟦too-large⟧p: {{parameter: {HUGE}, init: zeros}}"),
    "too many of a buffer": spec(f"⟦too-large⟧p: {{buffer: {HUGE}, init: sinusoid}}"),
    "too many before 64 bits": spec(f"⟦too-large⟧p: {{parameter: [{2**63 - 1}], init: zeros}}"),
    # init
    "no init": spec("⟦missing-option⟧p: {parameter: [4]}"),
    "an unknown key silences the missing init": spec(
        "p: {parameter: [4], ⟦unknown-option⟧innit: zeros}"
    ),
    "an init that does not exist": spec("p: {parameter: [4], init: ⟦bad-option⟧zeroes}"),
    "two inits": spec("p: {parameter: [4], init: ⟦bad-option⟧{zeros: null, ones: null}}"),
    "an argument it does not take": spec(
        "p: {parameter: [4], init: ⟦bad-option⟧{normal: {sdt: 0.02}}}"
    ),
    "arguments that are no mapping": spec("p: {parameter: [4], init: ⟦bad-option⟧{normal: 0.02}}"),
    "an argument it needs": spec("p: {parameter: [4], init: ⟦bad-option⟧constant}"),
    "an argument out of range": spec(
        "p: {parameter: [4], init: ⟦bad-option⟧{normal: {std: -0.02}}}"
    ),
    "an argument that no float holds": spec(
        "p: {parameter: [4], init: ⟦bad-option⟧{uniform: {b: 1.0e+300}}}"
    ),
    "bounds that cross": spec(
        "p: {parameter: [4], init: ⟦bad-option⟧{trunc_normal: {a: 3, b: 2}}}"
    ),
    "a bound beyond the usual other": spec(
        "p: {parameter: [4], init: ⟦bad-option⟧{trunc_normal: {a: 3}}}"
    ),
    "too few axes": spec("p: {parameter: [4], init: ⟦bad-option⟧xavier_uniform}"),
    "too many axes": spec("p: {parameter: [4, 4, 4], init: ⟦bad-option⟧eye}"),
    "groups that do not divide": spec(
        "p: {parameter: [4, 2, 3], init: ⟦bad-option⟧{dirac: {groups: 3}}}"
    ),
    "an init of floats for integers": spec(
        "p: {buffer: [4, 4], init: ⟦bad-option⟧normal, dtype: int64}"
    ),
    "a matrix that torch does not decompose": spec(
        "p: {buffer: [4, 4], init: ⟦bad-option⟧orthogonal, dtype: float16}"
    ),
    "values of another shape": spec("p: {parameter: [2, 2], init: ⟦bad-option⟧[1, 2]}"),
    "values of too many axes": spec(f"p: {{parameter: [1], init: ⟦bad-option⟧{DEEP}}}"),
    "values in uneven lists": spec("p: {parameter: [2, 2], init: ⟦bad-option⟧[[1, 2], [3]]}"),
    "no values": spec("p: {parameter: [2], init: ⟦bad-option⟧[]}"),
    "values that are null": spec("p: {parameter: [2], init: ⟦bad-option⟧null}"),
    "a value with a fraction among integers": spec(
        "p: {buffer: [2], init: ⟦bad-option⟧[1, 2.5], dtype: int64}"
    ),
    "a number among truths": spec("p: {buffer: [2], init: ⟦bad-option⟧[true, 1], dtype: bool}"),
    "an integer that the dtype cannot hold": spec(
        "p: {buffer: [2], init: ⟦bad-option⟧[1, 256], dtype: uint8}"
    ),
    "a number that the dtype cannot hold": spec(
        "p: {buffer: [2], init: ⟦bad-option⟧1.0e+5, dtype: float16}"
    ),
    "values from a param": spec("p: {parameter: [2], init: ⟦bad-option⟧$v}", params="v: [1, 2, 3]"),
    # other keys
    "a source": spec("p: {parameter: [4], init: zeros, from: ⟦wrong-arity⟧x}"),
    "a source of a buffer": spec("p: {buffer: [4], init: zeros, from: [⟦wrong-arity⟧x, y]}"),
    "an each": spec("p: {parameter: [4], init: zeros, ⟦unknown-key⟧each: [x, y]}"),
    "a dtype of a parameter": spec(
        "p: {parameter: [4], init: zeros, ⟦unknown-option⟧dtype: int64}"
    ),
    "a dtype that does not exist": spec("p: {buffer: [4], init: zeros, dtype: ⟦bad-option⟧int65}"),
    "batched is no number": spec("p: {parameter: [4], init: zeros, batched: ⟦bad-option⟧1}"),
    "a port of a sole tensor": spec("p: {parameter: [4], init: zeros, take: ⟦unknown-port⟧weight}"),
    "a second op": spec("p: {parameter: [4], ⟦unknown-key⟧buffer: [4], init: zeros}"),
    "an item of a chain": spec("p: {from: x, seq: [{⟦unknown-layer⟧parameter: [4]}]}"),
    "a batch that no input of the block has": spec(
        "w: {parameter: [8], init: zeros}",
        "p: {block: token, from: w}",
        blocks="""\
  token:
    inputs: [x]
    nodes:
      cls: {parameter: [8], init: zeros, batched: ⟦bad-option⟧true}
      y: {merge: add, from: [cls, x], broadcast: true}
    outputs: y
""",
    ),
    "what is unused is told beside a tensor": spec("p: {parameter: [4], init: zeros}").replace(
        "nodes:", "nodes:\n  ⟦unused-node⟧dead: {layer: Tanh, from: x}"
    ),
    "a tensor that nothing reads": spec("p: {layer: Tanh, from: x}").replace(
        "nodes:", "nodes:\n  ⟦unused-node⟧dead: {buffer: [4], init: zeros}"
    ),
    "an input that nothing reads": spec(
        "p: {parameter: [4], init: zeros}", inputs="x: [4], ⟦unused-input⟧z: [4]"
    ),
    # positions
    "no axis": spec("⟦missing-option⟧p: {arange: x}"),
    "an axis that is not there": spec("p: {arange: x, dim: ⟦bad-option⟧3}"),
    "an axis that is not there, from behind": spec("p: {arange: x, dim: ⟦bad-option⟧-4}"),
    "an axis by its name": spec("p: {arange: x, dim: ⟦bad-option⟧T}"),
    "an axis at run time": spec("p: {arange: x, dim: ⟦symbolic-size⟧$T}"),
    "from beside arange": spec("p: {arange: x, dim: 1, ⟦unknown-key⟧from: x}"),
    "each beside arange": spec("p: {arange: x, dim: 1, ⟦unknown-key⟧each: [x]}"),
    "arange of a number": spec("p: {arange: 8, dim: ⟦bad-option⟧1}"),
    "arange of two": spec("p: {arange: [x, ⟦wrong-arity⟧y], dim: 1}"),
    "arange of nothing": spec("⟦wrong-arity⟧p: {arange: [], dim: 1}"),
    "arange of what does not exist": spec("p: {arange: ⟦unknown-source⟧xx, dim: 1}"),
    "arange of itself": spec("⟦cycle⟧p: {arange: p, dim: 1}"),
    "init of an arange": spec("p: {arange: x, dim: 1, ⟦unknown-option⟧init: zeros}"),
    "positions beyond an embedding": spec(
        "i: {arange: x, dim: 2}",
        "p: {layer: Embedding, from: i, embedding_dim: 4, num_embeddings: ⟦bad-option⟧7}",
    ),
    "positions of no known number": spec(
        "i: {arange: x, dim: 1}",
        "⟦missing-option⟧p: {layer: Embedding, from: i, embedding_dim: 4}",
    ),
    "positions beyond a one-hot": spec(
        "i: {arange: x, dim: 2}", "p: {layer: OneHot, from: i, num_classes: ⟦bad-option⟧7}"
    ),
    "a cut to a length that is never there": spec(
        "t: {buffer: [4, 8], init: sinusoid}",
        "p: {layer: Slice, from: t, dim: 0, end: ⟦bad-option⟧$(T + 4)}",
    ),
    "a cut to a length that a chain cannot see": spec(
        "t: {buffer: [4, 8], init: sinusoid}",
        "p: {from: t, seq: [{Slice: {dim: 0, end: ⟦symbolic-size⟧$T}}]}",
    ),
    # learned tensors
    "a weight that is not there": spec(
        "fc: {layer: Linear, from: x, out_features: 4}",
        "p: {layer: ReLU, from: fc.⟦unknown-port⟧weigth}",
    ),
    "a bias that was left out": spec(
        "fc: {layer: Linear, from: x, out_features: 4, bias: false}",
        "p: {layer: ReLU, from: fc.⟦unknown-port⟧bias}",
    ),
    "a weight of an item that has none": spec(
        "v: {from: x, seq: [{Linear: 4}, ReLU]}", "p: {layer: ReLU, from: v.⟦unknown-port⟧1.weight}"
    ),
    "a weight of a repeat that is not there": spec(
        "s: {block: stage, from: x, repeat: 2}",
        "p: {layer: ReLU, from: s.⟦unknown-port⟧2.fc.weight}",
        blocks=BLOCK,
    ),
    "a weight of a repeat without its number": spec(
        "s: {block: chain, from: x, repeat: 2}",
        "p: {layer: ReLU, from: s.⟦unknown-port⟧0.weight}",
        blocks=BLOCK,
    ),
    "a number that is written otherwise": spec(
        "s: {block: stage, from: x, repeat: 2}",
        "p: {layer: ReLU, from: s.⟦unknown-port⟧01.fc.weight}",
        blocks=BLOCK,
    ),
    "a number that is too long to read": spec(
        "s: {block: stage, from: x, repeat: 2}",
        f"p: {{layer: ReLU, from: s.⟦unknown-port⟧{'9' * 5000}.fc.weight}}",
        blocks=BLOCK,
    ),
    "a weight of no repeats": spec(
        "s: {block: stage, from: x, repeat: 0}",
        "p: {layer: ReLU, from: s.⟦unknown-port⟧0.fc.weight}",
        blocks=BLOCK,
    ),
    "a weight by a share in a block, which has no module": spec(
        "s: {block: stage, from: x}",
        "p: {layer: ReLU, from: s.⟦unknown-port⟧again.weight}",
        blocks=BLOCK,
    ),
    "more than the weight": spec(
        "fc: {layer: Linear, from: x, out_features: 4}",
        "p: {layer: ReLU, from: fc.⟦unknown-port⟧weight.data}",
    ),
    "a weight of an input": spec("p: {layer: ReLU, from: x.⟦unknown-port⟧weight}"),
    "a weight of itself": spec(
        "⟦cycle⟧p: {layer: Linear, from: p.weight, out_features: 4}",
    ),
    "a shared layer on a weight of another size": spec(
        "fc: {layer: Linear, from: x, out_features: 8}",
        "other: {layer: Linear, from: x, out_features: 4}",
        "p: {layer: Linear, from: fc.weight, out_features: 4}",
        "q: {share: p, from: other.weight}",
        "r: {layer: Transpose, from: other.weight, dim0: 0, dim1: 1}",
        "s: {share: p, from: ⟦shape-mismatch⟧r}",
    ),
    "a weight that does not fit": spec(
        "fc: {layer: Linear, from: x, out_features: 4}",
        "p: {merge: matmul, from: [x, ⟦shape-mismatch⟧fc.weight]}",
    ),
}


@pytest.mark.parametrize("marked", CASES.values(), ids=CASES.keys())
def test_a_fault_is_reported_at_its_place(marked: str) -> None:
    text, expected = split(marked)
    assert locations(text) == expected


HELP = {
    "p: {parameter: [4], init: zeross}": "did you mean zeros?",
    "p: {parameter: [4], init: gaussian}": f"one of {', '.join(INITS)}",
    "p: {parameter: [4], init: {normal: {sigma: 1}}}": "its arguments: mean, std",
    "p: {parameter: [4], init: {ones: {val: 1}}}": "its arguments: none",
    "p: {parameter: [4], init: constant}": "{constant: {val: 0.5}}",
    "p: {layer: ReLU, from: fc.weigth}": "did you mean weight?",
    "p: {layer: ReLU, from: s.0.fc.weigth}": "did you mean 0.fc.weight?",
    "p: {layer: ReLU, from: s.fc.weight}": "did you mean 0.fc.weight?",
    "p: {layer: ReLU, from: rnn.weight_ih}": "did you mean weight_ih_l0?",
    "p: {layer: ReLU, from: rnn.lats}": "did you mean last?",
    "p: {layer: ReLU, from: fc.output}": "fc has one result: write fc",
}


@pytest.mark.parametrize(("node", "help"), HELP.items(), ids=HELP.keys())
def test_the_help_of_a_fault(node: str, help: str) -> None:
    others = (
        "fc: {layer: Linear, from: x, out_features: 8}",
        "s: {block: stage, from: x, repeat: 2}",
        "rnn: {layer: LSTM, from: x, hidden_size: 4}",
    )
    (fault,) = faults(spec(*others, node, blocks=BLOCK))
    assert fault.help == help


VALUES = [None, True, 3, -1, 0, 1.5, "zeros", "$n", "$l", "$t", "$(n * 2)", "$T", "x", [], [2]]
VALUES += [[[2]], [None], ["$n"], ["$T"], {}, {"normal": None}, {"a": [1]}, float("nan")]
PLACES = {
    "shape": '{"parameter": ?, "init": "zeros"}',
    "init": '{"parameter": [2], "init": ?}',
    "arguments": '{"parameter": [2], "init": {"normal": ?}}',
    "argument": '{"parameter": [2], "init": {"normal": {"std": ?}}}',
    "constant": '{"buffer": [2], "init": {"constant": {"val": ?}}, "dtype": "int64"}',
    "values": '{"buffer": [1, 1], "init": [[?]], "dtype": "bool"}',
    "batched": '{"parameter": [2], "init": "zeros", "batched": ?}',
    "dtype": '{"buffer": [2], "init": "zeros", "dtype": ?}',
    "activation": '{"parameter": [2], "init": "zeros", "activation": ?}',
    "take": '{"buffer": [2], "init": "zeros", "take": ?}',
    "from": '{"parameter": [2], "init": "zeros", "from": ?}',
    "arange": '{"arange": ?, "dim": 1}',
    "dim": '{"arange": "x", "dim": ?}',
}


@pytest.mark.parametrize("place", PLACES)
def test_no_value_in_that_place_raises_a_traceback(place: str) -> None:
    for value in VALUES:
        node = PLACES[place].replace("?", json.dumps(value).replace("NaN", ".nan"))
        text = spec(f"p: {node}", params="n: 2, l: [2], t: zeros")
        line = text[: text.index("  p: ")].count("\n") + 1
        assert all(fault.span.line == line for fault in faults(text)), node
