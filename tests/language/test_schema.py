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
from mimgraph.ir.declared_graph import VALUE_OPTION
from mimgraph.ir.grammar import PLACES
from mimgraph.ir.option_types import choices
from mimgraph.language import schema
from mimgraph.ops import registry
from mimgraph.ops.op import Op, OptionSpec
from tests.helpers.cases import each, texts
from tests.helpers.marked import locations
from tests.helpers.strategies import Spec, specs, to_yaml
from tests.infer.test_named_ops import SPEC as CHOICE
from tests.language.yaml_tree.reading import tree_of, value_of
from tests.test_corpus import FILES, cases

SCHEMA = schema.schema()
VALIDATOR = Draft202012Validator(SCHEMA)
OPS = [op for kind in ("layer", "merge", "tensor") for op in registry.ops(kind).values()]


def faults(text: str) -> list[str]:
    return [
        f"{e.json_path}: {e.message}"[:300] for e in VALIDATOR.iter_errors(value_of(tree_of(text)))
    ]


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


@each("op", {f"{op.kind} {op.name}": op for op in OPS})
def test_accepts_the_example_of_every_op(op: Op) -> None:
    inputs, node = op.example
    declared = "\n".join(f"  {line}" for line in inputs)
    assert faults(f"inputs:\n{declared}\nnodes:\n  y: {node}\noutputs: y\n") == []


# the codes of faults of structure, except for cases that depend on the meaning of names
ACCEPTED = {
    **{
        name: text for name, (text,) in texts(Path(__file__).with_name("schema_accepts.md")).items()
    },
    **{name: spec for name, (spec, _) in cases("legal").items()},
    "params that name layers, merges and blocks": CHOICE,
}
REFUSED = texts(Path(__file__).with_name("schema_refuses.md"))


@each("text", ACCEPTED)
def test_accepts_what_the_reader_accepts(text: str) -> None:
    assert [fault for fault in locations(text) if not fault.startswith("unused-node")] == []
    assert faults(text) == []


# the codes of faults of structure, except for cases that depend on the meaning of names
STRUCTURAL = {
    *("unknown-key", "missing-key", "wrong-type", "unknown-option", "missing-option"),
    *("bad-option", "unknown-layer", "unknown-merge", "bad-name"),
}
UNREADABLE = {"yaml-syntax", "yaml-subset", "ambiguous-scalar", "duplicate-key"}
DIFFERENT = {
    reason: names.splitlines()
    for reason, (names,) in texts(Path(__file__).with_name("schema_differs.md")).items()
}
FORESEEN = DIFFERENT.pop("told by both, with a code of meaning")
CASES = cases(
    *("sections", "nodes", "node_options", "blocks", "each", "names", "graph", "shapes", "dtypes")
)
ALL = [path.stem for path in FILES]
READABLE = {name: case for name, case in CASES.items() if not UNREADABLE & case[1]}


@each("case", REFUSED)
def test_refuses_what_the_reader_refuses(case: list[str]) -> None:
    (text,) = case
    assert {fault.partition(" ")[0] for fault in locations(text)} & STRUCTURAL
    assert faults(text) != []


@each("name, case", READABLE.items())
def test_refuses_the_faults_of_structure(name: str, case: tuple[str, set[str]]) -> None:
    text, codes = case
    told_by_structure = bool(codes & STRUCTURAL) and not any(
        name in why for why in DIFFERENT.values()
    )
    assert bool(faults(text)) == (told_by_structure or name in FORESEEN)


@each("spec", {name: spec for name, (spec, codes) in cases(*ALL).items() if not codes})
def test_accepts_the_specs_of_the_corpus_without_faults(spec: str) -> None:
    assert faults(spec) == []


def test_the_exceptions_are_cases() -> None:
    named = [name for names in (*DIFFERENT.values(), FORESEEN) for name in names]
    assert [name for name in named if name not in READABLE] == []


# every option of every op against values of every kind

PROBES = (
    *(None, True, 0, 1, -1, 2, 1000, 1001, 0.5, 1.5, -0.5, "", "text", "a b", "$x", "$(2 * x)"),
    *([], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [0], [-1, 4], [None, 1], [0.5, 2], ["a"], ["$x"]),
    *([1, 2, 3, 4, 5, 6], [[1]], [True, 1], {"a": 2}, {"a": 0}, {"a": "$x"}),
)
OPTIONS = {
    f"{op.kind} {op.name}.{spec.name}": (op, spec)
    for op in OPS
    for spec in op.options.values()
    if spec.annotation is not Any and spec.name != "activation"
}


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


@each("op, spec", OPTIONS)
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


@each(
    "item, fine",
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
    assert Draft202012Validator(schema.schema()).is_valid(value_of(tree_of(text))) == fine


@settings(max_examples=60)
@given(specs())
def test_accepts_random_specs(spec: Spec) -> None:
    assert faults(to_yaml(spec)) == []
