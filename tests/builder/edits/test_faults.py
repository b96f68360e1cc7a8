"""Faults of edits are at the call, with the place in the spec as a label; other arguments are `TypeError`s."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.source import Span
from tests.helpers.edited import GRAPH, SPEC

x = mg.Input("x", (64,))
shared = layers.Linear(8)
shared(x)


@mg.block
def sharing(x: mg.Tensor) -> mg.Tensor:
    return shared(x)


SCAN = """\
inputs: {x: [T, 4]}
blocks: {fc: {inputs: [x], seq: [{Linear: 4}]}}
nodes: {y: {scan: fc, from: x, over: 1}}
outputs: y
"""

SHARING = """\
inputs: {x: [4]}
blocks: {again: {inputs: [x], nodes: {h: {share: fc, from: x}}, outputs: h}}
nodes: {fc: {layer: Linear, from: x, out_features: 4}, y: {block: again, from: fc}}
outputs: y
"""

# the edit, the code, words of the message or help, and what the label in the spec marks
FAULTS: dict[str, tuple[Callable[[], object], str, str, str]] = {
    "an unknown node": (
        lambda: GRAPH.replace("fusd", layers.ReLU()),
        "unknown-source",
        "did you mean fused?",
        "",
    ),
    "an unknown node of a block": (
        lambda: GRAPH.replace("deep.a.cnv", layers.ReLU()),
        "unknown-source",
        "no node in deep.a is called 'cnv'",
        "",
    ),
    "an unknown item": (
        lambda: GRAPH.remove("stem.3"),
        "unknown-source",
        "its items are 0 to 2",
        "",
    ),
    "a node inside a layer": (
        lambda: GRAPH.with_options("fc1.0", bias=False),
        "unknown-source",
        "write 'fc1'",
        "",
    ),
    "one repeat": (
        lambda: GRAPH.replace("stage.1.conv", layers.ReLU()),
        "unknown-source",
        "write 'stage.*.conv', which changes all of them",
        "",
    ),
    "one module of an each": (
        lambda: GRAPH.replace("emb.small", layers.Linear(3)),
        "unknown-source",
        "write 'emb', which changes all of them",
        "",
    ),
    "a node of a share": (
        lambda: GRAPH.replace("fc2.0", layers.Linear(3)),
        "unknown-source",
        "change fc1, which fc2 follows",
        "",
    ),
    "an input": (
        lambda: GRAPH.replace("numeric", layers.ReLU()),
        "unknown-source",
        "numeric is an input",
        "",
    ),
    "a port of an input": (
        lambda: GRAPH.insert("deep.x.last", layers.ReLU()),
        "unknown-port",
        "write 'deep.x'",
        "",
    ),
    "an unknown input": (
        lambda: GRAPH.insert("numerc", layers.ReLU()),
        "unknown-source",
        "did you mean numeric?",
        "",
    ),
    "too many sources": (
        lambda: GRAPH.replace("fused", layers.ReLU()),
        "wrong-arity",
        "ReLU takes 1 source, not 5",
        "fc2",
    ),
    "a port that is gone": (
        lambda: GRAPH.replace("lstm", layers.Linear(8)),
        "unknown-port",
        "lstm has no port 'last'",
        "last",
    ),
    "a shape that does not fit any more": (
        lambda: GRAPH.with_options("stage.conv", kernel_size=5),
        "shape-mismatch",
        "add needs equal shapes",
        "x",
    ),
    "an unknown option": (
        lambda: GRAPH.with_options("fc1", out_featurs=3),
        "unknown-option",
        "did you mean out_features?",
        "",
    ),
    "an unknown param": (
        lambda: GRAPH.with_options("small", wdth=3),
        "unknown-option",
        "did you mean width?",
        "",
    ),
    "an option of a seq": (
        lambda: GRAPH.with_options("stem", bias=False),
        "unknown-option",
        "name one of its items: 'stem.0'",
        "",
    ),
    "an option of a share": (
        lambda: GRAPH.with_options("fc2", bias=False),
        "unknown-option",
        "change fc1, which fc2 follows",
        "",
    ),
    "a word of a share": (
        lambda: GRAPH.with_options("fc2", freeze=True),
        "unknown-option",
        "change fc1, which fc2 follows",
        "",
    ),
    "a missing option": (
        lambda: GRAPH.with_options("fc1", out_features=...),
        "missing-option",
        "Linear needs out_features",
        "",
    ),
    "a node of several sources": (
        lambda: GRAPH.remove("fused"),
        "wrong-arity",
        "fused has several sources: drop, fc2, mean, emb.*",
        "fused",
    ),
    "a node that is shared": (
        lambda: GRAPH.remove("fc1"),
        "unknown-source",
        "fc2 shares the module of fc1",
        "fc1",
    ),
    "a node that a block shares": (
        lambda: mg.loads(SHARING).remove("fc"),
        "unknown-source",
        "a block that y uses shares the module of fc",
        "",
    ),
    "a node of which another port is read": (
        lambda: GRAPH.remove("lstm"),
        "unknown-port",
        "lstm.last is read, and it would be gone",
        "lstm.last",
    ),
    "the only item": (
        lambda: GRAPH.remove("small.0").remove("small.0"),
        "missing-key",
        "small.0 is the only item of its seq",
        "",
    ),
    "several results": (
        lambda: GRAPH.insert("emb", layers.ReLU()),
        "unknown-port",
        "name one of them: 'emb.small', 'emb.last'",
        "",
    ),
    "one of several results that are read together": (
        lambda: GRAPH.insert("emb.small", layers.ReLU()),
        "unknown-port",
        "emb.* reads all results of emb together",
        "emb.*",
    ),
    "a result that nothing reads": (
        lambda: GRAPH.insert("lstm.cell", layers.ReLU()),
        "unused-node",
        "nothing reads lstm.cell",
        "",
    ),
    "a name that is taken": (
        lambda: GRAPH.insert("head", layers.ReLU(), name="drop"),
        "duplicate-name",
        "is called drop already",
        "",
    ),
    "a name of an item": (
        lambda: GRAPH.insert("stem.0", layers.ReLU(), name="relu"),
        "bad-name",
        "the name of an item is its position",
        "",
    ),
    "a bad name": (
        lambda: GRAPH.insert("head", layers.ReLU(), name="for"),
        "bad-name",
        "for",
        "",
    ),
    "a merge in a seq": (
        lambda: GRAPH.replace("stem.1", merges.add()),
        "unknown-layer",
        "add is a merge, and an item of a seq is a layer or block",
        "",
    ),
    "another axis of a scan": (
        lambda: mg.loads(SCAN).with_options("y", over=2),
        "unknown-option",
        "y is a scan",
        "",
    ),
    "words of a Sequential in a seq": (
        lambda: GRAPH.replace("stem.1", mg.Sequential(layers.ReLU(), freeze=True)),
        "bad-option",
        "give take, over, freeze, ... to its items",
        "",
    ),
    "a block that shares a layer": (
        lambda: GRAPH.replace("small", sharing()),
        "unknown-source",
        "sharing shares linear",
        "",
    ),
    "a source among the options": (
        lambda: GRAPH.replace("drop", layers.Cast(like=x)),
        "unknown-source",
        "Cast is given a source of another graph",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_at_the_call(case: str) -> None:
    edit, code, words, marked = FAULTS[case]
    with pytest.raises(mg.SpecError) as caught:
        edit()
    (fault,) = caught.value.diagnostics
    assert fault.code == code
    assert words in f"{fault.message} {fault.help}"
    lines, first = inspect.getsourcelines(edit)
    assert fault.span.file.name == __file__
    assert first <= fault.span.line < first + len(lines)
    labels = [one for one in fault.labels if one.span.file.name == "both.yaml"]
    assert [_text(labels[0].span)] == [marked] if marked else labels == []


def _text(span: Span) -> str:
    line = SPEC.splitlines()[span.line - 1]
    return line[span.column - 1 : span.end_column - 1]


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "a number as a path": (lambda: GRAPH.replace(3, layers.ReLU()), "the name of a node"),  # type: ignore[arg-type]
    "a layer without its options": (lambda: GRAPH.replace("drop", layers.ReLU), r"write layers.ReLU\(\)"),  # type: ignore[arg-type]
    "the name of a layer": (lambda: GRAPH.replace("drop", "GELU"), "such as layers.GELU"),  # type: ignore[arg-type]
    "a handle": (lambda: GRAPH.insert("drop", x), "a layer or merge with its options"),  # type: ignore[arg-type]
    "one module of an each": (lambda: GRAPH.insert("drop", layers.Linear(3)["a"]), "a layer or merge"),  # type: ignore[arg-type]
    "no path": (lambda: GRAPH.with_options(None, bias=False), "the name of a node"),  # type: ignore[arg-type]
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_another_argument_is_a_type_error(case: str) -> None:
    edit, words = WRONG[case]
    with pytest.raises(TypeError, match=words):
        edit()


def test_all_faults_are_reported() -> None:
    a, b = mg.Input("a", (3,)), mg.Input("b", (3,))
    fc = layers.Linear(3)(a, name="fc")
    graph = mg.Graph([merges.add(fc, a, name="first"), merges.add(fc, b, name="second")])
    with pytest.raises(mg.SpecError) as caught:
        graph.with_options("fc", out_features=4)
    found = caught.value.diagnostics
    assert [one.code for one in found] == ["shape-mismatch", "shape-mismatch"]
    assert [one.node for one in found] == ["first", "second"]
