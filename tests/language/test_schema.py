"""The JSON Schema accepts specs that the reader accepts, and refuses a wrong structure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.ir.declared.operations import VALUE_OPTION
from mimgraph.ir.option_types import choices
from mimgraph.language import schema
from mimgraph.language.places import PLACES
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.language.yaml_tree.tree import Scalar, Sequence, Tree
from mimgraph.ops import registry
from mimgraph.ops.op import Op
from mimgraph.ops.signature import OptionSpec
from mimgraph.source import SourceFile
from tests.helpers.marked import locations
from tests.helpers.strategies import Spec, specs, to_yaml
from tests.infer.test_named_ops import SPEC as CHOICE
from tests.test_corpus import cases

SCHEMA = schema.schema()
VALIDATOR = Draft202012Validator(SCHEMA)
OPS = [op for kind in ("layer", "merge", "tensor") for op in registry.ops(kind).values()]


def data(text: str) -> Any:
    """Return a spec as plain data, as an editor reads it by YAML 1.2."""
    faults: list[Any] = []
    tree = compose(SourceFile("spec.yaml", text), lambda fault, *_: faults.append(fault))
    assert tree is not None and not faults
    return _plain(tree)


def _plain(tree: Tree) -> Any:
    if isinstance(tree, Scalar):
        return tree.value
    if isinstance(tree, Sequence):
        return [_plain(item) for item in tree.items]
    return {key.text: _plain(value) for key, value in tree.entries}


def faults(text: str) -> list[str]:
    return [f"{e.json_path}: {e.message}"[:300] for e in VALIDATOR.iter_errors(data(text))]


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_text_is_the_schema() -> None:
    text = schema.text()
    assert json.loads(text) == SCHEMA
    assert len(text) < 1 << 20


def test_every_definition_is_used() -> None:
    text = schema.text()
    assert [name for name in SCHEMA["$defs"] if f'"#/$defs/{name}"' not in text] == []


def test_has_the_keys_of_every_place() -> None:
    defs = SCHEMA["$defs"]
    found = {
        "a spec": SCHEMA,
        "an input": defs["input"],
        "a block": defs["block_of_spec"],
        "repeat": defs["repeat"]["anyOf"][1],
        "an output": defs["output"]["anyOf"][1],
    }
    for place, part in found.items():
        assert set(part["properties"]) == set(PLACES[place])


def test_accepts_the_specs_of_the_gallery(spec: Path) -> None:
    assert faults(spec.read_text()) == []


@pytest.mark.parametrize("op", OPS, ids=lambda op: f"{op.kind} {op.name}")
def test_accepts_the_example_of_every_op(op: Op) -> None:
    inputs, node = op.example
    declared = "\n".join(f"  {line}" for line in inputs)
    assert faults(f"inputs:\n{declared}\nnodes:\n  y: {node}\noutputs: y\n") == []


# legal nodes, in all forms, of a spec with the inputs a, b (5) and s (T, 5)
LEGAL_NODES = {
    "a source by argument": "n: {layer: ReLU, from: {input: a}}",
    "a source in a list": "n: {layer: ReLU, from: [a]}",
    "a chain of nothing": "n: {from: a, seq: []}",
    "a chain fed by argument": "n: {from: {input: a}, seq: [ReLU]}",
    "a lone value": "n: {from: a, seq: [{Linear: 3}, {Linear: {out_features: 3}}, {ReLU: }, {ReLU: {}}]}",
    "words of an item": "n: {from: s, seq: [{LSTM: {hidden_size: 3, take: last, freeze: true}}, {Linear: {out_features: 3, activation: ReLU}}]}",
    "a switch": "n: {layer: Linear, from: a, out_features: 3, freeze: $t}\n  m: {from: a, seq: [{Linear: {out_features: 3, freeze: $t}}], freeze: $(t)}",
    "an activation": "n: {layer: Linear, from: a, out_features: 3, activation: {LeakyReLU: 0.2}}",
    "an activation of nothing": "n: {layer: Linear, from: a, out_features: 3, activation: {ReLU: }}",
    "an activation with options": "n: {layer: Linear, from: a, out_features: 3, activation: {Softplus: {beta: 2}}}",
    "each": "n: {layer: Linear, each: [a, b], out_features: 3}",
    "each by name": "n: {layer: Linear, each: {x: a, y: a}, out_features: 3}",
    "each with its own options": "n: {layer: Linear, each: [a, b], with: {out_features: [3, $(2 + 2)]}}",
    "each of a chain": "n: {seq: [ReLU], each: [a, b]}",
    "copies on one source": "n: {layer: Linear, each: 3, from: a, with: {out_features: [1, 2, 3]}}",
    "a computed number of copies": "n: {seq: [ReLU], each: $(k + 1), from: [a]}",
    "one module for each": "n: {layer: Linear, each: [a, b], shared: true, out_features: 3}",
    "a module for each": "n: {seq: [ReLU], each: [a, b], shared: false}",
    "each of what is shared": "m: {layer: ReLU, from: a}\n  n: {share: m, each: [a, b]}",
    "a share of one of each": "m: {layer: Linear, each: [a, b], out_features: 3}\n  n: {share: m.a, from: a}",
    "a parameter": "n: {parameter: [5], init: zeros, activation: ReLU, freeze: true}",
    "a parameter of no axes": "n: {parameter: [], init: 0.5}",
    "a parameter by values": "n: {parameter: [2, 2], init: [[1, 2], [3, $(2 * 2)]]}",
    "an init with nothing": "n: {parameter: [5], init: {zeros: }}",
    "an init with arguments": "n: {parameter: [5], init: {normal: {std: $(1 / 2)}}}",
    "an arange": "n: {arange: [s], dim: 1}\n  m: {arange: {input: s}, dim: 1}",
    "a buffer that is not persistent": "n: {buffer: [5], init: {arange: 5}, persistent: false}",
    "an arange of a number": "n: {arange: 5}\n  m: {arange: $k, start: 1, step: 2}\n  o: {arange: $T}",
    "zeros and ones": "n: {zeros: [$T, 5], batched: true, dtype: int64}\n  m: {ones: []}\n  o: {ones: true, like: a, dtype: bool}\n  p: {zeros: true, like: o}",
    "noise": "n: {random: normal, like: a}\n  m: {random: uniform, like: n, only: training, activation: ReLU}",
    "params of a block that are keys of constants": "n: {layer: ReLU, from: a}",
    "an expression as any option": "n: {layer: Linear, from: a, out_features: $(2 * 3), bias: $t}",
    "a formula": "n: {merge: formula, expr: $k * a + b, from: {a: a, b: b}}",
    "a text with a param in it": "n: {layer: Rearrange, from: s, pattern: n t (h c) -> n t h c, sizes: {c: $k}}",
    "an activation that is an option": "n: {layer: TransformerEncoderLayer, from: s, nhead: 1, activation: gelu}\n  m: {layer: TransformerEncoderLayer, from: s, nhead: 1, activation: {gelu: {}}}",
    "an init of one argument": "n: {parameter: [5], init: {constant: 0.5}}",
    "a parameter used again": "m: {parameter: [5], init: zeros}\n  n: {share: m}",
}
# legal specs
LEGAL = {
    "nothing but inputs": "inputs: {a: [5]}\nnodes: {}\noutputs: a\n",
    "a version": "mimgraph: 1\ninputs: {a: [5]}\nnodes: {}\noutputs: a\n",
    "a quoted version": 'mimgraph: "1"\ninputs: {a: [5]}\nnodes: {}\noutputs: a\n',
    "a param that is a list": "params: {p: [1, [2, x]], q: null, r: true}\ninputs: {a: [5]}\nnodes: {}\noutputs: a\n",
    "searches": "params: {p: {search: [1, [a], null]}, q: {search: {int: [2, 8], step: 2}, default: 4}, r: {search: {float: [0.1, 1], log: true}}, f: {search: [add, gated]}}\ninputs: {a: [5], b: [5]}\nnodes: {n: {merge: $f, from: [a, b], out_features: $q}}\noutputs: n\n",
    "inputs": "params: {k: 3, o: false}\ninputs: {a: {vocab: $k}, b: {shape: [$(k * 2), 3], doc: x, optional: true}, e: {shape: [5], optional: $o}, c: [T, 5], d: []}\nnodes: {n: {layer: Fill, from: b, value: zeros}}\noutputs: [a, n, c, d, e]\n",
    "sizes of inputs": "params: {k: 3}\ninputs: {a: [8*H, H * 8, 2*T + 1, $k*W], b: [$(2 * k)*H + $k, 2*(T + 1), H]}\nblocks: {p: {inputs: {x: [2*C, $k*D]}, nodes: {}, outputs: x}}\nnodes: {}\noutputs: [a, b]\n",
    "a list of outputs": "inputs: {a: [5], b: [5], c: [5]}\nnodes: {}\noutputs: [a, {y: b}, {z: {from: c, doc: last}}]\n",
    "outputs by any name": "inputs: {a: [5], b: [5]}\nnodes: {}\noutputs: {forward: a, class: {from: b, only: training}}\n",
    "a block of one input": "inputs: {a: [5]}\nblocks: {p: {inputs: x, nodes: {}, outputs: x}}\nnodes: {n: {block: p, from: a}}\noutputs: n\n",
    "a block of any shape": "inputs: {a: [5]}\nblocks: {p: {inputs: {x: null}, seq: []}}\nnodes: {n: {block: p, from: a}}\noutputs: n\n",
    "a block in a chain": "inputs: {a: [5]}\nblocks: {p: {params: {w: 5}, seq: [{Linear: $w}]}}\nnodes: {n: {from: a, seq: [p, {p: }, {p: {}}, {p: 5}, {p: {w: 5, repeat: 2}}]}}\noutputs: n\n",
    "scans": "params: {k: 1}\ninputs: {a: [5, 5], b: [5]}\nblocks: {p: {params: {w: 5}, inputs: [a, h], nodes: {n: {merge: add, from: [a, h]}}, outputs: {h: n}}, q: {seq: [ReLU]}}\nnodes:\n  n: {scan: p, over: a, carry: {h: b}, take: h, freeze: true}\n  m: {scan: p, from: {a: a}, over: {a: $k}, carry: {h: n}, w: 3}\n  o: {scan: q, from: m, over: 1}\n  p: {scan: q, from: [o], over: $k, carry: {}}\noutputs: p\n",
    "repeats": "params: {k: 2}\ninputs: {a: [5]}\nblocks: {p: {params: {w: 5}, seq: [{Linear: $w}]}}\nnodes:\n  n: {block: p, from: a, repeat: $k}\n  m: {block: p, from: n, repeat: {times: 2, shared: true}}\n  o: {block: p, from: m, repeat: {with: {w: [3, 4]}}}\noutputs: o\n",
}


NODES = "params: {k: 5, t: true}\ninputs: {a: [5], b: [5], s: [T, 5]}\nnodes:\n  %s\noutputs: [a, b, s]\n"
ALL_LEGAL = {
    "params that name layers, merges and blocks": CHOICE,
    **{name: spec for name, (spec, _) in cases("legal").items()},
    **LEGAL,
    **{name: NODES % node for name, node in LEGAL_NODES.items()},
}


@pytest.mark.parametrize("text", ALL_LEGAL.values(), ids=ALL_LEGAL.keys())
def test_accepts_what_the_reader_accepts(text: str) -> None:
    assert [fault for fault in locations(text) if not fault.startswith("unused-node")] == []
    assert faults(text) == []


# the codes of faults of structure, except for cases that depend on the meaning of names
STRUCTURAL = {
    *("unknown-key", "missing-key", "wrong-type", "unknown-option", "missing-option"),
    *("bad-option", "unknown-layer", "unknown-merge", "bad-name"),
}
UNREADABLE = {"yaml-syntax", "yaml-subset", "ambiguous-scalar", "duplicate-key"}
BEYOND = {
    "what a block's own text says of its params and inputs": {
        "Unknown param of a block",
        "Missing param of a block",
        "Block unknown arg",
        "A lone value for a block without params",
        "A bad lone value for a block",
        "Block param list item",
        "A group as an input of a block",
        "With a param that the block does not have",
    },
    "the value of an expression": {
        "Input param text",
        "Param null",
        "Block pattern param text",
        "Freeze by a param of another type",
        "Freeze by a list of values",
        "Freeze by a size",
    },
    "how many values go with others": {"Block with lengths", "Block with times"},
    "sizes and other options": {
        "Padding same stride",
        "Pool padding",
        "Groupnorm groups",
        "A padding index beyond the vocabulary",
        "A projection as large as the hidden size",
        "Reshape",
        "Select batch",
    },
    "the notation in a text": {"Rearrange"},
    "3.0, which is an integer in JSON": {"Concat dim float"},
}
# cases with another code that the schema refuses as well
FORESEEN = {
    "No source",
    "Too many sources, and too few",
    "Too many sources for attention",
    "Seq of several sources",
    "A missing argument",
    "Take of an unknown port",
    "Block input twice",
    "Lone dollar",
    "Empty expr",
    "Unclosed expr",
}
CASES = cases(
    *("sections", "nodes", "node_options", "blocks", "each", "names", "graph", "shapes", "dtypes")
)
READABLE = {name: case for name, case in CASES.items() if not UNREADABLE & case[1]}


# nodes with other faults of structure
REFUSED_NODES = {
    "a port of each that is no name": "n: {layer: ReLU, each: {x-y: a}}",
    "copies without a source": "n: {layer: ReLU, each: 3}",
    "no copies": "n: {layer: ReLU, each: 0, from: a}",
    "shared copies": "n: {layer: ReLU, each: 3, from: a, shared: true}",
    "one module with different options": "n: {layer: Linear, each: [a, b], shared: true, with: {out_features: [1, 2]}}",
    "shared and no each": "n: {layer: ReLU, from: a, shared: true}",
    "with and no each": "n: {layer: Linear, from: a, with: {out_features: [3]}}",
    "with of one value": "n: {layer: Linear, each: [a, b], with: {out_features: 3}}",
    "with of a wrong value": "n: {layer: Linear, each: [a, b], with: {out_features: [3, x]}}",
    "with of a word": "n: {layer: ReLU, each: [a, b], with: {activation: [ReLU, Tanh]}}",
    "with of a chain": "n: {seq: [ReLU], each: [a, b], with: {}}",
    "with of a share": "m: {layer: ReLU, from: a}\n  n: {share: m, each: [a, b], with: {x: [1, 2]}}",
    "each and from": "n: {layer: ReLU, each: [a], from: b}",
    "each of a parameter": "n: {parameter: [3], init: zeros, each: [a]}",
    "each of an item": "n: {from: a, seq: [{Linear: {out_features: 3, each: a}}]}",
    "a parameter without an init": "n: {parameter: [3]}",
    "an init that does not exist": "n: {parameter: [3], init: norml}",
    "an argument of an init": "n: {parameter: [3], init: {normal: {sd: 1}}}",
    "an argument of an init out of range": "n: {parameter: [3], init: {normal: {std: -1}}}",
    "a lone value of an init of several": "n: {parameter: [3], init: {normal: 1}}",
    "an init that needs its argument": "n: {parameter: [3], init: constant}",
    "an arange with from": "n: {arange: s, from: a, dim: 1}",
    "an item that needs more than its lone value": "n: {from: a, seq: [{Conv2d: 3}]}",
    "an item that needs a value": "n: {from: a, seq: [{Linear: }]}",
    "a lone value for what has none": "n: {from: a, seq: [{BatchNorm2d: 64}]}",
    "an option out of the choices": "n: {layer: GELU, from: a, approximate: tan}",
}


SCANS = "inputs: {a: [5, 5], b: [5]}\nblocks: {p: {inputs: [a, h], nodes: {n: {merge: add, from: [a, h]}}, outputs: {h: n}}}\nnodes:\n  n: {%s}\noutputs: [a, b]\n"
REFUSED_SCANS = {
    "no over": "scan: p, from: a, carry: {h: b}",
    "over nothing": "scan: p, over: {}, carry: {h: b}",
    "over a list": "scan: p, over: [a], carry: {h: b}",
    "an axis that is no number": "scan: p, over: {a: x}, carry: {h: b}",
    "a carry without its start": "scan: p, over: a, carry: h",
    "a list of starts": "scan: p, over: a, carry: {h: [b]}",
    "each": "scan: p, each: [a], over: 1",
    "repeat": "scan: p, over: a, carry: {h: b}, repeat: 2",
    "a carry of another node": "block: p, from: [a, b], carry: {h: b}",
}


@pytest.mark.parametrize("node", REFUSED_SCANS.values(), ids=REFUSED_SCANS.keys())
def test_refuses_a_scan(node: str) -> None:
    assert {fault.partition(" ")[0] for fault in locations(SCANS % node)} & STRUCTURAL
    assert faults(SCANS % node) != []


@pytest.mark.parametrize("node", REFUSED_NODES.values(), ids=REFUSED_NODES.keys())
def test_refuses_a_node(node: str) -> None:
    assert {fault.partition(" ")[0] for fault in locations(NODES % node)} & STRUCTURAL
    assert faults(NODES % node) != []


@pytest.mark.parametrize("name", READABLE)
def test_refuses_the_faults_of_structure(name: str) -> None:
    text, codes = READABLE[name]
    told_by_structure = bool(codes & STRUCTURAL) and not any(name in why for why in BEYOND.values())
    assert bool(faults(text)) == (told_by_structure or name in FORESEEN)


def test_the_exceptions_are_cases() -> None:
    assert [n for why in (*BEYOND.values(), FORESEEN) for n in why if n not in READABLE] == []


# every option of every op against values of every kind

PROBES = (
    *(None, True, 0, 1, -1, 2, 1000, 1001, 0.5, 1.5, -0.5, "", "text", "a b", "$x", "$(2 * x)"),
    *([], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [0], [-1, 4], [None, 1], [0.5, 2], ["a"], ["$x"]),
    *([1, 2, 3, 4, 5, 6], [[1]], [True, 1], {"a": 2}, {"a": 0}, {"a": "$x"}),
)
OPTIONS = [
    pytest.param(op, spec, id=f"{op.name}.{spec.name}")
    for op in OPS
    for spec in op.options.values()
    if spec.annotation is not Any and spec.name != "activation"
]


def is_legal(spec: OptionSpec, value: Any) -> bool:
    """Return whether the option's own check accepts a value; an expression counts as a legal value."""
    if _is_expression(value):
        return True
    candidates = _without_expressions(value)
    for candidate in candidates:
        try:
            spec.check(candidate)
        except ValueError:
            continue
        return True
    return False


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$")


