"""A version that is made from the last one, as only nodes changed, is equal to a fresh reading."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mimgraph.editor.analysis import analyse
from mimgraph.editor.document.open_spec import OpenSpec
from mimgraph.editor.features.hints import hints
from mimgraph.editor.features.kept_hints import KeptHints
from mimgraph.editor.features.uses import uses_of
from mimgraph.language.parts.part_files import first_place
from mimgraph.source import SourceFile
from tests.editor.document.test_open_spec import check, shown
from tests.helpers.cases import each

SPEC = """\
params: {width: 4}
inputs:
  x: [8]
  y: {shape: [T, 4], optional: true}
blocks:
  pair: {inputs: {h: [a]}, nodes: {one: {layer: ReLU, from: h}}, outputs: one}
nodes:
  a: {layer: Linear, from: x, out_features: $width}
  b:
    layer: ReLU
    from: a

  # a comment
  c: {seq: [{Linear: 4}, ReLU], from: b}
  d: {layer: LSTM, from: y, hidden_size: 4, take: last}
  dd: {layer: Fill, from: d, value: zeros}
  e: {merge: add, from: [c, b]}
  f: {block: pair, from: e}
  g: {layer: Linear, from: f, out_features: 3}
outputs: [g, dd]
"""

MADE = {  # edits after which the next version is made from the last: what is replaced by what
    "an option": ("out_features: 3", "out_features: 5"),
    "a bias": ("out_features: 3", "out_features: 3, bias: false"),
    "a param in place of a number": ("out_features: 3", "out_features: $width"),
    "the op": ("layer: ReLU\n", "layer: Tanh\n"),
    "an item of a chain": ("{Linear: 4}, ReLU", "{Linear: 4}, Tanh"),
    "another source": ("from: b}", "from: a}"),
    "a comment behind a node": ("out_features: 3}", "out_features: 3}  # the last"),
    "a line break": ("\n  # a comment\n", "\n\n\n  # a comment\n"),
    "fewer lines": ("\n\n  # a comment\n", "\n"),
    "a node between": ("  g: {layer: Linear, from: f", "  z: {layer: Tanh, from: f}\n  g: {layer: Linear, from: z"),
    "the sizes of a node that others read": ("Linear: 4}, ReLU", "Linear: 4}, {Linear: 4}, ReLU"),
}  # fmt: skip
ANEW = {  # edits after which the whole text is read
    "a param": ("width: 4", "width: 5"),
    "an input": ("x: [8]", "x: [9]"),
    "a block that other nodes use": ("layer: ReLU, from: h", "layer: Tanh, from: h"),
    "a node on an optional input": ("take: last", "take: cell"),
    "a node that uses a block": ("f: {block: pair, from: e}", "f: {block: pair, from: c}"),
    "a type that a block reads": ("{Linear: 4}, ReLU], from: b}", "{Linear: 5}, ReLU], from: a}"),
    "a name that others read": ("  c: {", "  cc: {"),
    "a source that is not known": ("from: f,", "from: ff,"),
    "a node that nothing reads": ("  g: {", "  z: {layer: ReLU, from: f}\n  g: {"),
    "a source that nothing else reads": ("from: f,", "from: e,"),
    "a name that is taken": ("  b:\n", "  a:\n"),
    "no YAML": ("out_features: 3}", "out_features: 3"),
    "a source below": ("from: x, out", "from: c, out"),
    "a deprecated word": ("out_features: 3", "outfeatures: 3"),
    "a section inside of nodes": ("  g: {", "outputs: a\n  g: {"),
}


def is_made(spec: OpenSpec, text: str) -> bool:
    """Return whether the version with a text is made from the last one, and check it."""
    spec.file.become(text)
    found = spec._memory.next() is not None
    check(spec, "a.yaml")
    return found


@each("edit", MADE)
def test_made_from_the_last(edit: tuple[str, str]) -> None:
    spec = OpenSpec("a.yaml", SPEC)
    assert check(spec, "a.yaml").typed is not None
    assert edit[0] in SPEC
    assert is_made(spec, SPEC.replace(*edit))
    assert is_made(spec, SPEC)


@each("edit", ANEW)
def test_read_as_a_whole(edit: tuple[str, str]) -> None:
    spec = OpenSpec("a.yaml", SPEC)
    check(spec, "a.yaml")
    assert edit[0] in SPEC
    assert not is_made(spec, SPEC.replace(*edit))


def test_made_from_the_last_legal_version() -> None:
    spec = OpenSpec("a.yaml", SPEC)
    check(spec, "a.yaml")
    assert not is_made(spec, SPEC.replace("out_features: 3}", "out_fea"))
    assert is_made(spec, SPEC.replace("out_features: 3", "out_features: 7"))


LINES = (
    *("  {n}: {{layer: Linear, from: {s}, out_features: {k}}}", "  {n}: {{layer: ReLU, from: {s}}}"),
    *("  {n}: {{merge: concat, from: [{s}, {t}]}}", "  {n}:\n    seq: [Tanh, {{Linear: {k}}}]\n    from: {s}"),
    *("  {n}: {{merge: add, from: [{s}, {s}]}}", "  {n}: {{layer: Linear, from: {s}, out_features: $width}}"),
    *("  {n}: {{block: pair, from: {s}}}", "  {n}: {{share: a, from: {s}}}", "  # {n}", "", "  - {n}"),
    *("  {n}: {{layer: Dropout, from: {s}}}", "  {n}: {{layer: LSTM, from: {s}, hidden_size: {k}}}"),
    *("  {n}: {{merge: sum, from: [{s}]}}", "  {n}: {{each: ReLU, from: [{s}, {t}]}}", "outputs: {n}"),
    *("  {n}: {{layer: ReLU, from: {s}, lr: 0.1x}}", "  {n}: {{layer: ReLU, from: {s}, freeze: true}}"),
)  # fmt: skip
names = st.sampled_from("abcdefgxyz")
lines = st.builds(
    lambda line, n, s, t, k: line.format(n=n, s=s, t=t, k=k),
    *(st.sampled_from(LINES), names, names, names, st.integers(1, 4)),
)
changes = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 2), st.lists(lines, max_size=2)))


@settings(max_examples=20)
@given(changes, st.data())
def test_random_edits(edits: list[tuple[int, int, list[str]]], data: st.DataObject) -> None:
    """Replace lines by others; the graphs of some versions are not looked at, so that lines stay moved."""
    spec, kept = OpenSpec("a.yaml", SPEC), KeptHints()
    check(spec, "a.yaml")
    for at, count, new in edits:
        text = spec.file.text.split("\n")
        text[at : at + count] = new
        spec.file.become("\n".join(text))
        found = spec.analyse(first_place("a.yaml"))
        fresh = analyse(SourceFile("a.yaml", spec.file.text), first_place("a.yaml"))
        assert shown(found) == shown(fresh)
        assert found.is_broken == fresh.is_broken
        if data.draw(st.booleans()):
            check(spec, "a.yaml")
        if data.draw(st.booleans()):
            assert hints(found, uses_of(found), None, kept) == hints(fresh, uses_of(fresh))
