"""A spec is legal once the text that a help proposes is pasted into it."""

from __future__ import annotations

import re

import pytest

from tests.helpers.marked import faults, locations

HEAD = "params: {hidden: 4, half: 0.5}\ninputs: {x: [4, 8], tokens: {shape: [T], vocab: 9}, ids: {vocab: 5}, city: {vocab: 7}}\n"
BLOCKS = "blocks:\n  mlp: {params: {width: 3}, seq: [{Linear: $width}]}\n"
TAIL = "outputs: {y: y, x: x, tokens: tokens, ids: ids, city: city}\n"

# A node with the fault in brackets, the part of the help to paste, and the node with it pasted, where
# `...` may be filled in.
NODES = {
    "a number with _": ("{layer: Linear, from: x, out_features: ⟦1_000⟧}", "1000"),
    "a number with 0 in front": ("{layer: Linear, from: x, out_features: ⟦064⟧}", "64"),
    "yes": ("{layer: Linear, from: x, out_features: 3, bias: ⟦yes⟧}", "true"),
    "a variable of a shell": ("{layer: Linear, from: x, out_features: ⟦${hidden}⟧}", "$hidden"),
    "a path in a template": (
        "{layer: Linear, from: x, out_features: ⟦${params.hidden}⟧}",
        "$hidden",
    ),
    "a format of Python": ("{layer: Linear, from: x, out_features: ⟦%(hidden)d⟧}", "$hidden"),
    "a variable of configure": ("{layer: Linear, from: x, out_features: ⟦@hidden@⟧}", "$hidden"),
    "an axis of a lone value": ("{from: x, seq: [⟦{Select: 0}⟧]}", "{Select: {dim: 1, index: 0}}"),
    "a layer by its key in a seq": ("{from: x, seq: [⟦{layer: ReLU}⟧, {Linear: 3}]}", "ReLU"),
    "a block by its key in a seq": ("{from: x, seq: [⟦{block: mlp}⟧]}", "mlp"),
    "options beside a layer's key": (
        "{from: x, seq: [⟦{layer: Linear, out_features: 3, bias: false}⟧]}",
        "{Linear: {out_features: 3, bias: false}}",
    ),
    "two activations": (
        "{layer: Linear, from: x, out_features: 3, ⟦activation: [ReLU, Dropout]⟧}",
        "activation: ReLU",
    ),
    "half of a param": (
        "{layer: Linear, from: x, out_features: ⟦$(hidden / 2)⟧}",
        "$(hidden // 2)",
    ),
    "a param without $": ("{layer: Linear, from: x, out_features: ⟦hidden⟧}", "$hidden"),
    "a param without $ in a seq": ("{from: x, seq: [{Linear: ⟦hidden⟧}]}", "$hidden"),
    "a param without $ of an activation": (
        "{layer: ReLU, from: x, activation: {LeakyReLU: ⟦half⟧}}",
        "$half",
    ),
    "a size in quotes": ('{layer: Linear, from: x, out_features: ⟦"8"⟧}', "8"),
    "a layer behind type": ("{⟦type: Linear⟧, from: x, out_features: 3}", "layer: Linear"),
    "a merge behind op": ("{⟦op: add⟧, from: [x, x]}", "merge: add"),
    "a block behind module": ("{⟦module: mlp⟧, from: x}", "block: mlp"),
    "a source behind input": ("{layer: Linear, ⟦input: x⟧, out_features: 3}", "from: x"),
    "sources behind inputs": ("{merge: add, ⟦inputs: [x, x]⟧}", "from: [x, x]"),
    "a source by its name": (
        "{layer: MultiheadAttention, ⟦query: x⟧, num_heads: 2}",
        "from: {query: x}",
    ),
    "what is not trained": (
        "{layer: Linear, from: x, out_features: 3, ⟦trainable: false⟧}",
        "freeze: true",
    ),
    "what is not trained in a seq": (
        "{from: x, seq: [{Linear: {out_features: 3, ⟦requires_grad: false⟧}}]}",
        "freeze: true",
    ),
    "a parameter as a layer": ("⟦{layer: parameter}⟧", "{parameter: [8], init: zeros}"),
    "a Sequential": ("⟦{layer: nn.Sequential, from: x}⟧", "{from: x, seq: [ReLU]}"),
}


@pytest.mark.parametrize("name", NODES)
def test_a_pasted_value_or_node_is_right(name: str) -> None:
    node, pasted = NODES[name]
    wrong = re.sub("[⟦⟧]", "", node)
    (fault,) = faults(f"{HEAD}{BLOCKS}nodes:\n  y: {wrong}\n{TAIL}")
    assert re.search(rf"(?<!\w){re.escape(pasted)}(?!\w)", fault.help), fault.help
    right = re.sub("⟦.*⟧", lambda _: pasted, node)
    assert locations(f"{HEAD}{BLOCKS}nodes:\n  y: {right}\n{TAIL}") == []