def _without_expressions(value: Any) -> list[Any]:
    """Return the value with each of several values in place of the expressions in it."""
    if isinstance(value, list) and any(map(_is_expression, value)):
        return [[new if _is_expression(v) else v for v in value] for new in (1, 0.5, "text")]
    if isinstance(value, dict) and any(map(_is_expression, value.values())):
        return [{k: 1 if _is_expression(v) else v for k, v in value.items()}]
    return [value]


def is_source(op: Op, value: Any) -> bool:
    """Return whether the key of a tensor takes this value for a source."""
    return op.name == "arange" and isinstance(value, str | list | dict)


@pytest.mark.parametrize(("op", "spec"), OPTIONS)
def test_an_option_accepts_what_its_check_accepts(op: Op, spec: OptionSpec) -> None:
    definition = op.name if op.kind == "tensor" else f"{op.kind}.{op.name}"
    is_value = op.kind == "tensor" and spec.name == VALUE_OPTION[op.name]
    key = op.name if is_value else spec.name
    one = SCHEMA["$defs"][definition]["properties"][key]
    validator = Draft202012Validator({**one, "$defs": SCHEMA["$defs"]})
    probes = (*PROBES, *choices(spec.annotation))
    if is_value and op.inputs.names:  # true and null are no options there, nor is a source
        probes = tuple(
            v for v in probes if v is not None and v is not True and not is_source(op, v)
        )
    wrong = [v for v in probes if validator.is_valid(v) != is_legal(spec, v)]
    assert wrong == []


class Scaled(nn.Module):
    """The input multiplied by a number."""

    def __init__(self, by: float, mode: Literal["up", "down"] = "up", extra: Any = None) -> None:
        super().__init__()
        self.by = by if mode == "up" else 1 / by

    def forward(self, x: Tensor) -> Tensor:
        return x * self.by


@pytest.mark.parametrize(
    ("item", "fine"),
    [
        ("{Scaled: 2}", True),
        ("{Scaled: {by: 0.5, mode: down, extra: {a: [1, $k]}}}", True),
        ("Scaled", False),
        ("{Scaled: {by: x}}", False),
        ("{Scaled: {by: 1, mode: side}}", False),
        ("{Scaled: {by: 1, extra: [$]}}", False),
    ],
)
def test_has_registered_layers(item: str, fine: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._OPS, "layer", dict(registry.ops("layer")))
    mg.register(Scaled)
    text = f"inputs: {{a: [5]}}\nnodes: {{n: {{from: a, seq: [{item}]}}}}\noutputs: n\n"
    assert Draft202012Validator(schema.schema()).is_valid(data(text)) == fine


@settings(max_examples=60)
@given(specs())
def test_accepts_random_specs(spec: Spec) -> None:
    assert faults(to_yaml(spec)) == []
