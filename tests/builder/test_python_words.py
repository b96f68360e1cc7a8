"""Diagnostics of Python calls show Python: no text of a rule or check of nodes keeps its YAML."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.diagnostics import Report
from mimgraph.diagnostics.text import MAPPING, SEQ, Text, code, did_you_mean, drop, insert, put
from mimgraph.language.read_spec import read
from mimgraph.ops.python_text import in_python
from mimgraph.source import SourceFile
from tests.helpers.handles import image, numeric, text
from tests.helpers.marked import faults
from tests.test_corpus import CASE, FILES

TEXTS = {
    f"flatten it first: {insert('{layer: Flatten, from: image}')}": (
        "flatten it first: layers.Flatten()(image)"
    ),
    f"fill it first: {insert('{layer: Fill, from: lstm.last, value: zeros}')}": (
        'fill it first: layers.Fill("zeros")(lstm["last"])'
    ),
    f"flatten it first: {insert('{from: b, seq: [Flatten, {Linear: 16}]}')}": (
        "flatten it first: mg.Sequential(layers.Flatten(), layers.Linear(16))(b)"
    ),
    f"move it back: {code('{Transpose: {dim0: 0, dim1: 1}}')}": (
        "move it back: layers.Transpose(dim0=0, dim1=1)"
    ),
    f"compare it: {insert('{merge: formula, expr: m > 0, from: {m: mask}}')}": (
        'compare it: merges.formula("m > 0", m=mask)'
    ),
    f"a batch: {code('{parameter: [1, 8], init: ..., batched: true, ...}')}": (
        "a batch: mg.Parameter(..., (1, 8), init=..., batched=True, ...)"
    ),
    f"swap them: {put('from: {a: y, b: x}')}": "swap them: a=y, b=x",
    f"write {put('repeat: {times: $T, shared: true}')}": (
        'write repeat={"times": T, "shared": True}'
    ),
    f"dim must be an integer or {code('null')}, not {code('true')}": (
        "dim must be an integer or None, not True"
    ),
    f"choose a port with take: {put('{LSTM: {..., take: last}}')}": (
        'choose a port with take: layers.LSTM(..., take="last")'
    ),
    f"write {put('arange: x, dim: 1')}, or {put('arange: 8')}": (
        "write mg.arange(x, dim=1), or mg.arange(8)"
    ),
    f"write {put('zeros: true, like: x')}": "write mg.zeros(like=x)",
    f"write {put('{GELU: {approximate: ...}}')} or {put('GELU')}": (
        "write layers.GELU(approximate=...) or GELU"
    ),
    f"make it a node: {code('{layer: LSTM, from: ...}')}": "make it a node: layers.LSTM(...)(...)",
    f"and cut it to T: {code('{layer: Slice, from: ..., dim: 0, end: $T}')}": (
        "and cut it to T: layers.Slice(dim=0, end=T)(...)"
    ),
    f"write {put('$T')}, {put('$(2*T)')}, {put('[$T, 4]')} or {put('-.inf')}": (
        'write T, 2*T, [T, 4] or float("-inf")'
    ),
    f"leave {drop('only: training')} out": 'leave only="training" out',
    f"an item of a {SEQ} must be a {MAPPING}": "an item of a Sequential must be a dict",
    f"its ports: {put('last', 'lstm[0]')}": "its ports: lstm[0]",
    f"{did_you_mean('true')}": "did you mean True?",
    "concat must say: {seq: [a]}, true": "concat must say: {seq: [a]}, true",
}
# what may follow a colon in a sentence, or in Python
ENGLISH = r"(\w+=|write|make|read|return|layers\.|merges\.|mg\.)"
YAML = re.compile(
    rf"\b(layer|merge|block|seq|from|share|parameter|buffer|take|repeat|batched|broadcast|init): (?!{ENGLISH})|: (true|false|null)\b|\$[\w(]"
)


def test_texts_in_python() -> None:
    assert {text: in_python(Text(text)) for text in TEXTS} == TEXTS


def test_a_text_of_the_user_in_braces_stays() -> None:
    texts = ["{a: &a [x], b: *a}", "{seq: 3}", "write {scan: [], carry: x}", "outputs: [a]"]
    texts += ["over: 2024-13-45", "one of {a, b}", "{" * 1000, "{layer: [a]}"]
    assert [in_python(Text(code(text))) for text in texts] == texts


def typing_texts() -> Iterator[str]:
    """Yield the texts of all faults in the corpus that are found when a graph is typed."""
    for path in FILES:
        for match in CASE.finditer(path.read_text()):
            report = Report()
            if read(SourceFile("spec.yaml", match[1]), report) and not report.diagnostics:
                for found in faults(match[1]):
                    yield from (found.message, found.note, found.help)
                    yield from (label.text for label in found.labels)


def calls(text: str) -> Iterator[str]:
    """Yield the calls in a text: `layers.Linear(3)(x)`."""
    for match in re.finditer(r"\b(layers|merges|mg)\.\w+\(", text):
        end, depth = match.start(), 0
        for end in range(match.end() - 1, len(text)):
            depth += (text[end] == "(") - (text[end] == ")")
            if depth == 0 and text[end + 1 : end + 2] != "(":
                break
        yield text[match.start() : end + 1]


def test_the_texts_of_the_corpus_have_no_yaml_left() -> None:
    texts = {*typing_texts()}
    written = {text: in_python(text) for text in texts}
    assert sum(written[text] != text for text in texts) > 80
    assert [one for one in written.values() if YAML.search(one)] == []
    for shown in written.values():
        for call in calls(shown):
            ast.parse(call.replace(", ...)", ")"), mode="eval")


def test_a_call_has_its_help_in_python() -> None:
    with pytest.raises(mg.SpecError, match=r"help: flatten it first: layers.Flatten\(\)\(image\)"):
        merges.concat(image(), numeric())
    with pytest.raises(mg.SpecError, match="bias of Linear must be True or False, not 5"):
        layers.Linear(3, bias=5)(text())  # type: ignore[arg-type]


def test_a_fault_in_a_file_keeps_its_yaml() -> None:
    spec = "inputs: {x: [5]}\nblocks: {b: {seq: [{Conv2d: [4, 3]}]}}\nnodes: {y: {block: b, from: x}}\noutputs: y"
    with pytest.raises(mg.SpecError, match=r"\{Unflatten: \{dim: 1"):
        mg.loads(spec.replace("[4, 3]", "{out_channels: 4, kernel_size: 3}"))


def test_an_edit_of_a_loaded_graph_has_its_help_in_python() -> None:
    spec = "inputs: {a: [3], b: [4]}\nnodes: {y: {merge: concat, from: [a, b]}}\noutputs: y"
    with pytest.raises(mg.SpecError, match=r"help: project it first: layers.Linear\(3\)\(b\)"):
        mg.loads(spec).replace("y", merges.add())