# A wrong spec, the text in its help, and the spec with it pasted, where `...` is filled in.
SPECS = {
    "a node called by a number": (
        "inputs: {x: [8]}\nnodes:\n  1: {layer: ReLU, from: x}\noutputs: 1\n",
        "n1",
        "inputs: {x: [8]}\nnodes:\n  n1: {layer: ReLU, from: x}\noutputs: n1\n",
    ),
    "a merge in a seq": (
        "inputs: {x: [8], z: [8]}\nnodes:\n  y: {from: x, seq: [concat, {Linear: 3}]}\noutputs: {y: y, z: z}\n",
        "{merge: concat, from: [..., ...]}",
        "inputs: {x: [8], z: [8]}\nnodes:\n  both: {merge: concat, from: [x, z]}\n  y: {from: both, seq: [{Linear: 3}]}\noutputs: {y: y, z: z}\n",
    ),
    "a sum in a formula": (
        "inputs: {x: [8]}\nnodes:\n  y: {merge: formula, from: {x: x}, expr: x / x.sum()}\noutputs: y\n",
        "{layer: Sum, from: x, dim: 1, keepdim: true}",
        "inputs: {x: [8]}\nnodes:\n  sum: {layer: Sum, from: x, dim: 1, keepdim: true}\n  y: {merge: formula, from: {x: x, sum: sum}, expr: x / sum, broadcast: true}\noutputs: y\n",
    ),
    "a source of a formula by its own name": (
        "inputs: {x: [8]}\nnodes:\n  y: {merge: formula, from: {a: x}, expr: x * 2}\noutputs: y\n",
        "a",
        "inputs: {x: [8]}\nnodes:\n  y: {merge: formula, from: {a: x}, expr: a * 2}\noutputs: y\n",
    ),
    "a size in a formula": (
        "inputs: {x: [T, 8]}\nnodes:\n  y: {merge: formula, from: {x: x}, expr: x / T}\noutputs: y\n",
        "$T",
        "inputs: {x: [T, 8]}\nnodes:\n  y: {merge: formula, from: {x: x}, expr: x / $T}\noutputs: y\n",
    ),
    "a param of a formula": (
        "inputs: {x: [T, 8]}\nnodes:\n  y: {merge: formula, from: {x: x}, expr: x / $scale}\noutputs: y\n",
        "params",
        "params: {scale: 2}\ninputs: {x: [T, 8]}\nnodes:\n  y: {merge: formula, from: {x: x}, expr: x / $scale}\noutputs: y\n",
    ),
    "with of a layer": (
        "inputs: {x: [8], z: [8]}\nnodes:\n  y: {layer: Linear, from: x, with: {out_features: [3, 4]}}\noutputs: {x: y, z: z}\n",
        "each: [...]",
        "inputs: {x: [8], z: [8]}\nnodes:\n  y: {layer: Linear, each: [x, z], with: {out_features: [3, 4]}}\noutputs: {x: y.x, z: y.z}\n",
    ),
    "with of a block": (
        "inputs: {x: [8]}\nblocks:\n  b: {params: {w: 3}, seq: [{Linear: $w}]}\nnodes:\n  y: {block: b, from: x, with: {w: [3, 4]}}\noutputs: y\n",
        "repeat: {with: {...}}",
        "inputs: {x: [8]}\nblocks:\n  b: {params: {w: 3}, seq: [{Linear: $w}]}\nnodes:\n  y: {block: b, from: x, repeat: {with: {w: [3, 4]}}}\noutputs: y\n",
    ),
    "Dropout as an activation": (
        "inputs: {x: [8]}\nnodes:\n  y: {layer: Linear, from: x, out_features: 3, activation: [ReLU, Dropout]}\noutputs: y\n",
        "{layer: Dropout, from: ...}",
        "inputs: {x: [8]}\nnodes:\n  y: {layer: Linear, from: x, out_features: 3, activation: ReLU}\n  z: {layer: Dropout, from: y}\noutputs: z\n",
    ),
    "params of a block in a list": (
        "inputs: {x: [8]}\nblocks:\n  b: {params: [width, rate], seq: [{Linear: $width}, {Dropout: $rate}]}\nnodes:\n  y: {block: b, from: x, width: 3, rate: 0.1}\noutputs: y\n",
        "{width: null, rate: null}",
        "inputs: {x: [8]}\nblocks:\n  b: {params: {width: null, rate: null}, seq: [{Linear: $width}, {Dropout: $rate}]}\nnodes:\n  y: {block: b, from: x, width: 3, rate: 0.1}\noutputs: y\n",
    ),
}


@pytest.mark.parametrize(("wrong", "pasted", "right"), SPECS.values(), ids=SPECS)
def test_a_spec_with_the_help_pasted_is_right(wrong: str, pasted: str, right: str) -> None:
    (fault,) = faults(wrong)
    assert pasted in fault.help, fault.help
    assert re.search(re.escape(pasted).replace(r"\.\.\.", "[^}]+?"), right)
    assert locations(right) == []
